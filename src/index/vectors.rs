use std::collections::HashMap;
use std::ops::Range;

use fixedbitset::FixedBitSet;

use crate::embed::{UnitVector, Windows};

use super::ContentId;
use super::codes::{Codes, Scale};
use super::kernels::Rows;
use super::segment::Owner;

/// Vectors in one block of memory.
const BLOCK: usize = 1_024;

/// All vectors in the order in which they were added, in full and in small integers, and whose
/// they are. A row's ordinal is its place here; it is never given to another one.
pub(super) struct Vectors {
    dimension: usize,
    blocks: Vec<Vec<f32>>,
    codes: Codes,
    owners: Vec<Owner>,
    texts: HashMap<ContentId, (Range<usize>, u32)>,
    dead: FixedBitSet,
}

impl Vectors {
    pub fn new(dimension: usize) -> Self {
        Self {
            dimension,
            blocks: Vec::new(),
            codes: Codes::new(dimension, Scale::with_room_for(&[])),
            owners: Vec::new(),
            texts: HashMap::new(),
            dead: FixedBitSet::new(),
        }
    }

    /// Rows that were ever added.
    pub fn len(&self) -> usize {
        self.owners.len()
    }

    /// Rows that can answer.
    pub fn live(&self) -> usize {
        self.len() - self.dead.count_ones(..)
    }

    /// Adds the windows of a text as neighbouring rows. False if it is there already or of
    /// another dimension. `check` is the start of its hash.
    pub fn push(&mut self, content: ContentId, check: u32, windows: &Windows) -> bool {
        let fits = windows.vectors().iter().all(|v| v.as_slice().len() == self.dimension);
        if !fits || self.texts.contains_key(&content) {
            return false;
        }
        let first = self.len();
        for (window, vector) in (0_u16..).zip(windows.vectors()) {
            if self.len().is_multiple_of(BLOCK) {
                self.blocks.push(Vec::with_capacity(BLOCK * self.dimension));
            }
            if let Some(block) = self.blocks.last_mut() {
                block.extend_from_slice(vector.as_slice());
            }
            self.encode(vector.as_slice());
            self.owners.push(Owner { content, window });
        }
        self.texts.insert(content, (first..self.len(), check));
        self.dead.grow(self.len());
        true
    }

    /// Adds the codes of the last vector; those of all, if it is out of scale.
    fn encode(&mut self, vector: &[f32]) {
        if self.codes.scale.fits(vector) {
            return self.codes.push(vector);
        }
        let mut codes = Codes::new(self.dimension, Scale::with_room_for(vector));
        let rows = self.blocks.iter().flat_map(|block| block.chunks_exact(self.dimension));
        rows.for_each(|vector| codes.push(vector));
        self.codes = codes;
    }

    /// All rows in small integers.
    pub fn codes(&self) -> Rows<'_> {
        self.codes.rows()
    }

    /// What the codes are worth, so far.
    pub fn scale(&self) -> Scale {
        self.codes.scale
    }

    /// Takes a text out. False if it is not in here.
    pub fn kill(&mut self, content: ContentId) -> bool {
        let Some((rows, _)) = self.texts.remove(&content) else { return false };
        self.dead.insert_range(rows);
        true
    }

    pub fn is_dead(&self, ordinal: usize) -> bool {
        self.dead.contains(ordinal)
    }

    pub fn owner(&self, ordinal: usize) -> Option<Owner> {
        self.owners.get(ordinal).copied()
    }

    /// The start of the hash of a live text.
    pub fn check(&self, content: ContentId) -> Option<u32> {
        self.texts.get(&content).map(|(_, check)| *check)
    }

    pub fn vector(&self, ordinal: usize) -> Option<&[f32]> {
        let from = (ordinal % BLOCK) * self.dimension;
        self.blocks.get(ordinal / BLOCK)?.get(from..from + self.dimension)
    }

    pub fn windows(&self, content: ContentId) -> Option<Windows> {
        let rows = self.texts.get(&content)?.0.clone();
        let vectors = rows.filter_map(|ordinal| UnitVector::normalized(self.vector(ordinal)?));
        Windows::new(vectors.collect())
    }

    /// The rows of a live text.
    pub fn rows_of(&self, content: ContentId) -> Range<usize> {
        self.texts.get(&content).map(|(rows, _)| rows.clone()).unwrap_or_default()
    }

    /// The live texts in the order in which they came, with the starts of their hashes.
    pub fn texts(&self) -> impl Iterator<Item = (ContentId, u32, Windows)> {
        let first = self.owners.iter().filter(|owner| owner.window == 0);
        first.filter_map(|owner| {
            Some((owner.content, self.check(owner.content)?, self.windows(owner.content)?))
        })
    }

    /// The first row of the texts that came after `content`: keys grow.
    pub fn first_after(&self, content: ContentId) -> usize {
        self.owners.partition_point(|owner| owner.content <= content)
    }

    /// The live rows among `ordinals` with their vectors.
    pub fn iter(
        &self,
        ordinals: impl Iterator<Item = usize>,
    ) -> impl Iterator<Item = (usize, &[f32])> {
        ordinals
            .filter(|&ordinal| !self.is_dead(ordinal))
            .filter_map(|ordinal| Some((ordinal, self.vector(ordinal)?)))
    }
}
