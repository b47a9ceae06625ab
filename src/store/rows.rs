use std::ops::Range;

use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Row, ToSql};

use crate::article::{DocumentId, Metadata, PassageKind};
use crate::embed::ModelInfo;
use crate::index::ContentId;
use crate::text::ContentHash;
use crate::verdict::{DocumentVerdict, Verdict};

use super::StoryKey;

/// Names a stored document within its corpus. Never given to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentKey(pub i64);

/// Names a stored passage within its corpus. Never given to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PassageKey(pub i64);

/// What makes vectors comparable: only those of the same identity are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelIdentity {
    /// Its name.
    pub id: String,
    /// SHA-256 of its weights, in hex.
    pub weights_sha256: String,
    /// How products are computed.
    pub precision: String,
    /// Components of a vector.
    pub dimension: usize,
}

impl From<&ModelInfo> for ModelIdentity {
    fn from(info: &ModelInfo) -> Self {
        Self {
            id: info.id.clone(),
            weights_sha256: info.weights_sha256.clone(),
            precision: info.precision.as_str().to_owned(),
            dimension: info.dimension,
        }
    }
}

/// A document as it is stored, without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDocument {
    /// Its key.
    pub key: DocumentKey,
    /// Its name.
    pub id: DocumentId,
    /// What is known about it; `published_at` only where it is stated.
    pub metadata: Metadata,
    /// Stated, else when it first came in.
    pub published_at: Timestamp,
    /// When its body came in.
    pub ingested_at: Timestamp,
    /// When it first came in.
    pub first_ingested_at: Timestamp,
    /// Counts its bodies, from 1.
    pub revision: i64,
    /// Grows with every stored body.
    pub sequence: i64,
    /// Names its body as it came.
    pub body_hash: ContentHash,
    /// Names its reporting, normalised.
    pub reporting_hash: ContentHash,
    /// Words in its reporting.
    pub words: usize,
    /// The family of copies that it is in.
    pub family: i64,
    /// The story that it is filed under.
    pub story: StoryKey,
    /// The earliest published document of that family, now.
    pub canonical: DocumentId,
    /// What it is beside that one, now.
    pub verdict: Verdict,
}

/// A passage as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPassage {
    /// Its key.
    pub key: PassageKey,
    /// Its document.
    pub document: DocumentKey,
    /// That document's name.
    pub document_id: DocumentId,
    /// Position in its document, from 0.
    pub ordinal: u32,
    /// As it stands in its paragraph.
    pub text: String,
    /// What it is for.
    pub kind: PassageKind,
    /// The paragraph that it stands in.
    pub paragraph: u32,
    /// Where in that paragraph, in code points.
    pub span: Range<u32>,
    /// Its text in the index; `None` for furniture.
    pub content: Option<ContentId>,
}

/// The verdict that a document got when it came in.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredVerdict {
    /// The verdict. What was deleted since is left out of it.
    pub judged: DocumentVerdict<DocumentKey, PassageKey>,
    /// The canonical document of its family then; `None` if it was deleted since.
    pub canonical: Option<DocumentId>,
    /// The model whose vectors it rests on.
    pub model_id: String,
}

/// What an editor said of a document and an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EditorWord {
    /// The document.
    pub document: DocumentKey,
    /// The earlier one.
    pub other: DocumentKey,
    /// What it is beside that one.
    pub verdict: Verdict,
}

/// How much a corpus holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Documents.
    pub documents: i64,
    /// Passages, furniture included.
    pub passages: i64,
    /// Distinct texts among those that report.
    pub contents: i64,
    /// Stories.
    pub stories: i64,
    /// The earliest publication.
    pub oldest_published_at: Option<Timestamp>,
}

/// Columns of [`document`], for a query over `documents d`.
pub(super) const DOCUMENT_COLUMNS: &str = "d.doc, d.document_id, d.sequence, d.revision, d.title, \
    d.source, d.url, d.language, d.stated_published_at, d.published_at, d.ingested_at, \
    d.first_ingested_at,     d.body_hash, d.reporting_hash, d.words, d.family, d.relation, d.story, \
    (SELECT c.document_id FROM documents c WHERE c.family = d.family \
     ORDER BY c.published_at, c.doc LIMIT 1) AS canonical, \
    (SELECT json_group_object(l.key, l.value) FROM labels l WHERE l.doc = d.doc) AS labels";

