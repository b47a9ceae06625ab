//! Documents made ready to be compared by what they are about, those that are stored and those
//! that come in.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::article::{Article, PassageKind};
use crate::index::ContentId;
use crate::related::{Gist, Subject, SubjectPassage, told};
use crate::store::{DocumentKey, StoreError, StoredDocument, View};
use crate::verdict::Report;

use super::candidates::{Nearest, places};
use super::lexicon::FILING;
use super::query::primary;
use super::{CorpusError, Parts};

/// Subjects are kept up to so many bytes, and about how many documents that is.
const KEPT_BYTES: u64 = 128 << 20;
const KEPT: usize = 12_000;

/// Documents that are looked at for one that comes in, from either side.
const LIKELY: usize = 32;

/// Passages of a document of which it is looked at whether they were told in other words.
const TOLD: usize = 512;

/// Cosine of passages that have nothing to do with each other.
const UNRELATED: f32 = 0.3;

/// The same for what single texts are about.
const KEPT_GIST_BYTES: u64 = 48 << 20;
const KEPT_GISTS: usize = 60_000;

/// Documents that were made ready to be compared lately, with the number of the body and the
/// headline that they were made of.
pub(super) struct Subjects(Cache<DocumentKey, (i64, String, Arc<Subject>), Bytes>);

#[derive(Clone)]
struct Bytes;

impl Weighter<DocumentKey, (i64, String, Arc<Subject>)> for Bytes {
    fn weight(&self, _: &DocumentKey, (_, _, subject): &(i64, String, Arc<Subject>)) -> u64 {
        subject.bytes() as u64
    }
}

/// What texts are about that were looked at lately.
pub(super) struct Gists(Cache<ContentId, Arc<Gist>, Bytes>);

impl Weighter<ContentId, Arc<Gist>> for Bytes {
    fn weight(&self, _: &ContentId, gist: &Arc<Gist>) -> u64 {
        gist.bytes() as u64
    }
}

impl Gists {
    pub fn new() -> Self {
        Self(Cache::with_weighter(KEPT_GISTS, KEPT_GIST_BYTES, Bytes))
    }

    /// Forgets texts that are not stored any more.
    pub fn forget(&self, contents: &[ContentId]) {
        contents.iter().for_each(|content| {
            self.0.remove(content);
        });
    }
}

impl Subjects {
    pub fn new() -> Self {
        Self(Cache::with_weighter(KEPT, KEPT_BYTES, Bytes))
    }

    /// A document, if it was made ready of this body and headline.
    fn kept(&self, key: DocumentKey, sequence: i64, title: &str) -> Option<Arc<Subject>> {
        let (body, headline, subject) = self.0.get(&key)?;
        (body == sequence && headline == title).then_some(subject)
    }

    /// Keeps a document that was just stored: it will be compared with what comes next.
    pub fn keep(&self, document: &StoredDocument, subject: Arc<Subject>) {
        let known = (document.sequence, document.metadata.title.clone(), subject);
        self.0.insert(document.key, known);
    }
}

impl Parts {
    /// A stored document.
    pub fn subject(
        &self,
        view: View<'_>,
        document: &StoredDocument,
    ) -> Result<Arc<Subject>, CorpusError> {
        let (sequence, title) = (document.sequence, &document.metadata.title);
        if let Some(subject) = self.subjects.kept(document.key, sequence, title) {
            return Ok(subject);
        }
        let weights = self.weights(view, document)?;
        let speaks = self.embedder.model().speaks(&primary(&document.metadata));
        let mut passages = Vec::new();
        for (passage, weight) in view.passages(document.key)?.into_iter().zip(weights) {
            let Some(content) = passage.content else { continue };
            passages.push(SubjectPassage {
                ordinal: passage.ordinal,
                gist: Arc::new(Gist::of(&passage.text)),
                before: 0,
                windows: match speaks {
                    true => self.stored_windows(view, content)?,
                    false => None,
                },
                weight,
            });
        }
        let subject = Arc::new(Subject::new(title, document.metadata.published_at, passages));
        self.subjects.keep(document, Arc::clone(&subject));
        Ok(subject)
    }
}

impl Parts {
    /// A stored document, by its key; `None` if it is not stored any more.
    pub fn subject_by_key(
        &self,
        view: View<'_>,
        key: DocumentKey,
    ) -> Result<Option<Arc<Subject>>, CorpusError> {
        let Some((sequence, title)) = view.headline(key)? else { return Ok(None) };
        if let Some(subject) = self.subjects.kept(key, sequence, &title) {
            return Ok(Some(subject));
        }
        let document = view.documents(&[key].into())?.remove(&key);
        document.map(|document| self.subject(view, &document)).transpose()
    }

    /// A document of a story.
    pub fn subject_in_story(
        &self,
        view: View<'_>,
        key: DocumentKey,
    ) -> Result<Arc<Subject>, CorpusError> {
        let subject = self.subject_by_key(view, key)?;
        Ok(subject.ok_or(StoreError::Damaged("a story without its document"))?)
    }

