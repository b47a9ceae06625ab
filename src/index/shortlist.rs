use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::embed::{UnitVector, cosine};

use super::codes::QueryCodes;
use super::top::{Scored, Top};

/// Rows whose vectors are fetched ahead of their use.
const AHEAD: usize = 4;

/// Rows whose cosine may be among the best few, by products of small integers.
#[derive(Default)]
pub struct Shortlist {
    limit: usize,
    /// How much less than another one a product may be, and its cosine greater.
    slack: i32,
    best: BinaryHeap<Reverse<i32>>,
    /// Products and rows that scores are computed for.
    candidates: Vec<(i32, u32)>,
}

impl Shortlist {
    /// For the best `limit` rows by `query`.
    pub fn begin(&mut self, query: &QueryCodes, limit: usize) {
        self.limit = limit;
        self.slack = query.slack();
        self.best.clear();
        self.candidates.clear();
    }

    /// Takes a row in, whatever its product.
    pub fn push(&mut self, product: i32, row: u32) {
        self.candidates.push((product, row));
    }

    /// Takes a row in if it may answer and be among the best so far, whatever rounding has done
    /// to its product.
    pub fn offer(&mut self, product: i32, row: u32, may_answer: impl FnOnce(u32) -> bool) {
        if product < self.least() || !may_answer(row) {
            return;
        }
        self.candidates.push((product, row));
        if self.best.len() < self.limit {
            self.best.push(Reverse(product));
        } else if self.best.peek().is_some_and(|&Reverse(least)| least < product) {
            self.best.pop();
            self.best.push(Reverse(product));
        }
    }

    /// Rows that it holds.
    pub fn len(&self) -> usize {
        self.candidates.len()
    }

    /// The best of what it holds by their full vectors, which `vector` knows and `fetch` brings
    /// near. Ends where what is left cannot be better.
    pub fn rescore<'a>(
        &mut self,
        query: &UnitVector,
        codes: &QueryCodes,
        limit: usize,
        vector: impl Fn(u32) -> &'a [f32],
        fetch: impl Fn(u32),
    ) -> Vec<Scored> {
        let least = self.least();
        self.candidates.retain(|(product, _)| *product >= least);
        if !self.candidates.is_sorted_by(|(a, _), (b, _)| a >= b) {
            self.candidates.sort_unstable_by(|(a, _), (b, _)| b.cmp(a));
        }
        let mut top = Top::new(limit);
        for (at, &(product, row)) in self.candidates.iter().enumerate() {
            if top.worst().is_some_and(|worst| codes.at_most(product) < worst.cosine) {
                break;
            }
            if let Some(&(_, ahead)) = self.candidates.get(at + AHEAD) {
                fetch(ahead);
            }
            let cosine = cosine(query.as_slice(), vector(row));
            top.offer(Scored { cosine, ordinal: row as usize });
        }
        top.into_sorted()
    }

    /// The least product that may be among the best.
    fn least(&self) -> i32 {
        match self.best.peek().filter(|_| self.best.len() == self.limit) {
            Some(Reverse(least)) => least.saturating_sub(self.slack),
            None => i32::MIN,
        }
    }
}
