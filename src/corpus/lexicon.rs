use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use roaring::RoaringTreemap;
use xxhash_rust::xxh3::xxh3_64;

use crate::article::PassageKind;
use crate::index::{ContentId, ContentSet};
use crate::lexical::{Effort, LexicalError, LexicalHit, LexicalIndex, Spread, Texts};
use crate::related::Gist;
use crate::store::{DocumentKey, Store, StoreError};
use crate::text::Bag;

use super::OpenError;

/// How much of a question is looked for.
pub(super) const ASKING: Effort = Effort { words: 32, postings: u64::MAX };

/// How much of a document that comes in is looked for. In a small corpus as much as of a
/// question; in a large one not more than that, so that filing does not slow as it grows.
pub(super) const FILING: Effort = Effort { words: 32, postings: 8_000 };

/// The words of all that reports: of each text, and of each document with its headline.
pub(super) struct Lexicon {
    passages: LexicalIndex,
    documents: LexicalIndex,
}

impl Lexicon {
    /// Opens both indices, or makes them anew.
    pub fn open(store: &Store) -> Result<Self, OpenError> {
        let identity = store.reader()?.view().corpus()?.to_string();
        let folder = |name: &str| words(store.folder(), name);
        Ok(Self {
            passages: LexicalIndex::open(&folder("passages"), &identity, &Passages(store))?,
            documents: LexicalIndex::open(&folder("documents"), &identity, &Documents(store))?,
        })
    }

    /// Adds a text that is new to the corpus.
    pub fn put_text(&self, content: ContentId, words: Bag) {
        let (id, stamp) = text_entry(content);
        self.passages.put(id, stamp, words);
    }

    /// Takes out texts that no passage says any more.
    pub fn remove_texts(&self, contents: &[ContentId]) {
        self.passages.remove(contents.iter().map(|content| content.0.unsigned_abs()));
    }

    /// Adds a document, or takes it for what it is now.
    pub fn put_document(&self, key: DocumentKey, sequence: i64, title: &str, words: Bag) {
        let (id, stamp) = entry(key, sequence, title);
        self.documents.put(id, stamp, words);
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
        self.passages.search(query, ASKING, limit, may_answer)
    }

    /// Documents that have words of a query, best first.
    pub fn documents(
        &self,
        query: &Bag,
        effort: Effort,
        limit: usize,
        allowed: Option<Arc<RoaringTreemap>>,
    ) -> Result<Vec<LexicalHit>, LexicalError> {
        let may_answer = allowed.map(|allowed| -> Arc<dyn Fn(u64) -> bool + Send + Sync> {
            Arc::new(move |id| allowed.contains(id))
        });
        self.documents.search(query, effort, limit, may_answer)
    }

    /// In how many documents words stand. None is added while this is held.
    pub fn spread(&self) -> Spread<'_> {
        self.documents.spread()
    }
}

/// What is of no use or missing in the indices of words in a data folder, of texts and of
/// documents, each by [`text_entry`] and [`entry`]. Changes nothing.
pub(super) fn check(
    folder: &Path,
    corpus: i64,
    texts: &HashMap<u64, u64>,
    documents: &HashMap<u64, u64>,
) -> [(Result<usize, LexicalError>, &'static str); 2] {
    let missing = |name: &str, entries| {
        LexicalIndex::missing(&words(folder, name), &corpus.to_string(), entries)
    };
    [(missing("passages", texts), "texts"), (missing("documents", documents), "documents")]
}

/// The number and the stamp of a text.
pub(super) fn text_entry(content: ContentId) -> (u64, u64) {
    (content.0.unsigned_abs(), 0)
}

/// The number and the stamp of a document.
pub(super) fn entry(key: DocumentKey, sequence: i64, title: &str) -> (u64, u64) {
    (key.0.unsigned_abs(), stamp(sequence, title))
}

fn words(folder: &Path, name: &str) -> PathBuf {
    folder.join("words").join(name)
}

/// Changes with the body of a document and with its headline.
fn stamp(sequence: i64, title: &str) -> u64 {
    xxh3_64(title.as_bytes()) ^ sequence.unsigned_abs()
}

struct Passages<'a>(&'a Store);

impl Texts for Passages<'_> {
    fn all(&self, each: &mut dyn FnMut(u64, u64)) -> Result<(), LexicalError> {
        let reader = self.0.reader()?;
        let mut each = |(id, stamp)| each(id, stamp);
        Ok(reader.view().texts(|content, _| each(text_entry(content)))?)
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
        let mut each = |(id, stamp)| each(id, stamp);
        Ok(reader.view().headlines(|key, sequence, title| each(entry(key, sequence, title)))?)
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
