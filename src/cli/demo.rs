use std::collections::HashSet;

use comfy_table::{ColumnConstraint, Width};
use serde_json::json;
use tokio::sync::oneshot;
use tokio_stream::iter;

use super::args::SetupArgs;
use super::failure::Failure;
use super::output::{json as print_json, json_value, line, published, short, table, verdict};
use super::questions::{duplicate_table, related_table};
use super::serve::{default_workers, ensure};
use crate::client::Client;
use crate::corpus::Options;
use crate::proto::v1 as pb;
use crate::proto::v1::ingest_documents_response::Outcome;
use crate::server::{AccessOptions, ServerConfig, serve};

/// The five articles, and the names of their files.
const SEEDS: [(&str, &str); 5] = [
    (
        "eurasia-daily-monitor-2014-russias-game-in-north-korea",
        include_str!("../../seeds/eurasia-daily-monitor-2014-russias-game-in-north-korea.txt"),
    ),
    (
        "eurasia-daily-monitor-2023-lavrov-visit-to-pyongyang",
        include_str!("../../seeds/eurasia-daily-monitor-2023-lavrov-visit-to-pyongyang.txt"),
    ),
    (
        "kei-peninsula-2023-12-01-stronger-relationship",
        include_str!("../../seeds/kei-peninsula-2023-12-01-stronger-relationship.txt"),
    ),
    (
        "lowy-interpreter-2023-11-24-closer-but-not-too-close",
        include_str!("../../seeds/lowy-interpreter-2023-11-24-closer-but-not-too-close.txt"),
    ),
    (
        "sputnik-2023-10-20-lavrov-north-korea-trip",
        include_str!("../../seeds/sputnik-2023-10-20-lavrov-north-korea-trip.txt"),
    ),
];

/// What an editor might ask.
const QUESTIONS: [&str; 3] = [
    "Did North Korea send ammunition to Russia?",
    "How does China see the ties between Moscow and Pyongyang?",
    "Railway and pipeline projects between Russia and the Koreas",
];

/// Passages that are shown for each question.
const SHOWN: usize = 4;

/// Shows the whole way on real articles: a server over a temporary corpus, and a
/// client of it.
pub async fn demo(args: SetupArgs, as_json: bool) -> Result<(), Failure> {
    let setup = ensure(args).await?;
    let folder = tempfile::tempdir()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let config = ServerConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        admin: None,
        web: None,
        data: folder.path().join("corpus"),
        setup,
        options: Options { workers: default_workers(), ..Options::default() },
        access: AccessOptions::default(),
        fetch: None,
    };
    let serving = serve(config, async {
        let _ = stopped.await;
    })
    .await?;
    let ended = serving.ended;
    if serving.ready.await.is_ok() {
        let client = Client::connect(&serving.address.to_string()).await?;
        show(client, as_json).await?;
    }
    drop(stop);
    ended.await.map_err(|error| Failure::Other(error.to_string()))??;
    Ok(())
}

async fn show(mut client: Client, as_json: bool) -> Result<(), Failure> {
    let results = ingest(&mut client).await?;
    if !as_json {
        line("Five articles about one story\n")?;
    }
    articles(&mut client, &results, as_json).await?;
    near_duplicates(&mut client, &results, as_json).await?;
    for question in QUESTIONS {
        related(&mut client, question, as_json).await?;
    }
    Ok(())
}

async fn ingest(client: &mut Client) -> Result<Vec<pb::IngestDocumentResponse>, Failure> {
    let requests = SEEDS.map(|(name, text)| pb::IngestDocumentsRequest {
        ingest: Some(pb::IngestDocumentRequest {
            document: Some(pb::Document {
                document_id: name.to_owned(),
                text: Some(text.to_owned()),
                ..Default::default()
            }),
            ..Default::default()
        }),
        request_id: name.to_owned(),
    });
    let mut answers = client.corpus.ingest_documents(iter(requests)).await?.into_inner();
    let mut results = Vec::new();
    while let Some(answer) = answers.message().await? {
        match answer.outcome {
            Some(Outcome::Result(result)) => results.push(result),
            Some(Outcome::Error(error)) => return Err(Failure::Other(error.message)),
            None => {}
        }
    }
    Ok(results)
}

