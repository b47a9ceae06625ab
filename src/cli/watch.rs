use std::io::{self, Write};

use super::args::WatchArgs;
use super::failure::Failure;
use super::output::{json, line, published, short, verdict};
use super::questions::text;
use super::stop;
use crate::client::Client;
use crate::proto::v1::watch_related_documents_request;
use crate::proto::{sequence_of, v1 as pb};

/// Characters of a title that a line shows.
const TITLE: usize = 100;

/// Prints documents that are related as they come in, until Ctrl-C, SIGTERM, or until the
/// server ends it; then says how to go on.
pub async fn watch(client: Client, args: WatchArgs, as_json: bool) -> Result<(), Failure> {
    use watch_related_documents_request::Query;
    let stop = stop::on_signal()?;
    let query = match args.document {
        Some(id) => Query::DocumentId(id),
        None => Query::Text(text(args.text)?),
    };
    let request = pb::WatchRelatedDocumentsRequest {
        query: Some(query),
        filter: Some(args.filter.into_filter()),
        min_score: args.min_score,
        after_sequence: args.after_sequence,
    };
    let mut last = None;
    let printing = print(client, request, as_json, &mut last);
    let ended = stop.run_until_cancelled(printing).await.unwrap_or(Ok(()));
    match last {
        Some(last) => eprintln!("go on with --after-sequence {last}"),
        None if ended.is_ok() => eprintln!("the question did not stand yet"),
        None => {}
    }
    ended
}

/// Prints answers for as long as they come. `last` is the number to go on after, once the
/// question stands.
async fn print(
    mut client: Client,
    request: pb::WatchRelatedDocumentsRequest,
    as_json: bool,
    last: &mut Option<i64>,
) -> Result<(), Failure> {
    let response = client.similarity.watch_related_documents(request).await?;
    *last = sequence_of(response.metadata());
    let mut answers = response.into_inner();
    eprintln!("watching; Ctrl-C ends it");
    while let Some(answer) = answers.message().await? {
        match as_json {
            true => json("WatchRelatedDocumentsResponse", &answer)?,
            false => line(told(&answer))?,
        }
        // Whoever reads waits for each of them.
        io::stdout().flush()?;
        *last = Some(answer.sequence);
    }
    Err(Failure::Other("the server ended the answers and gave no reason".to_owned()))
}

/// An answer on one line.
fn told(answer: &pb::WatchRelatedDocumentsResponse) -> String {
    let found = answer.document.clone().unwrap_or_default();
    let document = found.document.unwrap_or_default();
    let parts = [
        answer.sequence.to_string(),
        format!("{:.2}", found.score),
        verdict(found.verdict).to_owned(),
        document.source.clone(),
        published(&document),
        document.document_id.clone(),
        short(&document.title, TITLE),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("  ")
}
