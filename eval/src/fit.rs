//! Fits logistic functions.

use copydesk::verdict::{Feature, Features, Logistic, products};
use linfa::Dataset;
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};

use crate::data::Failure;

/// What a probability is fitted to.
#[derive(Debug, Clone)]
pub struct Example {
    pub features: Features,
    pub is_so: bool,
    /// How often it counts.
    pub count: usize,
    /// Examples of the same group are never on both sides of a fold.
    pub group: String,
}

/// How to fit.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// Let products of features count.
    pub with_products: bool,
    /// Factor of half the sum of squared weights in what is minimised, for each example that
    /// counts once (Hoerl and Kennard, "Ridge regression", 1970).
    pub penalty: f64,
    /// Probability from which on the answer is yes.
    pub threshold: f32,
}

/// The logistic function that makes the examples likeliest.
pub fn fit(examples: &[&Example], recipe: Recipe) -> Result<Logistic, Failure> {
    let mut logistic = Logistic {
        threshold: recipe.threshold,
        intercept: 0.0,
        features: scaled(examples),
        products: Vec::new(),
    };
    let row = |example: &&Example| {
        let values = logistic.standardized(&example.features);
        match recipe.with_products {
            true => values.iter().copied().chain(products(&values)).collect(),
            false => values,
        }
    };
    let rows: Vec<Vec<f32>> = examples.iter().map(row).collect();
    let counts: Vec<usize> = examples.iter().map(|example| example.count).collect();
    let width = rows.first().map_or(0, Vec::len);
    let columns: Vec<(f64, f64)> = (0..width)
        .map(|column| {
            let values = rows.iter().map(|row| f64::from(row.get(column).copied().unwrap_or(0.0)));
            mean_and_spread(values.zip(counts.iter().copied()))
        })
        .collect();
    let mut table = Vec::new();
    let mut truth = Vec::new();
    for (row, example) in rows.iter().zip(examples) {
        for _ in 0..example.count {
            table.extend(row.iter().zip(&columns).map(|(x, (m, s))| (f64::from(*x) - m) / s));
            truth.push(example.is_so);
        }
    }
    let table = Array2::from_shape_vec((truth.len(), width), table)?;
    let fitted = LogisticRegression::default()
        .alpha(recipe.penalty)
        .max_iterations(500)
        .gradient_tolerance(1e-3)
        .fit(&Dataset::new(table, Array1::from(truth)))?;
    let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
    let mut intercept = sign * fitted.intercept();
    let mut weights = Vec::new();
    for (weight, (mean, spread)) in fitted.params().iter().zip(&columns) {
        let weight = sign * weight / spread;
        intercept -= weight * mean;
        weights.push(weight as f32);
    }
    logistic.intercept = intercept as f32;
    let (linear, products) = weights.split_at(logistic.features.len());
    for (feature, weight) in logistic.features.iter_mut().zip(linear) {
        feature.weight = *weight;
    }
    logistic.products = products.to_vec();
    Ok(logistic)
}

/// The features of the examples with their means and spreads.
fn scaled(examples: &[&Example]) -> Vec<Feature> {
    let mut names: Vec<&'static str> = Vec::new();
    for example in examples {
        for (name, _) in &example.features {
            if !names.contains(name) {
                names.push(name);
            }
        }
    }
    let feature = |name: &'static str| {
        let values = examples.iter().filter_map(|example| {
            let value = example.features.iter().find(|(other, _)| *other == name)?.1;
            Some((f64::from(value), example.count))
        });
        let (mean, spread) = mean_and_spread(values);
        Feature { name: name.to_owned(), mean: mean as f32, spread: spread as f32, weight: 0.0 }
    };
    names.into_iter().map(feature).collect()
}

/// Of values and how often each counts. What never changes has a spread of 1.
fn mean_and_spread(values: impl Iterator<Item = (f64, usize)>) -> (f64, f64) {
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for (value, times) in values {
        count += times as f64;
        sum += value * times as f64;
        squares += value * value * times as f64;
    }
    let mean = sum / f64::max(count, 1.0);
    let spread = (squares / f64::max(count, 1.0) - mean * mean).max(0.0).sqrt();
    (mean, if spread > 1e-4 { spread } else { 1.0 })
}

/// The probability of each example by a function that was fitted to the others, its group
/// left out.
pub fn out_of_fold(
    examples: &[Example],
    recipe: Recipe,
    folds: usize,
    seed: u64,
) -> Result<Vec<f32>, Failure> {
    let mut groups: Vec<&str> = examples.iter().map(|example| example.group.as_str()).collect();
    groups.sort_unstable();
    groups.dedup();
    fastrand::Rng::with_seed(seed).shuffle(&mut groups);
    let fold: std::collections::HashMap<&str, usize> =
        groups.iter().enumerate().map(|(at, group)| (*group, at % folds)).collect();
    let fold_of = |example: &Example| fold.get(example.group.as_str()).copied();
    let fitted: Vec<Result<Logistic, Failure>> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..folds)
            .map(|left_out| {
                let training: Vec<&Example> =
                    examples.iter().filter(|example| fold_of(example) != Some(left_out)).collect();
                scope.spawn(move || fit(&training, recipe))
            })
            .collect();
        let ended = running.into_iter().map(|running| running.join());
        ended.map(|fitted| fitted.unwrap_or_else(|_| Err("a fit panicked".into()))).collect()
    });
    let fitted = fitted.into_iter().collect::<Result<Vec<Logistic>, Failure>>()?;
    let probability = |example: &Example| {
        let logistic = fold_of(example).and_then(|fold| fitted.get(fold));
        logistic.map_or(0.0, |logistic| logistic.probability(&example.features))
    };
    Ok(examples.iter().map(probability).collect())
}
