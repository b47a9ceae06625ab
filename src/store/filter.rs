use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::types::Value;

use crate::text::LanguageTag;

/// Restricts which stored documents may answer. Every part that is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// One of these outlets.
    pub sources: Vec<String>,
    /// None of these outlets.
    pub exclude_sources: Vec<String>,
    /// One of these languages; `en` covers `en-GB`.
    pub languages: Vec<LanguageTag>,
    /// Published then or later.
    pub published_after: Option<Timestamp>,
    /// Published earlier.
    pub published_before: Option<Timestamp>,
    /// Each pair equal.
    pub labels: BTreeMap<String, String>,
    /// None of these documents.
    pub exclude_document_ids: Vec<String>,
    /// Copies and updates of one of these, itself included.
    pub canonical_document_ids: Vec<String>,
    /// One of these addresses.
    pub urls: Vec<String>,
    /// Came in then or later.
    pub ingested_after: Option<Timestamp>,
    /// Came in earlier.
    pub ingested_before: Option<Timestamp>,
}

impl Filter {
    /// Whether every document passes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it names nothing but what is left out.
    pub fn only_excludes(&self) -> bool {
        let kept =
            Self { exclude_sources: Vec::new(), exclude_document_ids: Vec::new(), ..self.clone() };
        kept.is_empty()
    }

    /// A condition over `documents d` and what stands for its question marks.
    pub(super) fn condition(&self) -> (String, Vec<Value>) {
        let mut condition = Condition::default();
        condition.among("d.source IN", &self.sources);
        condition.among("d.source NOT IN", &self.exclude_sources);
        condition.among("d.document_id NOT IN", &self.exclude_document_ids);
        condition.among("d.url IN", &self.urls);
        if !self.canonical_document_ids.is_empty() {
            condition.add(
                "d.family IN (SELECT c.family FROM documents c \
                 WHERE c.document_id IN (SELECT value FROM json_each(?)) AND NOT EXISTS \
                 (SELECT 1 FROM documents e WHERE e.family = c.family \
                  AND (e.published_at, e.doc) < (c.published_at, c.doc)))",
                json(&self.canonical_document_ids),
            );
        }
        if !self.languages.is_empty() {
            let languages: Vec<String> =
                self.languages.iter().map(|tag| tag.as_str().to_ascii_lowercase()).collect();
            condition.add(
                "EXISTS (SELECT 1 FROM json_each(?) WHERE lower(d.language) = value \
                 OR substr(lower(d.language), 1, length(value) + 1) = value || '-')",
                json(&languages),
            );
        }
        for (key, value) in &self.labels {
            condition.add(
                "EXISTS (SELECT 1 FROM labels l, json_each(?) pair WHERE l.doc = d.doc \
                 AND l.key = pair.key AND l.value = pair.value)",
                json(&BTreeMap::from([(key, value)])),
            );
        }
        condition.time("d.published_at >= ?", self.published_after);
        condition.time("d.published_at < ?", self.published_before);
        condition.time("d.ingested_at >= ?", self.ingested_after);
        condition.time("d.ingested_at < ?", self.ingested_before);
        condition.finish()
    }
}

#[derive(Default)]
struct Condition {
    parts: Vec<String>,
    values: Vec<Value>,
}

impl Condition {
    fn add(&mut self, part: &str, value: Value) {
        self.parts.push(part.to_owned());
        self.values.push(value);
    }

    fn among(&mut self, operator: &str, values: &[String]) {
        if !values.is_empty() {
            self.add(&format!("{operator} (SELECT value FROM json_each(?))"), json(&values));
        }
    }

    fn time(&mut self, part: &str, time: Option<Timestamp>) {
        if let Some(time) = time {
            self.add(part, Value::Integer(time.as_microsecond()));
        }
    }

    fn finish(self) -> (String, Vec<Value>) {
        match self.parts.is_empty() {
            true => ("TRUE".to_owned(), self.values),
            false => (self.parts.join(" AND "), self.values),
        }
    }
}

fn json(value: &impl serde::Serialize) -> Value {
    // Lists and maps of strings always become JSON.
    Value::Text(serde_json::to_string(value).unwrap_or_default())
}
