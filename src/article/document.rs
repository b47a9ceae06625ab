use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use jiff::Timestamp;

use crate::text::{ContentHash, LanguageTag};

/// Bytes that a document id may have.
const MAX_ID_BYTES: usize = 256;

/// The caller's name for a document: 1 to 256 bytes of printable ASCII.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentId(String);

/// Why a text cannot be a document id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDocumentId {
    /// It is empty.
    #[error("is empty; give the document's id")]
    Empty,
    /// It is longer than 256 bytes.
    #[error("is {0} bytes long; at most {MAX_ID_BYTES} are allowed")]
    TooLong(usize),
    /// It holds something else than printable ASCII.
    #[error("holds a character that is not printable ASCII")]
    NotPrintable,
}

impl DocumentId {
    /// Checks and takes `id`.
    ///
    /// # Errors
    ///
    /// If it is empty, too long, or not printable ASCII.
    pub fn parse(id: &str) -> Result<Self, InvalidDocumentId> {
        match id {
            "" => Err(InvalidDocumentId::Empty),
            _ if id.len() > MAX_ID_BYTES => Err(InvalidDocumentId::TooLong(id.len())),
            _ if !id.bytes().all(|b| (b' '..=b'~').contains(&b)) => {
                Err(InvalidDocumentId::NotPrintable)
            }
            _ => Ok(Self(id.to_owned())),
        }
    }

    /// A name made of what the document says and where it is from, so that a retry
    /// names the same document.
    pub fn derived(source: &str, url: &str, title: &str, paragraphs: &[String]) -> Self {
        let parts = [source, url, title].into_iter().chain(paragraphs.iter().map(String::as_str));
        let mut hex = ContentHash::of_parts(parts.map(str::as_bytes)).to_hex();
        hex.truncate(32);
        Self(hex)
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A body as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Plain text: every line break is a paragraph break.
    Text(String),
    /// Paragraphs that the caller has split.
    Paragraphs(Vec<String>),
    /// A page of the web.
    Html(Html),
}

/// A page of the web as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Html {
    /// What was sent.
    pub bytes: Vec<u8>,
    /// The Content-Type that came with it, or empty.
    pub content_type: String,
}

/// A document as it came, checked but not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// `None`: derived from the content.
    pub id: Option<DocumentId>,
    /// What the caller knows about it.
    pub metadata: Metadata,
    /// What it says.
    pub body: Body,
}

/// What is known about a document besides what it says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Headline, or empty.
    pub title: String,
    /// Outlet, or empty.
    pub source: String,
    /// Canonical address, or empty.
    pub url: String,
    /// `None` before it is read; `und` where it cannot be told.
    pub language: Option<LanguageTag>,
    /// `None` where neither the caller nor the text states it.
    pub published_at: Option<Timestamp>,
    /// The caller's key-value pairs.
    pub labels: BTreeMap<String, String>,
}

/// What a paragraph is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PassageKind {
    /// Reporting.
    Body,
    /// Bylines, captions, navigation and the like: stored, but no evidence.
    Furniture,
}

/// A paragraph of an article, without white space around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paragraph {
    /// What it says.
    pub text: String,
    /// What it is for.
    pub kind: PassageKind,
}

/// A paragraph or a part of a long one: what is embedded and compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Position in its document.
    pub ordinal: u32,
    /// What it is for.
    pub kind: PassageKind,
    /// As it stands in its paragraph.
    pub text: String,
    /// The paragraph that it stands in.
    pub paragraph: u32,
    /// Where in that paragraph, in code points.
    pub span: Range<u32>,
    /// Of its normalised text.
    pub hash: ContentHash,
}

/// A document that was read: what is stored and compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    /// Its name.
    pub id: DocumentId,
    /// What the caller gave, filled in from what the text or page states.
    pub metadata: Metadata,
    /// Its body in reading order.
    pub paragraphs: Vec<Paragraph>,
    /// What is compared, in reading order.
    pub passages: Vec<Passage>,
    /// Names the body as it came, letter for letter.
    pub body_hash: ContentHash,
    /// Names the reporting in it, normalised: exact duplicates have the same.
    pub reporting_hash: ContentHash,
}

impl Article {
    /// The passages that report something.
    pub fn reporting(&self) -> impl Iterator<Item = &Passage> {
        self.passages.iter().filter(|passage| passage.kind == PassageKind::Body)
    }
}

#[cfg(test)]
mod tests {
    use super::{DocumentId, InvalidDocumentId};

    #[test]
    fn ids_are_printable_ascii_of_bounded_length() {
        assert!(DocumentId::parse("reuters:1987/r1 #2").is_ok());
        assert_eq!(DocumentId::parse(""), Err(InvalidDocumentId::Empty));
        assert_eq!(DocumentId::parse("caf\u{e9}"), Err(InvalidDocumentId::NotPrintable));
        assert_eq!(DocumentId::parse("a\n"), Err(InvalidDocumentId::NotPrintable));
        assert_eq!(DocumentId::parse(&"a".repeat(257)), Err(InvalidDocumentId::TooLong(257)));
    }

    #[test]
    fn derived_ids_tell_fields_apart() {
        let id = |source: &str, url: &str| DocumentId::derived(source, url, "", &[]);
        assert_eq!(id("ab", "c"), id("ab", "c"));
        assert_ne!(id("ab", "c"), id("a", "bc"));
    }
}
