//! Where documents stand on a map of the corpus.
//!
//! The map is drawn when it is first asked for, and anew when the corpus has doubled, halved or
//! become another one since. Until then what is on it stays where it is, and what comes in is
//! placed beside it. It is kept on disk, so that it is there after a restart.

use std::collections::HashMap;
use std::sync::Arc;

use crate::article::DocumentId;
use crate::embed::UnitVector;
use crate::index::Identity;
use crate::layout::{Layout, Point, SAMPLE};
use crate::store::{DocumentKey, Filter, NamedDocument, StoryKey, View};

use super::indexing::{folder, identity};
use super::map_file::{MapFile, Placed};
use super::{Corpus, CorpusError, Parts};

/// Documents of a page. Whoever asks waits for so many to be placed.
const PAGE: usize = 1_024;

/// The first texts of a document, by which it is placed: they tell its news.
const LEAD: usize = 4;

/// One in so many places is new when the map is written to disk again.
const WRITTEN: usize = 16;

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
    /// The sample that was laid out, with the numbers of the bodies.
    sample: Vec<(DocumentKey, i64)>,
    /// Of the parts by whose vectors it was drawn.
    generation: u64,
    /// Documents that there were.
    drawn_of: i64,
    /// Where documents stand, with the number of the body that they were placed by.
    places: HashMap<DocumentKey, (i64, Point)>,
    /// Places that are not on disk.
    unwritten: usize,
}

impl Map {
    /// Whether it is still a map of so many documents. Those that are gone keep their places
    /// until it is drawn anew, so there can be no more of these than of the others.
    fn is_of(&self, documents: i64) -> bool {
        let sizes = self.drawn_of / 2..=self.drawn_of.saturating_mul(2);
        let gone = (self.places.len() as i64).saturating_sub(documents);
        sizes.contains(&documents) && gone <= documents
    }

    fn to_file(&self, identity: Identity) -> MapFile {
        let mut file = MapFile::new(identity, self.drawn_of, self.layout.axes().clone());
        let landmark = |(number, at)| {
            let (document, sequence) = self.sample.get(number)?;
            Some(Placed::new(*document, *sequence, at))
        };
        file.landmarks = self.layout.landmarks().filter_map(landmark).collect();
        let places = self.places.iter();
        file.places =
            places.map(|(key, (sequence, at))| Placed::new(*key, *sequence, *at)).collect();
        file
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
            if current.is_none() {
                current = parts.written_map(view)?;
            }
            if before.is_none() {
                let documents = view.count(&Filter::default())?;
                current = current.filter(|map| map.is_of(documents));
            }
            let current = current.map_or_else(|| parts.draw(view), Ok)?;
            let map = map.insert(current);
            let page = parts.page_of(view, map, &filter, before)?;
            if page.next.is_none() && map.unwritten * WRITTEN > map.places.len() {
                parts.write_map(view, map)?;
            }
            Ok(page)
        })
        .await
    }
}

impl Parts {
    /// Lays out documents from all over the corpus.
    fn draw(&self, view: View<'_>) -> Result<Map, CorpusError> {
        let keys = view.keys(&Filter::default())?;
        let (drawn_of, step) = (keys.len() as i64, keys.len().div_ceil(SAMPLE).max(1));
        let (mut sample, mut leads) = (Vec::new(), Vec::new());
        for key in keys.into_iter().step_by(step) {
            let lead = self.lead_of(view, key)?.zip(view.sequence_of(key)?);
            if let Some((lead, sequence)) = lead {
                sample.push((key, sequence));
                leads.push(lead);
            }
        }
        Ok(Map {
            layout: Layout::of(&leads),
            sample,
            generation: self.generation,
            drawn_of,
            places: HashMap::new(),
            unwritten: 0,
        })
    }

    /// The map on disk, if there is one of this corpus. Of its sample, what is not there any more
    /// or has another text is left out.
    fn written_map(&self, view: View<'_>) -> Result<Option<Map>, CorpusError> {
        let written = MapFile::read(&folder(&self.store), self.identity(view)?);
        let file = match written {
            Ok(Some(file)) => file,
            Ok(None) => return Ok(None),
            Err(error) => {
                tracing::warn!(%error, "the map on disk is of no use; it is drawn anew");
                return Ok(None);
            }
        };
        let (mut sample, mut placed) = (Vec::new(), Vec::new());
        for landmark in file.landmarks {
            let (key, sequence) = (landmark.document(), landmark.sequence());
            if view.sequence_of(key)? != Some(sequence) {
                continue;
            }
            if let Some(lead) = self.lead_of(view, key)? {
                sample.push((key, sequence));
                placed.push((lead, landmark.at()));
            }
        }
        let places = file.places.into_iter();
        Ok(Some(Map {
            layout: Layout::again(file.axes, placed),
            sample,
            generation: self.generation,
            drawn_of: file.drawn_of,
            places: places.map(|it| (it.document(), (it.sequence(), it.at()))).collect(),
            unwritten: 0,
        }))
    }

    /// Puts the map on disk. Without it there, it would be drawn anew after a restart.
    fn write_map(&self, view: View<'_>, map: &mut Map) -> Result<(), CorpusError> {
        let file = map.to_file(self.identity(view)?);
        map.unwritten = 0;
        if let Err(error) = file.write(&folder(&self.store)) {
            tracing::warn!(%error, "the map was not written to disk");
        }
        Ok(())
    }

    fn identity(&self, view: View<'_>) -> Result<Identity, CorpusError> {
        Ok(identity(view.corpus()?, &self.embedder.model().as_ref().into()))
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
        map.unwritten += 1;
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