async fn articles(
    client: &mut Client,
    results: &[pb::IngestDocumentResponse],
    as_json: bool,
) -> Result<(), Failure> {
    let mut rows = table(["title", "outlet", "date", "passages", "furniture", "verdict"]);
    for result in results {
        let request = pb::GetDocumentRequest {
            document_id: result.document_id.clone(),
            ..Default::default()
        };
        let answer = client.corpus.get_document(request).await?.into_inner();
        if as_json {
            print_json("GetDocumentResponse", &answer)?;
            continue;
        }
        let document = answer.document.unwrap_or_default();
        let furniture =
            answer.passages.iter().filter(|p| p.kind == pb::PassageKind::Furniture as i32).count();
        let date = published(&document);
        rows.add_row([
            document.title,
            document.source,
            if date.is_empty() { "not stated".to_owned() } else { date },
            (answer.passages.len() - furniture).to_string(),
            furniture.to_string(),
            verdict(result.verdict.as_ref().map_or(0, |found| found.verdict)).to_owned(),
        ]);
    }
    // Short columns get what they need, so that words stay whole in the long ones.
    let widths = [20, 13, 12, 10, 11, 9];
    for (column, width) in rows.column_iter_mut().zip(widths) {
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
    }
    if as_json { Ok(()) } else { line(rows) }
}

async fn near_duplicates(
    client: &mut Client,
    results: &[pb::IngestDocumentResponse],
    as_json: bool,
) -> Result<(), Failure> {
    if !as_json {
        line("\nNear-duplicates among them")?;
    }
    let mut found = Vec::new();
    for result in results {
        let query = pb::find_duplicates_request::Query::DocumentId(result.document_id.clone());
        let request = pb::FindDuplicatesRequest { query: Some(query), ..Default::default() };
        found.extend(client.similarity.find_duplicates(request).await?.into_inner().matches);
    }
    show_matches(&found, as_json, "none: the five report in their own words")?;

    let (name, text) = resent();
    if !as_json {
        line(format_args!("\nNear-duplicates of a paragraph of {name}, re-sent with edits:"))?;
        line(format_args!("\u{201C}{}\u{201D}", short(&text, 200)))?;
    }
    let query = pb::find_duplicates_request::Query::Text(text);
    let request = pb::FindDuplicatesRequest { query: Some(query), ..Default::default() };
    let found = client.similarity.find_duplicates(request).await?.into_inner().matches;
    show_matches(&found, as_json, "none")
}

/// A paragraph of a seed as another desk would send it on: retouched and cut.
fn resent() -> (&'static str, String) {
    let [.., (_, lowy), _] = SEEDS;
    let paragraph = lowy.lines().find(|line| line.starts_with("Shoigu")).unwrap_or_default();
    let edited = paragraph
        .replace("evidently led", "led")
        .replace("large quantities of ", "")
        .replace("around 1000 containers", "around 1100 containers");
    ("the Lowy article", edited)
}

fn show_matches(found: &[pb::DuplicateMatch], as_json: bool, none: &str) -> Result<(), Failure> {
    match found {
        found if as_json => found.iter().try_for_each(|found| print_json("DuplicateMatch", found)),
        [] => line(none),
        found => line(duplicate_table(found)),
    }
}

async fn related(client: &mut Client, question: &str, as_json: bool) -> Result<(), Failure> {
    let query = pb::find_related_passages_request::Query::Text(question.to_owned());
    let request = pb::FindRelatedPassagesRequest {
        query: Some(query),
        max_per_document: 1,
        ..Default::default()
    };
    let mut passages =
        client.similarity.find_related_passages(request).await?.into_inner().passages;
    let mut outlets = HashSet::new();
    passages.retain(|found| {
        let outlet = found.document.as_ref().map(|document| document.source.clone());
        outlets.insert(outlet.unwrap_or_default())
    });
    passages.truncate(SHOWN);
    if as_json {
        json_value(&json!({ "question": question }))?;
        return passages.iter().try_for_each(|found| print_json("RelatedPassage", found));
    }
    line(format_args!("\nRelated passages: {question}"))?;
    line(related_table(&passages))
}