/// Reads the columns of [`DOCUMENT_COLUMNS`].
pub(super) fn document(row: &Row<'_>) -> rusqlite::Result<StoredDocument> {
    let id: DocumentId = row.get("document_id")?;
    let canonical: DocumentId = row.get("canonical")?;
    let relation: Verdict = row.get("relation")?;
    let labels: String = row.get("labels")?;
    let labels = serde_json::from_str(&labels).map_err(conversion)?;
    let language: String = row.get("language")?;
    let stated: Option<i64> = row.get("stated_published_at")?;
    Ok(StoredDocument {
        key: row.get("doc")?,
        metadata: Metadata {
            title: row.get("title")?,
            source: row.get("source")?,
            url: row.get("url")?,
            language: crate::text::LanguageTag::parse(&language),
            published_at: stated.map(timestamp).transpose()?,
            labels,
        },
        published_at: timestamp(row.get("published_at")?)?,
        ingested_at: timestamp(row.get("ingested_at")?)?,
        first_ingested_at: timestamp(row.get("first_ingested_at")?)?,
        revision: row.get("revision")?,
        sequence: row.get("sequence")?,
        body_hash: row.get("body_hash")?,
        reporting_hash: row.get("reporting_hash")?,
        words: row.get::<_, i64>("words")?.try_into().unwrap_or(0),
        family: row.get("family")?,
        story: row.get("story")?,
        verdict: if canonical == id { Verdict::New } else { relation },
        id,
        canonical,
    })
}

/// Columns of [`passage`], for a query over `passages p` joined with `documents d`
/// and `paragraphs g`.
pub(super) const PASSAGE_COLUMNS: &str = "p.passage, p.doc, d.document_id, p.ordinal, \
    p.kind, p.paragraph, p.first, p.last, p.content, \
    CASE WHEN p.text IS NULL THEN g.text ELSE p.text END AS text";

/// Reads the columns of [`PASSAGE_COLUMNS`].
pub(super) fn passage(row: &Row<'_>) -> rusqlite::Result<StoredPassage> {
    let span: Range<u32> = row.get("first")?..row.get("last")?;
    Ok(StoredPassage {
        key: row.get("passage")?,
        document: row.get("doc")?,
        document_id: row.get("document_id")?,
        ordinal: row.get("ordinal")?,
        text: row.get("text")?,
        kind: row.get("kind")?,
        paragraph: row.get("paragraph")?,
        span,
        content: row.get("content")?,
    })
}

pub(super) fn timestamp(microseconds: i64) -> rusqlite::Result<Timestamp> {
    Timestamp::from_microsecond(microseconds).map_err(conversion)
}

pub(super) fn conversion(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Null, Box::new(error))
}

/// Maps a type to and from an integer or text column.
macro_rules! column {
    ($type:ty, $value:ident => $to:expr, $column:ident => $from:expr) => {
        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                let $value = self;
                Ok(ToSqlOutput::from($to))
            }
        }

        impl FromSql for $type {
            fn column_result($column: ValueRef<'_>) -> FromSqlResult<Self> {
                $from
            }
        }
    };
}

column!(DocumentKey, key => key.0, column => column.as_i64().map(DocumentKey));
column!(StoryKey, key => key.0, column => column.as_i64().map(StoryKey));
column!(PassageKey, key => key.0, column => column.as_i64().map(PassageKey));
column!(ContentId, id => id.0, column => column.as_i64().map(ContentId));
column!(DocumentId, id => id.as_str(), column => {
    DocumentId::parse(column.as_str()?).map_err(|error| FromSqlError::Other(Box::new(error)))
});
column!(ContentHash, hash => hash.as_bytes().as_slice(), column => {
    ContentHash::from_bytes(column.as_blob()?).ok_or(FromSqlError::InvalidType)
});
column!(Verdict, verdict => match verdict {
    Verdict::New => 1_i64,
    Verdict::ExactDuplicate => 2,
    Verdict::NearDuplicate => 3,
    Verdict::Update => 4,
}, column => match column.as_i64()? {
    1 => Ok(Verdict::New),
    2 => Ok(Verdict::ExactDuplicate),
    3 => Ok(Verdict::NearDuplicate),
    4 => Ok(Verdict::Update),
    other => Err(FromSqlError::OutOfRange(other)),
});
column!(PassageKind, kind => match kind {
    PassageKind::Body => 1_i64,
    PassageKind::Furniture => 2,
}, column => match column.as_i64()? {
    1 => Ok(PassageKind::Body),
    2 => Ok(PassageKind::Furniture),
    other => Err(FromSqlError::OutOfRange(other)),
});
