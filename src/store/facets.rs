use std::collections::BTreeMap;

use rusqlite::{Params, Rows};

use crate::index::ContentId;

use super::{DocumentKey, StoreError, View};

type Result<T> = std::result::Result<T, StoreError>;

/// What a document can be filtered by, and the texts that stand in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facets {
    /// Which document.
    pub document: DocumentKey,
    /// Its outlet.
    pub source: String,
    /// Its language, in lower case.
    pub language: String,
    /// When it was published, in microseconds since 1970.
    pub published_at: i64,
    /// When its body came in, likewise.
    pub ingested_at: i64,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The texts of its reporting, ascending.
    pub contents: Vec<ContentId>,
}

impl View<'_> {
    /// Calls `each` with the facets of all documents, in the order of their keys.
    pub fn facets(&self, each: impl FnMut(Facets)) -> Result<()> {
        self.read_facets("", [], each)
    }

    /// The facets of one document.
    pub fn facets_of(&self, document: DocumentKey) -> Result<Option<Facets>> {
        let mut found = None;
        self.read_facets("WHERE doc = ?1", [document], |facets| found = Some(facets))?;
        Ok(found)
    }

    /// Three tables in the same order, side by side.
    fn read_facets(
        &self,
        condition: &str,
        values: impl Params + Clone,
        mut each: impl FnMut(Facets),
    ) -> Result<()> {
        let documents = format!(
            "SELECT doc, source, lower(language), published_at, ingested_at FROM documents \
             {condition} ORDER BY doc"
        );
        let labels = format!("SELECT doc, key, value FROM labels {condition} ORDER BY doc");
        let passages = format!("SELECT doc, content FROM passages {condition} ORDER BY doc");
        let mut documents = self.connection.prepare_cached(&documents)?;
        let mut labels = self.connection.prepare_cached(&labels)?;
        let mut passages = self.connection.prepare_cached(&passages)?;
        let mut documents = documents.query(values.clone())?;
        let mut labels =
            Ahead::new(labels.query(values.clone())?, |row| Ok((row.get(1)?, row.get(2)?)))?;
        let mut passages =
            Ahead::new(passages.query(values)?, |row| row.get::<_, Option<ContentId>>(1))?;
        while let Some(row) = documents.next()? {
            let document: DocumentKey = row.get(0)?;
            let mut facets = Facets {
                document,
                source: row.get(1)?,
                language: row.get(2)?,
                published_at: row.get(3)?,
                ingested_at: row.get(4)?,
                labels: labels.of(document)?.into_iter().collect(),
                contents: passages.of(document)?.into_iter().flatten().collect(),
            };
            facets.contents.sort_unstable();
            facets.contents.dedup();
            each(facets);
        }
        Ok(())
    }
}

/// Rows in the order of documents, of which the next one is read already.
struct Ahead<'a, T, F> {
    rows: Rows<'a>,
    next: Option<(DocumentKey, T)>,
    read: F,
}

impl<'a, T, F: Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>> Ahead<'a, T, F> {
    fn new(rows: Rows<'a>, read: F) -> Result<Self> {
        let mut ahead = Self { rows, next: None, read };
        ahead.advance()?;
        Ok(ahead)
    }

    fn advance(&mut self) -> Result<Option<(DocumentKey, T)>> {
        let next = match self.rows.next()? {
            Some(row) => Some((row.get(0)?, (self.read)(row)?)),
            None => None,
        };
        Ok(std::mem::replace(&mut self.next, next))
    }

    /// The rows of a document; those of earlier ones are passed over.
    fn of(&mut self, document: DocumentKey) -> Result<Vec<T>> {
        let mut found = Vec::new();
        while self.next.as_ref().is_some_and(|(of, _)| *of <= document) {
            if let Some((of, value)) = self.advance()?
                && of == document
            {
                found.push(value);
            }
        }
        Ok(found)
    }
}
