use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use ort::environment::Environment;
use sha2::{Digest, Sha256};

use super::fetch::hex;
use super::rewritten::{self, RewriteError};
use super::session::{Encoded, Session, Sessions, Source};
use super::tokens::Tokens;
use super::{
    Manifest, ModelFiles, Pooling, Precision, Setup, UnitVector, Windows, exactness, onnx, runtime,
};

/// The name of the model that comes with the program, and the languages that it was
/// trained on.
const DEFAULT_NAME: &str = "all-MiniLM-L6-v2";
const DEFAULT_LANGUAGES: [&str; 1] = ["en"];

/// What is known about the model in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInfo {
    /// Its name, with all that makes its vectors what they are.
    pub id: String,
    /// SHA-256 of its weights, in hex.
    pub weights_sha256: String,
    /// Components of a vector.
    pub dimension: usize,
    /// Tokens in one window, special ones included.
    pub max_tokens: usize,
    /// How products are computed.
    pub precision: Precision,
    /// How token vectors become one.
    pub pooling: Pooling,
    /// Whether a question is embedded as a stored text is.
    pub is_symmetric: bool,
    /// Languages that it speaks; `None` where that is not known.
    pub languages: Option<Vec<String>>,
}

impl ModelInfo {
    /// Whether the model can tell texts in this language apart. What is not known gets
    /// the benefit of the doubt.
    pub fn speaks(&self, primary_language: &str) -> bool {
        primary_language == crate::text::UNDETERMINED
            || self
                .languages
                .as_ref()
                .is_none_or(|languages| languages.iter().any(|it| it == primary_language))
    }
}

/// What a text is embedded as. Some models want a prefix that says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// As one that others are about.
    Query,
    /// As one that is stored, or compared with those that are.
    Passage,
}

/// Why a model cannot be used, or cannot embed a text.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The library cannot be loaded.
    #[error(
        "cannot load ONNX Runtime from {path}: {cause}; set ORT_DYLIB_PATH to the library of version 1.24 or later"
    )]
    Runtime {
        /// The library.
        path: String,
        /// Why.
        cause: String,
    },
    /// A model file cannot be used.
    #[error("cannot load the model in {folder}: {cause}")]
    Load {
        /// The folder.
        folder: String,
        /// Why.
        cause: String,
    },
    /// Integers were asked for, and are not exact here.
    #[error(
        "products of integers are not exact on this processor, which saturates them; use --precision f32"
    )]
    Inexact,
    /// Tokenising or running the model failed.
    #[error("the model failed on a text: {0}")]
    Run(String),
    /// The model gave no direction for a text.
    #[error(
        "the model gave a vector that is not finite or has no length for {excerpt:?}; leave that passage out"
    )]
    BadVector {
        /// How the text begins.
        excerpt: String,
    },
}

impl ModelError {
    pub(super) fn load(folder: &Path, cause: impl ToString) -> Self {
        Self::Load { folder: folder.display().to_string(), cause: cause.to_string() }
    }
}

/// A model that is loaded once, for any number of threads.
pub(super) struct Loaded {
    sessions: Sessions,
    tokens: Arc<Tokens>,
    pooling: Pooling,
    pub info: Arc<ModelInfo>,
}

impl Loaded {
    /// The words that it knows by themselves, the most frequent first.
    pub fn words(&self) -> Vec<String> {
        self.tokens.words()
    }
}

/// One session of a model: for one thread.
pub(super) struct Model {
    session: Session,
    tokens: Arc<Tokens>,
    pooling: Pooling,
    /// Components of its vectors, once that is known.
    dimension: Option<usize>,
}

