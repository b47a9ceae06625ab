//! Documents made ready to be compared, those that are stored and those that come in.

use std::collections::HashMap;
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::article::{Article, Passage};
use crate::embed::Windows;
use crate::index::ContentId;
use crate::store::{PassageKey, StoredDocument, StoredPassage, View};
use crate::text::ContentHash;
use crate::verdict::{Comparable, Heading, Report, ReportPassage};

use super::query::primary;
use super::{CorpusError, Parts};

/// Stories that a text may stand in and count in full.
const FEW_STORIES: usize = 3;

/// Passages that say a text which may stand in more.
const OFTEN: usize = FEW_STORIES + 1;

/// Stories of one source, and of all, from which on a text that stands in them does not count.
const SOURCE_STORIES: usize = 12;
const STORIES: usize = 20;

/// Texts that were made ready are kept up to so many bytes.
const KEPT_BYTES: u64 = 64 << 20;

/// About how many texts that is.
const KEPT_TEXTS: usize = 10_000;

/// Texts that were made ready to be compared lately.
pub(super) struct Texts(Cache<ContentId, Arc<Comparable>, Bytes>);

#[derive(Clone)]
struct Bytes;

impl Weighter<ContentId, Arc<Comparable>> for Bytes {
    fn weight(&self, _: &ContentId, text: &Arc<Comparable>) -> u64 {
        text.bytes() as u64
    }
}

impl Texts {
    pub fn new() -> Self {
        Self(Cache::with_weighter(KEPT_TEXTS, KEPT_BYTES, Bytes))
    }

    /// Forgets all.
    pub fn forget(&self) {
        self.0.clear();
    }

    /// The text of a stored passage. Those that name the same content say the same.
    pub fn of(&self, passage: &StoredPassage) -> Arc<Comparable> {
        let ready = || Arc::new(Comparable::of(&passage.text));
        let Some(content) = passage.content else { return ready() };
        self.0.get(&content).unwrap_or_else(|| {
            let text = ready();
            self.0.insert(content, Arc::clone(&text));
            text
        })
    }
}

impl Parts {
    /// A document that is not stored, with the vectors of its reporting.
    pub fn report_of(
        &self,
        view: View<'_>,
        article: &Article,
        vectors: &HashMap<ContentHash, Windows>,
    ) -> Result<Report, CorpusError> {
        let known = view.known(article.reporting().map(|passage| passage.hash))?;
        let source = &article.metadata.source;
        let speaks = self.embedder.model().speaks(&primary(&article.metadata));
        let passage = |passage: &Passage| {
            let content = known.get(&passage.hash).copied();
            let weight = match content {
                Some(content) if view.is_said_often(content, OFTEN)? => {
                    weight_of_often_said(view, content, source)?
                }
                _ => 1.0,
            };
            Ok(ReportPassage {
                ordinal: passage.ordinal,
                kind: passage.kind,
                text: Arc::new(Comparable::of(&passage.text)),
                windows: vectors.get(&passage.hash).filter(|_| speaks).cloned(),
                weight,
            })
        };
        let heading = Heading {
            title: &article.metadata.title,
            source: &article.metadata.source,
            published_at: article.metadata.published_at,
            reporting_hash: article.reporting_hash,
        };
        let passages = article.passages.iter().map(passage);
        Ok(Report::new(&heading, passages.collect::<Result<_, CorpusError>>()?))
    }

    /// A stored document with its passages in reading order.
    pub fn stored_report(
        &self,
        view: View<'_>,
        document: &StoredDocument,
    ) -> Result<(Report, Vec<StoredPassage>), CorpusError> {
        self.weighed_report(view, document, &self.weights(view, document)?)
    }

    /// Whether a text stands in so many stories that it is furniture in a document of `source`.
    pub fn is_learned_furniture(
        &self,
        view: View<'_>,
        content: ContentId,
        source: &str,
    ) -> Result<bool, CorpusError> {
        Ok(view.is_said_often(content, OFTEN)?
            && weight_of_often_said(view, content, source)? <= 0.0)
    }

    /// The text that a passage says.
    pub fn text(
        &self,
        view: View<'_>,
        content: ContentId,
        passage: PassageKey,
    ) -> Result<Option<Arc<Comparable>>, CorpusError> {
        if let Some(ready) = self.texts.0.get(&content) {
            return Ok(Some(ready));
        }
        let stored = view.passages_by_key(&[passage].into())?.remove(&passage);
        Ok(stored.map(|stored| self.texts.of(&stored)))
    }

    /// How much each passage of a stored document counts, in reading order.
    pub fn weights(
        &self,
        view: View<'_>,
        document: &StoredDocument,
    ) -> Result<Vec<f32>, CorpusError> {
        let source = &document.metadata.source;
        let weight = |text| match text {
            Some((content, true)) => weight_of_often_said(view, content, source),
            Some((_, false)) | None => Ok(1.0),
        };
        view.contents_in(document.key, OFTEN)?.into_iter().map(weight).collect()
    }

    /// A stored document whose passages count so much.
    pub fn weighed_report(
        &self,
        view: View<'_>,
        document: &StoredDocument,
        weights: &[f32],
    ) -> Result<(Report, Vec<StoredPassage>), CorpusError> {
        let speaks = self.embedder.model().speaks(&primary(&document.metadata));
        let stored = view.passages(document.key)?;
        let passages = stored.iter().zip(weights).map(|(passage, weight)| {
            Ok(ReportPassage {
                ordinal: passage.ordinal,
                kind: passage.kind,
                text: self.texts.of(passage),
                windows: match passage.content.filter(|_| speaks) {
                    Some(content) => self.stored_windows(view, content)?,
                    None => None,
                },
                weight: *weight,
            })
        });
        let heading = Heading {
            title: &document.metadata.title,
            source: &document.metadata.source,
            published_at: document.metadata.published_at,
            reporting_hash: document.reporting_hash,
        };
        let passages = passages.collect::<Result<_, CorpusError>>()?;
        Ok((Report::new(&heading, passages), stored))
    }

    /// The index gets to know a text after it was committed.
    pub fn stored_windows(
        &self,
        view: View<'_>,
        content: ContentId,
    ) -> Result<Option<Windows>, CorpusError> {
        match self.index.windows(content)? {
            Some(windows) => Ok(Some(windows)),
            None => Ok(view.windows(content, self.embedder.model().dimension)?),
        }
    }
}

/// How much a text that stands in many passages counts as evidence in a document of a source:
/// less, the more stories it stands in, and not at all if it stands in very many. That is how
/// the furniture of an outlet and standing background are told, whatever they say.
fn weight_of_often_said(
    view: View<'_>,
    content: ContentId,
    source: &str,
) -> Result<f32, CorpusError> {
    let (of_source, of_all) = view.spread(content, source)?;
    let left = |stories: usize, most: usize| {
        most.saturating_sub(stories) as f32 / (most - FEW_STORIES) as f32
    };
    let least = left(of_source, SOURCE_STORIES).min(left(of_all, STORIES));
    Ok(least.min(1.0))
}
