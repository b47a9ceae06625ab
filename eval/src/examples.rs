//! What the parameters are fitted to, and how.

use std::collections::BTreeMap;

use copydesk::corpus::Corpus;
use copydesk::verdict::{
    Features, Fitted, Judge, PairFeatures, Parameters, Report, ReportPassage, Verdict,
    compare_passages, features, passage_features,
};

use crate::cases::{Case, Task};
use crate::data::{Failure, Sentences, Story};
use crate::fit::{Example, Recipe, fit};

/// That a document is a copy or a later version.
pub const DOCUMENT: Recipe = Recipe { with_products: true, penalty: 60.0, threshold: 0.6 };

/// That it is a later version, if it is either.
pub const UPDATE: Recipe = Recipe { with_products: true, penalty: 6.0, threshold: 0.4 };

/// That two passages say the same.
pub const PASSAGE: Recipe = Recipe { with_products: true, penalty: 1_000.0, threshold: 0.5 };

/// How much pairs of sentences count that people labelled, and those that were made.
pub const LABELLED: f64 = 20.0;
pub const MADE: f64 = 10.0;

/// Containment from which on two passages of a pair of documents are beside each other.
const BESIDE: f32 = 0.15;

/// A case with what its probabilities are computed from.
pub struct Measured {
    pub case: Case,
    pub features: PairFeatures,
    /// Passages that are beside each other: their features.
    pub passages: Vec<Features>,
}

/// Reads and embeds cases.
pub async fn measure(corpus: &Corpus, cases: Vec<Case>) -> Result<Vec<Measured>, Failure> {
    let judge = Judge::of(&corpus.model().id);
    let mut measured = Vec::new();
    for case in cases {
        let left = corpus.report(case.left.incoming()).await?;
        let right = corpus.report(case.right.incoming()).await?;
        let passages = match case.task {
            Task::Retold | Task::Strangers => nearest(&right, &left),
            _ => beside(&judge, &right, &left),
        };
        measured.push(Measured { features: features(&right, &left), passages, case });
    }
    Ok(measured)
}

/// The features of each passage and the one that means most nearly the same, those that come
/// first and are not the same.
fn nearest(document: &Report, other: &Report) -> Vec<Features> {
    const FIRST: usize = 4;
    let pairs = document.reporting().take(FIRST).filter_map(|(_, passage)| {
        let windows = passage.windows.as_ref()?;
        let cosine = |there: &ReportPassage| Some(windows.cosine(there.windows.as_ref()?));
        let others = other.reporting().filter_map(|(_, there)| Some((there, cosine(there)?)));
        let (there, cosine) = others.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        let is_other = there.text.hash != passage.text.hash;
        is_other.then(|| passage_features(&passage.text, &there.text, Some(cosine)))
    });
    pairs.collect()
}

/// The features of each passage and the one that it shares most with, without those that
/// are the same.
fn beside(judge: &Judge, document: &Report, other: &Report) -> Vec<Features> {
    let mut best: BTreeMap<usize, (f32, usize)> = BTreeMap::new();
    for (index, there, comparison) in compare_passages(judge, document, other) {
        let containment = comparison.signals.containment;
        let known = best.get(&index).map_or(BESIDE, |(known, _)| *known);
        if !comparison.signals.exact && containment > known {
            best.insert(index, (containment, there));
        }
    }
    let pair = |(index, (_, there)): (usize, (f32, usize))| {
        let (passage, matched) = (document.passages.get(index)?, other.passages.get(there)?);
        let windows = passage.windows.as_ref().zip(matched.windows.as_ref());
        let cosine = windows.map(|(a, b)| a.cosine(b));
        Some(passage_features(&passage.text, &matched.text, cosine))
    };
    best.into_iter().filter_map(pair).collect()
}

/// Pairs of sentences, read and embedded, that count so much.
pub async fn sentences(
    corpus: &Corpus,
    pairs: &[Sentences],
    weight: f64,
) -> Result<Vec<Example>, Failure> {
    let mut examples = Vec::new();
    for pair in pairs {
        let report =
            |text: &str| corpus.report(Story::of("sentence", vec![text.to_owned()]).incoming());
        let (left, right) = (report(&pair.s1).await?, report(&pair.s2).await?);
        let (Some(left), Some(right)) = (left.passages.first(), right.passages.first()) else {
            continue;
        };
        let windows = left.windows.as_ref().zip(right.windows.as_ref());
        let cosine = windows.map(|(a, b)| a.cosine(b));
        examples.push(Example {
            features: passage_features(&right.text, &left.text, cosine),
            is_so: pair.label == 1,
            weight,
            group: format!("sentence {}", pair.id1),
        });
    }
    Ok(examples)
}

