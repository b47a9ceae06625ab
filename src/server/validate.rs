use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use crate::article::{Body, DocumentId, Html, Incoming, Metadata, paragraphs_of};
use crate::corpus::{Detail, Limits, PassageName};
use crate::proto::v1 as pb;
use crate::related::{Mode, Ranking};
use crate::store::{Filter, StoryKey};
use crate::text::{LanguageTag, is_visible};
use crate::verdict::Verdict;

use super::page_token;
use super::refusal::{Invalid, Refusal};

/// Answers where a request does not say how many.
pub(super) const DEFAULT_LIMIT: usize = 10;

/// Documents on a page where a request does not say how many.
pub(super) const DEFAULT_PAGE: usize = 50;

/// Checks the fields of one request and collects all that is wrong with them.
pub(super) struct Check<'a> {
    limits: &'a Limits,
    invalid: Invalid,
}

impl<'a> Check<'a> {
    pub fn new(limits: &'a Limits) -> Self {
        Self { limits, invalid: Invalid::default() }
    }

    /// The value if nothing was wrong.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Refusal> {
        match value {
            Some(value) => self.invalid.or(value),
            None => Err(Refusal::Invalid(self.invalid)),
        }
    }

    /// Bytes of the whole message.
    pub fn message(&mut self, bytes: usize) {
        let most = self.limits.message_bytes;
        if bytes > most {
            self.fail("message", format!("has {bytes} bytes; at most {most} are allowed"));
            self.invalid.because("MESSAGE_TOO_LARGE");
        }
    }

    pub fn fail(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.invalid.add(field, description);
    }

    pub fn document_id(&mut self, field: &str, id: &str) -> Option<DocumentId> {
        DocumentId::parse(id).map_err(|error| self.fail(field, error.to_string())).ok()
    }

    pub fn passage_name(&mut self, field: &str, name: &str) -> Option<PassageName> {
        let parsed = PassageName::parse(name);
        if parsed.is_none() {
            self.fail(field, "is not a passage id; give \"<document_id>#<ordinal>\"");
        }
        parsed
    }

    /// A document as it came. `None` if something is wrong with it.
    pub fn document(&mut self, field: &str, document: Option<pb::Document>) -> Option<Incoming> {
        let Some(document) = document else {
            self.fail(field, "is not set; give the document");
            return None;
        };
        let id = match document.document_id.as_str() {
            "" => Some(None),
            id => self.document_id(&format!("{field}.document_id"), id).map(Some),
        };
        for (name, value) in [
            ("title", &document.title),
            ("source", &document.source),
            ("url", &document.url),
            ("content_type", &document.content_type),
        ] {
            self.length(&format!("{field}.{name}"), value);
        }
        let language = self.language(&format!("{field}.language"), &document.language);
        let published_at = self.time(&format!("{field}.published_at"), document.published_at);
        let labels = self.labels(&format!("{field}.labels"), document.labels);
        let html = document.html.map(|bytes| Html { bytes, content_type: document.content_type });
        let body = self.body(field, document.text, document.paragraphs, html);
        let metadata = Metadata {
            title: document.title,
            source: document.source,
            url: document.url,
            language,
            published_at,
            labels,
        };
        Some(Incoming { id: id?, metadata, body: body? })
    }

    fn body(
        &mut self,
        field: &str,
        text: Option<String>,
        paragraphs: Option<pb::ParagraphList>,
        html: Option<Html>,
    ) -> Option<Body> {
        match (text, paragraphs, html) {
            (Some(text), None, None) => self.text_body(&format!("{field}.text"), text),
            (None, Some(list), None) => {
                self.paragraphs_body(&format!("{field}.paragraphs"), list.paragraphs)
            }
            (None, None, Some(html)) => self.page_body(&format!("{field}.html"), html),
            (None, None, None) => {
                self.fail(field, "has no body; give one of text, paragraphs and html");
                None
            }
            _ => {
                self.fail(field, "has several bodies; give one of text, paragraphs and html");
                None
            }
        }
    }

    fn text_body(&mut self, field: &str, text: String) -> Option<Body> {
        if !self.body_bytes(field, text.len()) {
            return None;
        }
        let paragraphs = paragraphs_of(&text).len();
        if paragraphs == 0 {
            self.empty(field);
            return None;
        }
        self.paragraph_count(field, paragraphs).then_some(Body::Text(text))
    }

    fn paragraphs_body(&mut self, field: &str, paragraphs: Vec<String>) -> Option<Body> {
        for (index, paragraph) in paragraphs.iter().enumerate() {
            if !self.body_bytes(&format!("{field}[{index}]"), paragraph.len()) {
                return None;
            }
        }
        let counted = self.paragraph_count(field, paragraphs.len());
        let bytes = paragraphs.iter().map(String::len).sum();
        if !counted || !self.body_bytes(field, bytes) {
            return None;
        }
        if !paragraphs.iter().any(|paragraph| is_visible(paragraph)) {
            self.empty(field);
            return None;
        }
        Some(Body::Paragraphs(paragraphs))
    }

    /// A page is read where work may block; what is wrong with it is told then. Its size is
    /// bounded with that of the message: most of it is not the article.
    fn page_body(&mut self, field: &str, html: Html) -> Option<Body> {
        if html.bytes.is_empty() {
            self.empty(field);
            return None;
        }
        Some(Body::Html(html))
    }

    fn empty(&mut self, field: &str) {
        self.fail(field, "holds no visible text; give the article's paragraphs");
        self.invalid.because("EMPTY");
    }

    fn body_bytes(&mut self, field: &str, bytes: usize) -> bool {
        let most = self.limits.document_bytes;
        if bytes > most {
            self.fail(field, format!("has {bytes} bytes; at most {most} are allowed"));
            self.invalid.because("DOCUMENT_TOO_LARGE");
        }
        bytes <= most
    }

    fn paragraph_count(&mut self, field: &str, count: usize) -> bool {
        let most = self.limits.paragraphs;
        if count > most {
            self.fail(field, format!("has {count} paragraphs; at most {most} are allowed"));
            self.invalid.because("DOCUMENT_TOO_LARGE");
        }
        count <= most
    }

    /// A text that is asked about.
    pub fn query_text(&mut self, field: &str, text: String) -> Option<String> {
        if !self.body_bytes(field, text.len()) {
            return None;
        }
        if !is_visible(&text) {
            self.empty(field);
            return None;
        }
        self.paragraph_count(field, paragraphs_of(&text).len()).then_some(text)
    }

    pub fn filter(&mut self, filter: Option<pb::Filter>) -> Filter {
        let filter = filter.unwrap_or_default();
        for (name, values) in [
            ("sources", &filter.sources),
            ("exclude_sources", &filter.exclude_sources),
            ("languages", &filter.languages),
            ("exclude_document_ids", &filter.exclude_document_ids),
            ("canonical_document_ids", &filter.canonical_document_ids),
            ("urls", &filter.urls),
        ] {
            self.count(&format!("filter.{name}"), values.len(), self.limits.filter_values);
        }
        let languages = filter.languages.iter().enumerate().filter_map(|(index, tag)| {
            let parsed = LanguageTag::parse(tag);
            if parsed.is_none() {
                self.fail(
                    format!("filter.languages[{index}]"),
                    "is not a BCP-47 tag such as \"en\"",
                );
            }
            parsed
        });
        Filter {
            languages: languages.collect(),
            sources: filter.sources,
            exclude_sources: filter.exclude_sources,
            published_after: self.time("filter.published_after", filter.published_after),
            published_before: self.time("filter.published_before", filter.published_before),
            labels: self.labels("filter.labels", filter.labels),
            exclude_document_ids: filter.exclude_document_ids,
            canonical_document_ids: filter.canonical_document_ids,
            urls: filter.urls,
            ingested_after: self.time("filter.ingested_after", filter.ingested_after),
            ingested_before: self.time("filter.ingested_before", filter.ingested_before),
        }
    }

    /// How many answers: 0 is the default, more than the most is lowered.
    pub fn limit(&mut self, field: &str, limit: i32) -> usize {
        self.at_most(field, limit, DEFAULT_LIMIT)
    }

    /// How many documents on a page, likewise.
    pub fn page_size(&mut self, size: i32) -> usize {
        self.at_most("page_size", size, DEFAULT_PAGE)
    }

    fn at_most(&mut self, field: &str, given: i32, default: usize) -> usize {
        match usize::try_from(given) {
            Ok(0) => default,
            Ok(given) => given.min(self.limits.answers),
            Err(_) => {
                self.fail(field, format!("is {given}; give 0 or more"));
                default
            }
        }
    }

    /// Where a listing goes on; `None` on the first page.
    pub fn page_token(&mut self, query: &impl std::fmt::Debug, token: &str) -> Option<i64> {
        if token.is_empty() {
            return None;
        }
        let position = page_token::decode(query, token);
        if position.is_none() {
            self.fail("page_token", "is not one that this query returned; start without one");
        }
        position
    }

    pub fn story_id(&mut self, field: &str, id: &str) -> Option<StoryKey> {
        let key = StoryKey::parse(id);
        if key.is_none() {
            self.fail(field, "is not a story id; give one that an answer named");
        }
        key
    }

    /// How to pick and order what is related.
    pub fn ranking(&mut self, ranking: Option<pb::RankingOptions>) -> Ranking {
        let ranking = ranking.unwrap_or_default();
        let mode = match pb::RetrievalMode::try_from(ranking.mode) {
            Ok(pb::RetrievalMode::Unspecified | pb::RetrievalMode::Hybrid) => Mode::Hybrid,
            Ok(pb::RetrievalMode::Semantic) => Mode::Semantic,
            Ok(pb::RetrievalMode::Lexical) => Mode::Lexical,
            Err(_) => {
                self.unknown("ranking.mode", ranking.mode);
                Mode::default()
            }
        };
        let half_life = ranking.recency_half_life.map(|span| {
            let seconds = span.seconds as f64 + f64::from(span.nanos) / 1e9;
            if seconds <= 0.0 {
                let problem = format!("is {seconds} seconds; give a span that is longer than none");
                self.fail("ranking.recency_half_life", problem);
            }
            seconds
        });
        Ranking {
            mode,
            diversity: self.share("ranking.diversity", Some(ranking.diversity)).unwrap_or(0.0),
            half_life,
            include_duplicates: ranking.include_duplicates,
            as_of: self.time("ranking.as_of", ranking.as_of),
        }
    }

    /// A bound where 0 means none.
    pub fn bound(&mut self, field: &str, given: i32) -> usize {
        match usize::try_from(given) {
            Ok(0) => usize::MAX,
            Ok(given) => given,
            Err(_) => {
                self.fail(field, format!("is {given}; give 0 or more"));
                usize::MAX
            }
        }
    }

    /// A number between 0 and 1.
    pub fn share(&mut self, field: &str, given: Option<f32>) -> Option<f32> {
        if let Some(given) = given.filter(|given| !(0.0..=1.0).contains(given)) {
            self.fail(field, format!("is {given}; give a number from 0 to 1"));
        }
        given
    }

    pub fn detail(&mut self, view: i32, default: Detail) -> Detail {
        match pb::VerdictView::try_from(view) {
            Ok(pb::VerdictView::Unspecified) => default,
            Ok(pb::VerdictView::Summary) => Detail::Summary,
            Ok(pb::VerdictView::Passages) => Detail::Passages,
            Ok(pb::VerdictView::Evidence) => Detail::Evidence,
            Err(_) => {
                self.unknown("view", view);
                default
            }
        }
    }

    /// What an editor says of two documents.
    pub fn verdict(&mut self, field: &str, verdict: i32) -> Option<Verdict> {
        match pb::Verdict::try_from(verdict) {
            Ok(pb::Verdict::New) => Some(Verdict::New),
            Ok(pb::Verdict::ExactDuplicate) => Some(Verdict::ExactDuplicate),
            Ok(pb::Verdict::NearDuplicate) => Some(Verdict::NearDuplicate),
            Ok(pb::Verdict::Update) => Some(Verdict::Update),
            Ok(pb::Verdict::Unspecified) => {
                self.fail(field, "is not set; say what the document is beside the other one");
                None
            }
            Err(_) => {
                self.unknown(field, verdict);
                None
            }
        }
    }

    /// Says that an enum value is not known.
    pub fn unknown(&mut self, field: &str, value: i32) {
        self.fail(field, format!("is {value}, which is not a value that is known"));
    }

    /// A list that may have `most` entries.
    pub fn count(&mut self, field: &str, count: usize, most: usize) {
        if count > most {
            self.fail(field, format!("has {count} entries; at most {most} are allowed"));
        }
    }

    pub fn length(&mut self, field: &str, value: &str) {
        let most = self.limits.field_bytes;
        if value.len() > most {
            self.fail(field, format!("has {} bytes; at most {most} are allowed", value.len()));
        }
    }

    fn labels(&mut self, field: &str, labels: HashMap<String, String>) -> BTreeMap<String, String> {
        self.count(field, labels.len(), self.limits.labels);
        let labels: BTreeMap<String, String> = labels.into_iter().collect();
        for (key, value) in &labels {
            if key.is_empty() {
                self.fail(field, "has an empty key; give each label a name");
            }
            if key.contains(char::is_control) || value.contains('\0') {
                self.fail(field, "holds a control character; use printable text");
            }
            self.length(&format!("{field} key"), key);
            self.length(&format!("{field}[{:?}]", key.chars().take(64).collect::<String>()), value);
        }
        labels
    }

    fn language(&mut self, field: &str, tag: &str) -> Option<LanguageTag> {
        if tag.is_empty() {
            return None;
        }
        let parsed = LanguageTag::parse(tag);
        if parsed.is_none() {
            self.fail(field, "is not a BCP-47 tag such as \"en\" or \"en-GB\"");
        }
        parsed
    }

    pub fn time(&mut self, field: &str, time: Option<prost_types::Timestamp>) -> Option<Timestamp> {
        /// What the contract's timestamps can say: years 1 to 9999.
        const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
        let time = time?;
        let in_range = SECONDS.contains(&time.seconds) && (0..1_000_000_000).contains(&time.nanos);
        let parsed = in_range
            .then(|| time.seconds * 1_000_000 + i64::from(time.nanos / 1_000))
            .and_then(|microseconds| Timestamp::from_microsecond(microseconds).ok());
        if parsed.is_none() {
            self.fail(field, "is out of range; give a time from year 1 to year 9999");
        }
        parsed
    }
}