    /// Makes stored documents ready to be compared, so that nobody waits for that when it is the
    /// turn of a document to be settled.
    pub fn read_ahead(&self, view: View<'_>, keys: &[DocumentKey]) -> Result<(), CorpusError> {
        keys.iter().try_for_each(|key| self.subject_by_key(view, *key).map(drop))
    }

    /// What a stored text is about; `None` if no passage says it.
    pub fn gist(
        &self,
        view: View<'_>,
        content: ContentId,
    ) -> Result<Option<Arc<Gist>>, CorpusError> {
        if let Some(gist) = self.gists.0.get(&content) {
            return Ok(Some(gist));
        }
        let gist = view.text(content)?.map(|text| Arc::new(Gist::of(&text)));
        if let Some(gist) = &gist {
            self.gists.0.insert(content, Arc::clone(gist));
        }
        Ok(gist)
    }

    /// Calls `with` with how rare words are now.
    pub fn with_rarities<T>(&self, with: impl FnOnce(&dyn Fn(u32) -> f32) -> T) -> T {
        let spread = self.lexicon.spread();
        with(&|term| self.prior.rarity(term, spread.with(term), spread.texts()))
    }

    /// How far any of some stored documents told each passage of one before, by its position.
    pub fn told(
        &self,
        view: View<'_>,
        subject: &Subject,
        earlier: &HashSet<DocumentKey>,
    ) -> Result<HashMap<u32, f32>, CorpusError> {
        let mut most: HashMap<u32, f32> = HashMap::new();
        for key in earlier {
            let Some(document) = self.subject_by_key(view, *key)? else { continue };
            for passage in subject.passages.iter().take(TOLD) {
                let known = most.entry(passage.ordinal).or_default();
                *known = known.max(told(passage, &document));
            }
        }
        Ok(most)
    }

    /// Stored documents that may be related to one: by the nearest texts to its passages, those
    /// first that are near to most of them, and by its words.
    pub fn likely_related(
        &self,
        view: View<'_>,
        subject: &Subject,
        nearest: &Nearest,
        own: Option<DocumentKey>,
    ) -> Result<Vec<DocumentKey>, CorpusError> {
        let mut keys = by_meaning(view, nearest, LIKELY)?;
        let by_words = self.lexicon.documents(&subject.terms, FILING, LIKELY, None)?;
        keys.extend(by_words.into_iter().map(|hit| DocumentKey(hit.id as i64)));
        let mut seen: HashSet<DocumentKey> = own.into_iter().collect();
        keys.retain(|key| seen.insert(*key));
        Ok(keys)
    }
}

/// The documents in which those texts stand that are nearest to passages: those first whose
/// passages are near to most of them.
pub(super) fn by_meaning(
    view: View<'_>,
    nearest: &Nearest,
    limit: usize,
) -> Result<Vec<DocumentKey>, CorpusError> {
    let places = places(view, nearest)?;
    let mut scores: HashMap<DocumentKey, f32> = HashMap::new();
    for hits in nearest.values() {
        let mut best: HashMap<DocumentKey, f32> = HashMap::new();
        for hit in hits {
            for (_, document) in places.get(&hit.content).into_iter().flatten() {
                let best = best.entry(*document).or_default();
                *best = best.max(hit.cosine - UNRELATED);
            }
        }
        for (document, likeness) in best {
            *scores.entry(document).or_default() += likeness;
        }
    }
    let mut scores: Vec<(DocumentKey, f32)> = scores.into_iter().collect();
    scores.sort_by(|(a, x), (b, y)| y.total_cmp(x).then(b.cmp(a)));
    Ok(scores.into_iter().take(limit).map(|(document, _)| document).collect())
}

/// A document that comes in, without vectors.
pub(super) fn unembedded(article: &Article) -> Subject {
    let passages = article.reporting().map(|passage| SubjectPassage {
        ordinal: passage.ordinal,
        gist: Arc::new(Gist::of(&passage.text)),
        before: 0,
        windows: None,
        weight: 1.0,
    });
    Subject::new(&article.metadata.title, article.metadata.published_at, passages.collect())
}

/// A document that comes in, with how much its passages count and their vectors.
pub(super) fn subject_of(article: &Article, report: &Report) -> Subject {
    let texts: HashMap<u32, &str> =
        article.passages.iter().map(|passage| (passage.ordinal, passage.text.as_str())).collect();
    let reporting = report.passages.iter().filter(|passage| passage.kind == PassageKind::Body);
    let passages = reporting.map(|passage| SubjectPassage {
        ordinal: passage.ordinal,
        gist: Arc::new(Gist::of(texts.get(&passage.ordinal).copied().unwrap_or_default())),
        before: 0,
        windows: passage.windows.clone(),
        weight: passage.weight,
    });
    Subject::new(&article.metadata.title, article.metadata.published_at, passages.collect())
}
