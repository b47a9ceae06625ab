use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;

use crate::article::{DocumentId, Incoming, Metadata, Passage, PassageKind, query_passages};
use crate::embed::{Lane, Purpose, Role, Windows};
use crate::related::Gist;
use crate::store::{DocumentKey, StoredPassage};
use crate::text::{ContentHash, UNDETERMINED, detect_language, normalize, word_count};
use crate::verdict::Comparable;

use super::reading::read;
use super::steps::timed_wait;
use super::{Caller, Corpus, CorpusError, Limits, Parts};

/// What is asked about.
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// A text.
    Text(String),
    /// A stored passage.
    Passage(PassageName),
    /// The reporting of a stored document.
    Document(DocumentId),
    /// The reporting of a document that is not stored.
    Incoming(Box<Incoming>),
}

/// Names a stored passage: `<document_id>#<ordinal>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassageName {
    /// Its document.
    pub document: DocumentId,
    /// Its position there, from 0.
    pub ordinal: u32,
}

impl std::fmt::Display for PassageName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}#{}", self.document, self.ordinal)
    }
}

impl PassageName {
    /// `None` unless `name` is a document id, `#` and a number.
    pub fn parse(name: &str) -> Option<Self> {
        let (document, ordinal) = name.rsplit_once('#')?;
        let is_number = ordinal.bytes().all(|b| b.is_ascii_digit());
        Some(Self {
            document: DocumentId::parse(document).ok()?,
            ordinal: ordinal.parse().ok().filter(|_| is_number)?,
        })
    }
}

/// A query that is ready to be searched for.
pub(super) struct Asked {
    pub passages: Vec<AskedPassage>,
    /// The stored document that is asked about: it does not answer itself.
    pub own: Option<DocumentKey>,
    /// When what is asked about was published, if that is known.
    pub published_at: Option<Timestamp>,
    /// The model does not speak its language.
    pub lexical_only: bool,
}

pub(super) struct AskedPassage {
    pub ordinal: u32,
    pub text: String,
    /// Where it starts in the text of the query, in code points.
    pub offset: u32,
    pub comparable: Comparable,
    pub gist: Gist,
    pub windows: Windows,
}

impl AskedPassage {
    /// Its position in the document that is asked about.
    pub fn place(&self) -> u32 {
        self.ordinal
    }
}

/// A passage of a query before it is embedded.
struct Unembedded {
    ordinal: u32,
    offset: u32,
    text: String,
    comparable: Comparable,
}

impl Unembedded {
    fn new(ordinal: u32, offset: u32, text: String) -> Self {
        Self { ordinal, offset, comparable: Comparable::of(&text), text }
    }
}

/// What is asked about, before it is embedded.
struct Resolved {
    passages: Vec<Unembedded>,
    own: Option<DocumentKey>,
    published_at: Option<Timestamp>,
    /// Primary language.
    language: String,
}

impl Corpus {
    /// Reads and embeds what is asked about: a text in the role of what others are about
    /// if `role` says so, all else as what is stored.
    pub(super) async fn resolve(
        &self,
        parts: &Arc<Parts>,
        query: Query,
        role: Role,
    ) -> Result<Asked, CorpusError> {
        let role = match query {
            Query::Text(_) => role,
            _ => Role::Passage,
        };
        let limits = *self.limits();
        let resolve = move |parts: &Parts| parts.resolve(&limits, query);
        let Resolved { passages, own, published_at, language } =
            self.blocking_on(parts, Lane::Question, resolve).await?;
        let texts = passages.iter().map(|p| (p.comparable.hash, p.text.clone())).collect();
        let vectors = self.vectors_of(parts, texts, Lane::Question, role).await?;
        let passages = passages
            .into_iter()
            .filter_map(|passage| {
                let Unembedded { ordinal, offset, text, comparable } = passage;
                // The same text may stand in it twice.
                let windows = vectors.get(&comparable.hash)?.clone();
                let gist = Gist::of(&text);
                Some(AskedPassage { ordinal, text, offset, comparable, gist, windows })
            })
            .collect();
        let lexical_only = !parts.embedder.model().speaks(&language);
        Ok(Asked { passages, own, published_at, lexical_only })
    }

