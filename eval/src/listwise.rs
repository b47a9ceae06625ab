//! Fits functions that rank.

use argmin::core::{CostFunction, Error, Executor, Gradient, State};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use copydesk::verdict::{Feature, Features, Logistic};

use crate::data::Failure;
use crate::fit::{Example, Recipe, fit};

/// A query with some of what may answer.
#[derive(Debug, Clone)]
pub struct Listing {
    /// What the probability of each is computed from, and whether it is relevant.
    pub answers: Vec<(Features, bool)>,
    /// Listings of one topic are never on both sides of a fold.
    pub topic: String,
}

/// The function that ranks what is relevant highest, as a probability.
///
/// Each relevant answer is set against all that are not (list-wise maximum likelihood: Cao et
/// al., "Learning to rank: from pairwise approach to listwise approach", 2007); no feature may
/// speak against being related. The score becomes a probability by a logistic function of it
/// alone (Platt, "Probabilistic outputs for support vector machines", 1999).
pub fn rank(listings: &[&Listing], names: &[&'static str]) -> Result<Logistic, Failure> {
    let weights = likeliest(List::of(listings, names), names.len())?;
    let score = |features: &Features| -> f32 {
        names
            .iter()
            .zip(&weights)
            .map(|(name, weight)| value(features, name) * *weight as f32)
            .sum()
    };
    let examples: Vec<Example> = listings
        .iter()
        .flat_map(|listing| {
            let weight = 1.0 / listing.answers.len().max(1) as f64;
            listing.answers.iter().map(move |(features, is_so)| (features, *is_so, weight))
        })
        .map(|(features, is_so, weight)| Example {
            features: vec![("score", score(features))],
            is_so,
            weight: weight * 10.0,
            group: String::new(),
        })
        .collect();
    let all: Vec<&Example> = examples.iter().collect();
    let recipe = Recipe { with_products: false, penalty: 1e-6, threshold: 0.5 };
    let platt = fit(&all, recipe)?;
    let of_score = platt.features.first().ok_or("nothing to fit to")?;
    let slope = of_score.weight / of_score.spread;
    let feature = |(name, weight): (&&'static str, &f64)| Feature {
        name: (*name).to_owned(),
        mean: 0.0,
        spread: 1.0,
        weight: *weight as f32 * slope,
    };
    Ok(Logistic {
        threshold: 0.5,
        intercept: platt.intercept - slope * of_score.mean,
        features: names.iter().zip(&weights).map(feature).collect(),
        products: Vec::new(),
    })
}

fn value(features: &Features, name: &str) -> f32 {
    features.iter().find(|(other, _)| *other == name).map_or(0.0, |(_, value)| *value)
}

/// The negative logarithm of the likelihood that each relevant answer stands first among itself
/// and those that are not relevant. Weights are exponentials of the parameters.
struct List {
    queries: Vec<Sides>,
}

/// What answers a query.
struct Sides {
    relevant: Vec<Vec<f64>>,
    others: Vec<Vec<f64>>,
    /// How much each relevant answer counts.
    weight: f64,
}

impl List {
    fn of(listings: &[&Listing], names: &[&'static str]) -> Self {
        let row = |features: &Features| -> Vec<f64> {
            names.iter().map(|name| f64::from(value(features, name))).collect()
        };
        let query = |listing: &&Listing| {
            let some = |wanted: bool| -> Vec<Vec<f64>> {
                let rows = listing.answers.iter().filter(|(_, is_so)| *is_so == wanted);
                rows.map(|(features, _)| row(features)).collect()
            };
            let relevant = some(true);
            let weight = 1.0 / (relevant.len().max(1) as f64).powf(1.5);
            Sides { relevant, others: some(false), weight }
        };
        Self { queries: listings.iter().map(query).collect() }
    }

    /// The cost, and its slope by each weight.
    fn both(&self, parameters: &[f64]) -> (f64, Vec<f64>) {
        let weights: Vec<f64> = parameters.iter().map(|p| weight(*p)).collect();
        let score = |row: &Vec<f64>| row.iter().zip(&weights).map(|(x, w)| x * w).sum::<f64>();
        let (mut cost, mut slopes) = (0.0, vec![0.0; weights.len()]);
        for Sides { relevant, others, weight } in &self.queries {
            let all = relevant.iter().chain(others).map(score);
            let highest = all.fold(f64::MIN, f64::max);
            // What all relevant answers are set against is the same.
            let mut mass = 0.0;
            let mut pull = vec![0.0; weights.len()];
            for other in others {
                let share = (score(other) - highest).exp();
                mass += share;
                pull.iter_mut().zip(other).for_each(|(pull, x)| *pull += share * x);
            }
            for row in relevant {
                let own = (score(row) - highest).exp().max(f64::MIN_POSITIVE);
                let total = mass + own;
                cost += weight * (total / own).ln();
                for (slope, (x, pull)) in slopes.iter_mut().zip(row.iter().zip(&pull)) {
                    *slope += weight * ((own / total - 1.0) * x + pull / total);
                }
            }
        }
        let slopes = slopes.iter().zip(&weights).map(|(slope, weight)| slope * weight).collect();
        (cost, slopes)
    }
}

impl CostFunction for List {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, parameters: &Vec<f64>) -> Result<f64, Error> {
        let squares: f64 = parameters.iter().map(|p| p * p).sum();
        Ok(self.both(parameters).0 + PENALTY * squares)
    }
}

impl Gradient for List {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, parameters: &Vec<f64>) -> Result<Vec<f64>, Error> {
        let slopes = self.both(parameters).1;
        Ok(slopes.iter().zip(parameters).map(|(s, p)| s + 2.0 * PENALTY * p).collect())
    }
}

/// A weight is above 0, and not so large that the search for a step loses its way.
fn weight(parameter: f64) -> f64 {
    const HIGHEST: f64 = 4.0;
    parameter.min(HIGHEST).exp()
}

/// Keeps parameters of features that say nothing from running away.
const PENALTY: f64 = 1e-2;

fn likeliest(list: List, width: usize) -> Result<Vec<f64>, Failure> {
    const STEPS: u64 = 60;
    const REMEMBERED: usize = 7;
    let solver = LBFGS::new(MoreThuenteLineSearch::new(), REMEMBERED).with_tolerance_grad(1e-3)?;
    let ended = Executor::new(list, solver)
        .configure(|state| state.param(vec![1.0; width]).max_iters(STEPS))
        .run()?;
    let found = ended.state.get_best_param().cloned();
    let found: Vec<f64> = found.ok_or("no parameters were found")?;
    Ok(found.into_iter().map(weight).collect())
}
