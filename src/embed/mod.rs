//! Text in, vectors out: model files, ONNX Runtime and the threads that run it.
//!
//! Each worker thread holds one single-threaded session and embeds one text per
//! call, so that a vector depends on nothing but its text, and padding costs
//! nothing. What a model cannot see in one piece is embedded as several windows.

mod fetch;
mod files;
mod model;
mod pool;
mod runtime;
mod vector;
mod windows;

pub use fetch::{Progress, SetupError};
pub use files::{ModelFiles, Setup, SetupOptions};
pub use model::{ModelError, ModelInfo};
pub use pool::{EmbedError, Embedder};
pub(crate) use vector::cosine;
pub use vector::{UnitVector, Windows};
