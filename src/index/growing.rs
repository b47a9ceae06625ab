use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::thread::{self, Thread};
use std::time::Duration;

use crate::embed::{UnitVector, Windows, cosine};

use super::graph::Graph;
use super::top::{Scored, Top};
use super::vectors::Vectors;
use super::{ContentId, Hit, IndexStatus, Mark, Scope, VectorIndex};

/// Nodes up to which an exact scan answers by itself: about a millisecond.
const EXACT_NODES: usize = 8_192;

/// Nodes that the builder links in between two looks at the lock.
const STEP: usize = 64;

/// Texts that [`VectorIndex::status`] searches for themselves.
const SAMPLE: usize = 64;

/// An index that grows while it is searched: all vectors in memory, and, once an
/// exact scan of them would take too long, a graph that a thread of its own builds.
///
/// A search asks the graph for the nodes that are linked in already and scans the
/// rest, so that what was added is found at once, whatever the builder is at.
pub struct GrowingIndex {
    vectors: RwLock<Vectors>,
    graph: OnceLock<Graph>,
    /// Nodes below this one are in the graph.
    linked: AtomicUsize,
    /// Set if a panic left the graph in doubt: then it is not asked any more.
    broken: AtomicBool,
    builder: OnceLock<Thread>,
    exact_nodes: usize,
}

impl GrowingIndex {
    /// An empty index of vectors with `dimension` components. Its builder thread ends
    /// when the index is dropped.
    pub fn new(dimension: usize) -> Arc<Self> {
        Self::with_exact_nodes(dimension, EXACT_NODES)
    }

    fn with_exact_nodes(dimension: usize, exact_nodes: usize) -> Arc<Self> {
        let index = Arc::new(Self {
            vectors: RwLock::new(Vectors::new(dimension)),
            graph: OnceLock::new(),
            linked: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
            builder: OnceLock::new(),
            exact_nodes,
        });
        let weak = Arc::downgrade(&index);
        let builder = thread::Builder::new().name("index-builder".to_owned());
        match builder.spawn(move || build(&weak)) {
            Ok(handle) => {
                let _ = index.builder.set(handle.thread().clone());
            }
            Err(error) => tracing::error!(%error, "no thread for the graph; exact scans answer"),
        }
        index
    }

    fn read(&self) -> RwLockReadGuard<'_, Vectors> {
        self.vectors.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vectors> {
        self.vectors.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The graph and how many nodes are in it.
    fn graph(&self) -> Option<(&Graph, usize)> {
        let linked = self.linked.load(Ordering::Acquire);
        let usable = linked > 0 && !self.broken.load(Ordering::Acquire);
        self.graph.get().filter(|_| usable).map(|graph| (graph, linked))
    }

    /// Links the next few nodes into the graph. False if there was nothing to do.
    fn link_some(&self) -> bool {
        let from = self.linked.load(Ordering::Acquire);
        let (nodes, to): (Vec<(usize, Vec<f32>)>, usize) = {
            let vectors = self.read();
            if vectors.len() <= self.exact_nodes || from >= vectors.len() {
                return false;
            }
            let to = vectors.len().min(from + STEP);
            let copied = vectors.iter(from..to).map(|(ordinal, vector)| (ordinal, vector.to_vec()));
            (copied.collect(), to)
        };
        let graph = self.graph.get_or_init(|| Graph::new(to));
        for (ordinal, vector) in nodes {
            graph.insert(ordinal, &vector);
        }
        self.linked.store(to, Ordering::Release);
        true
    }

    fn nearest(&self, query: &UnitVector, limit: usize, scope: Scope<'_>) -> Vec<Scored> {
        match scope {
            Scope::All => self.nearest_of_all(query, limit),
            Scope::Only(allowed) => self.nearest_of(query, limit, allowed),
            Scope::Since(Mark(first)) => {
                let vectors = self.read();
                scan(&vectors, first..vectors.len(), query, limit)
            }
        }
    }

    fn nearest_of_all(&self, query: &UnitVector, limit: usize) -> Vec<Scored> {
        let Some((graph, linked)) = self.graph() else {
            let vectors = self.read();
            return scan(&vectors, 0..vectors.len(), query, limit);
        };
        let mut count = limit;
        let mut found = loop {
            let asked = graph.search(query, count, None);
            let exhausted = asked.len() < count || count >= linked;
            let vectors = self.read();
            let live: Vec<Scored> =
                asked.into_iter().filter(|scored| !vectors.is_dead(scored.ordinal)).collect();
            if live.len() >= limit || exhausted {
                break live;
            }
            count = (2 * count).min(linked);
        };
        let vectors = self.read();
        found.extend(scan(&vectors, linked..vectors.len(), query, limit));
        found
    }

    fn nearest_of(
        &self,
        query: &UnitVector,
        limit: usize,
        allowed: &HashSet<ContentId>,
    ) -> Vec<Scored> {
        let (nodes, count) = self.read().nodes_of(allowed);
        let few = self.exact_nodes.max(nodes.len() / 20);
        let Some((graph, linked)) = self.graph().filter(|_| count > few) else {
            return scan(&self.read(), nodes.ones(), query, limit);
        };
        let allows = |ordinal: &usize| nodes.contains(*ordinal);
        let mut found = graph.search(query, limit, Some(&allows));
        let vectors = self.read();
        found.retain(|scored| !vectors.is_dead(scored.ordinal));
        found.extend(scan(&vectors, nodes.ones().filter(|&node| node >= linked), query, limit));
        found
    }
}

impl VectorIndex for GrowingIndex {
    fn add(&self, content: ContentId, windows: &Windows) {
        let mut vectors = self.write();
        vectors.push(content, windows);
        let builder_is_due = vectors.len() > self.exact_nodes;
        drop(vectors);
        if let Some(builder) = self.builder.get().filter(|_| builder_is_due) {
            builder.unpark();
        }
    }

