use hnsw_rs::prelude::{Distance, FilterT, Hnsw};

use crate::embed::UnitVector;
use crate::embed::cosine;

use super::top::Scored;

/// Links of a node in the lowest layer are twice this, above it this many.
const M: usize = 16;

/// Candidates that are looked at for the links of a new node.
const EF_CONSTRUCTION: usize = 200;

/// Layers; hnsw_rs wants 16.
const LAYERS: usize = 16;

/// Candidates that a search looks at, at least.
const EF: usize = 128;

/// One minus the cosine of two unit vectors, 0 to 2: never negative, never NaN, which
/// the graph would answer with a panic.
#[derive(Debug, Clone, Copy, Default)]
struct CosineDistance;

impl Distance<f32> for CosineDistance {
    fn eval(&self, a: &[f32], b: &[f32]) -> f32 {
        1.0 - cosine(a, b)
    }
}

/// A graph of neighbours (Malkov and Yashunin, "Efficient and robust approximate
/// nearest neighbor search using Hierarchical Navigable Small World graphs", 2018).
///
/// Only one thread may insert at a time; searches go on meanwhile.
pub(super) struct Graph(Hnsw<'static, f32, CosineDistance>);

impl Graph {
    pub fn new(expected: usize) -> Self {
        Self(Hnsw::new(M, expected, LAYERS, EF_CONSTRUCTION, CosineDistance))
    }

    pub fn insert(&self, ordinal: usize, vector: &[f32]) {
        self.0.insert_slice((vector, ordinal));
    }

    /// About the `count` nearest nodes that `allows` lets through, best first.
    pub fn search(
        &self,
        query: &UnitVector,
        count: usize,
        allows: Option<&dyn FilterT>,
    ) -> Vec<Scored> {
        self.0
            .search_filter(query.as_slice(), count, EF.max(2 * count), allows)
            .into_iter()
            .map(|found| Scored { cosine: 1.0 - found.distance, ordinal: found.d_id })
            .collect()
    }
}
