use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, params, params_from_iter};

use super::rows::{self, DOCUMENT_COLUMNS, timestamp};
use super::{DocumentKey, Filter, StoreError, StoredDocument, View, Writer};

type Result<T> = std::result::Result<T, StoreError>;

/// Names a story within its corpus. Never given to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoryKey(pub i64);

impl StoryKey {
    /// As it is called outside.
    pub fn name(self) -> String {
        format!("story-{}", self.0)
    }

    /// `None` unless `name` is what [`Self::name`] makes.
    pub fn parse(name: &str) -> Option<Self> {
        let key = Self(name.strip_prefix("story-")?.parse().ok()?);
        (key.name() == name).then_some(key)
    }
}

/// A story as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredStory {
    /// Its key.
    pub key: StoryKey,
    /// The earliest publication.
    pub first_published_at: Timestamp,
    /// The latest one.
    pub last_published_at: Timestamp,
    /// Documents in it.
    pub documents: i64,
    /// Those of them that are not copies or updates of another one.
    pub distinct_documents: i64,
    /// Who published them, most documents first.
    pub sources: Vec<String>,
    /// When it changed.
    pub changed_at: Timestamp,
    /// Grows with every change of any story.
    pub change: i64,
    /// Stories that were merged into it.
    pub merged: Vec<StoryKey>,
}

/// What an editor said of the stories of two documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoryWord {
    /// A document.
    pub document: DocumentKey,
    /// Another one.
    pub other: DocumentKey,
    /// Whether both belong to one story.
    pub is_same: bool,
}

/// Columns of [`story`], for a query over `stories s`.
const STORY_COLUMNS: &str = "s.story, s.change, s.changed_at, \
    (SELECT json_array(min(published_at), max(published_at), count(*), count(DISTINCT family)) \
     FROM documents d WHERE d.story = s.story) AS extent, \
    (SELECT json_group_array(source) FROM (SELECT source FROM documents d \
     WHERE d.story = s.story AND source != '' GROUP BY source ORDER BY count(*) DESC, source)) \
    AS sources, \
    (WITH RECURSIVE former(story) AS (SELECT story FROM stories WHERE merged_into = s.story \
     UNION SELECT m.story FROM stories m JOIN former f ON m.merged_into = f.story) \
     SELECT json_group_array(story) FROM former) AS merged";

fn story(row: &Row<'_>) -> rusqlite::Result<StoredStory> {
    let json = |name: &str| -> rusqlite::Result<String> { row.get(name) };
    let (first, last, documents, distinct): (i64, i64, i64, i64) =
        serde_json::from_str(&json("extent")?).map_err(rows::conversion)?;
    let merged: Vec<i64> = serde_json::from_str(&json("merged")?).map_err(rows::conversion)?;
    Ok(StoredStory {
        key: row.get("story")?,
        first_published_at: timestamp(first)?,
        last_published_at: timestamp(last)?,
        documents,
        distinct_documents: distinct,
        sources: serde_json::from_str(&json("sources")?).map_err(rows::conversion)?,
        changed_at: timestamp(row.get("changed_at")?)?,
        change: row.get("change")?,
        merged: merged.into_iter().map(StoryKey).collect(),
    })
}