impl Loaded {
    /// Loads the model of a set-up, in the precision that was asked for, or else in the
    /// one that suits the model and the processor.
    ///
    /// # Errors
    ///
    /// If the runtime or the model cannot be used.
    pub fn load(setup: &Setup) -> Result<Self, ModelError> {
        let environment = runtime::environment(&setup.runtime)?;
        let folder = &setup.model.folder;
        let manifest = &setup.model.manifest;
        let precision = precision(setup, &environment)?;
        let tokens = Arc::new(Tokens::load(folder, manifest)?);
        let source = source(setup, precision, &environment, &tokens)?;
        let sessions = Sessions::new(environment, source);
        let sessions = sessions.map_err(|error| ModelError::load(folder, error))?;
        let model = |sessions: &Sessions| -> Result<Model, ModelError> {
            let session = sessions.session().map_err(|error| ModelError::load(folder, error))?;
            let (tokens, pooling) = (Arc::clone(&tokens), manifest.pooling);
            Ok(Model { session, tokens, pooling, dimension: None })
        };
        let mut probe = model(&sessions)?;
        let (most, highest) = (tokens.max_tokens(), tokens.highest());
        probe.session.run(&vec![highest; most], |_| ()).map_err(|error| {
            let cause = format!(
                "it cannot take {most} tokens, up to number {highest}, that its tokenizer and manifest allow ({error})"
            );
            ModelError::load(folder, cause)
        })?;
        // A short text, and one that fills the window.
        for text in PROBES.iter() {
            let windows = probe.embed(text, Role::Passage);
            let windows = windows.map_err(|error| match error {
                ModelError::BadVector { .. } => {
                    ModelError::load(folder, "its vectors are not finite or have no length")
                }
                error => ModelError::load(folder, error),
            })?;
            probe.dimension = windows.vectors().first().map(|vector| vector.as_slice().len());
        }
        let dimension = probe.dimension.unwrap_or(0);
        if let Some(stated) = manifest.dimension.filter(|&stated| stated != dimension) {
            let cause =
                format!("its vectors have {dimension} components, its manifest says {stated}");
            return Err(ModelError::load(folder, cause));
        }
        let info = Arc::new(info(&setup.model, precision, dimension, tokens.max_tokens()));
        Ok(Self { sessions, tokens, pooling: manifest.pooling, info })
    }

    /// The model for one more thread.
    pub fn model(&self) -> Result<Model, ModelError> {
        let session =
            self.sessions.session().map_err(|error| ModelError::Run(error.to_string()))?;
        let (tokens, pooling) = (Arc::clone(&self.tokens), self.pooling);
        Ok(Model { session, tokens, pooling, dimension: Some(self.info.dimension) })
    }
}

/// What the model of a set-up is, once it has been loaded and tried. Blocks.
///
/// # Errors
///
/// If the runtime or the model cannot be used.
pub fn model_of(setup: &Setup) -> Result<Arc<ModelInfo>, ModelError> {
    Loaded::load(setup).map(|loaded| loaded.info)
}

/// The precision to use: what was asked for, else what the manifest says; the default
/// model multiplies integers wherever that is exact.
fn precision(setup: &Setup, environment: &Environment) -> Result<Precision, ModelError> {
    let files = &setup.model;
    let asked = setup.precision.or(files.manifest.precision);
    let wanted = match asked {
        Some(precision) => precision,
        None if files.is_default() => Precision::Int8,
        None => {
            let model = fs::read(files.folder.join("model.onnx")).unwrap_or_default();
            match onnx::multiplies_integers(&model) {
                true => Precision::Int8,
                false => Precision::F32,
            }
        }
    };
    if wanted == Precision::F32 {
        return Ok(Precision::F32);
    }
    let is_exact = exactness::products_are_exact(environment)
        .map_err(|error| ModelError::load(&files.folder, error))?;
    match (is_exact, asked) {
        (true, _) => Ok(Precision::Int8),
        (false, Some(_)) => Err(ModelError::Inexact),
        (false, None) => {
            tracing::warn!("integer products saturate on this processor: computing in f32");
            Ok(Precision::F32)
        }
    }
}

