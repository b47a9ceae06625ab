use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::embed::{UnitVector, Windows, cosine};

use super::build::{Draft, Entries, FAMILY, Origin};
use super::codes::{Codes, QueryCodes};
use super::kernels::{Kernel, prefetch};
use super::rough::RoughGraph;
use super::segment::{Asked, Owner, VectorSource};
use super::shortlist::Shortlist;
use super::top::{Scored, Top};
use super::vectors::Vectors;
use super::walk::{DEGREE, NONE};
use super::{ContentId, ContentSet, Hit};

/// Rows from which on they are linked in: fewer may never be frozen.
const LINKED_FROM: usize = 8_192;

/// Rows that all queries are compared with, one after the other: as many as stay in the
/// processor's nearest cache.
const TOGETHER: usize = 64;

/// Rows that are linked in between two looks at the lock.
const STEP: usize = 64;

/// Nodes that are looked at for a family to join, and how many of them may have no room.
const FAMILY_EF: usize = 64;
const FAMILY_HEADS: usize = 4;

/// The segment that takes in: all vectors in memory, and the graph that it will be frozen with,
/// which another thread builds.
///
/// A search compares all rows, in small integers, and the best in full, so that what was added
/// is found at once, and nothing is missed but what rounding moves by more than three standard
/// deviations. Queries that come together, like the passages of a
/// document, go through the rows together: it is memory that a scan waits for.
pub(super) struct Growing {
    vectors: RwLock<Vectors>,
    /// The members of each head, itself left out.
    families: RwLock<HashMap<usize, Vec<usize>>>,
    graph: OnceLock<RoughGraph>,
    /// Rows below this one are in the graph or in a family.
    linked: AtomicUsize,
    /// Set if a panic left the graph in doubt.
    is_broken: AtomicBool,
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

impl Growing {
    pub fn new(dimension: usize) -> Self {
        Self {
            vectors: RwLock::new(Vectors::new(dimension)),
            families: RwLock::new(HashMap::new()),
            graph: OnceLock::new(),
            linked: AtomicUsize::new(0),
            is_broken: AtomicBool::new(false),
        }
    }

    /// Adds a text that is not in here; returns the rows that there are now.
    pub fn add(&self, content: ContentId, check: u32, windows: &Windows) -> usize {
        let mut vectors = write(&self.vectors);
        vectors.push(content, check, windows);
        vectors.len()
    }

    /// Its live texts, with the starts of their hashes.
    pub fn texts(&self) -> Vec<(ContentId, u32, Windows)> {
        read(&self.vectors).texts().collect()
    }

    /// Takes a text out. False if it is not in here.
    pub fn kill(&self, content: ContentId) -> bool {
        write(&self.vectors).kill(content)
    }

    pub fn windows(&self, content: ContentId) -> Option<Windows> {
        read(&self.vectors).windows(content)
    }

    /// Rows that were added.
    pub fn len(&self) -> usize {
        read(&self.vectors).len()
    }

    /// Rows that can answer.
    pub fn live(&self) -> usize {
        read(&self.vectors).live()
    }

    /// Whether a text is in here and not dead.
    pub fn holds(&self, content: ContentId) -> bool {
        read(&self.vectors).check(content).is_some()
    }

    /// Texts that can answer, at most `count`, evenly spread.
    pub fn sample(&self, count: usize) -> Vec<ContentId> {
        let vectors = read(&self.vectors);
        let step = vectors.len().div_ceil(count.max(1)).max(1);
        let rows = vectors.iter((0..vectors.len()).step_by(step));
        rows.filter_map(|(row, _)| Some(vectors.owner(row)?.content)).collect()
    }

    /// Gives the graph up after a panic.
    pub fn give_up(&self) {
        self.is_broken.store(true, Ordering::Release);
    }

