use std::io::Read;

use super::args::{DuplicatesArgs, QueryArgs, RelatedArgs};
use super::failure::Failure;
use super::input::{InputError, one_article};
use super::output::{json, line, published, short, table, verdict};
use crate::client::Client;
use crate::proto::v1 as pb;
use crate::proto::v1::{
    find_duplicates_request, find_related_documents_request, find_related_passages_request,
};

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
        Asked::Article(document) => Query::Document(*document),
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

/// Asks which stored passages, or documents, are about the same thing.
pub async fn related(client: Client, args: RelatedArgs, as_json: bool) -> Result<(), Failure> {
    match args.documents {
        true => related_documents(client, args, as_json).await,
        false => related_passages(client, args, as_json).await,
    }
}

async fn related_passages(
    mut client: Client,
    args: RelatedArgs,
    as_json: bool,
) -> Result<(), Failure> {
    use find_related_passages_request::Query;
    let query = match asked(args.query)? {
        Asked::Text(text) => Query::Text(text),
        Asked::Passage(id) => Query::PassageId(id),
        Asked::Document(id) => Query::DocumentId(id),
        Asked::Article(document) => Query::Document(*document),
    };
    let request = pb::FindRelatedPassagesRequest {
        query: Some(query),
        filter: Some(args.filter.into_filter()),
        limit: args.limit,
        max_per_document: args.max_per_document,
        ranking: Some(args.ranking.into_ranking()),
        min_score: args.min_score,
    };
    let response = client.similarity.find_related_passages(request).await?.into_inner();
    if as_json {
        return response.passages.iter().try_for_each(|found| json("RelatedPassage", found));
    }
    match response.passages.as_slice() {
        [] => line("nothing stored is related")?,
        passages => line(related_table(passages))?,
    }
    copies_of_query(&response.query_duplicate_ids)
}

async fn related_documents(
    mut client: Client,
    args: RelatedArgs,
    as_json: bool,
) -> Result<(), Failure> {
    use find_related_documents_request::Query;
    let query = match asked(args.query)? {
        Asked::Document(id) => Query::DocumentId(id),
        Asked::Article(document) => Query::Document(*document),
        Asked::Text(_) | Asked::Passage(_) => {
            let needed =
                "--documents takes --document or --file: what is asked about is an article";
            return Err(Failure::Settings(needed.to_owned()));
        }
    };
    let request = pb::FindRelatedDocumentsRequest {
        query: Some(query),
        filter: Some(args.filter.into_filter()),
        limit: args.limit,
        ranking: Some(args.ranking.into_ranking()),
        min_score: args.min_score,
    };
    let response = client.similarity.find_related_documents(request).await?.into_inner();
    if as_json {
        return response.documents.iter().try_for_each(|found| json("RelatedDocument", found));
    }
    match response.documents.as_slice() {
        [] => line("nothing stored is related")?,
        documents => line(related_documents_table(documents))?,
    }
    copies_of_query(&response.query_duplicate_ids)
}

/// Says which copies of the query were left out of the answers.
fn copies_of_query(ids: &[String]) -> Result<(), Failure> {
    match ids {
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

/// Stored documents about the same events, best first, each with the passage that ties
/// it to the query most.
fn related_documents_table(documents: &[pb::RelatedDocument]) -> comfy_table::Table {
    let mut rows = table(["score", "verdict", "outlet, date, id", "title, passage", "story"]);
    for found in documents {
        let document = found.document.clone().unwrap_or_default();
        let mut text = short(&document.title, SHOWN / 2);
        if !found.duplicate_document_ids.is_empty() {
            text = format!("{text} (and {} copies)", found.duplicate_document_ids.len());
        }
        if let Some(passage) = found.evidence.first().and_then(|pair| pair.passage.as_ref()) {
            text = format!("{text}\n{}", short(&passage.text, SHOWN / 2));
        }
        rows.add_row([
            format!("{:.2}", found.score),
            verdict(found.verdict).to_owned(),
            origin(&document, &document.document_id),
            text,
            document.story_id.clone(),
        ]);
    }
    rows
}

/// Where a passage or a document is from, in a narrow column.
fn origin(document: &pb::DocumentSummary, id: &str) -> String {
    let parts = [document.source.clone(), published(document), id.to_owned()];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

enum Asked {
    Text(String),
    Passage(String),
    Document(String),
    Article(Box<pb::Document>),
}

fn asked(args: QueryArgs) -> Result<Asked, Failure> {
    Ok(match (args.passage, args.document, args.file) {
        (Some(passage), ..) => Asked::Passage(passage),
        (_, Some(document), _) => Asked::Document(document),
        (_, _, Some(file)) => Asked::Article(one_article(&file)?),
        (None, None, None) => Asked::Text(text(args.text)?),
    })
}

/// The text that is asked about; `-` stands for what is in standard input.
pub fn text(given: Option<String>) -> Result<String, InputError> {
    match given {
        Some(text) if text == "-" => standard_input(),
        text => Ok(text.unwrap_or_default()),
    }
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
        offset: error.utf8_error().valid_up_to() as u64,
    })
}
