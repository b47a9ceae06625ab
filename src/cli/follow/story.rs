use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;
use url::Url;

use crate::cli::failure::Failure;
use crate::cli::output::{Contract, json_value, line, short, verdict};
use crate::feed::Entry;
use crate::proto::v1 as pb;

/// Characters of a title that a line shows.
const TITLE: usize = 100;

/// Characters of an outlet that a line shows, and that its column has.
const OUTLET: usize = 20;

/// A story as one JSON object.
#[derive(Serialize)]
struct Story<'a> {
    feed: &'a str,
    title: &'a str,
    source: &'a str,
    url: &'a str,
    published_at: Option<Timestamp>,
    /// `IngestDocumentResponse` of the contract.
    result: Contract,
}

/// Prints a story that a feed brought, with its verdict.
pub fn tell(
    feed: &str,
    entry: &Entry,
    source: String,
    answer: pb::IngestDocumentResponse,
    as_json: bool,
) -> Result<(), Failure> {
    match as_json {
        true => json_value(&Story {
            feed,
            title: &entry.title,
            source: &source,
            url: entry.link.as_ref().map_or("", Url::as_str),
            published_at: entry.published_at,
            result: Contract::of("IngestDocumentResponse", &answer)?,
        })?,
        false => line(on_a_line(entry, &source, answer))?,
    }
    // Whoever reads waits for each of them.
    Ok(io::stdout().flush()?)
}

/// When it came, what it is and of what, who has it, its id, its headline.
fn on_a_line(entry: &Entry, source: &str, answer: pb::IngestDocumentResponse) -> String {
    let found = answer.verdict.unwrap_or_default();
    let of = match found.canonical_document_id == answer.document_id {
        true => String::new(),
        false => found.canonical_document_id,
    };
    let (id, outlet) = (answer.document_id, short(source, OUTLET));
    let now = Timestamp::now().strftime("%H:%M:%SZ");
    let told = format!(
        "{now}  {:<15}  {outlet:<width$}  {id:<32}  {}",
        verdict(found.verdict),
        short(&entry.title, TITLE),
        width = OUTLET + 1,
    );
    match of.is_empty() {
        true => told,
        false => format!("{told}  (of {of})"),
    }
}