/// The model to run: rewritten, or as it is where it cannot be rewritten and is to run in
/// single precision.
fn source(
    setup: &Setup,
    precision: Precision,
    environment: &Environment,
    tokens: &Arc<Tokens>,
) -> Result<Source, ModelError> {
    let files = &setup.model;
    let failed = |cause: String| ModelError::load(&files.folder, cause);
    let original = files.folder.join("model.onnx");
    let agrees = |bytes: &[u8], precision: Precision| {
        let pooling = files.manifest.pooling;
        let rewritten = Probe { source: in_memory(bytes)?, tokens, pooling };
        let original = Probe { source: Source::File(original.clone()), tokens, pooling };
        agree(environment, original, rewritten, precision)
    };
    let check = |bytes: &[u8]| {
        // In single precision nothing may change but the last digits: whatever does is a rule
        // that does not fit this model.
        let model = fs::read(&original).map_err(|error| error.to_string())?;
        match onnx::rewrite(&model, Precision::F32) {
            Ok(bytes) => agrees(&bytes, Precision::F32)?,
            Err(onnx::OnnxError::IntegersAlready) => {}
            Err(error) => return Err(error.to_string()),
        }
        match precision {
            Precision::F32 => Ok(()),
            Precision::Int8 => agrees(bytes, precision),
        }
    };
    match rewritten::ensure(files, &setup.cache, precision, check) {
        Ok(bytes) => in_memory(&bytes).map_err(failed),
        // It runs as it is, more slowly.
        Err(RewriteError::Onnx(onnx::OnnxError::External | onnx::OnnxError::Unsupported(_)))
            if precision == Precision::F32 =>
        {
            Ok(Source::File(original))
        }
        Err(RewriteError::Check(cause)) if precision == Precision::F32 => {
            tracing::warn!(cause, "the model runs as it is, not rewritten");
            Ok(Source::File(original))
        }
        Err(error) => Err(failed(error.to_string())),
    }
}

fn in_memory(bytes: &[u8]) -> Result<Source, String> {
    let (bytes, weights) = onnx::split(bytes).map_err(|error| error.to_string())?;
    Ok(Source::Memory { bytes, weights })
}

/// Texts on which a model is tried, and a rewritten one compared with what it was: a
/// short one, usual ones, and one that fills any window.
static PROBES: LazyLock<[String; 4]> = LazyLock::new(|| {
    let usual = "The central bank raised its key rate by a quarter of a point on Thursday, to 4.5 \
                 percent, and said that more might follow.";
    let other = "Rescue workers searched the rubble for a third day; officials put the number of \
                 the dead at 312 and said that hundreds were missing in the valley.";
    let long = (0..10).map(|_| [usual, other]).collect::<Vec<_>>().concat().join(" ");
    ["Prices rose.".to_owned(), usual.to_owned(), other.to_owned(), long]
});

/// Least cosine with the vectors of the model as it was.
const AGREEMENT_F32: f32 = 0.9999;
const AGREEMENT_INT8: f32 = 0.95;

struct Probe<'a> {
    source: Source,
    tokens: &'a Arc<Tokens>,
    pooling: Pooling,
}

impl Probe<'_> {
    fn vectors(self, environment: &Environment) -> Result<Vec<Windows>, String> {
        let sessions = Sessions::new(environment.clone(), self.source);
        let session = sessions.and_then(|sessions| sessions.session());
        let session = session.map_err(|error| error.to_string())?;
        let (tokens, pooling) = (Arc::clone(self.tokens), self.pooling);
        let mut model = Model { session, tokens, pooling, dimension: None };
        let embed = |text: &String| model.embed(text, Role::Passage);
        let vectors: Result<_, _> = PROBES.iter().map(embed).collect();
        vectors.map_err(|error| match error {
            ModelError::BadVector { .. } => {
                "its vectors are not finite or have no length".to_owned()
            }
            error => error.to_string(),
        })
    }
}

