//! Writes the seeds that are not text anew, from the top of the project:
//! `cargo run -p copydesk-fuzz --bin seeds`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "harness/calls.rs"]
#[allow(dead_code)]
mod calls;
#[path = "harness/desk.rs"]
mod desk;

use std::fs;
use std::path::Path;

use copydesk::proto::v1 as pb;
use fastrand::Rng;
use prost::Message;

const TEXT: &str =
    "The central bank raised its key interest rate by half a point on Monday.\nIt said so.";

fn main() {
    for (name, method, message) in requests() {
        let methods = calls::methods();
        let which = methods.iter().position(|one| one.name() == method).expect(method);
        let which = u8::try_from(which).unwrap();
        write("calls", name, &[&[which], message.as_slice()].concat());
    }
    let mut rng = Rng::with_seed(7);
    for number in 0..16 {
        let bytes: Vec<u8> = (0..rng.usize(20..160)).map(|_| rng.u8(..)).collect();
        write("listing", &number.to_string(), &bytes);
        let changes: Vec<u8> = (0..rng.usize(1..8))
            // Half of them in the head, where the numbers are.
            .flat_map(|_| if rng.bool() { change(&mut rng, 2) } else { change(&mut rng, 4) })
            .collect();
        write("segment", &number.to_string(), &changes);
        let bytes: Vec<u8> = (0..rng.usize(200..2_000)).map(|_| rng.u8(..)).collect();
        write("kernels", &number.to_string(), &bytes);
    }
}

fn write(target: &str, name: &str, bytes: &[u8]) {
    let folder = Path::new("fuzz/seeds").join(target);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), bytes).unwrap();
}

/// A change of a segment at a place of so many bytes.
fn change(rng: &mut Rng, place: usize) -> [u8; 6] {
    let mut change = [0; 6];
    change.iter_mut().for_each(|byte| *byte = rng.u8(..));
    change.iter_mut().take(4).skip(place).for_each(|byte| *byte = 0);
    change
}

