use super::codes::QueryCodes;
use super::kernels::{Kernel, Rows, prefetch};

/// Links of a node, at most.
pub const DEGREE: usize = 32;

/// Stands where a node has fewer links.
pub const NONE: u32 = u32::MAX;

/// Nodes that a graph has at most, so that two marks fit beside a node's number.
pub const MOST_NODES: usize = 1 << 30;

/// How many times `ef` nodes are kept track of: more are slow to keep in order.
const POOL: usize = 32;

/// Products after which a walk can tell how rare the nodes are that may answer.
const TRIAL: usize = 512;

/// Nodes whose links are followed together, as in the beam of DiskANN (Subramanya et al.,
/// 2019, section 3.3): memory is waited for once for all of them.
const BEAM: usize = 4;

/// A graph of neighbours over the first rows of a block of codes.
///
/// It has one layer. Where a walk starts is the best of a sample of nodes, all of which are
/// compared: for some hundred neighbouring rows that costs less than the descent through
/// the upper layers of an HNSW graph, and finds as much (compare Munyampirwa et al., "Down
/// with the hierarchy: the 'H' in HNSW stands for 'hubs'", 2024).
#[derive(Clone, Copy)]
pub struct Graph<'a> {
    pub rows: Rows<'a>,
    /// [`DEGREE`] for each node, nearest first, filled up with [`NONE`].
    pub links: &'a [u32],
    /// Nodes where a walk may start, and their codes one after the other.
    pub entries: &'a [u32],
    pub entry_rows: Rows<'a>,
    /// The first so many entries are found from no other node: each walk looks at them.
    pub strays: usize,
}

impl<'a> Graph<'a> {
    pub fn nodes(&self) -> usize {
        self.links.len() / DEGREE
    }

    /// With what fills them up.
    fn all_links_of(&self, node: u32) -> &'a [u32] {
        let from = node as usize * DEGREE;
        self.links.get(from..from + DEGREE).unwrap_or_default()
    }

    pub fn links_of(&self, node: u32) -> &'a [u32] {
        let links = self.all_links_of(node);
        let count = links.iter().position(|&link| link == NONE).unwrap_or(links.len());
        links.get(..count).unwrap_or_default()
    }
}

/// A node in the pool of a walk.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub product: i32,
    /// The node and two marks: whether its links were followed, whether it may answer.
    marked: u32,
}

const FOLLOWED: u32 = 1;
const ANSWERS: u32 = 2;

impl Seen {
    pub fn node(self) -> u32 {
        self.marked >> 2
    }

    pub fn answers(self) -> bool {
        self.marked & ANSWERS != 0
    }
}

/// What walks use again and again.
#[derive(Default)]
pub struct Walker {
    seen: Vec<u64>,
    pool: Vec<Seen>,
    fresh: Vec<u32>,
    products: Vec<i32>,
    /// Nodes in the pool that may answer.
    answering: usize,
    /// The links of all nodes before this one in the pool were followed.
    next: usize,
    /// Products that the last walk computed.
    pub work: usize,
}

impl Walker {
    /// Walks towards the nodes with the highest products, as in a layer of HNSW (Malkov and
    /// Yashunin, 2018, algorithm 2). The pool holds the best `ef` nodes that may answer, and
    /// those better than the last of them that may not: links lead through both.
    ///
    /// `None` if it had to compute more than `budget` products, would have to at the rate at
    /// which it comes upon nodes that may answer, or came past too many that may not.
    pub fn walk(
        &mut self,
        graph: Graph<'_>,
        query: &QueryCodes,
        ef: usize,
        budget: usize,
        may_answer: impl Fn(u32) -> bool,
    ) -> Option<&[Seen]> {
        self.seen.clear();
        self.seen.resize(graph.nodes().div_ceil(64), 0);
        self.pool.clear();
        self.work = 0;
        self.answering = 0;
        self.next = 0;
        self.start(graph, query);
        while !self.fresh.is_empty() {
            Kernel::best().gather(graph.rows, &self.fresh, query.query(), &mut self.products);
            self.work += self.fresh.len();
            self.take_in(graph, ef, &may_answer);
            if self.is_hopeless(ef, budget) {
                return None;
            }
            self.follow(graph);
        }
        Some(&self.pool)
    }

    /// Puts those of the fresh nodes into the pool that are good enough.
    fn take_in(&mut self, graph: Graph<'_>, ef: usize, may_answer: &impl Fn(u32) -> bool) {
        for (&node, &product) in self.fresh.iter().zip(&self.products) {
            let is_full = self.answering >= ef;
            if is_full && self.pool.last().is_some_and(|last| last.product >= product) {
                continue;
            }
            prefetch(bytemuck::cast_slice(graph.all_links_of(node)));
            let marks = if may_answer(node) { ANSWERS } else { 0 };
            let seen = Seen { product, marked: node << 2 | marks };
            let place = self.pool.partition_point(|seen| seen.product >= product);
            self.pool.insert(place, seen);
            self.next = self.next.min(place);
            self.answering += usize::from(seen.answers());
            if self.answering > ef {
                self.pool.pop();
                self.answering -= 1;
                while self.pool.last().is_some_and(|last| !last.answers()) {
                    self.pool.pop();
                }
            }
        }
    }

    /// Whether it takes too long, or will.
    fn is_hopeless(&self, ef: usize, budget: usize) -> bool {
        // Until the pool is full: what filling it takes, at the rate so far.
        let forecast = match self.answering < ef && self.work >= TRIAL {
            true => self.work.saturating_mul(ef) / self.answering.max(1),
            false => self.work,
        };
        forecast > budget || self.pool.len() > POOL * ef
    }

    /// Makes fresh what the best nodes lead to whose links were not followed yet: nothing, if
    /// there are none.
    fn follow(&mut self, graph: Graph<'_>) {
        self.fresh.clear();
        let mut followed = 0;
        while let Some(seen) = self.pool.get_mut(self.next) {
            if seen.marked & FOLLOWED == 0 {
                if followed == BEAM && !self.fresh.is_empty() {
                    return;
                }
                seen.marked |= FOLLOWED;
                followed += 1;
                let node = seen.node();
                self.see(graph.links_of(node));
            }
            self.next += 1;
        }
    }

    /// Sees the best entry, and the strays.
    fn start(&mut self, graph: Graph<'_>, query: &QueryCodes) {
        self.fresh.clear();
        let entries = 0..graph.entries.len();
        Kernel::best().run(graph.entry_rows, entries, query.query(), &mut self.products);
        let best = self.products.iter().zip(graph.entries).max_by_key(|(product, _)| **product);
        let best = best.map(|(_, &entry)| entry);
        self.see(best.as_slice());
        self.see(graph.entries.get(..graph.strays).unwrap_or_default());
    }

    /// Puts those nodes into `fresh` that were not seen yet.
    fn see(&mut self, nodes: &[u32]) {
        let mut fresh = self.fresh.len();
        self.fresh.resize(fresh + nodes.len(), NONE);
        for &node in nodes {
            let Some(word) = self.seen.get_mut(node as usize / 64) else { continue };
            let is_new = *word >> (node % 64) & 1 == 0;
            *word |= 1 << (node % 64);
            // Written even if it was seen, and overwritten then: which ones were cannot be
            // foreseen, and a branch that cannot costs more than a write.
            if let Some(place) = self.fresh.get_mut(fresh) {
                *place = node;
            }
            fresh += usize::from(is_new);
        }
        self.fresh.truncate(fresh);
    }
}
