use std::fs;
use std::path::Path;

use serde::Deserialize;
use tokenizers::Tokenizer;

use super::windows::windows;
use super::{Manifest, ModelError, Role};

/// A text that tokenizers keep in one piece wherever it stands.
const PROBE: &str = "the";

/// Turns texts into the tokens that a model is given.
pub(super) struct Tokens {
    tokenizer: Tokenizer,
    /// Special tokens at the start and at the end of every window.
    start: Vec<i64>,
    end: Vec<i64>,
    query_prefix: Vec<i64>,
    passage_prefix: Vec<i64>,
    max_tokens: usize,
}

impl Tokens {
    /// Reads the tokenizer in a model folder.
    pub fn load(folder: &Path, manifest: &Manifest) -> Result<Self, ModelError> {
        let failed = |cause: String| ModelError::load(folder, format!("tokenizer.json: {cause}"));
        let file = fs::read(folder.join("tokenizer.json"));
        let file = file.map_err(|error| failed(error.to_string()))?;
        let damaged = |error: tokenizers::Error| failed(error.to_string());
        let mut tokenizer = Tokenizer::from_bytes(file).map_err(damaged)?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(damaged)?;
        let ids = |text: &str, special: bool| -> Result<Vec<i64>, ModelError> {
            let encoding = tokenizer.encode_fast(text, special).map_err(damaged)?;
            Ok(encoding.get_ids().iter().map(|&id| i64::from(id)).collect())
        };
        // What stands around a text is what is there beside it.
        let around = |whole: &[i64], part: &[i64]| -> Option<(Vec<i64>, Vec<i64>)> {
            let at = whole.windows(part.len().max(1)).rposition(|window| window == part)?;
            let (start, rest) = whole.split_at_checked(at)?;
            Some((start.to_vec(), rest.get(part.len()..)?.to_vec()))
        };
        let text = ids(PROBE, false)?;
        let no_frame = || failed(format!("it splits {PROBE:?} in different ways"));
        let (start, end) = around(&ids(PROBE, true)?, &text).ok_or_else(no_frame)?;
        let prefix = |prefix: &str| -> Result<Vec<i64>, ModelError> {
            let whole = ids(&format!("{prefix}{PROBE}"), false)?;
            Ok(around(&whole, &text).ok_or_else(no_frame)?.0)
        };
        let query_prefix = prefix(&manifest.query_prefix)?;
        let passage_prefix = prefix(&manifest.passage_prefix)?;
        let max_tokens = manifest.max_tokens.min(own_limit(folder));
        let taken = start.len() + end.len() + query_prefix.len().max(passage_prefix.len());
        if taken >= max_tokens {
            let cause = format!("{max_tokens} tokens a window leave no room beside its prefix");
            return Err(ModelError::load(folder, cause));
        }
        Ok(Self { tokenizer, start, end, query_prefix, passage_prefix, max_tokens })
    }

    /// Tokens in one window, at most.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// The highest number of a token.
    pub fn highest(&self) -> i64 {
        let vocabulary = self.tokenizer.get_vocab(true);
        vocabulary.values().max().map_or(0, |&id| i64::from(id))
    }

    /// The words that are tokens by themselves, in the order of their numbers: vocabularies list
    /// what is frequent first.
    pub fn words(&self) -> Vec<String> {
        /// What stands before the start of a word in vocabularies of SentencePiece, and before a
        /// part that is not the start of one in those of WordPiece.
        const START: char = '\u{2581}';
        const PART: &str = "##";
        let mut tokens: Vec<(u32, String)> =
            self.tokenizer.get_vocab(false).into_iter().map(|(token, id)| (id, token)).collect();
        tokens.sort_unstable();
        let marks_starts = tokens.iter().any(|(_, token)| token.starts_with(START));
        let word = |token: String| match (marks_starts, token.strip_prefix(START)) {
            (true, rest) => rest.map(str::to_owned),
            (false, _) => (!token.starts_with(PART)).then_some(token),
        };
        let words = tokens.into_iter().filter_map(|(_, token)| word(token));
        words.filter(|word| word.len() > 1 && word.chars().all(char::is_alphanumeric)).collect()
    }

    /// The ids of each window of a text, ready for the model.
    pub fn windows(&self, text: &str, role: Role) -> Result<Vec<Vec<i64>>, ModelError> {
        let encoding = self.tokenizer.encode(text, false);
        let encoding = encoding.map_err(|error| ModelError::Run(error.to_string()))?;
        let prefix = match role {
            Role::Query => &self.query_prefix,
            Role::Passage => &self.passage_prefix,
        };
        let room = self.max_tokens - self.start.len() - self.end.len() - prefix.len();
        let ids = encoding.get_ids();
        let framed = |window: std::ops::Range<usize>| {
            let window = ids.get(window).unwrap_or_default();
            let window = window.iter().map(|&id| i64::from(id));
            let start = self.start.iter().chain(prefix).copied();
            start.chain(window).chain(self.end.iter().copied()).collect()
        };
        Ok(windows(&encoding, room).into_iter().map(framed).collect())
    }
}

/// Models that number the positions of tokens from two on.
const SHIFTED: [&str; 4] = ["roberta", "xlm-roberta", "camembert", "mpnet"];

/// The most tokens that a model can see, as its other files say it.
fn own_limit(folder: &Path) -> usize {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Limits {
        model_type: String,
        model_max_length: Option<f64>,
        max_position_embeddings: Option<f64>,
    }
    let limits = ["tokenizer_config.json", "config.json"].into_iter().flat_map(|name| {
        let file = fs::read(folder.join(name)).unwrap_or_default();
        let limits: Limits = serde_json::from_slice(&file).unwrap_or_default();
        let shift = if SHIFTED.contains(&limits.model_type.as_str()) { 2.0 } else { 0.0 };
        [limits.model_max_length, limits.max_position_embeddings.map(|limit| limit - shift)]
    });
    // Some write 1e30 for no limit.
    let limits = limits.flatten().filter(|&limit| limit >= 8.0);
    limits.fold(usize::MAX, |least, limit| least.min(limit as usize))
}
