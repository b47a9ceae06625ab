//! Nearest neighbours among vectors, in segments: one that grows, and frozen ones in files.
//!
//! The index is a cache of the store. It knows vectors and the keys of the texts
//! that they belong to, nothing of the texts themselves.

mod background;
mod bits;
mod build;
mod check;
mod codes;
mod contents;
mod fingerprints;
mod growing;
mod kernels;
mod manifest;
mod opening;
mod rough;
mod searching;
mod segment;
mod segments;
mod shortlist;
mod top;
mod vectors;
mod walk;

use crate::embed::Windows;

pub use check::{Checked, check};
pub use contents::ContentSet;
pub use fingerprints::Fingerprints;
pub use manifest::{Manifest, ManifestError};
pub use segment::{Identity, Segment, SegmentError};
pub use segments::{IndexError, Options, SegmentedIndex, Truth, TruthError};

/// Names a distinct text: every passage with the same normalised text shares it. A key is
/// greater than all that were given out before it, and never given out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ContentId(pub i64);

/// A text that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Which one.
    pub content: ContentId,
    /// The highest cosine between its windows and those of the query, -1 to 1.
    pub cosine: f32,
}

/// Which texts may answer.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// All of them.
    All,
    /// These and no others.
    Only(&'a ContentSet),
    /// Those that were added after [`VectorIndex::mark`] returned this. Exact.
    Since(Mark),
}

/// A moment in the life of an index: the last text that was in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(ContentId);

/// What an index says of itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IndexStatus {
    /// Vectors that can answer.
    pub vectors: usize,
    /// Vectors that were removed and are still there.
    pub dead_vectors: usize,
    /// Segments that they are in.
    pub segments: usize,
    /// Share of sampled texts that a search for themselves finds, 0 to 1.
    pub coverage: f32,
    /// What goes on in the background, e.g. "merge 40%".
    pub background: Vec<String>,
    /// Bytes of its files.
    pub disk_bytes: u64,
}

/// What compacting an index did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compacted {
    /// Segments that there were.
    pub segments_before: usize,
    /// Segments that there are.
    pub segments_after: usize,
    /// Bytes of files less than before.
    pub reclaimed_bytes: i64,
}

/// An index of vectors. What was added is found by every later search, what was removed by
/// none.
pub trait VectorIndex: Send + Sync {
    /// Adds a text. One that is there already is left as it is. `check` is the start of its
    /// hash.
    fn add(&self, content: ContentId, check: u32, windows: &Windows);

    /// Takes texts out for good.
    fn remove(&self, contents: &[ContentId]);

    /// The nearest texts in `scope` to each of some queries, in their order: of each, best first,
    /// each text once, at most `limit`.
    ///
    /// # Errors
    ///
    /// If it cannot be searched just now.
    fn nearest(
        &self,
        queries: &[&Windows],
        limit: usize,
        scope: Scope<'_>,
    ) -> Result<Vec<Vec<Hit>>, IndexError>;

    /// The vectors of a text that is in it.
    ///
    /// # Errors
    ///
    /// If it cannot be read just now.
    fn windows(&self, content: ContentId) -> Result<Option<Windows>, IndexError>;

    /// Now. What is added later is in [`Scope::Since`].
    fn mark(&self) -> Mark;

    /// Its size and health. Searches a sample.
    fn status(&self) -> IndexStatus;

    /// Merges what can be merged and drops what was removed, now. Blocks until it is done.
    ///
    /// # Errors
    ///
    /// If files cannot be written; then it is as before.
    fn compact(&self) -> Result<Compacted, IndexError>;
}