/// Examples of copies and later versions. Labelled pairs count more than made ones; each
/// dated pair is there once more without dates, and once more without headlines, too.
pub fn documents(measured: &[Measured]) -> Vec<Example> {
    let example = |measured: &Measured, features: Features, weight: f64| Example {
        features,
        is_so: measured.case.is_same(),
        weight,
        group: measured.case.group.clone(),
    };
    let variants = |measured: &Measured| {
        let (dated, undated) = match measured.case.task {
            Task::Pairs => (20.0, 8.0),
            Task::Rewriting => (10.0, 10.0),
            Task::Damage => (5.0, 3.0),
            Task::Changes | Task::Retold => (2.0, 1.0),
            Task::Tickers => (4.0, 4.0),
            Task::Strangers | Task::Unrelated => (3.0, 3.0),
            Task::Likest => (8.0, 3.0),
        };
        let features = &measured.features.document;
        [
            example(measured, features.clone(), dated),
            example(measured, without_date(features), undated),
            example(measured, bare(&without_date(features)), undated),
        ]
    };
    measured.iter().flat_map(variants).collect()
}

/// Without what headlines say: many a client sends paragraphs alone.
fn bare(features: &Features) -> Features {
    const OF_HEADLINES: [&str; 3] = ["headlines", "subject_replaced", "first_word_replaced"];
    features.iter().filter(|(name, _)| !OF_HEADLINES.contains(name)).copied().collect()
}

fn without_date(features: &Features) -> Features {
    let change = |&(name, value): &(&'static str, f32)| match name {
        "hours_apart" => ("undated", 1.0),
        _ => (name, value),
    };
    features.iter().map(change).collect()
}

/// Examples of updates among copies and updates, without the labels of the stream: where a copy
/// ends and an update begins was a matter of taste there, and it is not in the contract.
pub fn updates(measured: &[Measured]) -> Vec<Example> {
    let is_known = |measured: &&Measured| {
        let told = match measured.case.task {
            Task::Changes => true,
            Task::Pairs => measured.case.is_same(),
            // What else was made is damage, and no update.
            Task::Damage => measured.case.is_same() && !measured.case.kind.starts_with("glued"),
            _ => false,
        };
        told && measured.case.is_same()
    };
    let example = |measured: &Measured| Example {
        features: measured.features.update.clone(),
        is_so: measured.case.truth == Verdict::Update,
        weight: match measured.case.task {
            Task::Pairs => 4.0,
            Task::Changes => 3.0,
            _ => 0.5,
        },
        group: measured.case.group.clone(),
    };
    measured.iter().filter(is_known).map(example).collect()
}

/// Examples of passages that say the same: those of labelled and damaged pairs, which are
/// the same where their documents are. Of independent reports of one event, and of the
/// likest stories of other days, those that are nearest are not.
pub fn passages(measured: &[Measured]) -> Vec<Example> {
    let is_told = |measured: &&Measured| {
        let is_version = measured.case.truth == Verdict::Update;
        let is_glued = measured.case.kind.starts_with("glued");
        let is_other = matches!(measured.case.task, Task::Retold | Task::Strangers)
            && !measured.case.is_same();
        let is_paired = matches!(measured.case.task, Task::Pairs | Task::Damage);
        is_other || (is_paired && !is_version && !is_glued)
    };
    let examples = |measured: &Measured| {
        let (is_so, group) = (measured.case.is_same(), measured.case.group.clone());
        let example = move |features: &Features| Example {
            features: features.clone(),
            is_so,
            weight: 1.0,
            group: group.clone(),
        };
        measured.passages.iter().map(example).collect::<Vec<_>>()
    };
    measured.iter().filter(is_told).flat_map(examples).collect()
}

/// Fits all parameters, with vectors of a model and without.
pub fn fit_all(
    model: &str,
    documents: &[Example],
    updates: &[Example],
    passages: &[Example],
) -> Result<Fitted, Failure> {
    let parameters = |keep: fn(&str) -> bool| -> Result<Parameters, Failure> {
        let fitted = |examples: &[Example], recipe: Recipe| {
            let kept: Vec<Example> = examples.iter().map(|example| only(example, keep)).collect();
            fit(&kept.iter().collect::<Vec<_>>(), recipe)
        };
        Ok(Parameters {
            passage: fitted(passages, PASSAGE)?,
            document: fitted(documents, DOCUMENT)?,
            update: fitted(updates, UPDATE)?,
        })
    };
    Ok(Fitted {
        lexical: parameters(|name| !name.ends_with("cosine"))?,
        semantic: [(model.to_owned(), parameters(|_| true)?)].into(),
    })
}

/// An example with those of its features that `keep` lets through.
pub fn only(example: &Example, keep: fn(&str) -> bool) -> Example {
    let kept = example.features.iter().filter(|(name, _)| keep(name)).copied().collect();
    Example { features: kept, ..example.clone() }
}
