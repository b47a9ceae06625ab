use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use roaring::RoaringTreemap;

use crate::embed::Windows;
use crate::index::{ContentId, ContentSet, Hit, Scope};
use crate::store::{Filter, StoredPassage, View};
use crate::text::ContentHash;
use crate::verdict::{Comparable, Comparison, compare};

use super::candidates::same_first;
use super::{CorpusError, Parts};

/// Passages that one text may stand in and be looked at, where not more are asked for.
pub(super) const OCCURRENCES: usize = 50;

/// Texts that are looked at for all probes together, about; a document of very many
/// passages gets fewer for each.
const TEXTS: usize = 50_000;

/// Passages that are looked at for all probes together, about.
const FOUND: usize = 200_000;

/// Texts, and passages that one text stands in, that each probe gets at least.
const LEAST: usize = 4;

/// A passage that is looked for.
pub(super) struct Probe<'a> {
    /// Its index among those that are looked for.
    pub index: usize,
    pub comparable: &'a Comparable,
    pub windows: &'a Windows,
}

/// Where and how to look.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    /// Which texts may answer.
    pub scope: Scope<'a>,
    /// Which documents may answer.
    pub filter: &'a Filter,
    /// Nearest texts for each probe.
    pub nearest: usize,
    /// Passages that one text may stand in and be looked at, earliest published first.
    pub occurrences: usize,
    /// Cosines mean nothing here: the model does not speak the language.
    pub lexical_only: bool,
}

/// A stored passage that was found for a probe.
pub(super) struct Found {
    pub index: usize,
    pub passage: Arc<StoredPassage>,
    pub comparison: Comparison,
}

impl Parts {
    /// The texts that may answer; `None` if all may.
    pub fn allowed(
        &self,
        view: View<'_>,
        filter: &Filter,
    ) -> Result<Option<ContentSet>, CorpusError> {
        if filter.is_empty() {
            return Ok(None);
        }
        let known = self.shelf.contents(filter);
        Ok(Some(known.map_or_else(|| view.contents(filter), Ok)?))
    }

    /// The documents that may answer; `None` if all may.
    pub fn allowed_documents(
        &self,
        view: View<'_>,
        filter: &Filter,
    ) -> Result<Option<Arc<RoaringTreemap>>, CorpusError> {
        if filter.is_empty() {
            return Ok(None);
        }
        let keys = view.keys(filter)?.into_iter();
        Ok(Some(Arc::new(keys.filter_map(|key| u64::try_from(key.0).ok()).collect())))
    }

    /// Finds stored passages that are near to the probes, and those with the same
    /// text, which never depend on the index.
    pub fn find(
        &self,
        view: View<'_>,
        probes: &[Probe<'_>],
        search: Search<'_>,
    ) -> Result<Vec<Found>, CorpusError> {
        let nearest = search.nearest.min((TEXTS / probes.len().max(1)).max(LEAST));
        let known = view.known(probes.iter().map(|probe| probe.comparable.hash))?;
        // The same text may stand in a document many times.
        let texts: BTreeMap<ContentHash, &Windows> =
            probes.iter().map(|probe| (probe.comparable.hash, probe.windows)).collect();
        let queries: Vec<&Windows> = texts.values().copied().collect();
        let hits = self.index.nearest(&queries, nearest, search.scope)?;
        let asked: HashMap<ContentHash, Vec<Hit>> = texts
            .into_keys()
            .zip(hits)
            .map(|(hash, hits)| (hash, same_first(hits, known.get(&hash).copied())))
            .collect();
        let mut occurrences: HashMap<ContentId, Vec<Arc<StoredPassage>>> = HashMap::new();
        let mut found: Vec<Found> = Vec::new();
        for (done, probe) in probes.iter().enumerate() {
            let hits = asked.get(&probe.comparable.hash).map(Vec::as_slice).unwrap_or_default();
            // An equal share of what is left, spent on the nearest first.
            let left = FOUND.saturating_sub(found.len());
            let mut share = left / (probes.len() - done);
            for hit in hits {
                let most = search.occurrences.min(share.max(LEAST));
                let passages = match occurrences.entry(hit.content) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(unknown) => {
                        let passages = view.occurrences(hit.content, search.filter, most)?;
                        unknown.insert(passages.into_iter().map(Arc::new).collect())
                    }
                };
                let Some(first) = passages.first() else { continue };
                let text = self.texts.of(first);
                let cosine = (!search.lexical_only).then_some(hit.cosine);
                let comparison = compare(&self.judge, probe.comparable, &text, cosine);
                share = share.saturating_sub(passages.len());
                found.extend(passages.iter().take(most).map(|passage| Found {
                    index: probe.index,
                    passage: Arc::clone(passage),
                    comparison,
                }));
            }
        }
        Ok(found)
    }
}
