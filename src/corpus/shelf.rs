use std::collections::{BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock};

use roaring::RoaringTreemap;

use crate::index::ContentSet;
use crate::store::{DocumentKey, Facets, Filter, StoreError, View};

/// What all documents can be filtered by, in memory: which texts may answer is known in the
/// time that it takes to list them. A cache of the store.
pub(super) struct Shelf(RwLock<Columns>);

#[derive(Default)]
struct Columns {
    documents: HashMap<u64, Facets>,
    by_source: HashMap<String, RoaringTreemap>,
    by_language: HashMap<String, RoaringTreemap>,
    by_label: HashMap<(String, String), RoaringTreemap>,
    by_publication: BTreeSet<(i64, u64)>,
    by_ingest: BTreeSet<(i64, u64)>,
}

impl Shelf {
    /// Reads the facets of all documents.
    pub fn read(view: View<'_>) -> Result<Self, StoreError> {
        let mut columns = Columns::default();
        view.facets(|facets| columns.put(facets))?;
        Ok(Self(RwLock::new(columns)))
    }

    /// Takes those of a document, as they were stored, for what it can be filtered by.
    pub fn put(&self, facets: Facets) {
        let mut columns = self.0.write().unwrap_or_else(PoisonError::into_inner);
        columns.take(key(facets.document));
        columns.put(facets);
    }

    /// Forgets documents that were deleted.
    pub fn take(&self, documents: &[DocumentKey]) {
        let mut columns = self.0.write().unwrap_or_else(PoisonError::into_inner);
        documents.iter().for_each(|&document| columns.take(key(document)));
    }

    /// The texts that stand in documents that `filter` lets through; `None` if that depends
    /// on more than is known here.
    pub fn contents(&self, filter: &Filter) -> Option<ContentSet> {
        let rest = Filter {
            sources: Vec::new(),
            exclude_sources: Vec::new(),
            languages: Vec::new(),
            labels: Default::default(),
            published_after: None,
            published_before: None,
            ingested_after: None,
            ingested_before: None,
            ..filter.clone()
        };
        let columns = self.0.read().unwrap_or_else(PoisonError::into_inner);
        rest.is_empty().then(|| columns.contents(filter))
    }
}

impl Columns {
    fn put(&mut self, facets: Facets) {
        let document = key(facets.document);
        self.by_source.entry(facets.source.clone()).or_default().insert(document);
        self.by_language.entry(facets.language.clone()).or_default().insert(document);
        for (name, value) in &facets.labels {
            self.by_label.entry((name.clone(), value.clone())).or_default().insert(document);
        }
        self.by_publication.insert((facets.published_at, document));
        self.by_ingest.insert((facets.ingested_at, document));
        self.documents.insert(document, facets);
    }

    fn take(&mut self, document: u64) {
        let Some(facets) = self.documents.remove(&document) else { return };
        leave(&mut self.by_source, &facets.source, document);
        leave(&mut self.by_language, &facets.language, document);
        for label in facets.labels {
            leave(&mut self.by_label, &label, document);
        }
        self.by_publication.remove(&(facets.published_at, document));
        self.by_ingest.remove(&(facets.ingested_at, document));
    }

    fn contents(&self, filter: &Filter) -> ContentSet {
        let time = |time: Option<jiff::Timestamp>, open| time.map_or(open, |t| t.as_microsecond());
        let published =
            time(filter.published_after, i64::MIN)..time(filter.published_before, i64::MAX);
        let ingested =
            time(filter.ingested_after, i64::MIN)..time(filter.ingested_before, i64::MAX);
        let in_time = |facets: &&Facets| {
            published.contains(&facets.published_at) && ingested.contains(&facets.ingested_at)
        };
        let excluded = self.any(&self.by_source, filter.exclude_sources.iter());
        let facets = |document: u64| {
            self.documents.get(&document).filter(|_| !excluded.contains(document)).filter(in_time)
        };
        let mut contents = ContentSet::default();
        let mut add = |facets: &Facets| contents.extend_ascending(&facets.contents);
        match self.by_value(filter) {
            Some(documents) => documents.iter().filter_map(facets).for_each(&mut add),
            None if filter.published_after.is_some() || filter.published_before.is_some() => {
                within(&self.by_publication, &published).filter_map(facets).for_each(&mut add);
            }
            None => within(&self.by_ingest, &ingested).filter_map(facets).for_each(&mut add),
        }
        contents
    }

    /// The documents that have the values that are asked for; `None` if none are.
    fn by_value(&self, filter: &Filter) -> Option<RoaringTreemap> {
        let sources =
            (!filter.sources.is_empty()).then(|| self.any(&self.by_source, filter.sources.iter()));
        let languages = (!filter.languages.is_empty()).then(|| {
            let wanted = filter.languages.iter().map(|tag| tag.as_str().to_ascii_lowercase());
            let wanted: Vec<String> = wanted.collect();
            let covers = |language: &&String| {
                wanted.iter().any(|tag| {
                    let rest = language.strip_prefix(tag.as_str());
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
                })
            };
            self.any(&self.by_language, self.by_language.keys().filter(covers))
        });
        let labels = filter.labels.iter().map(|(name, value)| {
            self.by_label.get(&(name.clone(), value.clone())).cloned().unwrap_or_default()
        });
        sources.into_iter().chain(languages).chain(labels).reduce(|a, b| a & b)
    }

    fn any<'a>(
        &self,
        documents: &HashMap<String, RoaringTreemap>,
        values: impl Iterator<Item = &'a String>,
    ) -> RoaringTreemap {
        let found = values.filter_map(|value| documents.get(value));
        found.fold(RoaringTreemap::new(), |all, some| all | some)
    }
}

/// The documents of a time.
fn within<'a>(
    times: &'a BTreeSet<(i64, u64)>,
    range: &std::ops::Range<i64>,
) -> impl Iterator<Item = u64> + 'a {
    let range = (range.start, 0)..(range.end.max(range.start), 0);
    times.range(range).map(|(_, document)| *document)
}

fn leave<K: std::hash::Hash + Eq>(
    documents: &mut HashMap<K, RoaringTreemap>,
    value: &K,
    document: u64,
) {
    if let Some(known) = documents.get_mut(value) {
        known.remove(document);
        if known.is_empty() {
            documents.remove(value);
        }
    }
}

/// Keys start at 1 and grow.
fn key(document: DocumentKey) -> u64 {
    u64::try_from(document.0).unwrap_or(0)
}