    pub fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Acquire)
    }

    /// Rows that are linked in.
    pub fn linked(&self) -> usize {
        self.linked.load(Ordering::Acquire)
    }

    /// Whether there is something to link in.
    pub fn is_due(&self, is_sealed: bool) -> bool {
        let rows = self.len();
        !self.is_broken() && self.linked() < rows && (is_sealed || rows > LINKED_FROM)
    }

    /// Links the next few rows in.
    pub fn link_some(&self) {
        let from = self.linked();
        let rows: Vec<(usize, Vec<f32>)> = {
            let vectors = read(&self.vectors);
            let to = vectors.len().min(from + STEP);
            (from..to).filter_map(|row| Some((row, vectors.vector(row)?.to_vec()))).collect()
        };
        let graph =
            self.graph.get_or_init(|| RoughGraph::new(self.len(), read(&self.vectors).scale()));
        for (row, vector) in &rows {
            match self.family_of(graph, *row, vector) {
                Some(head) => write(&self.families).entry(head).or_default().push(*row),
                None => graph.insert(*row, vector),
            }
        }
        self.linked.store(from + rows.len(), Ordering::Release);
    }

    /// The nearest head whose family a vector joins.
    fn family_of(&self, graph: &RoughGraph, row: usize, vector: &[f32]) -> Option<usize> {
        if row == 0 {
            return None;
        }
        let families = read(&self.families);
        let has_room = |head| families.get(&head).map_or(0, Vec::len) < FAMILY.most;
        let vectors = read(&self.vectors);
        graph
            .search(vector, FAMILY_HEADS, FAMILY_EF)
            .iter()
            .filter(|near| has_room(near.node))
            .find(|near| {
                let head = vectors.vector(near.node);
                head.is_some_and(|head| cosine(head, vector) >= FAMILY.cosine)
            })
            .map(|near| near.node)
    }

    /// The live rows nearest to each of some queries, of texts in `only` if it is given, best
    /// first.
    pub fn nearest(
        &self,
        queries: &[&UnitVector],
        asked: Asked,
        only: Option<&ContentSet>,
    ) -> Vec<Vec<Hit>> {
        let vectors = read(&self.vectors);
        let listed = only.map(|only| rows_in(&vectors, only));
        let found = match asked.is_exact {
            true => {
                let rows = || listed.clone().unwrap_or_else(|| (0..vectors.len() as u32).collect());
                let exact = |query: &&UnitVector| {
                    scan(&vectors, rows().into_iter().map(|row| row as usize), query, asked.limit)
                };
                queries.iter().map(exact).collect()
            }
            false => compare(&vectors, queries, asked.limit, listed.as_deref()),
        };
        found.into_iter().map(|found| named(&vectors, found)).collect()
    }

    /// The live rows of texts that came after `content` nearest to `query`, best first.
    pub fn search_after(&self, query: &UnitVector, limit: usize, content: ContentId) -> Vec<Hit> {
        let vectors = read(&self.vectors);
        let rows = vectors.first_after(content)..vectors.len();
        named(&vectors, scan(&vectors, rows, query, limit))
    }

    /// Its live rows as they are now, with the links that they have, as a draft of a frozen
    /// segment and what its vectors are read from.
    pub fn draft(&self) -> Option<(Draft, Snapshot)> {
        let graph = self.graph.get()?;
        let vectors = read(&self.vectors);
        let families = read(&self.families);
        let mut nodes: Vec<usize> = Vec::new();
        let mut members: Vec<Vec<usize>> = Vec::new();
        let mut place: HashMap<usize, u32> = HashMap::new();
        let mut links = graph.links();
        links.sort_unstable_by_key(|(node, _)| *node);
        for (node, _) in &links {
            // The first that lives stands for a family.
            let family = families.get(node).map(Vec::as_slice).unwrap_or_default();
            let mut family = std::iter::once(*node).chain(family.iter().copied());
            let mut family = family.by_ref().filter(|&row| !vectors.is_dead(row));
            if let Some(head) = family.next() {
                place.insert(*node, nodes.len() as u32);
                nodes.push(head);
                members.push(family.collect());
            }
        }
        let mut linked = Vec::with_capacity(nodes.len() * DEGREE);
        for (_, to) in links.iter().filter(|(node, _)| place.contains_key(node)) {
            let mut to: Vec<u32> =
                to.iter().filter_map(|node| place.get(node).copied()).take(DEGREE).collect();
            to.resize(DEGREE, NONE);
            linked.extend(to);
        }
        let heads = (0_u32..).zip(&members).flat_map(|(node, m)| m.iter().map(move |_| node));
        let heads: Vec<u32> = heads.collect();
        let rows: Vec<usize> = nodes.into_iter().chain(members.into_iter().flatten()).collect();
        let mut codes = Codes::new(vectors.vector(0)?.len(), vectors.scale());
        let (mut owners, mut full, mut checks) = (Vec::new(), Vec::new(), Vec::new());
        for &row in &rows {
            let (vector, owner): (_, Owner) = (vectors.vector(row)?, vectors.owner(row)?);
            codes.push(vector);
            full.push(vector.to_vec());
            checks.push(vectors.check(owner.content)?);
            owners.push(owner);
        }
        let origins = (0..rows.len() as u32).map(|row| Origin { source: 0, row }).collect();
        let count = (owners.len() - heads.len()) as u32;
        let parts = vec![Entries::sample(&codes, 0..count)];
        let draft = Draft { codes, links: linked, heads, owners, origins, parts };
        Some((draft, Snapshot { full, checks }))
    }
}

/// The vectors of a draft.
pub(super) struct Snapshot {
    full: Vec<Vec<f32>>,
    checks: Vec<u32>,
}

impl VectorSource for Snapshot {
    fn vector(&self, origin: Origin) -> &[f32] {
        self.full.get(origin.row as usize).map(Vec::as_slice).unwrap_or_default()
    }

    fn check(&self, origin: Origin) -> u32 {
        self.checks.get(origin.row as usize).copied().unwrap_or_default()
    }
}

