//! Model files in the ONNX format, rewritten for one text at a time on a processor:
//! what the exporter of a model wrote for any batch is brought to the few operators
//! that ONNX Runtime computes fast, and products are done in integers if asked.

mod graph;
mod rules;
mod tensor;

#[allow(missing_docs, clippy::all, clippy::pedantic, unreachable_pub)]
mod proto {
    include!(concat!(env!("OUT_DIR"), "/onnx.rs"));
}

use std::collections::BTreeSet;

use prost::Message;

use super::Precision;
use graph::Graph;

/// Bytes of a constant that is not worth sharing.
const SMALL: usize = 1 << 14;

/// Counts the ways in which graphs were rewritten. Raised whenever the rules change.
pub(super) const REWRITING: u32 = 1;

/// Why a model file cannot be rewritten.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum OnnxError {
    /// It is no model file, or a damaged one.
    #[error("it is not an ONNX file, or damaged: {0}")]
    Unreadable(String),
    /// It has parts that the rules know nothing about.
    #[error("it has {0}, which cannot be rewritten")]
    Unsupported(&'static str),
    /// Weights are in a file of their own.
    #[error("its weights are in another file")]
    External,
    /// There is nothing to do in integers.
    #[error("it has no product with weights that could be done in integers; use --precision f32")]
    NoProducts,
    /// Its products are in integers as it is.
    #[error("its products are in integers as it is; leave --precision and the manifest's out")]
    IntegersAlready,
    /// A weight is not a number.
    #[error("the weights {0:?} are not finite")]
    NotFinite(String),
}

/// Rewrites a model file for embedding one text per call, with no padding: an
/// attention mask has ones only.
///
/// # Errors
///
/// If the file cannot be read, has parts that cannot be rewritten, or weights that
/// are not finite.
pub(super) fn rewrite(model: &[u8], precision: Precision) -> Result<Vec<u8>, OnnxError> {
    let mut graph = Graph::parse(model)?;
    rules::check_weights(&graph)?;
    rules::look_up_small_rows(&mut graph);
    match (precision, rules::multiplies_integers(&graph)) {
        (Precision::F32, false) => rules::unpack_weights(&mut graph),
        (Precision::F32, true) => return Err(OnnxError::IntegersAlready),
        (Precision::Int8, false) => rules::multiply_integers(&mut graph)?,
        (Precision::Int8, true) => {}
    }
    rules::fuse_gelu(&mut graph);
    rules::drop_guards(&mut graph);
    rules::drop_masks(&mut graph);
    Ok(graph.into_bytes())
}

/// Names of the files beside a model file that hold weights of it. None for one that
/// cannot be read.
pub(super) fn external_files(model: &[u8]) -> BTreeSet<String> {
    let graph = proto::ModelProto::decode(model).ok().and_then(|model| model.graph);
    let tensors = graph.into_iter().flat_map(|graph| graph.initializer);
    let entries = tensors.flat_map(|tensor| tensor.external_data);
    entries.filter(|entry| entry.key == "location").map(|entry| entry.value).collect()
}

/// Whether a model file multiplies integers as it is. One that cannot be read does not.
pub(super) fn multiplies_integers(model: &[u8]) -> bool {
    Graph::parse(model).is_ok_and(|graph| rules::multiplies_integers(&graph))
}

/// A constant of a model file that is worth sharing between sessions.
pub(super) enum SharedTensor {
    F32 { name: String, dims: Vec<i64>, numbers: Vec<f32> },
    Int8 { name: String, dims: Vec<i64>, numbers: Vec<i8> },
}

/// Takes the matrices, but for small ones, out of a model file. What is left names them
/// and their shapes, and cannot be run without them.
///
/// # Errors
///
/// If the file cannot be read.
pub(super) fn split(model: &[u8]) -> Result<(Vec<u8>, Vec<SharedTensor>), OnnxError> {
    let mut graph = Graph::parse(model)?;
    let is_large = |it: &_| tensor::matrix(it).is_some() && tensor::bytes(it) >= SMALL;
    let mut shared = Vec::new();
    for constant in graph.constants_mut().filter(|it| is_large(it)) {
        let (name, dims) = (constant.name.clone(), constant.dims.clone());
        match (tensor::floats(constant), tensor::integers(constant)) {
            (Some(numbers), _) => shared.push(SharedTensor::F32 { name, dims, numbers }),
            (_, Some(numbers)) => shared.push(SharedTensor::Int8 { name, dims, numbers }),
            _ => continue,
        }
        tensor::leave_out(constant);
    }
    Ok((graph.into_bytes(), shared))
}

/// The input and the output of [`product`].
pub(super) const VALUE: &str = "value";
pub(super) const PRODUCT: &str = "product";

/// A model file that multiplies a value with weights of `depth` rows and `columns`
/// columns, as a model that was rewritten for that precision does it.
pub(super) fn product(
    weights: &[f32],
    depth: usize,
    columns: usize,
    precision: Precision,
) -> Result<Vec<u8>, OnnxError> {
    let weights = tensor::of_floats("weights", vec![depth as i64, columns as i64], weights);
    let mut graph = Graph::of_product(VALUE, weights, PRODUCT);
    if precision == Precision::Int8 {
        rules::multiply_integers(&mut graph)?;
    }
    Ok(graph.into_bytes())
}
