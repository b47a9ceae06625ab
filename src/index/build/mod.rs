//! How the graph of a frozen segment is made: from rough links (of hnsw_rs, or of segments
//! that are merged) to links in which every node is found.

mod audit;
mod families;
mod merge;
mod order;
mod polish;
mod select;

use super::codes::Codes;
use super::kernels::Rows;
use super::segment::{Owner, VectorSource};
use super::walk::{Graph, NONE};

pub use families::FAMILY;
pub use merge::Sources;

/// Nodes that a walk may start from.
const ENTRIES: usize = 512;

/// Candidates for the links of a node: few at first, to find the way, then many.
const ROUGH: usize = 64;
const FINE: usize = 200;

/// Where a row's vector is: which source, and which row of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Origin {
    pub source: u32,
    pub row: u32,
}

/// Rows that become a segment: nodes first, then members of families, by their heads.
#[derive(Debug, Clone)]
pub struct Draft {
    pub codes: Codes,
    pub links: Vec<u32>,
    /// The head of each row that is no node.
    pub heads: Vec<u32>,
    pub owners: Vec<Owner>,
    pub origins: Vec<Origin>,
    /// Entries of each part of the graph; no link leads from one part to another.
    pub parts: Vec<Entries>,
}

/// Nodes that a walk may start from, and their codes one after the other.
#[derive(Debug, Clone)]
pub struct Entries {
    pub nodes: Vec<u32>,
    pub codes: Codes,
    /// The first so many have to be looked at by each walk.
    pub strays: usize,
}

/// Lets a long piece of work give way, and end early. False: end.
pub type GoOn<'a> = &'a dyn Fn(f32) -> bool;

impl Entries {
    /// A sample of nodes, evenly spread.
    pub fn sample(codes: &Codes, nodes: std::ops::Range<u32>) -> Self {
        let step = nodes.len().div_ceil(ENTRIES).max(1);
        Self::of(codes, nodes.step_by(step).collect(), 0)
    }

    fn of(codes: &Codes, nodes: Vec<u32>, strays: usize) -> Self {
        Self { codes: codes.reordered(&nodes), nodes, strays }
    }
}

impl Draft {
    /// Nodes of its graph.
    pub fn nodes(&self) -> usize {
        self.owners.len() - self.heads.len()
    }

    pub fn graph<'a>(&'a self, entries: &'a Entries) -> Graph<'a> {
        Graph {
            rows: self.codes.rows(),
            links: &self.links,
            entries: &entries.nodes,
            entry_rows: entries.codes.rows(),
            strays: entries.strays,
        }
    }

    fn rows(&self) -> Rows<'_> {
        self.codes.rows()
    }

    /// Links the graph anew, joins near-copies that were not known to be, puts neighbours near one
    /// another, and sees to it that every node is found by its own vector. `None` if it was
    /// told to end. Reports how far it is, 0 to 1.
    pub fn finish(mut self, vectors: &dyn VectorSource, go_on: GoOn<'_>) -> Option<Finished> {
        let nearest = self.polish(ROUGH, &|share| go_on(0.3 * share))?;
        self.join(&nearest);
        self.parts = vec![Entries::sample(&self.codes, 0..self.nodes() as u32)];
        self.polish(FINE, &|share| go_on(0.3 + 0.6 * share))?;
        self.arrange();
        let mut entries = Entries::sample(&self.codes, 0..self.nodes() as u32);
        self.audit(&mut entries, vectors, &|share| go_on(0.9 + 0.1 * share))?;
        Some(Finished { draft: self, entries })
    }
}

/// A draft in which every node is found.
pub struct Finished {
    pub draft: Draft,
    pub entries: Entries,
}

/// Links up to the first that is none.
fn trimmed(links: &[u32]) -> &[u32] {
    let count = links.iter().position(|&link| link == NONE).unwrap_or(links.len());
    links.get(..count).unwrap_or_default()
}
