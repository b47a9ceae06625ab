use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::verdict::{Features, Logistic};

use super::Mode;
use super::likeness::TEMPLATE;

/// What a probability is multiplied by where two documents share the wording and not the subject:
/// editors file such reports apart, however alike they are.
const OF_ONE_TEMPLATE: f32 = 0.2;

/// Parameters that were fitted with the vectors of the models that they name, and those that
/// were fitted to words alone.
const FITTED: &str = include_str!("parameters.toml");

/// How probabilities of being related are computed with the vectors of one model.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    semantic: Option<Semantic>,
    lexical: Functions,
}

/// The functions that were fitted with the vectors of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Semantic {
    /// By meaning and words.
    pub hybrid: Functions,
    /// By meaning alone.
    pub meaning: Functions,
}

/// The functions that give probabilities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Functions {
    /// That two documents cover the same events, by what both say.
    pub documents: Logistic,
    /// That two passages are about the same thing.
    pub passages: Logistic,
}

/// All that were fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FittedScale {
    /// Without vectors.
    pub lexical: Functions,
    /// With those of a model, by its id.
    pub semantic: BTreeMap<String, Semantic>,
}

impl Scale {
    /// The one for vectors of that model.
    pub fn of(model_id: &str) -> Self {
        #[allow(clippy::expect_used, reason = "the file is a constant that the tests read")]
        static ALL: LazyLock<FittedScale> =
            LazyLock::new(|| toml::from_str(FITTED).expect("parameters.toml"));
        Self::from_fitted(&ALL, model_id)
    }

    /// The one for vectors of that model, of those that were fitted.
    pub fn from_fitted(fitted: &FittedScale, model_id: &str) -> Self {
        // Parameters are those of the weights, in whatever precision these are computed.
        let name = model_id.rsplit_once('/').map_or(model_id, |(name, _)| name);
        Self { semantic: fitted.semantic.get(name).cloned(), lexical: fitted.lexical.clone() }
    }

    fn functions(&self, mode: Mode, has_vectors: bool) -> &Functions {
        let semantic = self.semantic.as_ref().filter(|_| has_vectors && mode.has_meaning());
        semantic
            .map_or(&self.lexical, |all| if mode.has_words() { &all.hybrid } else { &all.meaning })
    }

    /// The probability that two documents cover the same events.
    pub fn documents(&self, mode: Mode, features: &Features) -> f32 {
        let has = |wanted: &str| features.iter().any(|(name, _)| *name == wanted);
        let probability = self.functions(mode, has("coverage")).documents.probability(features);
        if has(TEMPLATE) { probability * OF_ONE_TEMPLATE } else { probability }
    }

    /// The probability that two passages are about the same thing.
    pub fn passages(&self, mode: Mode, features: &Features) -> f32 {
        let has_vectors = features.iter().any(|(name, _)| *name == "cosine");
        self.functions(mode, has_vectors).passages.probability(features)
    }
}
