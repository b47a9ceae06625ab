//! Nearest neighbours among vectors: an exact scan while there are few, a graph
//! beside it when there are many.
//!
//! The index is a cache of the store. It knows vectors and the keys of the texts
//! that they belong to, nothing of the texts themselves.

mod graph;
mod growing;
mod top;
mod vectors;

use std::collections::HashSet;

use crate::embed::Windows;

pub use growing::GrowingIndex;

/// Names a distinct text: every passage with the same normalised text shares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
    Only(&'a HashSet<ContentId>),
    /// Those that were added after [`VectorIndex::mark`] returned this. Exact.
    Since(Mark),
}

/// A moment in the life of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(usize);

/// What an index says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct IndexStatus {
    /// Vectors that can answer.
    pub vectors: usize,
    /// Segments that they are in.
    pub segments: usize,
    /// Share of the graph that is built, or `None` where none is needed.
    pub graph_built: Option<f32>,
    /// Share of sampled texts that a search for themselves finds, 0 to 1.
    pub coverage: f32,
}

/// An index of vectors. What was added is found by every later search.
pub trait VectorIndex: Send + Sync {
    /// Adds a text. One that is there already is left as it is.
    fn add(&self, content: ContentId, windows: &Windows);

    /// Takes texts out for good.
    fn remove(&self, contents: &[ContentId]);

    /// The nearest texts in `scope`, best first, each once, at most `limit`.
    fn search(&self, query: &Windows, limit: usize, scope: Scope<'_>) -> Vec<Hit>;

    /// The vectors of a text that is in it.
    fn windows(&self, content: ContentId) -> Option<Windows>;

    /// Now. What is added later is in [`Scope::Since`].
    fn mark(&self) -> Mark;

    /// Its size and health. Searches a sample.
    fn status(&self) -> IndexStatus;
}
