//! Filters, pages and page tokens, over real documents: what is listed, counted and found is what
//! a plain reading of the contract says.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use copydesk::proto::v1 as pb;
use copydesk::proto::v1::find_related_passages_request::Query;
use copydesk::text::LanguageTag;
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use prost_types::Timestamp;
use tonic::{Code, Status};

use super::desk::Desk;

const SOURCES: [&str; 5] = ["", "Alpha", "Beta", "beta", "it's \"quoted\" %_"];
const LANGUAGES: [&str; 6] = ["en", "EN-gb", "fr", "de-CH", "de-CH-1901", "und"];
const LABELS: [(&str, &str); 4] = [("desk", "economy"), ("desk", ""), ("a\"b", "c"), ("x", "y")];

/// Seconds: the start of 2024.
const YEAR: i64 = 1_704_067_200;
const DAY: i64 = 86_400;

/// Documents that differ in what filters look at; every third one is a copy of the one before.
fn documents() -> Vec<pb::Document> {
    let document = |number: usize| {
        let labels = LABELS.iter().enumerate().filter(|(at, _)| number >> at & 1 == 1);
        let labels = labels.map(|(_, (key, value))| ((*key).to_owned(), (*value).to_owned()));
        let story = number - usize::from(number % 3 == 1);
        let text = format!(
            "Report {story} of the harbour office says that {} ships came in on day {story}, more \
             than in any week since the strike of the pilots ended.",
            40 + 7 * story
        );
        pb::Document {
            document_id: format!("d{number}"),
            source: SOURCES[number % SOURCES.len()].to_owned(),
            language: LANGUAGES[number % LANGUAGES.len()].to_owned(),
            url: format!("https://example.org/{}", number % 4),
            published_at: Some(Timestamp { seconds: YEAR + DAY * number as i64, nanos: 0 }),
            labels: labels.collect(),
            paragraphs: Some(pb::ParagraphList { paragraphs: vec![text] }),
            ..Default::default()
        }
    };
    (0..24).map(document).collect()
}

/// A server, and what it says of its documents, the latest first.
pub struct Lists {
    desk: Desk,
    documents: Vec<pb::DocumentSummary>,
}

impl Lists {
    /// Starts it.
    pub fn new() -> Self {
        let mut desk = Desk::with(&documents());
        let request = pb::ListDocumentsRequest { page_size: 1_000, ..Default::default() };
        let listed = desk.runtime.block_on(desk.client.corpus.list_documents(request)).unwrap();
        Self { desk, documents: listed.into_inner().documents }
    }

