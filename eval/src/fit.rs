//! Fits logistic functions.

use argmin::core::{CostFunction, Error, Executor, Gradient, State};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use copydesk::verdict::{Feature, Features, Logistic, products};
use ndarray::{Array1, Array2, ArrayView1};

use crate::data::Failure;

/// What a probability is fitted to.
#[derive(Debug, Clone)]
pub struct Example {
    pub features: Features,
    pub is_so: bool,
    /// How much it counts.
    pub weight: f64,
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
    let weights: Vec<f64> = examples.iter().map(|example| example.weight).collect();
    let width = rows.first().map_or(0, Vec::len);
    let columns: Vec<(f64, f64)> = (0..width)
        .map(|column| {
            let values = rows.iter().map(|row| f64::from(row.get(column).copied().unwrap_or(0.0)));
            mean_and_spread(values.zip(weights.iter().copied()))
        })
        .collect();
    let scaled = |row: &Vec<f32>| -> Vec<f64> {
        row.iter()
            .zip(&columns)
            .map(|(x, (mean, spread))| (f64::from(*x) - mean) / spread)
            .collect()
    };
    let likelihood = Likelihood {
        rows: Array2::from_shape_vec((rows.len(), width), rows.iter().flat_map(scaled).collect())?,
        signs: examples.iter().map(|example| if example.is_so { 1.0 } else { -1.0 }).collect(),
        weights: Array1::from(weights),
        penalty: recipe.penalty,
    };
    let scaled = likeliest(likelihood, width)?;
    let (intercept, scaled) = scaled.split_last().ok_or("nothing to fit to")?;
    let mut intercept = *intercept;
    let mut weights = Vec::new();
    for (weight, (mean, spread)) in scaled.iter().zip(&columns) {
        let weight = weight / spread;
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

/// The negative logarithm of the likelihood of examples, and the penalty: what is minimised.
struct Likelihood {
    /// Values of each example.
    rows: Array2<f64>,
    /// 1 for those that are so, -1 for the others.
    signs: Array1<f64>,
    weights: Array1<f64>,
    penalty: f64,
}

impl Likelihood {
    /// The odds of each example that it is what it is, as logarithms, by the weights of the values
    /// and, last, the intercept.
    fn margins(&self, parameters: &[f64]) -> Array1<f64> {
        let (intercept, weights) = parameters.split_last().unwrap_or((&0.0, &[]));
        (self.rows.dot(&ArrayView1::from(weights)) + *intercept) * &self.signs
    }
}

impl CostFunction for Likelihood {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, parameters: &Vec<f64>) -> Result<f64, Error> {
        // ln(1 + exp(-margin)) where exp would overflow.
        let loss = self.margins(parameters).mapv(|m| (-m.abs()).exp().ln_1p() + (-m).max(0.0));
        let squares: f64 = parameters.iter().rev().skip(1).map(|weight| weight * weight).sum();
        Ok((loss * &self.weights).sum() + 0.5 * self.penalty * squares)
    }
}

impl Gradient for Likelihood {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, parameters: &Vec<f64>) -> Result<Vec<f64>, Error> {
        let wrong = self.margins(parameters).mapv(|margin| 1.0 / (1.0 + margin.exp()));
        let pulls = -wrong * &self.weights * &self.signs;
        let mut gradient = self.rows.t().dot(&pulls).to_vec();
        for (slope, weight) in gradient.iter_mut().zip(parameters) {
            *slope += self.penalty * weight;
        }
        gradient.push(pulls.sum());
        Ok(gradient)
    }
}

/// The weights of the values and, last, the intercept that make the examples likeliest
/// (Liu and Nocedal, "On the limited memory BFGS method", 1989).
fn likeliest(likelihood: Likelihood, width: usize) -> Result<Vec<f64>, Failure> {
    const STEPS: u64 = 500;
    const REMEMBERED: usize = 10;
    const FLAT: f64 = 1e-3;
    let solver = LBFGS::new(MoreThuenteLineSearch::new(), REMEMBERED).with_tolerance_grad(FLAT)?;
    let from = vec![0.0; width + 1];
    let ended = Executor::new(likelihood, solver)
        .configure(|state| state.param(from).max_iters(STEPS))
        .run()?;
    ended.state.get_best_param().cloned().ok_or_else(|| "no parameters were found".into())
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
            Some((f64::from(value), example.weight))
        });
        let (mean, spread) = mean_and_spread(values);
        Feature { name: name.to_owned(), mean: mean as f32, spread: spread as f32, weight: 0.0 }
    };
    names.into_iter().map(feature).collect()
}

/// Of values and how much each counts. What never changes has a spread of 1.
fn mean_and_spread(values: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for (value, weight) in values {
        count += weight;
        sum += value * weight;
        squares += value * value * weight;
    }
    let count = f64::max(count, f64::MIN_POSITIVE);
    let mean = sum / count;
    let spread = (squares / count - mean * mean).max(0.0).sqrt();
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
