use std::path::PathBuf;
use std::sync::Arc;

use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::Session as OrtSession;
use ort::session::builder::{GraphOptimizationLevel, PrepackedWeights, SessionBuilder};
use ort::value::{DynValue, Tensor, TensorRef};

use super::onnx::{OnnxError, SharedTensor};

/// The inputs that an encoder may have.
const IDS: &str = "input_ids";
const MASK: &str = "attention_mask";
const TYPES: &str = "token_type_ids";

/// Outputs that hold a vector for each token, or else one for the text.
const OUTPUTS: [&str; 4] =
    ["last_hidden_state", "token_embeddings", "text_embeds", "sentence_embedding"];

/// A fusion of ONNX Runtime that is slower than what it replaces: in 1.31 the fused
/// operator is scalar code (75 us for 39 x 384 numbers, where the sum takes 4 us and
/// the normalisation 9 us).
const SLOW_FUSION: &str = "SkipLayerNormFusion";

/// A model as sessions are made from it.
pub(super) enum Source {
    /// A model file in memory, and those of its constants that it leaves out: sessions
    /// share them.
    Memory { bytes: Vec<u8>, weights: Vec<SharedTensor> },
    /// A model file as it is, whose weights may be in further files beside it.
    File(PathBuf),
}

/// Makes sessions of one model. They share its weights, as they are and as the runtime
/// packs them for its kernels.
pub(super) struct Sessions {
    environment: Environment,
    model: Model,
    weights: Vec<(String, Arc<DynValue>)>,
    packed: PrepackedWeights,
}

enum Model {
    Memory(Vec<u8>),
    File(PathBuf),
}

impl Sessions {
    pub fn new(environment: Environment, source: Source) -> Result<Self, SessionError> {
        let (model, weights) = match source {
            Source::Memory { bytes, weights } => (Model::Memory(bytes), weights),
            Source::File(path) => (Model::File(path), Vec::new()),
        };
        let weights = weights.into_iter().map(value).collect::<Result<_, _>>()?;
        Ok(Self { environment, model, weights, packed: PrepackedWeights::new() })
    }

    /// A session for one thread.
    pub fn session(&self) -> Result<Session, SessionError> {
        let mut builder = builder(&self.environment)?.with_prepacked_weights(&self.packed)?;
        // Said twice: as what the graph leaves out, and as what is shared. Only what is
        // shared is packed once for all sessions.
        for (name, value) in &self.weights {
            builder = builder
                .with_external_initializer(name, Arc::clone(value))?
                .with_initializer(name, Arc::clone(value))?;
        }
        let session = match &self.model {
            Model::Memory(bytes) => builder.commit_from_memory(bytes)?,
            Model::File(path) => builder.commit_from_file(path)?,
        };
        Session::new(session)
    }
}

/// The options of all sessions.
pub(super) fn builder(environment: &Environment) -> Result<SessionBuilder, SessionError> {
    let builder = OrtSession::builder(environment)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_disabled_optimizers(SLOW_FUSION)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        // Its errors come back with the calls.
        .with_log_level(LogLevel::Fatal)?
        // Plans memory for one length of text; each has its own.
        .with_memory_pattern(false)?;
    Ok(builder)
}

fn value(tensor: SharedTensor) -> Result<(String, Arc<DynValue>), SessionError> {
    Ok(match tensor {
        SharedTensor::F32 { name, dims, numbers } => {
            (name, Arc::new(Tensor::from_array((dims, numbers))?.into_dyn()))
        }
        SharedTensor::Int8 { name, dims, numbers } => {
            (name, Arc::new(Tensor::from_array((dims, numbers))?.into_dyn()))
        }
    })
}

/// Why a model does not run.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    /// The runtime refused.
    #[error("{}", first_line(.0))]
    Runtime(#[from] ort::Error),
    /// The graph cannot be written.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// Its graph has inputs that are not those of an encoder of texts.
    #[error(
        "its inputs are {0}; an encoder of texts has input_ids, and may have attention_mask and token_type_ids"
    )]
    Inputs(String),
    /// Its output has another shape.
    #[error(
        "its output has the shape {0}; [batch, tokens, dimension] or [batch, dimension] is needed"
    )]
    Output(String),
}

impl From<ort::Error<SessionBuilder>> for SessionError {
    fn from(error: ort::Error<SessionBuilder>) -> Self {
        Self::Runtime(error.into())
    }
}

/// The runtime's own words, as far as they fit into a sentence.
fn first_line(error: &ort::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().chars().take(160).collect()
}

/// One session of a model: for one thread.
pub(super) struct Session {
    session: OrtSession,
    output: String,
    has_mask: bool,
    has_types: bool,
}

/// What a model gives for a text: rows of `dimension` numbers.
pub(super) struct Encoded<'a> {
    pub rows: &'a [f32],
    pub dimension: usize,
    /// The one row stands for the text, not for a token.
    pub is_pooled: bool,
}

impl Session {
    fn new(session: OrtSession) -> Result<Self, SessionError> {
        let inputs: Vec<&str> = session.inputs().iter().map(|input| input.name()).collect();
        let known = [IDS, MASK, TYPES];
        if !inputs.contains(&IDS) || inputs.iter().any(|input| !known.contains(input)) {
            return Err(SessionError::Inputs(inputs.join(", ")));
        }
        let (has_mask, has_types) = (inputs.contains(&MASK), inputs.contains(&TYPES));
        let outputs: Vec<&str> = session.outputs().iter().map(|output| output.name()).collect();
        let output = OUTPUTS.iter().find(|name| outputs.contains(name)).or(outputs.first());
        let output = output.copied().unwrap_or_default().to_owned();
        Ok(Self { session, output, has_mask, has_types })
    }

    /// Runs the model on one text of at least one token and hands what it gives to
    /// `take`.
    pub fn run<T>(
        &mut self,
        ids: &[i64],
        take: impl FnOnce(Encoded<'_>) -> T,
    ) -> Result<T, SessionError> {
        let shape = [1, ids.len()];
        let ones = vec![1_i64; if self.has_mask { ids.len() } else { 0 }];
        let zeros = vec![0_i64; if self.has_types { ids.len() } else { 0 }];
        let mut inputs = ort::inputs![IDS => TensorRef::from_array_view((shape, ids))?];
        if self.has_mask {
            let mask = TensorRef::from_array_view((shape, ones.as_slice()))?;
            inputs.push((MASK.into(), mask.into()));
        }
        if self.has_types {
            let types = TensorRef::from_array_view((shape, zeros.as_slice()))?;
            inputs.push((TYPES.into(), types.into()));
        }
        let outputs = self.session.run(inputs)?;
        let wrong = |shape: &[i64]| SessionError::Output(format!("{shape:?}"));
        let output = outputs.get(&self.output).ok_or_else(|| wrong(&[]))?;
        let (shape, rows) = output.try_extract_tensor::<f32>()?;
        let (tokens, dimension) = match **shape {
            [1, tokens, dimension] => (Some(tokens), dimension),
            [1, dimension] => (None, dimension),
            _ => return Err(wrong(shape)),
        };
        let expected = ids.len() as i64;
        if tokens.is_some_and(|tokens| tokens != expected) || dimension < 1 {
            return Err(wrong(shape));
        }
        let dimension = dimension.unsigned_abs() as usize;
        Ok(take(Encoded { rows, dimension, is_pooled: tokens.is_none() }))
    }
}