    /// Asks for what the bytes say.
    pub fn ask(&mut self, data: &[u8]) {
        let mut data = Unstructured::new(data);
        let Ok((filter, page_size, place)) = self.question(&mut data) else { return };
        let token = String::from_utf8_lossy(data.take_rest());
        if filter.languages.iter().any(|tag| LanguageTag::parse(tag).is_none()) {
            let refused = self.page(&filter, page_size, "").unwrap_err();
            return assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
        }
        let expected = self.expected(&filter);
        assert_eq!(self.listed(&filter, page_size), expected, "{filter:?}");
        self.find(&filter, &expected);
        self.count(&filter, &expected);
        self.forge(&filter, page_size, place, &expected);
        if !token.is_empty() {
            let refused = self.page(&filter, page_size, &token).unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument, "{token:?}: {refused}");
        }
    }

    /// A filter, how many documents on a page, and a place to go on at.
    fn question(&self, data: &mut Unstructured<'_>) -> Result<(pb::Filter, i32, i64)> {
        let ids: Vec<&str> = self.documents.iter().map(|d| d.document_id.as_str()).collect();
        let filter = pb::Filter {
            sources: some(data, &SOURCES)?,
            exclude_sources: some(data, &SOURCES)?,
            languages: some(data, &LANGUAGES)?,
            published_after: time(data, YEAR)?,
            published_before: time(data, YEAR)?,
            labels: labels(data)?,
            exclude_document_ids: some(data, &ids)?,
            canonical_document_ids: some(data, &ids)?,
            urls: some(data, &["https://example.org/0", "https://example.org/3"])?,
            ingested_after: self.ingest_time(data)?,
            ingested_before: self.ingest_time(data)?,
        };
        Ok((filter, data.int_in_range(1..=30)?, data.arbitrary()?))
    }

    fn ingest_time(&self, data: &mut Unstructured<'_>) -> Result<Option<Timestamp>> {
        let documents = &self.documents;
        Ok(if data.ratio(1, 4)? { data.choose(documents)?.ingested_at } else { None })
    }

    /// The documents that the contract says, the latest first.
    fn expected(&self, filter: &pb::Filter) -> Vec<String> {
        let among = |values: &[String], value: &str| {
            values.is_empty() || values.iter().any(|one| one == value)
        };
        let covers = |language: &str| {
            let language = language.to_ascii_lowercase();
            filter.languages.is_empty()
                || filter.languages.iter().map(|tag| tag.to_ascii_lowercase()).any(|tag| {
                    let rest = language.strip_prefix(&tag);
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
                })
        };
        let order = |time: &Timestamp| (time.seconds, time.nanos);
        let within = |time: Option<Timestamp>, from: Option<Timestamp>, to: Option<Timestamp>| {
            let time = order(&time.unwrap());
            from.is_none_or(|from| order(&from) <= time) && to.is_none_or(|to| time < order(&to))
        };
        let matching = self.documents.iter().filter(|document| {
            among(&filter.sources, &document.source)
                && !filter.exclude_sources.contains(&document.source)
                && !filter.exclude_document_ids.contains(&document.document_id)
                && among(&filter.urls, &document.url)
                && among(&filter.canonical_document_ids, &document.canonical_document_id)
                && covers(&document.language)
                && filter.labels.iter().all(|(key, value)| document.labels.get(key) == Some(value))
                && within(document.published_at, filter.published_after, filter.published_before)
                && within(document.ingested_at, filter.ingested_after, filter.ingested_before)
        });
        matching.map(|document| document.document_id.clone()).collect()
    }

    fn page(
        &mut self,
        filter: &pb::Filter,
        page_size: i32,
        page_token: &str,
    ) -> std::result::Result<(Vec<String>, String), Status> {
        let filter = Some(filter.clone());
        let page_token = page_token.to_owned();
        let request = pb::ListDocumentsRequest { filter, page_size, page_token };
        let listing = self.desk.client.corpus.list_documents(request);
        let page = self.desk.runtime.block_on(listing)?.into_inner();
        assert!(page.documents.len() <= page_size as usize);
        let ids = page.documents.into_iter().map(|document| document.document_id);
        Ok((ids.collect(), page.next_page_token))
    }

    /// All pages.
    fn listed(&mut self, filter: &pb::Filter, page_size: i32) -> Vec<String> {
        let (mut all, mut token) = (Vec::new(), String::new());
        loop {
            let (ids, next) = self.page(filter, page_size, &token).unwrap();
            assert!(!ids.is_empty() || next.is_empty());
            all.extend(ids);
            if next.is_empty() {
                return all;
            }
            token = next;
        }
    }

    /// Goes on at a place that no page ended at, by a token that is otherwise the server's own.
    fn forge(&mut self, filter: &pb::Filter, page_size: i32, place: i64, expected: &[String]) {
        let (_, token) = self.page(filter, page_size, "").unwrap();
        if token.is_empty() {
            return;
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
        let at = bytes.len() - 8;
        bytes[at..].copy_from_slice(&place.to_be_bytes());
        let (ids, _) = self.page(filter, page_size, &URL_SAFE_NO_PAD.encode(bytes)).unwrap();
        assert!(ids.iter().all(|id| expected.contains(id)), "{ids:?}");
    }

    /// Questions are answered by the same documents, all of them: there are few enough.
    fn find(&mut self, filter: &pb::Filter, expected: &[String]) {
        let request = pb::FindRelatedPassagesRequest {
            query: Some(Query::Text("ships in the harbour".to_owned())),
            filter: Some(filter.clone()),
            limit: 1_000,
            ranking: Some(pb::RankingOptions { include_duplicates: true, ..Default::default() }),
            ..Default::default()
        };
        let asking = self.desk.client.similarity.find_related_passages(request);
        let found = self.desk.runtime.block_on(asking).unwrap().into_inner().passages;
        let ids = found.into_iter().map(|found| found.document.unwrap().document_id);
        let expected: BTreeSet<&String> = expected.iter().collect();
        assert_eq!(ids.collect::<BTreeSet<_>>().iter().collect::<BTreeSet<_>>(), expected);
    }

    /// As many would be deleted.
    fn count(&mut self, filter: &pb::Filter, expected: &[String]) {
        let request =
            pb::DeleteDocumentsRequest { filter: Some(filter.clone()), validate_only: true };
        let only_excludes = pb::Filter {
            exclude_sources: Vec::new(),
            exclude_document_ids: Vec::new(),
            ..filter.clone()
        };
        let deleting = self.desk.client.corpus.delete_documents(request);
        match self.desk.runtime.block_on(deleting) {
            Ok(counted) => assert_eq!(counted.into_inner().deleted_count, expected.len() as i64),
            Err(refused) => {
                assert_eq!(only_excludes, pb::Filter::default());
                assert_eq!(refused.code(), Code::InvalidArgument);
            }
        }
    }
}

impl Default for Lists {
    fn default() -> Self {
        Self::new()
    }
}

/// None, mostly, else one or two of those, or a text of any characters.
fn some(data: &mut Unstructured<'_>, known: &[&str]) -> Result<Vec<String>> {
    let count = match data.int_in_range(0..=7)? {
        0..=5 => 0,
        more => more - 5,
    };
    let one = |data: &mut Unstructured<'_>| match data.ratio(1, 8)? {
        true => data.arbitrary(),
        false => data.choose(known).map(|value| (*value).to_owned()),
    };
    (0..count).map(|_| one(data)).collect()
}

fn labels(data: &mut Unstructured<'_>) -> Result<std::collections::HashMap<String, String>> {
    let mut labels = BTreeMap::new();
    for _ in 0..data.int_in_range(0..=7_u8)?.saturating_sub(5) {
        let (key, value) = *data.choose(&LABELS)?;
        labels.insert(key.to_owned(), value.to_owned());
    }
    Ok(labels.into_iter().collect())
}

fn time(data: &mut Unstructured<'_>, start: i64) -> Result<Option<Timestamp>> {
    let seconds = start + DAY * data.int_in_range(-1..=25)?;
    let nanos = 1_000 * data.int_in_range(0..=1)?;
    Ok(data.ratio(1, 4)?.then_some(Timestamp { seconds, nanos }))
}
