use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// Documents of one fingerprint that are looked at, the last ones that came, and places of
/// documents, some of which may be gone.
const LOOKED_AT: usize = 256;
const PLACES: usize = 1_024;

/// New pairs are sorted in with the others when they are more than this, and more than a
/// quarter of them.
const NEW: usize = 1 << 16;

/// Which documents hold a fingerprint: an inverted index in memory, of eight bytes for each
/// fingerprint of a document. Derived from the store.
#[derive(Default)]
pub struct Fingerprints(RwLock<Postings>);

#[derive(Default)]
struct Postings {
    /// Fingerprint and place in `documents`, ascending.
    sorted: Vec<(u32, u32)>,
    /// Those that came since.
    new: HashMap<u32, Vec<u32>>,
    new_pairs: usize,
    /// Documents in the order in which they came; `None` once they are gone.
    documents: Vec<Option<i64>>,
    places: HashMap<i64, u32>,
}

impl Fingerprints {
    /// Of documents and their fingerprints, in the order in which they came.
    pub fn of(documents: impl IntoIterator<Item = (i64, Vec<u32>)>) -> Self {
        let mut postings = Postings::default();
        for (document, fingerprints) in documents {
            let place = postings.place(document);
            postings.sorted.extend(fingerprints.into_iter().map(|print| (print, place)));
        }
        postings.sorted.sort_unstable();
        Self(RwLock::new(postings))
    }

    /// Adds a document, in place of what it was before.
    pub fn put(&self, document: i64, fingerprints: &[u32]) {
        let mut postings = self.0.write().unwrap_or_else(PoisonError::into_inner);
        postings.take(document);
        let place = postings.place(document);
        for print in fingerprints {
            postings.new.entry(*print).or_default().push(place);
        }
        postings.new_pairs += fingerprints.len();
        if postings.new_pairs > NEW.max(postings.sorted.len() / 4) {
            postings.sort_in();
        }
    }

    /// Takes a document out.
    pub fn take(&self, document: i64) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).take(document);
    }

    /// The documents that share most with one that has these fingerprints, at most `count`,
    /// most first and of several the last one that came, with how many they share. What few documents hold counts more: each shared
    /// fingerprint as the logarithm of the number of documents over how many hold it.
    pub fn likeliest(&self, fingerprints: &[u32], count: usize) -> Vec<(i64, usize)> {
        let postings = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let documents = postings.places.len().max(1) as f32;
        let mut held: Vec<(u32, f32)> = Vec::new();
        for print in fingerprints {
            let first = held.len();
            held.extend(postings.holders(*print).take(LOOKED_AT).map(|place| (place, 0.0)));
            let holders = held.get_mut(first..).unwrap_or_default();
            let weight = (1.0 + documents / holders.len().max(1) as f32).ln();
            holders.iter_mut().for_each(|(_, w)| *w = weight);
        }
        held.sort_by_key(|(place, _)| *place);
        let scored = |held: &[(u32, f32)]| {
            let document = postings.document(held.first()?.0)?;
            Some((document, held.iter().map(|(_, weight)| weight).sum(), held.len()))
        };
        let runs = held.chunk_by(|(a, _), (b, _)| a == b);
        let mut scores: Vec<(i64, f32, usize)> = runs.filter_map(scored).collect();
        scores.sort_by(|(a, x, _), (b, y, _)| y.total_cmp(x).then(b.cmp(a)));
        scores.into_iter().map(|(document, _, shared)| (document, shared)).take(count).collect()
    }
}

impl Postings {
    fn place(&mut self, document: i64) -> u32 {
        let place = self.documents.len() as u32;
        self.documents.push(Some(document));
        self.places.insert(document, place);
        place
    }

    fn take(&mut self, document: i64) {
        let place = self.places.remove(&document);
        if let Some(gone) = place.and_then(|place| self.documents.get_mut(place as usize)) {
            *gone = None;
        }
    }

    fn document(&self, place: u32) -> Option<i64> {
        *self.documents.get(place as usize)?
    }

    /// The documents that hold a fingerprint, those that came last first.
    fn holders(&self, print: u32) -> impl Iterator<Item = u32> + '_ {
        let first = self.sorted.partition_point(|(other, _)| *other < print);
        let last = first
            + self.sorted.get(first..).unwrap_or_default().partition_point(|(p, _)| *p == print);
        let sorted =
            self.sorted.get(first..last).unwrap_or_default().iter().map(|(_, place)| *place);
        let new = self.new.get(&print).into_iter().flatten().copied();
        new.rev().chain(sorted.rev()).take(PLACES).filter(|place| self.document(*place).is_some())
    }

    /// Sorts in what came, and forgets what is gone.
    fn sort_in(&mut self) {
        let mut kept = Vec::new();
        let new_places: Vec<Option<u32>> = std::mem::take(&mut self.documents)
            .into_iter()
            .map(|document| {
                let place = document.map(|_| kept.len() as u32);
                kept.extend(document.map(Some));
                place
            })
            .collect();
        self.documents = kept;
        self.places = (0_u32..)
            .zip(&self.documents)
            .filter_map(|(place, document)| Some(((*document)?, place)))
            .collect();
        let new = std::mem::take(&mut self.new).into_iter();
        self.sorted.extend(new.flat_map(|(print, p)| p.into_iter().map(move |p| (print, p))));
        self.sorted.retain_mut(|(_, place)| {
            let new_place = new_places.get(*place as usize).copied().flatten();
            *place = new_place.unwrap_or(*place);
            new_place.is_some()
        });
        self.sorted.sort_unstable();
        self.new_pairs = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::{Fingerprints, NEW};

    #[test]
    fn those_that_share_most_come_first() {
        let index = Fingerprints::of([(7, vec![1, 2, 3]), (8, vec![3, 4])]);
        index.put(9, &[1, 2, 3, 4]);
        assert_eq!(index.likeliest(&[1, 2, 4], 10), [(9, 3), (7, 2), (8, 1)]);
        assert_eq!(index.likeliest(&[1, 2, 4], 1), [(9, 3)]);
        assert!(index.likeliest(&[5], 10).is_empty());
    }

    #[test]
    fn what_is_gone_or_replaced_is_not_found() {
        let index = Fingerprints::of([(7, vec![1]), (8, vec![1])]);
        index.take(7);
        index.put(8, &[2]);
        assert!(index.likeliest(&[1], 10).is_empty());
        assert_eq!(index.likeliest(&[2], 10), [(8, 1)]);
    }

    #[test]
    fn what_is_replaced_again_and_again_takes_no_more_room() {
        let index = Fingerprints::of([(7, vec![1])]);
        for _ in 0..=(NEW / 4) {
            index.put(8, &[2, 3, 4, 5]);
        }
        assert_eq!(index.likeliest(&[1, 2, 5], 10), [(8, 2), (7, 1)]);
        assert!(index.0.read().unwrap().documents.len() < 10);
    }

    #[test]
    fn what_was_sorted_in_is_found_like_before() {
        let index = Fingerprints::default();
        index.put(-1, &[0]);
        index.take(-1);
        for document in 0..=(NEW as i64 / 8) {
            let first = document as u32 * 8;
            index.put(document, &(first..first + 8).collect::<Vec<_>>());
        }
        assert_eq!(index.likeliest(&[0], 10), [(0, 1)]);
        assert_eq!(index.likeliest(&[NEW as u32, 9], 10), [(NEW as i64 / 8, 1), (1, 1)]);
        assert!(index.0.read().unwrap().sorted.len() >= NEW);
    }
}
