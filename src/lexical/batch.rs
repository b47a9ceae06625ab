use std::collections::HashMap;

use crate::text::Bag;

use super::bm25;

/// Entries that came in lately, with an inverted index of their own.
#[derive(Default)]
pub(super) struct Batch {
    entries: Vec<Option<Entry>>,
    places: HashMap<u64, usize>,
    postings: HashMap<u32, Vec<(usize, f32)>>,
}

/// A text in the index.
#[derive(Clone)]
pub(super) struct Entry {
    pub id: u64,
    pub stamp: u64,
    pub terms: Bag,
    length: f32,
}

impl Batch {
    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn add(&mut self, id: u64, stamp: u64, terms: Bag) {
        let place = self.entries.len();
        for (term, count) in terms.weights() {
            self.postings.entry(term).or_default().push((place, count));
        }
        self.places.insert(id, place);
        let length = terms.total();
        self.entries.push(Some(Entry { id, stamp, terms, length }));
    }

    pub fn remove(&mut self, id: u64) {
        let place = self.places.remove(&id);
        if let Some(entry) = place.and_then(|place| self.entries.get_mut(place)) {
            *entry = None;
        }
    }

    /// Those that were not removed.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().flatten()
    }

    /// The score of every entry that has a term of the query and may answer. The query has the
    /// factor of each of its terms: how much it counts and how rare it is.
    pub fn search(
        &self,
        query: &[(u32, f32)],
        mean_length: f32,
        may_answer: impl Fn(u64) -> bool,
    ) -> Vec<(u64, f32)> {
        let mut scores: HashMap<usize, f32> = HashMap::new();
        for (term, factor) in query {
            for &(place, count) in self.postings.get(term).into_iter().flatten() {
                let Some(Some(entry)) = self.entries.get(place) else { continue };
                *scores.entry(place).or_default() +=
                    factor * bm25::share(count, entry.length, mean_length);
            }
        }
        let found = scores.into_iter().filter_map(|(place, score)| {
            let entry = self.entries.get(place)?.as_ref()?;
            may_answer(entry.id).then_some((entry.id, score))
        });
        found.collect()
    }
}
