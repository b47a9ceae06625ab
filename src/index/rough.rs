use hnsw_rs::prelude::{Distance, Hnsw};

use super::codes::{QueryCodes, Scale};
use super::kernels::Kernel;

/// Links of a node in the lowest layer are twice this, above it this many.
const M: usize = 16;

/// Candidates that are looked at for the links of a new node. Few: a frozen graph is linked
/// anew, and this one only has to find the way.
const EF_CONSTRUCTION: usize = 40;

/// Layers; hnsw_rs wants 16.
const LAYERS: usize = 16;

/// One minus the cosine of two rows of codes, never negative and never NaN, which the graph
/// would answer with a panic.
#[derive(Debug, Clone, Copy)]
struct CodeDistance {
    unit: f32,
}

impl Distance<i8> for CodeDistance {
    fn eval(&self, a: &[i8], b: &[i8]) -> f32 {
        (1.0 - Kernel::best().product(a, b) as f32 * self.unit).max(0.0)
    }
}

/// A node of the graph, and its cosine to what was asked, in codes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Near {
    pub node: usize,
    pub cosine: f32,
}

/// A graph that grows while it is searched (hnsw_rs; Malkov and Yashunin, "Efficient and
/// robust approximate nearest neighbor search using Hierarchical Navigable Small World
/// graphs", 2018).
///
/// Only one thread may insert at a time; searches go on meanwhile.
pub(super) struct RoughGraph {
    graph: Hnsw<'static, i8, CodeDistance>,
    scale: Scale,
}

impl RoughGraph {
    pub fn new(expected: usize, scale: Scale) -> Self {
        let distance = CodeDistance { unit: scale.get().powi(-2) };
        Self { graph: Hnsw::new(M, expected, LAYERS, EF_CONSTRUCTION, distance), scale }
    }

    pub fn insert(&self, node: usize, vector: &[f32]) {
        self.graph.insert_slice((&self.codes(vector), node));
    }

    /// About the `count` nearest nodes, best first.
    pub fn search(&self, vector: &[f32], count: usize, ef: usize) -> Vec<Near> {
        let found = self.graph.search(&self.codes(vector), count, ef.max(count));
        found.iter().map(|near| Near { node: near.d_id, cosine: 1.0 - near.distance }).collect()
    }

    fn codes(&self, vector: &[f32]) -> Vec<i8> {
        let mut row = Vec::new();
        self.scale.encode(vector, &mut row);
        QueryCodes::signed(&row)
    }

    /// Each node with those that it is linked to in the lowest layer.
    pub fn links(&self) -> Vec<(usize, Vec<usize>)> {
        let points = self.graph.get_point_indexation();
        let mut links = Vec::with_capacity(self.graph.get_nb_point());
        for layer in 0..LAYERS {
            for point in points.get_layer_iterator(layer) {
                let lowest = point.get_neighborhood_id().into_iter().next().unwrap_or_default();
                links.push((point.get_origin_id(), lowest.iter().map(|near| near.d_id).collect()));
            }
        }
        links
    }
}