    /// The vectors of texts by their hashes: from the index where they are known, else
    /// embedded.
    pub(super) async fn vectors_of(
        &self,
        parts: &Arc<Parts>,
        texts: HashMap<ContentHash, String>,
        lane: Lane,
        role: Role,
    ) -> Result<HashMap<ContentHash, Windows>, CorpusError> {
        let is_as_stored = role == Role::Passage || parts.embedder.model().is_symmetric;
        let (mut vectors, hashes, missing) = self
            .blocking_on(parts, lane, move |parts| {
                let known = parts.store.reader()?.view().known(texts.keys().copied())?;
                let mut vectors = HashMap::new();
                for (hash, content) in known.into_iter().filter(|_| is_as_stored) {
                    let windows = parts.index.windows(content)?;
                    vectors.extend(windows.map(|windows| (hash, windows)));
                }
                parts.known.fetch_add(vectors.len() as u64, Ordering::Relaxed);
                let missing = texts.into_iter().filter(|(hash, _)| !vectors.contains_key(hash));
                let (hashes, missing): (Vec<_>, Vec<Arc<str>>) =
                    missing.map(|(hash, text)| (hash, normalize(&text).into())).unzip();
                Ok((vectors, hashes, missing))
            })
            .await?;
        let Caller { client, is_patient } = self.caller;
        let purpose = Purpose { lane, role, client, is_patient };
        let embedding = parts.embedder.embed(purpose, missing);
        let embedded = timed_wait(lane, "embed", embedding).await?;
        vectors.extend(hashes.into_iter().zip(embedded));
        Ok(vectors)
    }
}

impl Parts {
    fn resolve(&self, limits: &Limits, query: Query) -> Result<Resolved, CorpusError> {
        match query {
            Query::Text(text) => Ok(Resolved {
                passages: text_passages(&text)?,
                own: None,
                published_at: None,
                language: language_of(&text),
            }),
            Query::Passage(name) => self.stored_passage(&name),
            Query::Document(id) => self.stored_document(&id),
            Query::Incoming(incoming) => {
                let article = read(limits, *incoming)?;
                Ok(Resolved {
                    passages: article.reporting().map(of_passage).collect(),
                    own: None,
                    published_at: article.metadata.published_at,
                    language: primary(&article.metadata),
                })
            }
        }
    }

    fn stored_passage(&self, name: &PassageName) -> Result<Resolved, CorpusError> {
        let reader = self.store.reader()?;
        let unknown = || CorpusError::UnknownPassage(format!("{}#{}", name.document, name.ordinal));
        let document = reader.view().document(&name.document)?.ok_or_else(unknown)?;
        let passage = reader.view().passage(&name.document, name.ordinal)?.ok_or_else(unknown)?;
        Ok(Resolved {
            passages: vec![of_stored(passage)],
            own: Some(document.key),
            published_at: Some(document.published_at),
            language: primary(&document.metadata),
        })
    }

    fn stored_document(&self, id: &DocumentId) -> Result<Resolved, CorpusError> {
        let reader = self.store.reader()?;
        let document = reader.view().document(id)?;
        let document = document.ok_or_else(|| CorpusError::UnknownDocument(id.to_string()))?;
        let passages = reader.view().passages(document.key)?.into_iter();
        let reporting = passages.filter(|passage| passage.kind == PassageKind::Body);
        Ok(Resolved {
            passages: reporting.map(of_stored).collect(),
            own: Some(document.key),
            published_at: Some(document.published_at),
            language: primary(&document.metadata),
        })
    }
}

/// The primary language of a document that was read.
pub(super) fn primary(metadata: &Metadata) -> String {
    metadata.language.as_ref().map(|language| language.primary()).unwrap_or_default()
}

/// The passages of a text with their places in it.
fn text_passages(text: &str) -> Result<Vec<Unembedded>, CorpusError> {
    let mut byte = 0;
    let mut point = 0;
    let mut passages = Vec::new();
    for passage in query_passages(text)? {
        // Passages stand in the text in order, unchanged.
        let rest = text.get(byte..).unwrap_or_default();
        let skipped = rest.find(&passage.text).unwrap_or(0);
        point += rest.get(..skipped).unwrap_or_default().chars().count();
        passages.push(Unembedded::new(passage.ordinal, point as u32, passage.text.clone()));
        byte += skipped + passage.text.len();
        point += passage.text.chars().count();
    }
    Ok(passages)
}

fn of_passage(passage: &Passage) -> Unembedded {
    Unembedded::new(passage.ordinal, 0, passage.text.clone())
}

fn of_stored(passage: StoredPassage) -> Unembedded {
    Unembedded::new(passage.ordinal, 0, passage.text)
}

/// The primary language of a text that is asked about. A name, or three words, may be of any:
/// they are asked of the model as they are.
fn language_of(text: &str) -> String {
    const TELLING: usize = 8;
    match word_count(text) >= TELLING {
        true => detect_language(text).primary(),
        false => UNDETERMINED.to_owned(),
    }
}

/// Unset times stand for now.
pub(super) fn now() -> Timestamp {
    // To the microsecond, as the store keeps it.
    let now = Timestamp::now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}
