use std::collections::{HashMap, HashSet};
use std::ops::Range;

use fixedbitset::FixedBitSet;

use crate::embed::{UnitVector, Windows};

use super::ContentId;

/// Vectors in one block of memory.
const BLOCK: usize = 1_024;

/// All vectors in the order in which they were added, and whose they are. A node's
/// ordinal is its place here; it is never given to another one.
pub(super) struct Vectors {
    dimension: usize,
    blocks: Vec<Vec<f32>>,
    owners: Vec<ContentId>,
    nodes: HashMap<ContentId, Range<usize>>,
    dead: FixedBitSet,
}

impl Vectors {
    pub fn new(dimension: usize) -> Self {
        Self {
            dimension,
            blocks: Vec::new(),
            owners: Vec::new(),
            nodes: HashMap::new(),
            dead: FixedBitSet::new(),
        }
    }

    /// Nodes that were ever added.
    pub fn len(&self) -> usize {
        self.owners.len()
    }

    /// Nodes that can answer.
    pub fn live(&self) -> usize {
        self.len() - self.dead.count_ones(..)
    }

    /// Adds the windows of a text as neighbouring nodes. False if it is there already
    /// or of another dimension.
    pub fn push(&mut self, content: ContentId, windows: &Windows) -> bool {
        let fits = windows.vectors().iter().all(|v| v.as_slice().len() == self.dimension);
        if !fits || self.nodes.contains_key(&content) {
            return false;
        }
        let first = self.len();
        for vector in windows.vectors() {
            if self.len().is_multiple_of(BLOCK) {
                self.blocks.push(Vec::with_capacity(BLOCK * self.dimension));
            }
            if let Some(block) = self.blocks.last_mut() {
                block.extend_from_slice(vector.as_slice());
            }
            self.owners.push(content);
        }
        self.nodes.insert(content, first..self.len());
        self.dead.grow(self.len());
        true
    }

    pub fn kill(&mut self, content: ContentId) {
        if let Some(nodes) = self.nodes.remove(&content) {
            self.dead.insert_range(nodes);
        }
    }

    pub fn is_dead(&self, ordinal: usize) -> bool {
        self.dead.contains(ordinal)
    }

    pub fn owner(&self, ordinal: usize) -> Option<ContentId> {
        self.owners.get(ordinal).copied()
    }

    pub fn vector(&self, ordinal: usize) -> Option<&[f32]> {
        let from = (ordinal % BLOCK) * self.dimension;
        self.blocks.get(ordinal / BLOCK)?.get(from..from + self.dimension)
    }

    pub fn windows(&self, content: ContentId) -> Option<Windows> {
        let nodes = self.nodes.get(&content)?.clone();
        let vectors = nodes.filter_map(|ordinal| UnitVector::normalized(self.vector(ordinal)?));
        Windows::new(vectors.collect())
    }

    /// The nodes of the texts in `allowed`, as a bitset, and how many there are.
    pub fn nodes_of(&self, allowed: &HashSet<ContentId>) -> (FixedBitSet, usize) {
        let mut nodes = FixedBitSet::with_capacity(self.len());
        let mut count = 0;
        for range in allowed.iter().filter_map(|content| self.nodes.get(content)) {
            nodes.insert_range(range.clone());
            count += range.len();
        }
        (nodes, count)
    }

    /// The live nodes among `ordinals` with their vectors.
    pub fn iter(
        &self,
        ordinals: impl Iterator<Item = usize>,
    ) -> impl Iterator<Item = (usize, &[f32])> {
        ordinals
            .filter(|&ordinal| !self.is_dead(ordinal))
            .filter_map(|ordinal| Some((ordinal, self.vector(ordinal)?)))
    }
}