/// Whether a rewritten model says the same as the original.
fn agree(
    environment: &Environment,
    original: Probe<'_>,
    rewritten: Probe<'_>,
    precision: Precision,
) -> Result<(), String> {
    let least = match precision {
        Precision::F32 => AGREEMENT_F32,
        Precision::Int8 => AGREEMENT_INT8,
    };
    let (original, rewritten) = (original.vectors(environment)?, rewritten.vectors(environment)?);
    let windows = |texts: &[Windows]| -> Vec<UnitVector> {
        texts.iter().flat_map(|windows| windows.vectors().to_vec()).collect()
    };
    let (original, rewritten) = (windows(&original), windows(&rewritten));
    let cosines = original.iter().zip(&rewritten).map(|(a, b)| a.cosine(b));
    let cosine = cosines.fold(1.0, f32::min);
    if cosine >= least {
        return Ok(());
    }
    let precision = precision.as_str();
    Err(format!(
        "rewritten for {precision}, it gives other vectors (cosine {cosine:.4}); its architecture is not supported"
    ))
}

fn info(
    files: &ModelFiles,
    precision: Precision,
    dimension: usize,
    max_tokens: usize,
) -> ModelInfo {
    let manifest = &files.manifest;
    let (name, languages) = match files.is_default() {
        true => (DEFAULT_NAME.to_owned(), Some(DEFAULT_LANGUAGES.map(str::to_owned).to_vec())),
        false => {
            let name = manifest.name.as_deref().unwrap_or("custom");
            (format!("{name}-{}", fingerprint(files)), manifest.languages.clone())
        }
    };
    ModelInfo {
        id: format!("{name}/{}", precision.as_str()),
        weights_sha256: files.weights_sha256.clone(),
        dimension,
        max_tokens,
        precision,
        pooling: manifest.pooling,
        is_symmetric: manifest.query_prefix == manifest.passage_prefix,
        languages,
    }
}

/// Names all that makes the vectors of a model what they are, but for the precision.
fn fingerprint(files: &ModelFiles) -> String {
    let Manifest { pooling, query_prefix, passage_prefix, max_tokens, .. } = &files.manifest;
    let parts = [&files.weights_sha256, &files.tokenizer_sha256, query_prefix, passage_prefix];
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    digest.update(format!("{} {max_tokens}", pooling.as_str()));
    hex(&digest.finalize()).chars().take(12).collect()
}

impl Model {
    /// One vector for each window of `text`.
    pub fn embed(&mut self, text: &str, role: Role) -> Result<Windows, ModelError> {
        let pooling = self.pooling;
        let mut vectors = Vec::new();
        for ids in self.tokens.windows(text, role)? {
            let vector = self.session.run(&ids, |encoded| pool(&encoded, pooling));
            let vector = vector.map_err(|error| ModelError::Run(error.to_string()))?;
            let vector = vector.ok_or_else(|| bad_vector(text))?;
            let found = vector.as_slice().len();
            if let Some(expected) = self.dimension.filter(|&expected| expected != found) {
                let cause = format!("it gave {found} components instead of {expected}");
                return Err(ModelError::Run(cause));
            }
            vectors.push(vector);
        }
        Windows::new(vectors).ok_or_else(|| bad_vector(text))
    }
}

fn bad_vector(text: &str) -> ModelError {
    ModelError::BadVector { excerpt: text.chars().take(60).collect() }
}

/// The vector of a text from those of its tokens.
fn pool(encoded: &Encoded<'_>, pooling: Pooling) -> Option<UnitVector> {
    let mut rows = encoded.rows.chunks_exact(encoded.dimension);
    if encoded.is_pooled || pooling == Pooling::Cls {
        return UnitVector::normalized(rows.next()?);
    }
    // Their sum has the direction of their mean.
    let mut sum = rows.next()?.to_vec();
    for row in rows {
        sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
    }
    UnitVector::normalized(&sum)
}
