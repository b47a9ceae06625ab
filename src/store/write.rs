use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use crate::article::{Article, Metadata, PassageKind};
use crate::embed::Windows;
use crate::index::ContentId;
use crate::text::{ContentHash, UNDETERMINED};
use crate::verdict::{DocumentVerdict, Verdict};

use super::{DocumentKey, EditorWord, PassageKey, StoreError, View};

type Result<T> = std::result::Result<T, StoreError>;

/// Changes the store, within one transaction.
pub struct Writer<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) model: i64,
}

/// A document that is ready to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewDocument<'a> {
    /// What it says.
    pub article: &'a Article,
    /// Vectors of its reporting.
    pub vectors: &'a HashMap<ContentHash, Windows>,
    /// Words in its reporting.
    pub words: usize,
    /// Stated, or what stands in for it.
    pub published_at: Timestamp,
    /// Now.
    pub ingested_at: Timestamp,
    /// The verdict on it.
    pub verdict: &'a DocumentVerdict<DocumentKey, PassageKey>,
    /// The family that it joins; `None` for one of its own.
    pub family: Option<i64>,
}

/// A document that was stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// Its key.
    pub key: DocumentKey,
    /// Its family.
    pub family: i64,
    /// Counts its bodies, from 1.
    pub revision: i64,
    /// Texts that are new to the corpus.
    pub added: Vec<(ContentId, ContentHash)>,
    /// Texts that no passage says any more.
    pub removed: Vec<ContentId>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(transaction: &'a Transaction<'a>, model: i64) -> Self {
        Self { transaction, model }
    }

    /// What can be read, changes of this transaction included.
    pub fn view(&self) -> View<'_> {
        View::new(self.transaction, self.model)
    }

    /// Stores a document whose id is not known.
    pub fn insert(&self, new: &NewDocument<'_>) -> Result<Written> {
        let family = new.family.map_or_else(|| self.new_family(), Ok)?;
        let article = new.article;
        self.execute(
            "INSERT INTO documents (document_id, sequence, revision, title, source, url, language, \
             stated_published_at, published_at, ingested_at, first_ingested_at, body_hash, \
             reporting_hash, words, family, relation) \
             VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?11, ?12, ?13, ?14)",
            params![
                article.id,
                self.next("sequence")?,
                article.metadata.title,
                article.metadata.source,
                article.metadata.url,
                language(&article.metadata),
                article.metadata.published_at.map(Timestamp::as_microsecond),
                new.published_at.as_microsecond(),
                new.ingested_at.as_microsecond(),
                article.body_hash,
                article.reporting_hash,
                new.words as i64,
                family,
                new.verdict.verdict,
            ],
        )?;
        let key = DocumentKey(self.transaction.last_insert_rowid());
        self.insert_labels(key, &article.metadata.labels)?;
        let added = self.insert_body(key, new)?;
        Ok(Written { key, family, revision: 1, added, removed: Vec::new() })
    }

    /// Gives a stored document another body and other metadata.
    pub fn replace(&self, key: DocumentKey, new: &NewDocument<'_>) -> Result<Written> {
        let family = new.family.map_or_else(|| self.new_family(), Ok)?;
        let article = new.article;
        let former = self.contents_of(key)?;
        for table in ["paragraphs", "passages", "verdicts", "passage_verdicts"] {
            self.execute(&format!("DELETE FROM {table} WHERE doc = ?"), [key])?;
        }
        self.execute(
            "UPDATE documents SET sequence = ?, revision = revision + 1, ingested_at = ?, \
             body_hash = ?, reporting_hash = ?, words = ?, family = ?, relation = ? WHERE doc = ?",
            params![
                self.next("sequence")?,
                new.ingested_at.as_microsecond(),
                article.body_hash,
                article.reporting_hash,
                new.words as i64,
                family,
                new.verdict.verdict,
                key,
            ],
        )?;
        self.set_metadata(key, &article.metadata, new.published_at)?;
        let added = self.insert_body(key, new)?;
        let removed = self.drop_unused(former)?;
        let revision =
            self.view().value("SELECT revision FROM documents WHERE doc = ?", &[&key])?;
        Ok(Written { key, family, revision: revision.unwrap_or(1), added, removed })
    }

    /// Replaces what is known about a document besides its body.
    pub fn set_metadata(
        &self,
        key: DocumentKey,
        metadata: &Metadata,
        published_at: Timestamp,
    ) -> Result<()> {
        self.execute(
            "UPDATE documents SET title = ?, source = ?, url = ?, language = ?, \
             stated_published_at = ?, published_at = ? WHERE doc = ?",
            params![
                metadata.title,
                metadata.source,
                metadata.url,
                language(metadata),
                metadata.published_at.map(Timestamp::as_microsecond),
                published_at.as_microsecond(),
                key,
            ],
        )?;
        self.execute("DELETE FROM labels WHERE doc = ?", [key])?;
        self.insert_labels(key, &metadata.labels)
    }

    /// Says which family a document is in, and what it is beside the canonical one of it.
    pub fn set_place(&self, key: DocumentKey, family: i64, relation: Verdict) -> Result<()> {
        let sql = "UPDATE documents SET family = ?1, relation = ?2 \
                   WHERE doc = ?3 AND (family, relation) != (?1, ?2)";
        self.execute(sql, params![family, relation, key])
    }

    /// The number of a family that has no members yet.
    pub fn new_family(&self) -> Result<i64> {
        self.next("family")
    }

    /// Keeps what an editor said of a document and an earlier one, in place of all that was
    /// said of the two before.
    pub fn set_editor_word(&self, word: &EditorWord) -> Result<()> {
        let EditorWord { document, other, verdict } = *word;
        self.execute(
            "DELETE FROM editor_verdicts WHERE (doc, other) IN (VALUES (?1, ?2), (?2, ?1))",
            params![document, other],
        )?;
        self.execute(
            "INSERT INTO editor_verdicts (doc, other, verdict) VALUES (?, ?, ?)",
            params![document, other, verdict],
        )
    }

    /// Keeps the fingerprints of a document's reporting.
    pub fn set_fingerprints(&self, key: DocumentKey, fingerprints: &[u32]) -> Result<()> {
        let bytes: Vec<u8> = fingerprints.iter().flat_map(|print| print.to_le_bytes()).collect();
        self.execute("INSERT OR REPLACE INTO fingerprints VALUES (?, ?)", params![key, bytes])
    }

    /// Notes which document leads the family of one that came in.
    pub fn set_verdict_canonical(&self, key: DocumentKey) -> Result<()> {
        let canonical = self.canonical_of(key)?;
        self.execute("UPDATE verdicts SET canonical = ? WHERE doc = ?", params![canonical, key])
    }

    /// Counts a copy that was not kept.
    pub fn count_skipped(&self, canonical: DocumentKey) -> Result<()> {
        self.execute(
            "UPDATE documents SET skipped_copies = skipped_copies + 1 WHERE doc = ?",
            [canonical],
        )
    }

    /// Deletes documents and all that is known of them. Returns the texts that no passage
    /// says any more.
    pub fn delete(&self, keys: &[DocumentKey]) -> Result<Vec<ContentId>> {
        let mut contents = HashSet::new();
        for &key in keys {
            contents.extend(self.contents_of(key)?);
            self.execute("DELETE FROM documents WHERE doc = ?", [key])?;
        }
        self.drop_unused(contents)
    }

    fn insert_labels(&self, key: DocumentKey, labels: &BTreeMap<String, String>) -> Result<()> {
        labels.iter().try_for_each(|(name, value)| {
            self.execute("INSERT INTO labels VALUES (?, ?, ?)", params![key, name, value])
        })
    }

    /// Stores paragraphs, passages, new texts with their vectors, and the verdict.
    /// Returns the new texts.
    fn insert_body(
        &self,
        key: DocumentKey,
        new: &NewDocument<'_>,
    ) -> Result<Vec<(ContentId, ContentHash)>> {
        for (index, paragraph) in new.article.paragraphs.iter().enumerate() {
            self.execute(
                "INSERT INTO paragraphs VALUES (?, ?, ?, ?)",
                params![key, index as i64, paragraph.kind, paragraph.text],
            )?;
        }
        let is_whole = |text: &str, paragraph: u32| {
            let whole = new.article.paragraphs.get(paragraph as usize);
            whole.is_some_and(|whole| whole.text == text)
        };
        let mut added = Vec::new();
        for passage in &new.article.passages {
            let content = match passage.kind {
                PassageKind::Furniture => None,
                PassageKind::Body => Some(self.content(passage.hash, new.vectors, &mut added)?),
            };
            self.execute(
                "INSERT INTO passages (doc, ordinal, paragraph, first, last, kind, content, text) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    key,
                    passage.ordinal,
                    passage.paragraph,
                    passage.span.start,
                    passage.span.end,
                    passage.kind,
                    content,
                    Some(&passage.text).filter(|text| !is_whole(text, passage.paragraph)),
                ],
            )?;
        }
        self.insert_verdict(key, new.verdict)?;
        Ok(added)
    }

    /// The text with that hash, stored with its vectors if it is new.
    fn content(
        &self,
        hash: ContentHash,
        vectors: &HashMap<ContentHash, Windows>,
        added: &mut Vec<(ContentId, ContentHash)>,
    ) -> Result<ContentId> {
        let known = self.view().value("SELECT content FROM contents WHERE hash = ?", &[&hash])?;
        if let Some(known) = known {
            return Ok(known);
        }
        let windows = vectors.get(&hash).ok_or(StoreError::Damaged("a passage without vectors"))?;
        self.execute("INSERT INTO contents (hash) VALUES (?)", [hash])?;
        let content = ContentId(self.transaction.last_insert_rowid());
        for (window, vector) in windows.vectors().iter().enumerate() {
            self.execute(
                "INSERT INTO vectors VALUES (?, ?, ?, ?)",
                params![content, self.model, window as i64, vector.to_bytes()],
            )?;
        }
        added.push((content, hash));
        Ok(content)
    }

    fn insert_verdict(
        &self,
        key: DocumentKey,
        verdict: &DocumentVerdict<DocumentKey, PassageKey>,
    ) -> Result<()> {
        self.execute(
            "INSERT INTO verdicts VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                key,
                verdict.verdict,
                // Its family may change yet.
                Option::<DocumentKey>::None,
                verdict.probability,
                verdict.duplicate_share,
                verdict.novelty,
                verdict.lexical_only,
                self.model,
            ],
        )?;
        for passage in &verdict.passages {
            let (matched, signals) = passage.matched.unzip();
            // A match may be of the body that this one replaces.
            self.execute(
                "INSERT INTO passage_verdicts VALUES \
                 (?, ?, ?, ?, ?, ?, (SELECT passage FROM passages WHERE passage = ?), \
                 ?, ?, ?, ?, ?, ?, ?)",
                params![
                    key,
                    passage.ordinal,
                    passage.kind,
                    passage.verdict,
                    passage.probability,
                    passage.novelty,
                    matched,
                    signals.is_some_and(|signals| signals.exact),
                    signals.and_then(|signals| signals.cosine),
                    signals.map_or(0.0, |signals| signals.resemblance),
                    signals.map_or(0.0, |signals| signals.containment),
                    signals.map_or(0.0, |signals| signals.share_of_query),
                    signals.map_or(0.0, |signals| signals.share_of_match),
                    signals.and_then(|signals| signals.agreement),
                ],
            )?;
        }
        Ok(())
    }

    /// The canonical document of the family that a document is in.
    fn canonical_of(&self, key: DocumentKey) -> Result<Option<DocumentKey>> {
        let family: Option<i64> =
            self.view().value("SELECT family FROM documents WHERE doc = ?", &[&key])?;
        family.map_or(Ok(None), |family| self.view().canonical(family))
    }

    fn contents_of(&self, key: DocumentKey) -> Result<HashSet<ContentId>> {
        let sql = "SELECT DISTINCT content FROM passages WHERE doc = ? AND content IS NOT NULL";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let contents = statement.query_map([key], |row| row.get(0))?;
        Ok(contents.collect::<rusqlite::Result<_>>()?)
    }

    /// Deletes those texts that no passage says any more, and returns them.
    fn drop_unused(&self, contents: impl IntoIterator<Item = ContentId>) -> Result<Vec<ContentId>> {
        let sql = "DELETE FROM contents WHERE content = ?1 \
                   AND NOT EXISTS (SELECT 1 FROM passages WHERE content = ?1)";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let mut dropped = Vec::new();
        for content in contents {
            if statement.execute([content]).map_err(StoreError::of_write)? > 0 {
                dropped.push(content);
            }
        }
        Ok(dropped)
    }

    pub(super) fn next(&self, counter: &str) -> Result<i64> {
        let sql = "UPDATE counters SET value = value + 1 WHERE name = ? RETURNING value";
        let value = self.view().value(sql, &[&counter]).map_err(|error| match error {
            StoreError::Sqlite(error) => StoreError::of_write(error),
            other => other,
        })?;
        value.ok_or(StoreError::Damaged("no counters"))
    }

    pub(super) fn execute(&self, sql: &str, values: impl rusqlite::Params) -> Result<()> {
        let mut statement = self.transaction.prepare_cached(sql)?;
        statement.execute(values).map(|_| ()).map_err(StoreError::of_write)
    }
}

fn language(metadata: &Metadata) -> &str {
    metadata.language.as_ref().map_or(UNDETERMINED, |language| language.as_str())
}
