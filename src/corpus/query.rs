use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::article::{Article, DocumentId, Incoming, Passage, PassageKind, query_passages, read};
use crate::embed::Windows;
use crate::store::{DocumentKey, StoredPassage};
use crate::text::{ContentHash, detect_language, normalize};
use crate::verdict::Comparable;

use super::{Corpus, CorpusError};

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
    /// The model does not speak its language.
    pub lexical_only: bool,
}

pub(super) struct AskedPassage {
    pub ordinal: u32,
    pub text: String,
    /// Where it starts in the text of the query, in code points.
    pub offset: u32,
    pub comparable: Comparable,
    pub windows: Windows,
}

/// A passage of a query before it is embedded.
struct Unembedded {
    ordinal: u32,
    offset: u32,
    text: String,
}

impl Corpus {
    /// Reads and embeds what is asked about.
    pub(super) async fn resolve(&self, query: Query) -> Result<Asked, CorpusError> {
        let (passages, own, language) = match query {
            Query::Text(text) => {
                let language = detect_language(&text).primary();
                let passages = self.blocking(move |_| text_passages(&text)).await?;
                (passages, None, language)
            }
            Query::Passage(name) => self.stored_passage(name).await?,
            Query::Document(id) => self.stored_document(id).await?,
            Query::Incoming(incoming) => {
                let article = self.blocking(move |_| Ok(read(*incoming)?)).await?;
                let language = article.metadata.language.as_ref();
                let language = language.map(|tag| tag.primary()).unwrap_or_default();
                (article.reporting().map(of_passage).collect(), None, language)
            }
        };
        let comparables: Vec<Comparable> =
            passages.iter().map(|passage| Comparable::of(&passage.text)).collect();
        let texts = passages.iter().map(|passage| passage.text.as_str());
        let vectors = self.vectors_of(comparables.iter().map(|c| c.hash).zip(texts)).await?;
        let passages = passages
            .into_iter()
            .zip(comparables)
            .filter_map(|(passage, comparable)| {
                // The same text may stand in it twice.
                let windows = vectors.get(&comparable.hash)?.clone();
                let Unembedded { ordinal, offset, text } = passage;
                Some(AskedPassage { ordinal, text, offset, comparable, windows })
            })
            .collect();
        Ok(Asked { passages, own, lexical_only: !self.model().speaks(&language) })
    }

    /// The vectors of texts by their hashes: from the index where they are known, else
    /// embedded.
    pub(super) async fn vectors_of(
        &self,
        texts: impl Iterator<Item = (ContentHash, &str)>,
    ) -> Result<HashMap<ContentHash, Windows>, CorpusError> {
        let texts: HashMap<ContentHash, Arc<str>> =
            texts.map(|(hash, text)| (hash, normalize(text).into())).collect();
        let hashes: Vec<ContentHash> = texts.keys().copied().collect();
        let mut vectors = self
            .blocking(move |parts| {
                let known = parts.store.reader()?.view().known(hashes.into_iter())?;
                let windows = |(hash, content)| Some((hash, parts.index.windows(content)?));
                Ok(known.into_iter().filter_map(windows).collect::<HashMap<_, _>>())
            })
            .await?;
        let (hashes, missing): (Vec<ContentHash>, Vec<Arc<str>>) =
            texts.into_iter().filter(|(hash, _)| !vectors.contains_key(hash)).unzip();
        let embedded = self.0.embedder.embed(missing).await?;
        vectors.extend(hashes.into_iter().zip(embedded));
        Ok(vectors)
    }

    async fn stored_passage(&self, name: PassageName) -> Result<Resolved, CorpusError> {
        self.blocking(move |parts| {
            let reader = parts.store.reader()?;
            let unknown =
                || CorpusError::UnknownPassage(format!("{}#{}", name.document, name.ordinal));
            let document = reader.view().document(&name.document)?.ok_or_else(unknown)?;
            let passage =
                reader.view().passage(&name.document, name.ordinal)?.ok_or_else(unknown)?;
            let language = document.metadata.language.as_ref().map(|tag| tag.primary());
            Ok((vec![of_stored(passage)], Some(document.key), language.unwrap_or_default()))
        })
        .await
    }

    async fn stored_document(&self, id: DocumentId) -> Result<Resolved, CorpusError> {
        self.blocking(move |parts| {
            let reader = parts.store.reader()?;
            let document = reader.view().document(&id)?;
            let document = document.ok_or_else(|| CorpusError::UnknownDocument(id.to_string()))?;
            let passages = reader.view().passages(document.key)?;
            let reporting =
                passages.into_iter().filter(|passage| passage.kind == PassageKind::Body);
            let language = document.metadata.language.as_ref().map(|tag| tag.primary());
            Ok((
                reporting.map(of_stored).collect(),
                Some(document.key),
                language.unwrap_or_default(),
            ))
        })
        .await
    }
}

/// Passages, the document that they are of, and its primary language.
type Resolved = (Vec<Unembedded>, Option<DocumentKey>, String);

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
        passages.push(Unembedded { offset: point as u32, ..of_passage(&passage) });
        byte += skipped + passage.text.len();
        point += passage.text.chars().count();
    }
    Ok(passages)
}

fn of_passage(passage: &Passage) -> Unembedded {
    Unembedded { ordinal: passage.ordinal, offset: 0, text: passage.text.clone() }
}

fn of_stored(passage: StoredPassage) -> Unembedded {
    Unembedded { ordinal: passage.ordinal, offset: 0, text: passage.text }
}

/// The comparables of all passages of an article, furniture included.
pub(super) fn comparables(article: &Article) -> Vec<Comparable> {
    article.passages.iter().map(|passage| Comparable::of(&passage.text)).collect()
}

/// Unset times stand for now.
pub(super) fn now() -> Timestamp {
    // To the microsecond, as the store keeps it.
    let now = Timestamp::now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}
