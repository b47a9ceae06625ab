//! Text in, vectors out: model files, ONNX Runtime and the threads that run it.
//!
//! A model's graph is rewritten once for the way in which it is run here: one text per
//! call, so that a vector depends on nothing but its text, and padding costs nothing,
//! on one single-threaded session per worker. What a model cannot see in one piece is
//! embedded as several windows.

mod exactness;
mod fetch;
mod files;
mod hub;
mod known;
mod lanes;
mod manifest;
mod model;
mod onnx;
mod peak;
mod pool;
mod recent;
mod rewritten;
mod runtime;
mod session;
mod tokens;
mod vector;
mod windows;

pub use fetch::{Progress, SetupError};
pub use files::{ModelFiles, Setup, SetupOptions};
pub use lanes::{ClientId, Lane};
pub use manifest::{Manifest, Pooling, Precision};
pub use model::{ModelError, ModelInfo, Role, model_of};
pub use peak::measured_peak;
pub use pool::{EmbedError, EmbedStats, Embedder, Purpose};
pub(crate) use vector::cosine;
pub use vector::{UnitVector, Windows};
