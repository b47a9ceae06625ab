use super::args::{CompareArgs, DeleteArgs, EditorVerdict, JudgeArgs, ListArgs, ShowArgs};
use super::failure::Failure;
use super::output::{day, json, line, published, short, table, verdict};
use super::progress;
use super::questions::duplicate_table;
use super::work::meanwhile;
use crate::client::Client;
use crate::proto::v1 as pb;

/// Rows on a page of a listing.
pub const PAGE: usize = 500;

/// Shows a document with its passages and its verdict.
pub async fn show(mut client: Client, args: ShowArgs, as_json: bool) -> Result<(), Failure> {
    let request =
        pb::GetDocumentRequest { document_id: args.id, view: pb::VerdictView::Evidence.into() };
    let response = client.corpus.get_document(request).await?.into_inner();
    if as_json {
        return json("GetDocumentResponse", &response);
    }
    let document = response.document.unwrap_or_default();
    let found = response.verdict.unwrap_or_default();
    for (name, value) in [
        ("id", document.document_id.clone()),
        ("title", document.title.clone()),
        ("outlet", document.source.clone()),
        ("address", document.url.clone()),
        ("language", document.language.clone()),
        ("published", published(&document)),
        ("ingested", day(document.ingested_at)),
        ("labels", labels(&document.labels)),
        ("revision", document.revision.to_string()),
        ("verdict", verdict_line(&found)),
        ("copy of", found.canonical_document_id.clone()),
    ] {
        let own = name == "copy of" && value == document.document_id;
        if !value.is_empty() && !own {
            line(format_args!("{name:<10} {value}"))?;
        }
    }
    let mut rows = table(["", "kind", "verdict", "passage"]);
    for passage in &response.passages {
        let judged = found.passages.iter().find(|judged| judged.ordinal == passage.ordinal);
        let matched = judged.filter(|judged| judged.verdict != pb::Verdict::New as i32);
        let matched = matched.map(|judged| {
            let id = judged.r#match.as_ref().and_then(|found| found.passage.as_ref());
            let id = id.map(|passage| format!(" of {}", passage.passage_id)).unwrap_or_default();
            format!("{}{id}", verdict(judged.verdict))
        });
        rows.add_row([
            passage.ordinal.to_string(),
            kind(passage.kind).to_owned(),
            matched.unwrap_or_default(),
            short(&passage.text, 240),
        ]);
    }
    line(rows)
}

/// Shows what a document is beside another one.
pub async fn compare(mut client: Client, args: CompareArgs, as_json: bool) -> Result<(), Failure> {
    use pb::compare_documents_request::{Left, Right};
    let request = pb::CompareDocumentsRequest {
        left: Some(Left::LeftDocumentId(args.other)),
        right: Some(Right::RightDocumentId(args.id)),
        view: pb::VerdictView::Evidence.into(),
    };
    let response = client.similarity.compare_documents(request).await?.into_inner();
    if as_json {
        return json("CompareDocumentsResponse", &response);
    }
    let found = response.verdict.unwrap_or_default();
    line(format_args!(
        "{} (probability of a copy or update {:.2}, {:.0}% of its words there, {:.0}% new)",
        verdict(found.verdict),
        found.duplicate_probability,
        found.duplicate_share * 100.0,
        found.novelty * 100.0
    ))?;
    let matches: Vec<pb::DuplicateMatch> =
        found.passages.into_iter().filter_map(|passage| passage.r#match).collect();
    line(duplicate_table(&matches))
}

/// Keeps an editor's word on two documents.
pub async fn judge(mut client: Client, args: JudgeArgs, as_json: bool) -> Result<(), Failure> {
    let said = match args.verdict {
        EditorVerdict::New => pb::Verdict::New,
        EditorVerdict::ExactDuplicate => pb::Verdict::ExactDuplicate,
        EditorVerdict::NearDuplicate => pb::Verdict::NearDuplicate,
        EditorVerdict::Update => pb::Verdict::Update,
    };
    let request = pb::SetVerdictRequest {
        document_id: args.id,
        other_document_id: args.other,
        verdict: said.into(),
        same_story: None,
    };
    let response = client.corpus.set_verdict(request).await?.into_inner();
    if as_json {
        return json("SetVerdictResponse", &response);
    }
    let document = response.document.unwrap_or_default();
    line(format_args!(
        "{}: {}, canonical document {}",
        document.document_id,
        verdict(document.verdict),
        document.canonical_document_id
    ))
}

fn verdict_line(found: &pb::DocumentVerdict) -> String {
    format!(
        "{} when it came in (probability of a copy {:.2}, {:.0}% of its words known, {:.0}% new)",
        verdict(found.verdict),
        found.duplicate_probability,
        found.duplicate_share * 100.0,
        found.novelty * 100.0
    )
}

fn labels(labels: &std::collections::HashMap<String, String>) -> String {
    let mut labels: Vec<String> =
        labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    labels.sort();
    labels.join(", ")
}

fn kind(kind: i32) -> &'static str {
    match pb::PassageKind::try_from(kind) {
        Ok(pb::PassageKind::Body) => "body",
        Ok(pb::PassageKind::Furniture) => "furniture",
        Ok(pb::PassageKind::Unspecified) | Err(_) => "unknown",
    }
}

