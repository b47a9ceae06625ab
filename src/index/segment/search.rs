use fixedbitset::FixedBitSet;

use crate::embed::{UnitVector, cosine};

use super::super::codes::QueryCodes;
use super::super::kernels::{Kernel, prefetch};
use super::super::shortlist::Shortlist;
use super::super::top::{Scored, Top};
use super::super::walk::Walker;
use super::super::{ContentId, ContentSet};
use super::Segment;

/// Rows up to which all are compared: faster than a walk.
const FEW: usize = 1_024;

/// What a product in a walk costs beside one in a scan: its row is somewhere in memory.
const WALK_COST: usize = 3;

/// How much faster than a scan a walk has to promise to be: it may fail, and is time lost then.
const PROMISE: usize = 2;

/// Products that a walk computes for each node of its pool, about.
const PRODUCTS_PER_NODE: usize = 20;

/// How a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Answers, at most.
    pub limit: usize,
    /// Nodes in the pool of a walk; at least `limit` are.
    pub ef: usize,
    /// Compare all full vectors: nothing is missed.
    pub is_exact: bool,
}

/// What searches use again and again.
#[derive(Default)]
pub struct Searcher {
    walker: Walker,
    query: QueryCodes,
    products: Vec<i32>,
    /// Rows that a filter lets through.
    listed: Vec<u32>,
    marks: FixedBitSet,
    shortlist: Shortlist,
}

impl Segment {
    /// The live rows nearest to `query`, of texts in `only` if it is given, best first.
    pub fn search(
        &self,
        query: &UnitVector,
        asked: Asked,
        only: Option<&ContentSet>,
        searcher: &mut Searcher,
    ) -> Vec<Scored> {
        if asked.is_exact {
            let rows = (0..self.row_count() as u32).filter(|&row| self.may_answer(row, only));
            return self.compare(query, asked.limit, rows);
        }
        searcher.query.set(query.as_slice(), self.scale());
        let matching = only.map_or(self.live(), |only| self.at_most_in(only).min(self.live()));
        let is_found =
            self.is_linked() && matching > FEW && self.walk(asked, only, matching, searcher);
        if !is_found {
            self.scan(asked.limit, only, searcher);
        }
        self.rescore(query, asked.limit, searcher)
    }

    /// The live rows of texts after `content` nearest to `query`, best first. Misses none.
    pub fn search_after(
        &self,
        query: &UnitVector,
        limit: usize,
        content: ContentId,
    ) -> Vec<Scored> {
        let newer = self.ids().partition_point(|&id| id <= content.0);
        let rows = (newer..self.ids().len()).flat_map(|place| self.rows_at(place));
        self.compare(query, limit, rows.copied().filter(|&row| !self.is_dead(row)))
    }

    /// Compares full vectors.
    fn compare(
        &self,
        query: &UnitVector,
        limit: usize,
        rows: impl Iterator<Item = u32>,
    ) -> Vec<Scored> {
        let mut top = Top::new(limit);
        for row in rows {
            let cosine = cosine(query.as_slice(), self.vector(row));
            top.offer(Scored { cosine, ordinal: row as usize });
        }
        top.into_sorted()
    }

    /// Fills the shortlist by a walk. False if comparing all that match is likely to be
    /// faster, or if too few were found.
    fn walk(
        &self,
        asked: Asked,
        only: Option<&ContentSet>,
        matching: usize,
        searcher: &mut Searcher,
    ) -> bool {
        let Searcher { walker, query, products, shortlist, .. } = searcher;
        let ef = asked.ef.max(asked.limit);
        // Of the nodes that a walk passes, about this share may answer.
        let passed = ef.saturating_mul(self.row_count()) / matching.max(1);
        let budget = matching / (PROMISE * WALK_COST);
        if passed.saturating_mul(PRODUCTS_PER_NODE) > budget {
            return false;
        }
        let graph = self.graph();
        let found = match only {
            Some(_) => {
                walker.walk(graph, query, ef, budget, |node| self.leads_to_answer(node, only))
            }
            None if self.dead_nodes.count() > 0 => {
                walker.walk(graph, query, ef, budget, |node| !self.dead_nodes.contains(node))
            }
            None => walker.walk(graph, query, ef, usize::MAX, |_| true),
        };
        let Some(found) = found else { return false };
        shortlist.begin(query, asked.limit);
        // In a crowd of copies strays may have been crowded out of the pool again.
        let strays = graph.entries.get(..graph.strays).unwrap_or_default();
        Kernel::best().gather(self.rows(), strays, query.query(), products);
        let strays = strays.iter().copied().zip(products.iter().copied());
        let strays: Vec<(u32, i32)> =
            strays.filter(|(stray, _)| found.iter().all(|seen| seen.node() != *stray)).collect();
        let found = found.iter().filter(|seen| seen.answers());
        for (node, product) in found.map(|seen| (seen.node(), seen.product)).chain(strays) {
            if self.may_answer(node, only) {
                shortlist.push(product, node);
            }
            let members = self.members(node);
            if !members.is_empty() {
                let range = members.start as usize..members.end as usize;
                Kernel::best().run(self.rows(), range, query.query(), products);
                let members = members.zip(products.iter());
                let members = members.filter(|(row, _)| self.may_answer(*row, only));
                members.for_each(|(row, &product)| shortlist.push(product, row));
            }
        }
        shortlist.len() >= asked.limit.min(matching)
    }

    /// Lists all rows that may answer and come near the best `limit`.
    fn scan(&self, limit: usize, only: Option<&ContentSet>, searcher: &mut Searcher) {
        let Searcher { query, products, shortlist, listed, marks, .. } = searcher;
        shortlist.begin(query, limit);
        match only {
            Some(only) => {
                self.list_rows_in(only, listed, marks);
                Kernel::best().gather(self.rows(), listed, query.query(), products);
                let scored = products.iter().zip(listed.iter());
                scored.for_each(|(&product, &row)| shortlist.offer(product, row, |_| true));
            }
            None => {
                Kernel::best().run(self.rows(), 0..self.row_count(), query.query(), products);
                let has_dead = self.dead_rows.count() > 0;
                for (&product, row) in products.iter().zip(0_u32..) {
                    shortlist.offer(product, row, |row| !has_dead || !self.is_dead(row));
                }
            }
        }
    }

    /// The best of the shortlist by their full vectors.
    fn rescore(&self, query: &UnitVector, limit: usize, searcher: &mut Searcher) -> Vec<Scored> {
        let Searcher { query: codes, shortlist, .. } = searcher;
        let fetch = |row| {
            prefetch(bytemuck::cast_slice(self.vector(row)));
            prefetch(self.owner_place(row).map(bytemuck::bytes_of).unwrap_or_default());
        };
        shortlist.rescore(query, codes, limit, |row| self.vector(row), fetch)
    }
}
