//! What a map of the corpus needs of documents: far less than an answer does, of all of them.

use rusqlite::params_from_iter;
use rusqlite::types::Value;

use super::{DocumentKey, Filter, StoreError, StoryKey, View};
use crate::article::DocumentId;
use crate::index::ContentId;

/// A document, by its names alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedDocument {
    /// Its key.
    pub key: DocumentKey,
    /// Its name.
    pub id: DocumentId,
    /// The story that it is filed under.
    pub story: StoryKey,
    /// Grows with every stored body.
    pub sequence: i64,
}

impl View<'_> {
    /// Documents that `filter` lets through, latest ingested first, those before sequence
    /// `before`.
    pub fn named(
        &self,
        filter: &Filter,
        before: i64,
        limit: usize,
    ) -> Result<Vec<NamedDocument>, StoreError> {
        let (condition, mut values) = filter.condition();
        let sql = format!(
            "SELECT d.doc, d.document_id, d.story, d.sequence FROM documents d \
             WHERE {condition} AND d.sequence < ? ORDER BY d.sequence DESC LIMIT ?"
        );
        values.push(Value::Integer(before));
        values.push(Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
        self.all(&sql, params_from_iter(values), |row| {
            Ok(NamedDocument {
                key: row.get(0)?,
                id: row.get(1)?,
                story: row.get(2)?,
                sequence: row.get(3)?,
            })
        })
    }

    /// The number of the body that a document has, if it is there.
    pub fn sequence_of(&self, document: DocumentKey) -> Result<Option<i64>, StoreError> {
        self.value("SELECT sequence FROM documents WHERE doc = ?", &[&document])
    }

    /// The first texts of a document that report something.
    pub fn lead(&self, document: DocumentKey, count: usize) -> Result<Vec<ContentId>, StoreError> {
        let sql = "SELECT content FROM passages WHERE doc = ? AND content IS NOT NULL \
                   ORDER BY ordinal LIMIT ?";
        self.all(sql, rusqlite::params![document, count as i64], |row| row.get(0))
    }
}