    fn remove(&self, contents: &[ContentId]) {
        let mut vectors = self.write();
        for &content in contents {
            vectors.kill(content);
        }
    }

    fn search(&self, query: &Windows, limit: usize, scope: Scope<'_>) -> Vec<Hit> {
        // A text may be found once for each of its windows.
        let mut best: HashMap<ContentId, f32> = HashMap::new();
        for window in query.vectors() {
            let found = self.nearest(window, limit.saturating_mul(2), scope);
            let vectors = self.read();
            for scored in found {
                if let Some(content) = vectors.owner(scored.ordinal) {
                    let cosine = best.entry(content).or_insert(scored.cosine);
                    *cosine = cosine.max(scored.cosine);
                }
            }
        }
        let mut hits: Vec<Hit> =
            best.into_iter().map(|(content, cosine)| Hit { content, cosine }).collect();
        hits.sort_by(|a, b| b.cosine.total_cmp(&a.cosine).then(a.content.cmp(&b.content)));
        hits.truncate(limit);
        hits
    }

    fn windows(&self, content: ContentId) -> Option<Windows> {
        self.read().windows(content)
    }

    fn mark(&self) -> Mark {
        Mark(self.read().len())
    }

    fn status(&self) -> IndexStatus {
        let (total, live, sample) = {
            let vectors = self.read();
            let step = vectors.len().div_ceil(SAMPLE).max(1);
            let sample: HashSet<ContentId> = vectors
                .iter((0..vectors.len()).step_by(step))
                .filter_map(|(ordinal, _)| vectors.owner(ordinal))
                .collect();
            (vectors.len(), vectors.live(), sample)
        };
        let finds_itself = |content: &&ContentId| {
            self.windows(**content).is_some_and(|windows| {
                let hits = self.search(&windows, 10, Scope::All);
                hits.iter().any(|hit| hit.content == **content)
            })
        };
        let found = sample.iter().filter(finds_itself).count();
        let linked = self.graph().map_or(0, |(_, linked)| linked);
        IndexStatus {
            vectors: live,
            segments: usize::from(total > 0),
            graph_built: (total > self.exact_nodes).then(|| linked as f32 / total as f32),
            coverage: if sample.is_empty() { 1.0 } else { found as f32 / sample.len() as f32 },
        }
    }
}

/// The best of the live nodes among `ordinals`, by comparing with each.
fn scan(
    vectors: &Vectors,
    ordinals: impl Iterator<Item = usize>,
    query: &UnitVector,
    limit: usize,
) -> Vec<Scored> {
    let mut top = Top::new(limit);
    for (ordinal, vector) in vectors.iter(ordinals) {
        top.offer(Scored { cosine: cosine(query.as_slice(), vector), ordinal });
    }
    top.into_sorted()
}

/// The builder thread: links nodes in until the index is gone. If the graph's library
/// panics, the graph is given up and exact scans answer.
fn build(index: &Weak<GrowingIndex>) {
    while let Some(index) = index.upgrade() {
        match catch_unwind(AssertUnwindSafe(|| index.link_some())) {
            Ok(true) => {}
            Ok(false) => {
                drop(index);
                thread::park_timeout(Duration::from_millis(500));
            }
            Err(_) => {
                tracing::error!("the graph is in doubt after a panic; exact scans answer");
                index.broken.store(true, Ordering::Release);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    use super::GrowingIndex;
    use crate::embed::{UnitVector, Windows};
    use crate::index::{ContentId, Scope, VectorIndex};

    const DIMENSION: usize = 24;

    /// A repeatable direction for each seed (xorshift).
    fn windows(seed: i64) -> Windows {
        let mut state = (seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let components: Vec<f32> = (0..DIMENSION)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 40) as f32 / (1 << 24) as f32 - 0.5
            })
            .collect();
        Windows::new(vec![UnitVector::normalized(&components).unwrap()]).unwrap()
    }

    fn filled(count: i64, exact_nodes: usize) -> Arc<GrowingIndex> {
        let index = GrowingIndex::with_exact_nodes(DIMENSION, exact_nodes);
        for id in 0..count {
            index.add(ContentId(id), &windows(id));
        }
        index
    }

    fn with_graph(count: i64) -> Arc<GrowingIndex> {
        let index = filled(count, 100);
        while index.status().graph_built != Some(1.0) {
            thread::sleep(Duration::from_millis(5));
        }
        index
    }

    fn ids(index: &GrowingIndex, query: i64, limit: usize, scope: Scope<'_>) -> Vec<i64> {
        index.search(&windows(query), limit, scope).iter().map(|hit| hit.content.0).collect()
    }

    #[test]
    fn the_graph_finds_what_the_scan_finds() {
        let (graph, scan) = (with_graph(2_000), filled(2_000, 10_000));
        let queries = 50;
        let mut right = 0;
        for query in 5_000..5_000 + queries {
            let found: HashSet<i64> = ids(&graph, query, 10, Scope::All).into_iter().collect();
            right +=
                ids(&scan, query, 10, Scope::All).iter().filter(|id| found.contains(id)).count();
        }
        let recall = right as f64 / (10 * queries) as f64;
        assert!(recall >= 0.95, "recall@10 {recall}");
        assert!(graph.status().coverage > 0.95);
    }

    #[test]
    fn what_was_added_is_found_before_the_builder_gets_to_it() {
        let index = with_graph(300);
        for id in 1_000..1_200 {
            index.add(ContentId(id), &windows(id));
            assert_eq!(ids(&index, id, 1, Scope::All), [id]);
        }
    }

    #[test]
    fn what_was_removed_is_never_found_again() {
        let index = with_graph(500);
        let removed: Vec<ContentId> = (0..250).map(ContentId).collect();
        index.remove(&removed);
        for id in 0..250 {
            let found = ids(&index, id, 20, Scope::All);
            assert_eq!(found.len(), 20);
            assert!(found.iter().all(|&found| found >= 250));
        }
        assert!(index.windows(ContentId(7)).is_none());
    }

    #[test]
    fn scopes_hold() {
        let index = with_graph(500);
        let allowed: HashSet<ContentId> = (100..400).map(ContentId).collect();
        let found = ids(&index, 7, 50, Scope::Only(&allowed));
        assert_eq!(found.len(), 50);
        assert!(found.iter().all(|id| (100..400).contains(id)));

        let mark = index.mark();
        assert!(ids(&index, 7, 10, Scope::Since(mark)).is_empty());
        index.add(ContentId(900), &windows(900));
        assert_eq!(ids(&index, 7, 10, Scope::Since(mark)), [900]);
    }
}
