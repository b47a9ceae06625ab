use std::collections::HashMap;

use crate::text::{stem, words};

/// How many documents the prior counts for.
const DOCUMENTS: f32 = 50.0;

/// Place in the order of frequency of words that are not in it.
const RARE: f32 = 40_000.0;

/// In what share of all documents words stand, as far as that is known before there are any: by
/// their place in a list of words by frequency, after Zipf's law. A model's vocabulary is such
/// a list. In a corpus of a few documents, what is rare could not be told without it.
#[derive(Debug, Clone, Default)]
pub struct Prior(HashMap<u32, f32>);

impl Prior {
    /// Of words, the most frequent first.
    pub fn of<'a>(by_frequency: impl IntoIterator<Item = &'a str>) -> Self {
        let mut shares = HashMap::new();
        for (rank, word) in by_frequency.into_iter().enumerate() {
            if let [word] = words(word).as_slice() {
                shares.entry(stem(word)).or_insert_with(|| share(rank as f32));
            }
        }
        Self(shares)
    }

    /// How rare a word is that stands in `with` of `all` documents of a corpus: the logarithm of
    /// about how many documents there are for each that has it.
    pub fn rarity(&self, term: u32, with: u64, all: u64) -> f32 {
        const LEAST: f32 = 0.05;
        let before = self.0.get(&term).copied().unwrap_or_else(|| share(RARE));
        let share = (with as f32 + DOCUMENTS * before) / (all as f32 + DOCUMENTS);
        (-share.ln()).max(LEAST)
    }
}

/// The share of documents that have the word of that rank.
fn share(rank: f32) -> f32 {
    (8.0 / (rank + 28.0)).min(0.3)
}

#[cfg(test)]
mod tests {
    use super::Prior;
    use crate::text::{stem, words};

    #[test]
    fn the_prior_counts_until_the_corpus_tells() {
        let term = |word: &str| words(word).first().map(stem).unwrap_or_default();
        let list = ["the", "bank", "strike"].into_iter().chain(std::iter::repeat_n("of", 20_000));
        let prior = Prior::of(list.chain(["mutiny"]));
        let rarity = |word: &str, with, all| prior.rarity(term(word), with, all);
        assert!(rarity("bank", 0, 0) < rarity("mutiny", 0, 0));
        assert!(rarity("mutiny", 0, 0) < rarity("unheard-of", 0, 0) + 1.0);
        assert!((rarity("bank", 10, 1_000_000) - rarity("mutiny", 10, 1_000_000)).abs() < 1.0);
    }
}