impl View<'_> {
    /// The story of that name, or the one that it was merged into.
    pub fn story(&self, key: StoryKey) -> Result<Option<StoredStory>> {
        let sql = "WITH RECURSIVE way(story, next) AS \
                   (SELECT story, merged_into FROM stories WHERE story = ? \
                    UNION SELECT s.story, s.merged_into FROM stories s JOIN way w ON s.story = w.next) \
                   SELECT story FROM way WHERE next IS NULL";
        let Some(standing) = self.value::<StoryKey>(sql, &[&key])? else { return Ok(None) };
        let sql = format!("SELECT {STORY_COLUMNS} FROM stories s WHERE s.story = ?");
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([standing], story).optional()?)
    }

    /// Stories of which a document passes `filter`, latest changed first, of at least
    /// `distinct` documents that are not copies, those before `change` where it is given.
    pub fn stories(
        &self,
        filter: &Filter,
        distinct: i64,
        change: Option<i64>,
        limit: usize,
    ) -> Result<Vec<StoredStory>> {
        let (condition, mut values) = filter.condition();
        let sql = format!(
            "SELECT {STORY_COLUMNS} FROM stories s WHERE s.merged_into IS NULL \
             AND EXISTS (SELECT 1 FROM documents d WHERE d.story = s.story AND {condition}) \
             AND s.change < ? AND (? <= 1 OR ? <= \
             (SELECT count(DISTINCT family) FROM documents d WHERE d.story = s.story)) \
             ORDER BY s.change DESC LIMIT ?"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let last = [change.unwrap_or(i64::MAX), distinct, distinct, limit];
        values.extend(last.map(Value::Integer));
        self.all(&sql, params_from_iter(values), story)
    }

    /// Documents of a story, earliest published first, from place `from` on.
    pub fn coverage(
        &self,
        story: StoryKey,
        from: i64,
        limit: usize,
    ) -> Result<Vec<StoredDocument>> {
        let sql = format!(
            "SELECT {DOCUMENT_COLUMNS} FROM documents d WHERE d.story = ? \
             ORDER BY d.published_at, d.doc LIMIT ? OFFSET ?"
        );
        self.all(&sql, params![story, limit as i64, from], rows::document)
    }

    /// The canonical documents of a story's families, latest published first, at most `limit`.
    pub fn distinct_coverage(&self, story: StoryKey, limit: usize) -> Result<Vec<DocumentKey>> {
        // The plus keeps SQLite from walking through the whole story for each document, where
        // its family is short.
        let sql = "SELECT doc FROM documents d WHERE story = ?1 AND NOT EXISTS \
                   (SELECT 1 FROM documents e WHERE e.family = d.family AND +e.story = ?1 \
                    AND (e.published_at, e.doc) < (d.published_at, d.doc)) \
                   ORDER BY published_at DESC, doc DESC LIMIT ?2";
        self.all(sql, params![story, limit as i64], |row| row.get(0))
    }

    /// The story that a document is in.
    pub fn story_of(&self, document: DocumentKey) -> Result<Option<StoryKey>> {
        self.value("SELECT story FROM documents WHERE doc = ?", &[&document])
    }

    /// What editors said of the stories of a document and others.
    pub fn story_words(&self, document: DocumentKey) -> Result<Vec<StoryWord>> {
        let sql = "SELECT doc, other, same FROM editor_stories WHERE doc = ?1 OR other = ?1";
        self.all(sql, [document], |row| {
            Ok(StoryWord { document: row.get(0)?, other: row.get(1)?, is_same: row.get(2)? })
        })
    }

    /// What editors said of documents of one story and those of another one, or of the same one.
    pub fn story_words_between(&self, one: StoryKey, other: StoryKey) -> Result<Vec<StoryWord>> {
        let sql = "SELECT e.doc, e.other, e.same FROM editor_stories e \
                   JOIN documents a ON a.doc = e.doc JOIN documents b ON b.doc = e.other \
                   WHERE (a.story = ?1 AND b.story = ?2) OR (a.story = ?2 AND b.story = ?1)";
        self.all(sql, params![one, other], |row| {
            Ok(StoryWord { document: row.get(0)?, other: row.get(1)?, is_same: row.get(2)? })
        })
    }
}

impl Writer<'_> {
    /// A story that has no documents yet.
    pub fn new_story(&self, now: Timestamp) -> Result<StoryKey> {
        let change = self.next("story_change")?;
        self.execute(
            "INSERT INTO stories (change, changed_at) VALUES (?, ?)",
            params![change, now.as_microsecond()],
        )?;
        Ok(StoryKey(self.transaction.last_insert_rowid()))
    }

    /// Files documents under a story. The name of one that is left without documents leads to
    /// where its last ones went.
    pub fn file(&self, documents: &[DocumentKey], story: StoryKey, now: Timestamp) -> Result<()> {
        for document in documents {
            let former = self.view().story_of(*document)?;
            if former == Some(story) {
                continue;
            }
            self.execute("UPDATE documents SET story = ? WHERE doc = ?", params![story, document])?;
            if let Some(former) = former.filter(|former| former.0 != 0) {
                self.execute(
                    "UPDATE stories SET merged_into = ?1 WHERE story = ?2 \
                     AND NOT EXISTS (SELECT 1 FROM documents WHERE story = ?2)",
                    params![story, former],
                )?;
                self.story_changed(former, now)?;
            }
        }
        self.story_changed(story, now)
    }

    /// Merges a story into another one: all its documents go there, and its name leads there.
    pub fn merge_story(&self, story: StoryKey, into: StoryKey, now: Timestamp) -> Result<()> {
        self.execute("UPDATE documents SET story = ? WHERE story = ?", params![into, story])?;
        self.execute("UPDATE stories SET merged_into = ? WHERE story = ?", params![into, story])?;
        self.story_changed(into, now)
    }

    /// Notes that documents of a story came, went or changed. One without documents is deleted.
    pub fn story_changed(&self, story: StoryKey, now: Timestamp) -> Result<()> {
        let change = self.next("story_change")?;
        self.execute(
            "UPDATE stories SET change = ?, changed_at = ? WHERE story = ?",
            params![change, now.as_microsecond(), story],
        )?;
        self.execute(
            "DELETE FROM stories WHERE story = ?1 AND merged_into IS NULL \
             AND NOT EXISTS (SELECT 1 FROM documents WHERE story = ?1)",
            [story],
        )
    }

    /// Keeps what an editor said of the stories of two documents, in place of what was said
    /// before; `None` forgets that.
    pub fn set_story_word(
        &self,
        document: DocumentKey,
        other: DocumentKey,
        is_same: Option<bool>,
    ) -> Result<()> {
        self.execute(
            "DELETE FROM editor_stories WHERE (doc, other) IN (VALUES (?1, ?2), (?2, ?1))",
            params![document, other],
        )?;
        let Some(is_same) = is_same else { return Ok(()) };
        self.execute(
            "INSERT INTO editor_stories (doc, other, same) VALUES (?, ?, ?)",
            params![document, other, is_same],
        )
    }
}