fn named(vectors: &Vectors, found: Vec<Scored>) -> Vec<Hit> {
    let name =
        |Scored { cosine, ordinal }| Some(Hit { content: vectors.owner(ordinal)?.content, cosine });
    found.into_iter().filter_map(name).collect()
}

/// The live rows of these texts.
fn rows_in(vectors: &Vectors, only: &ContentSet) -> Vec<u32> {
    let last = vectors.len().saturating_sub(1);
    let Some((first, last)) = vectors.owner(0).zip(vectors.owner(last)) else { return Vec::new() };
    let within = only.within(first.content, last.content);
    within.flat_map(|content| vectors.rows_of(content)).map(|row| row as u32).collect()
}

/// The best of the live rows for each query, of those `listed` if any are, by their codes and
/// then in full.
fn compare(
    vectors: &Vectors,
    queries: &[&UnitVector],
    limit: usize,
    listed: Option<&[u32]>,
) -> Vec<Vec<Scored>> {
    let prepared = |query: &&UnitVector| {
        let (mut codes, mut shortlist) = (QueryCodes::default(), Shortlist::default());
        codes.set(query.as_slice(), vectors.scale());
        shortlist.begin(&codes, limit);
        (codes, shortlist)
    };
    let mut prepared: Vec<(QueryCodes, Shortlist)> = queries.iter().map(prepared).collect();
    let rows = vectors.codes();
    let mut products = Vec::new();
    let lives = |row: u32| !vectors.is_dead(row as usize);
    match listed {
        Some(listed) => {
            for some in listed.chunks(TOGETHER) {
                for (codes, shortlist) in &mut prepared {
                    Kernel::best().gather(rows, some, codes.query(), &mut products);
                    let scored = some.iter().zip(&products);
                    scored.for_each(|(&row, &product)| shortlist.offer(product, row, lives));
                }
            }
        }
        None => {
            for from in (0..vectors.len()).step_by(TOGETHER) {
                for (codes, shortlist) in &mut prepared {
                    let some = from..vectors.len().min(from + TOGETHER);
                    Kernel::best().run(rows, some, codes.query(), &mut products);
                    let scored = (from as u32..).zip(&products);
                    scored.for_each(|(row, &product)| shortlist.offer(product, row, lives));
                }
            }
        }
    }
    let vector = |row: u32| vectors.vector(row as usize).unwrap_or_default();
    let fetch = |row| prefetch(bytemuck::cast_slice(vector(row)));
    let best = |(query, (codes, mut shortlist)): (&&UnitVector, (QueryCodes, Shortlist))| {
        shortlist.rescore(query, &codes, limit, vector, fetch)
    };
    queries.iter().zip(prepared).map(best).collect()
}

/// The best of the live rows among `ordinals`, by comparing with each.
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

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::super::segment::Asked;
    use super::super::{ContentId, ContentSet};
    use super::Growing;
    use crate::embed::{UnitVector, Windows};

    const DIMENSION: usize = 64;
    const ROWS: i64 = 3_000;

    fn vector(rng: &mut Rng) -> UnitVector {
        let components: Vec<f32> = (0..DIMENSION).map(|_| rng.f32() - 0.5).collect();
        UnitVector::normalized(&components).expect("a direction")
    }

    fn windows(vectors: Vec<UnitVector>) -> Windows {
        Windows::new(vectors).expect("windows")
    }

    #[test]
    fn queries_that_come_together_find_what_each_would_by_comparing_all() {
        let mut rng = Rng::with_seed(7);
        let growing = Growing::new(DIMENSION);
        for content in 1..=ROWS {
            let mut vectors = vec![vector(&mut rng), vector(&mut rng)];
            if content % 500 == 0 {
                // Out of any scale that the others have.
                let mut one = [0.0; DIMENSION];
                one[content as usize / 500] = 1.0;
                vectors.push(UnitVector::normalized(&one).expect("a direction"));
            }
            growing.add(ContentId(content), 0, &windows(vectors));
        }
        (1..=ROWS).step_by(7).for_each(|content| assert!(growing.kill(ContentId(content))));
        let some: ContentSet =
            (1..=ROWS).filter(|content| content % 3 == 0).map(ContentId).collect();
        let queries: Vec<UnitVector> = (0..20).map(|_| vector(&mut rng)).collect();
        let queries: Vec<&UnitVector> = queries.iter().collect();
        let asked = Asked { limit: 12, ef: 0, is_exact: false };
        for only in [None, Some(&some)] {
            let found = growing.nearest(&queries, asked, only);
            assert_eq!(found, growing.nearest(&queries, Asked { is_exact: true, ..asked }, only));
            for hit in found.iter().flatten() {
                assert!(only.is_none_or(|only| only.contains(hit.content)));
                assert_ne!(hit.content.0 % 7, 1, "it was taken out");
            }
            assert!(found.iter().all(|hits| hits.len() == 12));
        }
    }
}
