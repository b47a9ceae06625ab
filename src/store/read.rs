use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params, params_from_iter};

use crate::article::{DocumentId, Paragraph};
use crate::embed::{UnitVector, Windows};
use crate::index::{ContentId, ContentSet};
use crate::text::ContentHash;
use crate::verdict::{DocumentVerdict, PassageVerdict, Signals};

use super::rows::{self, DOCUMENT_COLUMNS, PASSAGE_COLUMNS, timestamp};
use super::{
    DocumentKey, EditorWord, Filter, PassageKey, StoreError, StoredDocument, StoredPassage,
    StoredVerdict, Totals,
};

type Result<T> = std::result::Result<T, StoreError>;

/// What can be read from the store, at one moment.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub(super) connection: &'a Connection,
    pub(super) model: i64,
}

impl<'a> View<'a> {
    pub(super) fn new(connection: &'a Connection, model: i64) -> Self {
        Self { connection, model }
    }

    /// The document of that name.
    pub fn document(&self, id: &DocumentId) -> Result<Option<StoredDocument>> {
        let sql = format!("SELECT {DOCUMENT_COLUMNS} FROM documents d WHERE d.document_id = ?");
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([id], rows::document).optional()?)
    }

    /// The documents with these keys, those that are there.
    pub fn documents(
        &self,
        keys: &HashSet<DocumentKey>,
    ) -> Result<HashMap<DocumentKey, StoredDocument>> {
        let sql = format!("SELECT {DOCUMENT_COLUMNS} FROM documents d WHERE d.doc = ?");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut documents = HashMap::new();
        for key in keys {
            if let Some(document) = statement.query_row([key], rows::document).optional()? {
                documents.insert(*key, document);
            }
        }
        Ok(documents)
    }

    /// Documents that `filter` lets through, latest ingested first, those before
    /// sequence `before` where it is given.
    pub fn list(
        &self,
        filter: &Filter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<StoredDocument>> {
        let (condition, mut values) = filter.condition();
        let sql = format!(
            "SELECT {DOCUMENT_COLUMNS} FROM documents d \
             WHERE {condition} AND d.sequence < ? ORDER BY d.sequence DESC LIMIT ?"
        );
        values.push(Value::Integer(before.unwrap_or(i64::MAX)));
        values.push(Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
        self.all(&sql, params_from_iter(values), rows::document)
    }

    /// How many documents `filter` lets through.
    pub fn count(&self, filter: &Filter) -> Result<i64> {
        let (condition, values) = filter.condition();
        let sql = format!("SELECT count(*) FROM documents d WHERE {condition}");
        Ok(self.connection.query_row(&sql, params_from_iter(values), |row| row.get(0))?)
    }

    /// The keys of the documents that `filter` lets through.
    pub fn keys(&self, filter: &Filter) -> Result<Vec<DocumentKey>> {
        let (condition, values) = filter.condition();
        let sql = format!("SELECT d.doc FROM documents d WHERE {condition}");
        self.all(&sql, params_from_iter(values), |row| row.get(0))
    }

    /// Documents with that reporting, those published nearest to a moment: at most `limit`
    /// before it and as many after it.
    pub fn twins(
        &self,
        reporting: &ContentHash,
        published_at: Timestamp,
        limit: usize,
    ) -> Result<Vec<DocumentKey>> {
        let sql = "SELECT doc FROM (SELECT doc FROM documents WHERE reporting_hash = ?1 \
                   AND published_at <= ?2 ORDER BY published_at DESC, doc DESC LIMIT ?3) \
                   UNION ALL SELECT doc FROM (SELECT doc FROM documents WHERE reporting_hash = ?1 \
                   AND published_at > ?2 ORDER BY published_at, doc LIMIT ?3)";
        let values = params![reporting, published_at.as_microsecond(), limit as i64];
        self.all(sql, values, |row| row.get(0))
    }

    /// The earliest published document of a family.
    pub fn canonical(&self, family: i64) -> Result<Option<DocumentKey>> {
        let sql = "SELECT doc FROM documents WHERE family = ? ORDER BY published_at, doc LIMIT 1";
        Ok(self.connection.prepare_cached(sql)?.query_row([family], |row| row.get(0)).optional()?)
    }

    /// All documents of a family, the canonical one first.
    pub fn members(&self, family: i64) -> Result<Vec<DocumentKey>> {
        let sql = "SELECT doc FROM documents WHERE family = ? ORDER BY published_at, doc";
        self.all(sql, [family], |row| row.get(0))
    }

    /// Documents with their fingerprints, in the order in which they came. Those that have
    /// none yet are left out.
    pub fn fingerprints(&self) -> Result<Vec<(DocumentKey, Vec<u32>)>> {
        let sql = "SELECT f.doc, f.hashes FROM documents d JOIN fingerprints f ON f.doc = d.doc \
                   ORDER BY d.sequence";
        self.all(sql, [], |row| {
            let bytes = row.get_ref(1)?.as_blob().map_err(rows::conversion)?;
            let prints = bytes.chunks_exact(4).filter_map(|bytes| bytes.try_into().ok());
            Ok((row.get(0)?, prints.map(u32::from_le_bytes).collect()))
        })
    }

    /// Documents after that one that have no fingerprints yet, at most `limit`.
    pub fn without_fingerprints(
        &self,
        after: DocumentKey,
        limit: usize,
    ) -> Result<Vec<DocumentKey>> {
        let sql = "SELECT doc FROM documents d WHERE doc > ? AND NOT EXISTS \
                   (SELECT 1 FROM fingerprints f WHERE f.doc = d.doc) ORDER BY doc LIMIT ?";
        self.all(sql, params![after, limit as i64], |row| row.get(0))
    }

    /// In how many families documents of `source` say `content`, and in how many those of any
    /// source; of texts that stand in very many documents, as far as the first ones tell.
    pub fn spread(&self, content: ContentId, source: &str) -> Result<(usize, usize)> {
        const LOOKED_AT: i64 = 256;
        let sql = "SELECT count(DISTINCT iif(d.source = ?2, d.family, NULL)), \
                   count(DISTINCT d.family) FROM \
                   (SELECT doc FROM passages WHERE content = ?1 ORDER BY doc LIMIT ?3) p \
                   JOIN documents d ON d.doc = p.doc";
        let mut statement = self.connection.prepare_cached(sql)?;
        let count =
            |row: &Row<'_>| Ok((row.get::<_, i64>(0)? as usize, row.get::<_, i64>(1)? as usize));
        Ok(statement.query_row(params![content, source, LOOKED_AT], count)?)
    }

    /// Whether at least `count` passages say `content`.
    pub fn is_said_often(&self, content: ContentId, count: usize) -> Result<bool> {
        let sql = "SELECT 1 FROM passages WHERE content = ? LIMIT 1 OFFSET ?";
        let found: Option<i64> = self.value(sql, &[&content, &(count as i64 - 1)])?;
        Ok(found.is_some())
    }

    /// What editors said of a document and others, whichever of them came first.
    pub fn editor_words(&self, document: DocumentKey) -> Result<Vec<EditorWord>> {
        let sql = "SELECT doc, other, verdict FROM editor_verdicts WHERE doc = ?1 OR other = ?1";
        self.all(sql, [document], |row| {
            Ok(EditorWord {
                document: row.get("doc")?,
                other: row.get("other")?,
                verdict: row.get("verdict")?,
            })
        })
    }

    /// The sequence number of the body that was stored last.
    pub fn sequence(&self) -> Result<i64> {
        let sequence = self.value("SELECT value FROM counters WHERE name = 'sequence'", &[])?;
        sequence.ok_or(StoreError::Damaged("no counters"))
    }

    /// Documents whose bodies were stored after that sequence number, in that order, at most
    /// `limit`.
    pub fn stored_from(&self, sequence: i64, limit: usize) -> Result<Vec<StoredDocument>> {
        let sql = format!(
            "SELECT {DOCUMENT_COLUMNS} FROM documents d WHERE d.sequence > ? \
             ORDER BY d.sequence LIMIT ?"
        );
        self.all(&sql, params![sequence, limit as i64], rows::document)
    }

    /// Whether `filter` lets a document through.
    pub fn passes(&self, filter: &Filter, document: DocumentKey) -> Result<bool> {
        let (condition, mut values) = filter.condition();
        let sql = format!("SELECT 1 FROM documents d WHERE {condition} AND d.doc = ?");
        values.push(Value::Integer(document.0));
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.exists(params_from_iter(values))?)
    }

    /// Documents whose bodies were stored after that sequence number, latest first, at most
    /// `limit`.
    pub fn stored_after(&self, sequence: i64, limit: usize) -> Result<Vec<DocumentKey>> {
        let sql = "SELECT doc FROM documents WHERE sequence > ? ORDER BY sequence DESC LIMIT ?";
        self.all(sql, params![sequence, limit as i64], |row| row.get(0))
    }

    /// The body of a document in reading order.
    pub fn paragraphs(&self, document: DocumentKey) -> Result<Vec<Paragraph>> {
        let sql = "SELECT text, kind FROM paragraphs WHERE doc = ? ORDER BY paragraph";
        self.all(sql, [document], |row| {
            Ok(Paragraph { text: row.get("text")?, kind: row.get("kind")? })
        })
    }

    /// The passages of a document in reading order.
    pub fn passages(&self, document: DocumentKey) -> Result<Vec<StoredPassage>> {
        self.all(&passage_query("p.doc = ? ORDER BY p.ordinal"), [document], rows::passage)
    }

    /// One passage by its document's name and its position.
    pub fn passage(&self, document: &DocumentId, ordinal: u32) -> Result<Option<StoredPassage>> {
        let sql = passage_query("d.document_id = ? AND p.ordinal = ?");
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row(params![document, ordinal], rows::passage).optional()?)
    }

    /// The passages with these keys, those that are there.
    pub fn passages_by_key(
        &self,
        keys: &HashSet<PassageKey>,
    ) -> Result<HashMap<PassageKey, StoredPassage>> {
        let sql = passage_query("p.passage = ?");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut passages = HashMap::new();
        for key in keys {
            if let Some(passage) = statement.query_row([key], rows::passage).optional()? {
                passages.insert(*key, passage);
            }
        }
        Ok(passages)
    }

    /// Reporting passages that say `content` in documents that `filter` lets through,
    /// earliest published first, at most `limit`.
    pub fn occurrences(
        &self,
        content: ContentId,
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<StoredPassage>> {
        let (condition, mut values) = filter.condition();
        let sql = passage_query(&format!(
            "p.content = ? AND {condition} ORDER BY d.published_at, d.doc, p.ordinal LIMIT ?"
        ));
        values.insert(0, Value::Integer(content.0));
        values.push(Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
        self.all(&sql, params_from_iter(values), rows::passage)
    }

    /// The texts of a document's passages in reading order, and whether at least `count`
    /// passages say them; `None` for furniture.
    pub fn contents_in(
        &self,
        document: DocumentKey,
        count: usize,
    ) -> Result<Vec<Option<(ContentId, bool)>>> {
        let sql = "SELECT p.content, (SELECT 1 FROM passages o WHERE o.content = p.content \
                   LIMIT 1 OFFSET ?2) IS NOT NULL FROM passages p WHERE p.doc = ?1 \
                   ORDER BY p.ordinal";
        self.all(sql, params![document, count as i64 - 1], |row| {
            let content: Option<ContentId> = row.get(0)?;
            content.map(|content| Ok((content, row.get(1)?))).transpose()
        })
    }

    /// Where texts stand: of each the passages that say it and their documents, in the order in
    /// which these first came in, at most `limit`.
    pub fn places(
        &self,
        contents: impl Iterator<Item = ContentId>,
        limit: usize,
    ) -> Result<HashMap<ContentId, Vec<(PassageKey, DocumentKey)>>> {
        let sql = "SELECT passage, doc FROM passages WHERE content = ? \
                   ORDER BY doc, passage LIMIT ?";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut places = HashMap::new();
        for content in contents {
            if let Entry::Vacant(unknown) = places.entry(content) {
                let values = params![content, limit as i64];
                let found = statement.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
                unknown.insert(found.collect::<rusqlite::Result<_>>()?);
            }
        }
        Ok(places)
    }

    /// The texts that stand in documents that `filter` lets through.
    pub fn contents(&self, filter: &Filter) -> Result<ContentSet> {
        let (condition, values) = filter.condition();
        let sql = format!(
            "SELECT DISTINCT p.content FROM documents d JOIN passages p ON p.doc = d.doc \
             WHERE p.content IS NOT NULL AND {condition}"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let contents = statement.query_map(params_from_iter(values), |row| row.get(0))?;
        Ok(contents.collect::<rusqlite::Result<_>>()?)
    }

    /// A text as one of the passages that say it does.
    pub fn text(&self, content: ContentId) -> Result<Option<String>> {
        let sql = "SELECT coalesce(p.text, g.text) FROM passages p JOIN paragraphs g \
                   ON g.doc = p.doc AND g.paragraph = p.paragraph WHERE p.content = ? LIMIT 1";
        self.value(sql, &[&content])
    }

    /// Calls `each` with every document, the number of its body, and its headline.
    pub fn headlines(&self, mut each: impl FnMut(DocumentKey, i64, &str)) -> Result<()> {
        let mut statement =
            self.connection.prepare("SELECT doc, sequence, title FROM documents")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            each(row.get(0)?, row.get(1)?, row.get_ref(2)?.as_str().map_err(rows::conversion)?);
        }
        Ok(())
    }

    /// The number of the body of a document, and its headline.
    pub fn headline(&self, key: DocumentKey) -> Result<Option<(i64, String)>> {
        let sql = "SELECT sequence, title FROM documents WHERE doc = ?";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([key], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }

    /// Which of these texts are known.
    pub fn known(
        &self,
        hashes: impl Iterator<Item = ContentHash>,
    ) -> Result<HashMap<ContentHash, ContentId>> {
        let sql = "SELECT content FROM contents WHERE hash = ?";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut known = HashMap::new();
        for hash in hashes {
            if let Some(content) = statement.query_row([hash], |row| row.get(0)).optional()? {
                known.insert(hash, content);
            }
        }
        Ok(known)
    }

    /// Calls `each` with every text and its hash, in the order in which they came.
    pub fn texts(&self, mut each: impl FnMut(ContentId, ContentHash)) -> Result<()> {
        let mut statement =
            self.connection.prepare("SELECT content, hash FROM contents ORDER BY content")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            each(row.get(0)?, row.get(1)?);
        }
        Ok(())
    }

    /// Calls `each` with those texts from `first` to `last` that have vectors, and these, in
    /// the order in which the texts came.
    pub fn vectors(
        &self,
        first: ContentId,
        last: ContentId,
        dimension: usize,
        mut each: impl FnMut(ContentId, Windows),
    ) -> Result<()> {
        let sql = "SELECT content, vector FROM vectors WHERE content BETWEEN ? AND ? AND model = ? \
                   ORDER BY content, window";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![first, last, self.model])?;
        let mut current: Option<(ContentId, Vec<UnitVector>)> = None;
        let mut finish = |current: Option<(ContentId, Vec<UnitVector>)>| {
            if let Some((content, windows)) = current
                && let Some(windows) = Windows::new(windows)
            {
                each(content, windows);
            }
        };
        while let Some(row) = rows.next()? {
            let content: ContentId = row.get(0)?;
            let bytes = row.get_ref(1)?.as_blob().map_err(rows::conversion)?;
            let vector =
                UnitVector::from_bytes(bytes, dimension).ok_or(StoreError::Damaged("a vector"))?;
            match &mut current {
                Some((of, windows)) if *of == content => windows.push(vector),
                _ => finish(current.replace((content, vec![vector]))),
            }
        }
        finish(current);
        Ok(())
    }

    /// The number that the corpus got when it was made.
    pub fn corpus(&self) -> Result<i64> {
        let corpus = self.value("SELECT value FROM counters WHERE name = 'corpus'", &[])?;
        corpus.ok_or(StoreError::Damaged("no counters"))
    }

    /// The vectors of a text.
    pub fn windows(&self, content: ContentId, dimension: usize) -> Result<Option<Windows>> {
        let sql = "SELECT vector FROM vectors WHERE content = ? AND model = ? ORDER BY window";
        let rows: Vec<Vec<u8>> = self.all(sql, params![content, self.model], |row| row.get(0))?;
        let vectors = rows.iter().map(|bytes| {
            UnitVector::from_bytes(bytes, dimension).ok_or(StoreError::Damaged("a vector"))
        });
        Ok(Windows::new(vectors.collect::<Result<_>>()?))
    }

    /// The verdict that a document got when it came in.
    pub fn verdict(&self, document: DocumentKey) -> Result<Option<StoredVerdict>> {
        let sql = "SELECT v.*, c.document_id AS canonical_id, m.model_id FROM verdicts v \
                   JOIN models m ON m.model = v.model \
                   LEFT JOIN documents c ON c.doc = v.canonical WHERE v.doc = ?";
        let mut statement = self.connection.prepare_cached(sql)?;
        let verdict = statement.query_row([document], stored_verdict).optional()?;
        let Some(mut verdict) = verdict else {
            return Ok(None);
        };
        let sql = "SELECT * FROM passage_verdicts WHERE doc = ? ORDER BY ordinal";
        verdict.judged.passages = self.all(sql, [document], passage_verdict)?;
        Ok(Some(verdict))
    }

    /// How much there is.
    pub fn totals(&self) -> Result<Totals> {
        let sql = "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM passages), \
                   (SELECT count(*) FROM contents), (SELECT min(published_at) FROM documents), \
                   (SELECT count(*) FROM stories WHERE merged_into IS NULL)";
        let totals = self.connection.query_row(sql, [], |row| {
            let oldest: Option<i64> = row.get(3)?;
            let oldest_published_at: Option<Timestamp> = oldest.map(timestamp).transpose()?;
            Ok(Totals {
                documents: row.get(0)?,
                passages: row.get(1)?,
                contents: row.get(2)?,
                stories: row.get(4)?,
                oldest_published_at,
            })
        })?;
        Ok(totals)
    }

    pub(super) fn all<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(values, read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// One value, or `None` without a row.
    pub(super) fn value<T: rusqlite::types::FromSql>(
        &self,
        sql: &str,
        values: &[&dyn ToSql],
    ) -> Result<Option<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row(values, |row| row.get(0)).optional()?)
    }
}