/// Names of seeds, methods, and messages.
fn requests() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    use pb::compare_documents_request::{Left, Right};
    use pb::{
        find_duplicates_request, find_related_documents_request, find_related_passages_request,
        watch_related_documents_request,
    };
    let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 1_000 });
    let document = pb::Document {
        document_id: "d".to_owned(),
        title: "Rates rise".to_owned(),
        source: "Gazette".to_owned(),
        url: "https://example.org/1".to_owned(),
        language: "en-GB".to_owned(),
        published_at: time(1_700_000_000),
        labels: [("desk".to_owned(), "economy".to_owned())].into(),
        paragraphs: Some(pb::ParagraphList { paragraphs: vec![TEXT.to_owned(); 2] }),
        ..Default::default()
    };
    let text = pb::Document { text: Some(TEXT.to_owned()), ..Default::default() };
    let page = format!("<html lang=en><title>Rates</title><article><p>{TEXT}</p></article>");
    let page = pb::Document {
        html: Some(page.into_bytes()),
        content_type: "text/html; charset=utf-8".to_owned(),
        ..Default::default()
    };
    let filter = pb::Filter {
        sources: vec!["Gazette".to_owned()],
        exclude_sources: vec!["Herald".to_owned()],
        languages: vec!["en".to_owned()],
        published_after: time(1),
        published_before: time(2_000_000_000),
        labels: [("desk".to_owned(), "economy".to_owned())].into(),
        exclude_document_ids: vec!["b".to_owned()],
        canonical_document_ids: vec!["a".to_owned()],
        urls: vec!["https://example.org/1".to_owned()],
        ingested_after: time(1),
        ingested_before: time(4_000_000_000),
    };
    let filter = Some(filter);
    let ingest = |document: &pb::Document| pb::IngestDocumentRequest {
        document: Some(document.clone()),
        view: pb::VerdictView::Evidence.into(),
        ..Default::default()
    };
    let ranking = pb::RankingOptions {
        mode: pb::RetrievalMode::Hybrid.into(),
        diversity: 0.5,
        recency_half_life: Some(prost_types::Duration { seconds: 86_400, nanos: 0 }),
        include_duplicates: true,
        as_of: time(1_700_000_000),
    };
    let ranking = Some(ranking);
    let (a, b) = ("a".to_owned(), "b".to_owned());
    let stream =
        pb::IngestDocumentsRequest { ingest: Some(ingest(&text)), request_id: "1".to_owned() };
    let duplicates = |query| pb::FindDuplicatesRequest {
        query: Some(query),
        filter: filter.clone(),
        min_probability: Some(0.1),
        limit: 5,
        ..Default::default()
    };
    let related = pb::FindRelatedPassagesRequest {
        query: Some(find_related_passages_request::Query::PassageId("a#0".to_owned())),
        filter: filter.clone(),
        limit: 5,
        max_per_document: 2,
        min_score: Some(0.1),
        ranking,
    };
    let documents = pb::FindRelatedDocumentsRequest {
        query: Some(find_related_documents_request::Query::DocumentId(a.clone())),
        filter: filter.clone(),
        limit: 5,
        min_score: Some(0.1),
        ranking,
    };
    let watch = pb::WatchRelatedDocumentsRequest {
        query: Some(watch_related_documents_request::Query::Text(TEXT.to_owned())),
        filter: filter.clone(),
        min_score: Some(0.5),
        after_sequence: Some(1),
    };
    let compare = pb::CompareDocumentsRequest {
        left: Some(Left::LeftDocument(text.clone())),
        right: Some(Right::RightDocumentId(b.clone())),
        view: pb::VerdictView::Evidence.into(),
    };
    let verdict = pb::SetVerdictRequest {
        document_id: b.clone(),
        other_document_id: a.clone(),
        verdict: pb::Verdict::New.into(),
        same_story: Some(true),
    };
    use find_duplicates_request::Query;
    vec![
        ("ingest", "IngestDocument", ingest(&document).encode_to_vec()),
        ("ingest_text", "IngestDocument", ingest(&text).encode_to_vec()),
        ("ingest_page", "IngestDocument", ingest(&page).encode_to_vec()),
        ("ingest_stream", "IngestDocuments", stream.encode_to_vec()),
        (
            "get",
            "GetDocument",
            pb::GetDocumentRequest { document_id: a.clone(), view: 3 }.encode_to_vec(),
        ),
        (
            "batch",
            "BatchGetDocuments",
            pb::BatchGetDocumentsRequest { document_ids: vec![a.clone(), b] }.encode_to_vec(),
        ),
        (
            "list",
            "ListDocuments",
            pb::ListDocumentsRequest { filter: filter.clone(), page_size: 1, ..Default::default() }
                .encode_to_vec(),
        ),
        (
            "delete",
            "DeleteDocument",
            pb::DeleteDocumentRequest { document_id: a.clone() }.encode_to_vec(),
        ),
        (
            "delete_all",
            "DeleteDocuments",
            pb::DeleteDocumentsRequest { filter: filter.clone(), validate_only: false }
                .encode_to_vec(),
        ),
        ("export", "ExportDocuments", pb::ExportDocumentsRequest { filter: None }.encode_to_vec()),
        ("verdict", "SetVerdict", verdict.encode_to_vec()),
        (
            "fetch",
            "FetchPage",
            pb::FetchPageRequest { url: "http://127.0.0.1/".to_owned() }.encode_to_vec(),
        ),
        ("duplicates", "FindDuplicates", duplicates(Query::Text(TEXT.to_owned())).encode_to_vec()),
        ("duplicates_page", "FindDuplicates", duplicates(Query::Document(page)).encode_to_vec()),
        ("related", "FindRelatedPassages", related.encode_to_vec()),
        ("related_documents", "FindRelatedDocuments", documents.encode_to_vec()),
        ("watch", "WatchRelatedDocuments", watch.encode_to_vec()),
        ("compare", "CompareDocuments", compare.encode_to_vec()),
        (
            "story",
            "GetStory",
            pb::GetStoryRequest { story_id: a, ..Default::default() }.encode_to_vec(),
        ),
        (
            "stories",
            "ListStories",
            pb::ListStoriesRequest { filter, page_size: 2, ..Default::default() }.encode_to_vec(),
        ),
        ("info", "GetServerInfo", Vec::new()),
        ("compact", "CompactIndex", Vec::new()),
        (
            "snapshot",
            "CreateSnapshot",
            pb::CreateSnapshotRequest { snapshot_name: "../up".to_owned() }.encode_to_vec(),
        ),
        (
            "snapshot_good",
            "CreateSnapshot",
            pb::CreateSnapshotRequest { snapshot_name: "daily-1".to_owned() }.encode_to_vec(),
        ),
    ]
}