/// Lists documents, latest ingested first.
pub async fn list(mut client: Client, args: ListArgs, as_json: bool) -> Result<(), Failure> {
    let filter = args.filter.into_filter();
    let mut rows = table(["id", "outlet", "date", "verdict", "title"]);
    let mut left = args.limit;
    let mut page_token = String::new();
    while left > 0 {
        let request = pb::ListDocumentsRequest {
            filter: Some(filter.clone()),
            page_size: i32::try_from(left.min(PAGE)).unwrap_or(i32::MAX),
            page_token,
        };
        let page = client.corpus.list_documents(request).await?.into_inner();
        left = left.saturating_sub(page.documents.len());
        for document in page.documents {
            if as_json {
                json("DocumentSummary", &document)?;
                continue;
            }
            rows.add_row([
                document.document_id.clone(),
                document.source.clone(),
                published(&document),
                verdict(document.verdict).to_owned(),
                short(&document.title, 100),
            ]);
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    if as_json { Ok(()) } else { line(rows) }
}

/// Deletes a document.
pub async fn delete(mut client: Client, args: DeleteArgs, as_json: bool) -> Result<(), Failure> {
    let request = pb::DeleteDocumentRequest { document_id: args.id.clone() };
    let response = client.corpus.delete_document(request).await?.into_inner();
    match as_json {
        true => json("DeleteDocumentResponse", &response),
        false => line(format_args!("deleted {}", args.id)),
    }
}

/// Compacts the index of a server, and waits until that is done.
pub async fn compact(mut client: Client, as_json: bool) -> Result<(), Failure> {
    let bar = progress::waiting("compacting");
    let mut admin = client.admin.clone();
    let compacting = admin.compact_index(pb::CompactIndexRequest {});
    let response = meanwhile(&mut client, compacting, &bar, &["merge", "link"]).await;
    bar.finish_and_clear();
    let response = response?.into_inner();
    if as_json {
        return json("CompactIndexResponse", &response);
    }
    line(format_args!(
        "{} segments where there were {}; {:.1} MB less on disk",
        response.segments_after,
        response.segments_before,
        response.reclaimed_bytes as f64 / 1e6
    ))
}

/// Shows the state of the server.
pub async fn info(mut client: Client, as_json: bool) -> Result<(), Failure> {
    let info = client.admin.get_server_info(pb::GetServerInfoRequest {}).await?.into_inner();
    if as_json {
        return json("GetServerInfoResponse", &info);
    }
    let model = info.model.unwrap_or_default();
    let corpus = info.corpus.unwrap_or_default();
    let limits = info.limits.unwrap_or_default();
    let embedding = info.embedding.unwrap_or_default();
    let hash: String = model.weights_sha256.chars().take(12).collect();
    let mut rows = table(["", ""]);
    for (name, value) in [
        ("version", info.version),
        (
            "model",
            format!(
                "{} ({} dimensions, {} tokens a window, weights {hash})",
                model.model_id, model.dimension, model.max_tokens
            ),
        ),
        (
            "embedded",
            format!(
                "{} texts by {} workers; {} more were stored already, {} asked about recently",
                embedding.embedded_text_count,
                embedding.worker_count,
                embedding.known_text_count,
                embedding.recent_text_count
            ),
        ),
        ("documents", corpus.document_count.to_string()),
        (
            "passages",
            format!(
                "{}, {} of them different reporting",
                corpus.passage_count, corpus.distinct_passage_count
            ),
        ),
        ("oldest", day(corpus.oldest_published_at)),
        ("index", format!("{:.1}% of a sample found by themselves", corpus.index_coverage * 100.0)),
        ("disk", format!("{:.1} MB", corpus.disk_bytes as f64 / 1e6)),
        ("at work", corpus.background_work.join(", ")),
        (
            "limits",
            format!(
                "{} bytes and {} paragraphs a document, {} requests at once",
                limits.max_document_bytes,
                limits.max_paragraphs_per_document,
                limits.max_concurrent_requests
            ),
        ),
    ] {
        if !value.is_empty() {
            rows.add_row([name.to_owned(), value]);
        }
    }
    line(rows)
}
