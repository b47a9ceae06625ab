use std::collections::HashMap;

use crate::text::Bag;

use super::bm25;

/// In how many texts terms stand. Texts that were removed count until the index is opened
/// again: what a term tells does not change by that.
#[derive(Default)]
pub(super) struct Counts {
    with_term: HashMap<u32, u32>,
    pub texts: u64,
    pub tokens: u64,
}

impl Counts {
    pub fn add(&mut self, terms: &Bag) {
        for (term, count) in terms.weights() {
            *self.with_term.entry(term).or_default() += 1;
            self.tokens += count as u64;
        }
        self.texts += 1;
    }

    /// Counts a term of texts that are in the index already.
    pub fn add_known(&mut self, term: u32, texts: u32) {
        *self.with_term.entry(term).or_default() += texts;
    }

    pub fn with(&self, term: u32) -> u64 {
        u64::from(self.with_term.get(&term).copied().unwrap_or_default())
    }

    pub fn rarity(&self, term: u32) -> f32 {
        bm25::rarity(self.with(term), self.texts)
    }

    pub fn mean_length(&self) -> f32 {
        (self.tokens as f64 / (self.texts.max(1)) as f64) as f32
    }
}
