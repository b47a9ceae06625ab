use std::fs;
use std::path::Path;

use fastembed::{
    InitOptionsUserDefined, Pooling, QuantizationMode, TextEmbedding, TokenizerFiles,
    UserDefinedEmbeddingModel,
};
use tokenizers::Tokenizer;

use super::windows::windows;
use super::{ModelFiles, Setup, UnitVector, Windows, runtime};

/// Tokens that the default model sees in one window.
const MAX_TOKENS: usize = 256;

/// Languages that the default model speaks: it was trained on English.
const LANGUAGES: [&str; 1] = ["en"];

/// What is known about the model in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInfo {
    /// Its name.
    pub id: String,
    /// SHA-256 of its weights, in hex.
    pub weights_sha256: String,
    /// Components of a vector.
    pub dimension: usize,
    /// Tokens in one window, special ones included.
    pub max_tokens: usize,
    /// How products are computed.
    pub precision: &'static str,
    /// How token vectors become one.
    pub pooling: &'static str,
    /// Languages that it speaks; `None` where that is not known.
    pub languages: Option<&'static [&'static str]>,
}

impl ModelInfo {
    /// Whether the model can tell texts in this language apart. What is not known gets
    /// the benefit of the doubt.
    pub fn speaks(&self, primary_language: &str) -> bool {
        primary_language == crate::text::UNDETERMINED
            || self.languages.is_none_or(|languages| languages.contains(&primary_language))
    }
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
    /// Tokenising or running the model failed.
    #[error("the model failed on a text: {0}")]
    Run(String),
    /// The model gave no direction for a text.
    #[error("the model gave a vector that is not finite or has no length")]
    BadVector,
}

/// One session of the model: for one thread.
pub(super) struct Model {
    session: TextEmbedding,
    tokenizer: Tokenizer,
    max_tokens: usize,
}

impl Model {
    pub fn load(setup: &Setup) -> Result<Self, ModelError> {
        let environment = runtime::environment(&setup.runtime)?;
        let folder = &setup.model.folder;
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read(&path)
                .map_err(|error| load_error(folder, format!("{}: {error}", path.display())))
        };
        let files = TokenizerFiles {
            tokenizer_file: read("tokenizer.json")?,
            config_file: read("config.json")?,
            special_tokens_map_file: b"{}".to_vec(),
            tokenizer_config_file: read("tokenizer_config.json")?,
        };
        let model = UserDefinedEmbeddingModel::new(read("model.onnx")?, files)
            .with_pooling(Pooling::Mean)
            .with_quantization(QuantizationMode::None);
        let options = InitOptionsUserDefined::new()
            .with_environment(environment)
            .with_max_length(MAX_TOKENS)
            .with_intra_threads(1)
            .with_session_config("session.intra_op.allow_spinning", "0");
        tokenizers::utils::parallelism::set_parallelism(false);
        let session = TextEmbedding::try_new_from_user_defined(model, options)
            .map_err(|error| load_error(folder, error))?;
        let mut tokenizer = session.tokenizer.clone();
        // The model's own limit may be lower than ours.
        let truncation = tokenizer.get_truncation();
        let max_tokens = truncation.map_or(MAX_TOKENS, |truncation| truncation.max_length);
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| load_error(folder, error))?;
        Ok(Self { session, tokenizer, max_tokens })
    }

    pub fn info(&mut self, files: &ModelFiles) -> Result<ModelInfo, ModelError> {
        let probe = self.embed("dimension")?;
        let dimension = probe.vectors().first().map_or(0, |vector| vector.as_slice().len());
        let start = |hash: &str| hash.chars().take(12).collect::<String>();
        let (id, languages) = match files.is_default() {
            true => ("all-MiniLM-L6-v2".to_owned(), Some(&LANGUAGES[..])),
            false => {
                let (weights, tokenizer) = (&files.weights_sha256, &files.tokenizer_sha256);
                (format!("custom-{}-{}", start(weights), start(tokenizer)), None)
            }
        };
        Ok(ModelInfo {
            id,
            weights_sha256: files.weights_sha256.clone(),
            dimension,
            max_tokens: self.max_tokens,
            precision: "f32",
            pooling: "mean",
            languages,
        })
    }

    /// One vector for each window of `text`.
    pub fn embed(&mut self, text: &str) -> Result<Windows, ModelError> {
        let encoding = self.tokenizer.encode(text, false);
        let encoding = encoding.map_err(|error| ModelError::Run(error.to_string()))?;
        let mut vectors = Vec::new();
        for window in windows(&encoding, text.len(), self.max_tokens) {
            let window = text.get(window).unwrap_or(text);
            vectors.push(self.embed_window(window)?);
        }
        Windows::new(vectors).ok_or(ModelError::BadVector)
    }

    fn embed_window(&mut self, window: &str) -> Result<UnitVector, ModelError> {
        let batch = self.session.embed([window], Some(1));
        let batch = batch.map_err(|error| ModelError::Run(error.to_string()))?;
        batch.first().and_then(|raw| UnitVector::normalized(raw)).ok_or(ModelError::BadVector)
    }
}

fn load_error(folder: &Path, cause: impl ToString) -> ModelError {
    ModelError::Load { folder: folder.display().to_string(), cause: cause.to_string() }
}
