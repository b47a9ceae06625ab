use std::path::PathBuf;
use std::sync::Arc;

use roaring::RoaringTreemap;
use xxhash_rust::xxh3::xxh3_64;

use crate::article::PassageKind;
use crate::index::{ContentId, ContentSet};
use crate::lexical::{LexicalError, LexicalHit, LexicalIndex, Spread, Texts};
use crate::related::Gist;
use crate::store::{DocumentKey, Store, StoreError};
use crate::text::Bag;

use super::OpenError;

/// Words of a long query that are looked for: those that tell most.
const TELLING: usize = 32;

/// The words of all that reports: of each text, and of each document with its headline.
pub(super) struct Lexicon {
    passages: LexicalIndex,
    documents: LexicalIndex,
}

impl Lexicon {
    /// Opens both indices, or makes them anew.
    pub fn open(store: &Store) -> Result<Self, OpenError> {
        let identity = store.reader()?.view().corpus()?.to_string();
        let folder = |name: &str| -> PathBuf { store.folder().join("words").join(name) };
        Ok(Self {
            passages: LexicalIndex::open(&folder("passages"), &identity, &Passages(store))?,
            documents: LexicalIndex::open(&folder("documents"), &identity, &Documents(store))?,
        })
    }

    /// Adds a text that is new to the corpus.
    pub fn put_text(&self, content: ContentId, words: Bag) {
        self.passages.put(content.0.unsigned_abs(), 0, words);
    }

    /// Takes out texts that no passage says any more.
    pub fn remove_texts(&self, contents: &[ContentId]) {
        self.passages.remove(contents.iter().map(|content| content.0.unsigned_abs()));
    }

    /// Adds a document, or takes it for what it is now.
    pub fn put_document(&self, key: DocumentKey, sequence: i64, title: &str, words: Bag) {
        self.documents.put(key.0.unsigned_abs(), stamp(sequence, title), words);
    }

    /// Takes out documents that were deleted.
    pub fn remove_documents(&self, keys: &[DocumentKey]) {
        self.documents.remove(keys.iter().map(|key| key.0.unsigned_abs()));
    }

    /// Texts that have words of a query, best first.
    pub fn texts(
        &self,
        query: &Bag,
        limit: usize,
        allowed: Option<&ContentSet>,
    ) -> Result<Vec<LexicalHit>, LexicalError> {
        let may_answer =
            allowed.cloned().map(|allowed| -> Arc<dyn Fn(u64) -> bool + Send + Sync> {
                Arc::new(move |id| allowed.contains(ContentId(id as i64)))
            });
        self.passages.search(query, TELLING, limit, may_answer)
    }

    /// Documents that have words of a query, best first.
    pub fn documents(
        &self,
        query: &Bag,
        limit: usize,
        allowed: Option<Arc<RoaringTreemap>>,
    ) -> Result<Vec<LexicalHit>, LexicalError> {
        let may_answer = allowed.map(|allowed| -> Arc<dyn Fn(u64) -> bool + Send + Sync> {
            Arc::new(move |id| allowed.contains(id))
        });
        self.documents.search(query, TELLING, limit, may_answer)
    }

    /// In how many documents words stand. None is added while this is held.
    pub fn spread(&self) -> Spread<'_> {
        self.documents.spread()
    }
}

/// Changes with the body of a document and with its headline.
fn stamp(sequence: i64, title: &str) -> u64 {
    xxh3_64(title.as_bytes()) ^ sequence.unsigned_abs()
}

struct Passages<'a>(&'a Store);

impl Texts for Passages<'_> {
    fn all(&self, each: &mut dyn FnMut(u64, u64)) -> Result<(), LexicalError> {
        let reader = self.0.reader()?;
        Ok(reader.view().texts(|content, _| each(content.0.unsigned_abs(), 0))?)
    }

    fn words(&self, id: u64) -> Result<Option<Bag>, LexicalError> {
        let text = self.0.reader()?.view().text(ContentId(id as i64))?;
        Ok(text.map(|text| Gist::of(&text).terms))
    }
}

struct Documents<'a>(&'a Store);

impl Texts for Documents<'_> {
    fn all(&self, each: &mut dyn FnMut(u64, u64)) -> Result<(), LexicalError> {
        let reader = self.0.reader()?;
        let each = |key: DocumentKey, sequence, title: &str| {
            each(key.0.unsigned_abs(), stamp(sequence, title));
        };
        Ok(reader.view().headlines(each)?)
    }

    fn words(&self, id: u64) -> Result<Option<Bag>, LexicalError> {
        let key = DocumentKey(id as i64);
        let reader = self.0.reader()?;
        let Some(document) = reader.view().documents(&[key].into())?.remove(&key) else {
            return Ok(None);
        };
        let passages = reader.view().passages(key)?.into_iter();
        let reporting = passages.filter(|passage| passage.kind == PassageKind::Body);
        let gists: Vec<Gist> = reporting.map(|passage| Gist::of(&passage.text)).collect();
        Ok(Some(document_words(&document.metadata.title, gists.iter())))
    }
}

/// The words that a document is found by.
pub(super) fn document_words<'a>(title: &str, passages: impl Iterator<Item = &'a Gist>) -> Bag {
    let title = Gist::of(title);
    let all = std::iter::once(&title.terms).chain(passages.map(|passage| &passage.terms));
    Bag::sum(all.map(|terms| (terms, 1.0)))
}

impl From<StoreError> for LexicalError {
    fn from(error: StoreError) -> Self {
        Self(error.into())
    }
}
