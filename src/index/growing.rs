use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::embed::{UnitVector, Windows, cosine};

use super::build::{Draft, Entries, FAMILY, Origin};
use super::codes::{Codes, Scale};
use super::rough::RoughGraph;
use super::segment::{Asked, Owner, VectorSource};
use super::top::{Scored, Top};
use super::vectors::Vectors;
use super::walk::{DEGREE, NONE};
use super::{ContentId, ContentSet, Hit};

/// Rows up to which an exact scan answers by itself: about a millisecond.
const EXACT_ROWS: usize = 8_192;

/// Rows that are linked in between two looks at the lock.
const STEP: usize = 64;

/// Nodes that are looked at for a family to join, and how many of them may have no room.
const FAMILY_EF: usize = 64;
const FAMILY_HEADS: usize = 4;

/// How much larger than the largest component so far one may come without being cut.
const HEADROOM: f32 = 1.25;

/// The segment that takes in: all vectors in memory, and, once an exact scan of them would
/// take too long, a graph that another thread builds.
///
/// A search asks the graph for what is linked in already and scans the rest, so that what
/// was added is found at once, whatever the builder is at.
pub(super) struct Growing {
    vectors: RwLock<Vectors>,
    /// The members of each head, itself left out.
    families: RwLock<HashMap<usize, Vec<usize>>>,
    graph: OnceLock<RoughGraph>,
    /// Rows below this one are in the graph or in a family.
    linked: AtomicUsize,
    /// Set if a panic left the graph in doubt: then it is not asked any more.
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

    /// Gives the graph up after a panic; scans answer.
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

    /// Whether there is something to link in. Small ones need no graph, unless they are to
    /// be frozen.
    pub fn is_due(&self, is_sealed: bool) -> bool {
        let rows = self.len();
        !self.is_broken() && self.linked() < rows && (is_sealed || rows > EXACT_ROWS)
    }

    /// Links the next few rows in.
    pub fn link_some(&self) {
        let from = self.linked();
        let rows: Vec<(usize, Vec<f32>)> = {
            let vectors = read(&self.vectors);
            let to = vectors.len().min(from + STEP);
            (from..to).filter_map(|row| Some((row, vectors.vector(row)?.to_vec()))).collect()
        };
        let graph = self.graph.get_or_init(|| RoughGraph::new(self.len(), self.scale()));
        for (row, vector) in &rows {
            match self.family_of(graph, *row, vector) {
                Some(head) => write(&self.families).entry(head).or_default().push(*row),
                None => graph.insert(*row, vector),
            }
        }
        self.linked.store(from + rows.len(), Ordering::Release);
    }

    /// The scale for what is here and what may come.
    fn scale(&self) -> Scale {
        let vectors = read(&self.vectors);
        let rows = (0..vectors.len()).filter_map(|row| vectors.vector(row));
        let highest = rows.flatten().fold(0.0, |highest: f32, x| highest.max(x.abs()));
        Scale::for_highest(HEADROOM * highest)
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

    /// The live rows nearest to `query`, best first.
    pub fn search(&self, query: &UnitVector, asked: Asked, only: Option<&ContentSet>) -> Vec<Hit> {
        let found = match only {
            Some(only) => self.scan_only(query, asked.limit, only),
            None => self.search_all(query, asked),
        };
        self.named(found)
    }

    /// The live rows of texts that came after `content` nearest to `query`, best first.
    pub fn search_after(&self, query: &UnitVector, limit: usize, content: ContentId) -> Vec<Hit> {
        let found = {
            let vectors = read(&self.vectors);
            scan(&vectors, vectors.first_after(content)..vectors.len(), query, limit)
        };
        self.named(found)
    }

    fn named(&self, found: Vec<Scored>) -> Vec<Hit> {
        let vectors = read(&self.vectors);
        let name = |Scored { cosine, ordinal }| {
            Some(Hit { content: vectors.owner(ordinal)?.content, cosine })
        };
        found.into_iter().filter_map(name).collect()
    }

    fn scan_only(&self, query: &UnitVector, limit: usize, only: &ContentSet) -> Vec<Scored> {
        let vectors = read(&self.vectors);
        let (Some(first), Some(last)) =
            (vectors.owner(0), vectors.owner(vectors.len().saturating_sub(1)))
        else {
            return Vec::new();
        };
        let within = only.within(first.content, last.content);
        let rows = within.flat_map(|content| vectors.rows_of(content));
        scan(&vectors, rows, query, limit)
    }

    fn search_all(&self, query: &UnitVector, asked: Asked) -> Vec<Scored> {
        let linked = self.linked();
        let graph = self.graph.get().filter(|_| !asked.is_exact && linked > 0 && !self.is_broken());
        let Some(graph) = graph else {
            let vectors = read(&self.vectors);
            return scan(&vectors, 0..vectors.len(), query, asked.limit);
        };
        let mut count = asked.limit;
        loop {
            let heads = graph.search(query.as_slice(), count, asked.ef.max(2 * count));
            let is_all = heads.len() < count || count >= linked;
            let families = read(&self.families);
            let vectors = read(&self.vectors);
            let rows = heads.iter().flat_map(|near| {
                let members = families.get(&near.node).map(Vec::as_slice).unwrap_or_default();
                std::iter::once(near.node).chain(members.iter().copied())
            });
            let found = scan(&vectors, rows, query, asked.limit);
            if found.len() >= asked.limit || is_all {
                let mut top = Top::new(asked.limit);
                let rest = scan(&vectors, linked..vectors.len(), query, asked.limit);
                found.into_iter().chain(rest).for_each(|scored| top.offer(scored));
                return top.into_sorted();
            }
            count = (2 * count).min(linked);
        }
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
        let mut codes = Codes::new(vectors.vector(0)?.len(), graph.scale);
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
