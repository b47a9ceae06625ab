use std::io::Read;

use super::args::{DuplicatesArgs, QueryArgs, RelatedArgs};
use super::failure::Failure;
use super::input::InputError;
use super::output::{json, line, published, short, table, verdict};
use crate::client::Client;
use crate::proto::v1 as pb;
use crate::proto::v1::{find_duplicates_request, find_related_passages_request};

/// Characters of a passage that a table shows.
const SHOWN: usize = 160;

/// Asks which stored passages say the same.
pub async fn duplicates(
    mut client: Client,
    args: DuplicatesArgs,
    as_json: bool,
) -> Result<(), Failure> {
    use find_duplicates_request::Query;
    let query = match asked(args.query)? {
        Asked::Text(text) => Query::Text(text),
        Asked::Passage(id) => Query::PassageId(id),
        Asked::Document(id) => Query::DocumentId(id),
    };
    let request = pb::FindDuplicatesRequest {
        query: Some(query),
        min_probability: args.min_probability,
        filter: Some(args.filter.into_filter()),
        limit: args.limit,
        ..Default::default()
    };
    let response = client.similarity.find_duplicates(request).await?.into_inner();
    if as_json {
        return response.matches.iter().try_for_each(|found| json("DuplicateMatch", found));
    }
    if response.matches.is_empty() {
        return line("nothing stored says the same");
    }
    line(duplicate_table(&response.matches))
}

/// Stored passages that say the same, with what speaks for it.
pub fn duplicate_table(matches: &[pb::DuplicateMatch]) -> comfy_table::Table {
    let mut rows = table(["prob.", "verdict", "outlet, date, id", "passage"]);
    for found in matches {
        let passage = found.passage.clone().unwrap_or_default();
        let document = found.document.clone().unwrap_or_default();
        let evidence = found.evidence.clone().unwrap_or_default();
        let conflicts = evidence.conflicts.iter();
        let conflicts: Vec<String> = conflicts
            .map(|conflict| format!("{} / {}", conflict.query_value, conflict.match_value))
            .collect();
        let mut text = short(&passage.text, SHOWN);
        if !conflicts.is_empty() {
            text = format!("{text}\ndiffers in: {}", short(&conflicts.join("; "), SHOWN / 2));
        }
        rows.add_row([
            format!("{:.2}", found.probability),
            verdict(found.verdict).to_owned(),
            origin(&document, &passage.passage_id),
            text,
        ]);
    }
    rows
}

/// Asks which stored passages are about the same thing.
pub async fn related(mut client: Client, args: RelatedArgs, as_json: bool) -> Result<(), Failure> {
    use find_related_passages_request::Query;
    let query = match asked(args.query)? {
        Asked::Text(text) => Query::Text(text),
        Asked::Passage(id) => Query::PassageId(id),
        Asked::Document(id) => Query::DocumentId(id),
    };
    let request = pb::FindRelatedPassagesRequest {
        query: Some(query),
        filter: Some(args.filter.into_filter()),
        limit: args.limit,
        max_per_document: args.max_per_document,
        ranking: Some(pb::RankingOptions {
            include_duplicates: args.include_duplicates,
            ..Default::default()
        }),
        min_score: args.min_score,
    };
    let response = client.similarity.find_related_passages(request).await?.into_inner();
    if as_json {
        return response.passages.iter().try_for_each(|found| json("RelatedPassage", found));
    }
    if response.passages.is_empty() {
        return line("nothing stored is related");
    }
    line(related_table(&response.passages))?;
    match response.query_duplicate_ids.as_slice() {
        [] => Ok(()),
        copies => line(format_args!("copies of the query itself: {}", copies.join(", "))),
    }
}

/// Stored passages about the same thing, best first.
pub fn related_table(passages: &[pb::RelatedPassage]) -> comfy_table::Table {
    let mut rows = table(["score", "outlet, date, id", "passage"]);
    for found in passages {
        let passage = found.passage.clone().unwrap_or_default();
        let document = found.document.clone().unwrap_or_default();
        let mut text = short(&passage.text, SHOWN);
        if !found.duplicate_passage_ids.is_empty() {
            text = format!("{text} (and {} copies)", found.duplicate_passage_ids.len());
        }
        rows.add_row([format!("{:.2}", found.score), origin(&document, &passage.passage_id), text]);
    }
    rows
}

/// Where a passage is from, in a narrow column.
fn origin(document: &pb::DocumentSummary, passage_id: &str) -> String {
    let parts = [document.source.clone(), published(document), passage_id.to_owned()];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

enum Asked {
    Text(String),
    Passage(String),
    Document(String),
}

fn asked(args: QueryArgs) -> Result<Asked, Failure> {
    Ok(match (args.text, args.passage, args.document) {
        (_, Some(passage), _) => Asked::Passage(passage),
        (_, _, Some(document)) => Asked::Document(document),
        (Some(text), None, None) if text == "-" => Asked::Text(standard_input()?),
        (text, None, None) => Asked::Text(text.unwrap_or_default()),
    })
}

fn standard_input() -> Result<String, InputError> {
    let name = || "standard input".to_owned();
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(|source| InputError::Unreadable { name: name(), source })?;
    String::from_utf8(bytes).map_err(|error| InputError::NotUtf8 {
        name: name(),
        offset: error.utf8_error().valid_up_to(),
    })
}