fn passage_query(condition: &str) -> String {
    format!(
        "SELECT {PASSAGE_COLUMNS} FROM passages p JOIN documents d ON d.doc = p.doc \
         JOIN paragraphs g ON g.doc = p.doc AND g.paragraph = p.paragraph WHERE {condition}"
    )
}

/// A verdict without its passages.
fn stored_verdict(row: &Row<'_>) -> rusqlite::Result<StoredVerdict> {
    Ok(StoredVerdict {
        judged: DocumentVerdict {
            verdict: row.get("verdict")?,
            of: row.get("canonical")?,
            probability: row.get("probability")?,
            duplicate_share: row.get("duplicate_share")?,
            novelty: row.get("novelty")?,
            lexical_only: row.get("lexical_only")?,
            passages: Vec::new(),
        },
        canonical: row.get("canonical_id")?,
        model_id: row.get("model_id")?,
    })
}

fn passage_verdict(row: &Row<'_>) -> rusqlite::Result<PassageVerdict<PassageKey>> {
    let signals = Signals {
        exact: row.get("exact")?,
        cosine: row.get("cosine")?,
        resemblance: row.get("resemblance")?,
        containment: row.get("containment")?,
        share_of_query: row.get("share_of_query")?,
        share_of_match: row.get("share_of_match")?,
        agreement: row.get("agreement")?,
    };
    let matched: Option<PassageKey> = row.get("matched")?;
    Ok(PassageVerdict {
        ordinal: row.get("ordinal")?,
        kind: row.get("kind")?,
        verdict: row.get("verdict")?,
        probability: row.get("probability")?,
        novelty: row.get("novelty")?,
        matched: matched.map(|key| (key, signals)),
    })
}
