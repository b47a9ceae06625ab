use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::logistic::Logistic;

/// Parameters that were fitted with the vectors of the models that they name, and those
/// that were fitted without vectors.
const FITTED: &str = include_str!("parameters.toml");

/// How verdicts are reached with one model.
///
/// With vectors of a model that no parameters were fitted with, words and facts decide:
/// a cosine of .9 means another thing to each model.
#[derive(Debug, Clone, PartialEq)]
pub struct Judge {
    semantic: Option<Parameters>,
    lexical: Parameters,
}

/// The functions that give probabilities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameters {
    /// That two passages say the same.
    pub passage: Logistic,
    /// That a document is a copy or a later version of another one.
    pub document: Logistic,
    /// That a document which is either is a later version.
    pub update: Logistic,
}

/// All that were fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fitted {
    /// Without vectors.
    pub lexical: Parameters,
    /// With those of a model, by its id.
    pub semantic: BTreeMap<String, Parameters>,
}

impl Judge {
    /// The one for vectors of that model.
    pub fn of(model_id: &str) -> Self {
        #[allow(clippy::expect_used, reason = "the file is a constant that the tests read")]
        static ALL: LazyLock<Fitted> =
            LazyLock::new(|| toml::from_str(FITTED).expect("parameters.toml"));
        Self::from_fitted(&ALL, model_id)
    }

    /// The one for vectors of that model, of those that were fitted.
    pub fn from_fitted(fitted: &Fitted, model_id: &str) -> Self {
        // Parameters are those of the weights, in whatever precision these are computed.
        let name = model_id.rsplit_once('/').map_or(model_id, |(name, _)| name);
        let semantic = fitted.semantic.get(name).cloned();
        Self { semantic, lexical: fitted.lexical.clone() }
    }

    /// Whether vectors count.
    pub fn is_semantic(&self) -> bool {
        self.semantic.is_some()
    }

    /// The probability from which on two passages count as the same.
    pub fn least_probability(&self, has_cosine: bool) -> f32 {
        self.passage(has_cosine).threshold
    }

    pub(super) fn passage(&self, has_cosine: bool) -> &Logistic {
        &self.parameters(has_cosine).passage
    }

    pub(super) fn parameters(&self, has_cosine: bool) -> &Parameters {
        self.semantic.as_ref().filter(|_| has_cosine).unwrap_or(&self.lexical)
    }
}

#[cfg(test)]
mod tests {
    use super::Judge;

    #[test]
    fn the_default_model_has_parameters_of_its_own() {
        assert!(Judge::of("all-MiniLM-L6-v2/int8").is_semantic());
        assert!(!Judge::of("unheard-of/f32").is_semantic());
    }
}
