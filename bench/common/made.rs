//! Corpora that no model had to embed: vectors that are mixtures of real ones.

use std::path::Path;
use std::sync::Arc;

use copydesk::article::{Article, Passage};
use copydesk::embed::{Embedder, ModelInfo, Setup, SetupOptions, UnitVector};
use copydesk::store::{DocumentKey, PassageKey};
use copydesk::verdict::{DocumentVerdict, PassageVerdict, Verdict};
use fastrand::Rng;

use super::vectors;

/// The default model, which a server will open the store with.
pub fn model() -> Arc<ModelInfo> {
    let setup = Setup::ensure(&SetupOptions::default(), &|_, _| {}).unwrap();
    Arc::clone(Embedder::start(&setup, 1).unwrap().model())
}

/// Mixtures of two real vectors.
pub struct Mixtures {
    pub real: Vec<UnitVector>,
    pub rng: Rng,
}

impl Mixtures {
    /// Of the vectors in a file.
    pub fn of(file: &Path) -> Self {
        let real = vectors(file);
        let real = real.iter().map(|windows| windows.vectors()[0].clone()).collect();
        Self { real, rng: Rng::with_seed(2026) }
    }

    /// One of the real ones.
    pub fn any(&mut self) -> &UnitVector {
        &self.real[self.rng.usize(0..self.real.len())]
    }

    pub fn next(&mut self) -> UnitVector {
        let share = 0.3 + 0.4 * self.rng.f32();
        let one = self.any().clone();
        self.near(&one, share)
    }

    /// One that has so much of another one.
    pub fn near(&mut self, one: &UnitVector, share: f32) -> UnitVector {
        let other = self.any().as_slice().iter();
        let mixed = one.as_slice().iter().zip(other).map(|(a, b)| share * a + (1.0 - share) * b);
        UnitVector::normalized(&mixed.collect::<Vec<f32>>()).unwrap()
    }
}

/// That nothing of an article was there before.
pub fn all_new(article: &Article) -> DocumentVerdict<DocumentKey, PassageKey> {
    let passage = |passage: &Passage| PassageVerdict {
        ordinal: passage.ordinal,
        kind: passage.kind,
        verdict: Verdict::New,
        probability: 0.0,
        novelty: 1.0,
        matched: None,
    };
    DocumentVerdict {
        verdict: Verdict::New,
        of: None,
        probability: 0.0,
        duplicate_share: 0.0,
        novelty: 1.0,
        lexical_only: false,
        passages: article.passages.iter().map(passage).collect(),
    }
}
