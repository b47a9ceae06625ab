//! Where documents stand on a map of the corpus.
//!
//! The map is drawn when it is first asked for, and anew when the corpus has doubled, halved or
//! become another one since. Until then what is on it stays where it is, and what comes in is
//! placed beside it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::article::DocumentId;
use crate::embed::UnitVector;
use crate::layout::{Layout, Point, SAMPLE};
use crate::store::{DocumentKey, Filter, NamedDocument, StoryKey, View};

use super::{Corpus, CorpusError, Parts};

/// Documents of a page. Whoever asks waits for so many to be placed.
const PAGE: usize = 1_024;

/// The first texts of a document, by which it is placed: they tell its news.
const LEAD: usize = 4;

/// A document on the map.
#[derive(Debug, Clone, PartialEq)]
pub struct MappedDocument {
    /// Its name.
    pub id: DocumentId,
    /// The story that it is filed under.
    pub story: StoryKey,
    /// Where it stands.
    pub at: Point,
}

/// Some of the documents on the map.
#[derive(Debug, Clone, PartialEq)]
pub struct MapPage {
    /// Latest ingested first.
    pub documents: Vec<MappedDocument>,
    /// Documents that were asked for, those of all pages; on the first page alone.
    pub total: Option<i64>,
    /// Where the next page goes on; `None` on the last one.
    pub next: Option<i64>,
}

/// A map as it was drawn, with what was placed on it since.
pub(super) struct Map {
    layout: Layout,
    /// Of the parts by whose vectors it was drawn.
    generation: u64,
    /// Documents that there were.
    drawn_of: i64,
    /// Where documents stand, with the number of the body that they were placed by.
    places: HashMap<DocumentKey, (i64, Point)>,
}

impl Map {
    /// Whether it is still a map of so many documents. Those that are gone keep their places
    /// until it is drawn anew, so there can be no more of these than of the others.
    fn is_of(&self, documents: i64) -> bool {
        let sizes = self.drawn_of / 2..=self.drawn_of.saturating_mul(2);
        let gone = (self.places.len() as i64).saturating_sub(documents);
        sizes.contains(&documents) && gone <= documents
    }
}

impl Corpus {
    /// Documents that `filter` lets through with their places, latest ingested first, those
    /// before `before`. The first page may take seconds, while the map is drawn.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn map(&self, filter: Filter, before: Option<i64>) -> Result<MapPage, CorpusError> {
        // One at a time: whoever else asks finds it drawn.
        let mut map = Arc::clone(&self.desk.map).lock_owned().await;
        self.blocking(move |parts| {
            let reader = parts.store.reader()?;
            let view = reader.view();
            let mut current = map.take().filter(|map| map.generation == parts.generation);
            if before.is_none() {
                let documents = view.count(&Filter::default())?;
                current = current.filter(|map| map.is_of(documents));
            }
            let current = current.map_or_else(|| parts.draw(view), Ok)?;
            parts.page_of(view, map.insert(current), &filter, before)
        })
        .await
    }
}

impl Parts {
    /// Lays out documents from all over the corpus.
    fn draw(&self, view: View<'_>) -> Result<Map, CorpusError> {
        let keys = view.keys(&Filter::default())?;
        let step = keys.len().div_ceil(SAMPLE).max(1);
        let mut sample = Vec::new();
        for key in keys.iter().step_by(step) {
            sample.extend(self.lead_of(view, *key)?);
        }
        Ok(Map {
            layout: Layout::of(&sample),
            generation: self.generation,
            drawn_of: keys.len() as i64,
            places: HashMap::new(),
        })
    }

    fn page_of(
        &self,
        view: View<'_>,
        map: &mut Map,
        filter: &Filter,
        before: Option<i64>,
    ) -> Result<MapPage, CorpusError> {
        let mut named = view.named(filter, before.unwrap_or(i64::MAX), PAGE + 1)?;
        let has_more = named.len() > PAGE;
        named.truncate(PAGE);
        let next = named.last().filter(|_| has_more).map(|last| last.sequence);
        let mut documents = Vec::with_capacity(named.len());
        for document in named {
            let at = self.place(view, map, &document)?;
            documents.push(MappedDocument { id: document.id, story: document.story, at });
        }
        let total = before.is_none().then(|| view.count(filter)).transpose()?;
        Ok(MapPage { documents, total, next })
    }

    fn place(
        &self,
        view: View<'_>,
        map: &mut Map,
        document: &NamedDocument,
    ) -> Result<Point, CorpusError> {
        let known = map.places.get(&document.key);
        if let Some((_, at)) = known.filter(|(sequence, _)| *sequence == document.sequence) {
            return Ok(*at);
        }
        let lead = self.lead_of(view, document.key)?;
        let at = lead.map(|lead| map.layout.place(&lead)).unwrap_or_default();
        map.places.insert(document.key, (document.sequence, at));
        Ok(at)
    }

    /// What a document begins with, on average. `None` where there is nothing but furniture.
    fn lead_of(
        &self,
        view: View<'_>,
        document: DocumentKey,
    ) -> Result<Option<UnitVector>, CorpusError> {
        let contents = view.lead(document, LEAD)?;
        let mut windows = Vec::new();
        for content in contents {
            windows.extend(self.index.windows(content)?);
        }
        let first = windows.iter().filter_map(|windows| windows.vectors().first());
        Ok(UnitVector::mean(first.map(|vector| (vector, 1.0))))
    }
}
