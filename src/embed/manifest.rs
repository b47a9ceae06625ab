use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::SetupError;

/// The name of the manifest in a model folder.
pub(super) const MANIFEST: &str = "copydesk.toml";

/// Tokens that a model sees in one window where its manifest says nothing.
const MAX_TOKENS: usize = 256;

/// What the files of a model do not say themselves. All of it may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Manifest {
    /// What to call the model. `None`: by the hashes of its files.
    pub name: Option<String>,
    /// How the vectors of tokens become one.
    pub pooling: Pooling,
    /// Stands before every text that is asked about.
    pub query_prefix: String,
    /// Stands before every text that is stored.
    pub passage_prefix: String,
    /// Tokens in one window, special ones and the prefix included.
    pub max_tokens: usize,
    /// How products are computed, unless the caller says otherwise. `None`: in f32.
    pub precision: Option<Precision>,
    /// Components of a vector. `None`: what the model gives.
    pub dimension: Option<usize>,
    /// Languages that it speaks, as primary subtags. `None`: not known.
    pub languages: Option<Vec<String>>,
}

/// A window may not be longer: no passage has more tokens.
const MOST_TOKENS: usize = 2_048;

impl Default for Manifest {
    fn default() -> Self {
        Self {
            name: None,
            pooling: Pooling::Mean,
            query_prefix: String::new(),
            passage_prefix: String::new(),
            max_tokens: MAX_TOKENS,
            precision: None,
            dimension: None,
            languages: None,
        }
    }
}

/// How the vectors of tokens become the vector of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// Their mean.
    Mean,
    /// The first one.
    Cls,
}

impl Pooling {
    /// Its name in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Cls => "cls",
        }
    }
}

/// How products with the weights are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// In single-precision floating point.
    F32,
    /// As integers: weights of 8 bits, and activations that are quantised to 8 bits for
    /// each product.
    Int8,
}

impl Precision {
    /// Its name in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Int8 => "int8",
        }
    }

    /// The one of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::F32, Self::Int8].into_iter().find(|precision| precision.as_str() == name)
    }
}

impl Manifest {
    /// The manifest in `folder`; the default one where there is none.
    pub(super) fn read(folder: &Path) -> Result<Self, SetupError> {
        let path = folder.join(MANIFEST);
        let wrong =
            |cause: String| SetupError::Manifest { path: path.display().to_string(), cause };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(wrong(error.to_string())),
        };
        // One sentence: the parser's own message has the line in a drawing.
        let manifest: Self =
            toml::from_str(&text).map_err(|error| wrong(error.message().trim().to_owned()))?;
        match manifest.wrong() {
            Some(cause) => Err(wrong(cause)),
            None => Ok(manifest),
        }
    }

    /// What is wrong with its values, if anything.
    fn wrong(&self) -> Option<String> {
        let is_word = |text: &str, longest| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            (1..=longest).contains(&text.len()) && text.chars().all(plain)
        };
        if self.name.as_ref().is_some_and(|name| !is_word(name, 64)) {
            return Some("name is not 1 to 64 letters, digits, dots, dashes".to_owned());
        }
        if !(8..=MOST_TOKENS).contains(&self.max_tokens) {
            return Some(format!("max_tokens is {}, give 8 to {MOST_TOKENS}", self.max_tokens));
        }
        for prefix in [&self.query_prefix, &self.passage_prefix] {
            if prefix.chars().count() > 200 || prefix.chars().any(char::is_control) {
                return Some("a prefix has more than 200 characters, or odd ones".to_owned());
            }
        }
        let languages = self.languages.iter().flatten();
        let mut odd = languages.filter(|language| !is_word(language, 3));
        odd.next().map(|language| format!("languages: {language:?} is no primary subtag"))
    }
}
