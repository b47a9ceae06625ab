use serde::{Deserialize, Serialize};

/// Named values that a probability is computed from, always in the same order.
pub type Features = Vec<(&'static str, f32)>;

/// A logistic function of named features and of the products of any two of them.
///
/// Products let one feature tell how much another one means: a number that differs says more
/// in a text without misspelt words than in one that is full of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Logistic {
    /// Probability from which on the answer is yes.
    pub threshold: f32,
    /// Log-odds where all features have their means.
    pub intercept: f32,
    /// The features that count. One that is missing has its mean.
    pub features: Vec<Feature>,
    /// Change of the log-odds with each product of two features in units of their spread, each
    /// with itself and those after it, in order; none where products do not count.
    pub products: Vec<f32>,
}

/// How a feature counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// What it was on average in the data that the parameters were fitted to.
    pub mean: f32,
    /// Its standard deviation there.
    pub spread: f32,
    /// Change of the log-odds with each unit of the spread.
    pub weight: f32,
}

impl Logistic {
    /// The probability, 0 to 1.
    pub fn probability(&self, features: &Features) -> f32 {
        let values = self.standardized(features);
        let linear: f32 = values.iter().zip(&self.features).map(|(x, f)| x * f.weight).sum();
        let products: f32 = products(&values).zip(&self.products).map(|(x, w)| x * w).sum();
        1.0 / (1.0 + (-(self.intercept + linear + products)).exp())
    }

    /// The values of the features that count, as distances from the mean in units of the
    /// spread. What is far outside of all that was seen says no more than what is outside.
    pub fn standardized(&self, features: &Features) -> Vec<f32> {
        /// Units of the spread.
        const FAR: f32 = 6.0;
        let value = |feature: &Feature| {
            let given = features.iter().find(|(name, _)| *name == feature.name);
            let value = given.map_or(feature.mean, |(_, value)| *value);
            ((value - feature.mean) / feature.spread).clamp(-FAR, FAR)
        };
        self.features.iter().map(value).collect()
    }
}

/// The products of each value with itself and those after it, in order.
pub fn products(values: &[f32]) -> impl Iterator<Item = f32> + '_ {
    let after = |at: usize| values.get(at..).unwrap_or_default();
    values.iter().enumerate().flat_map(move |(at, x)| after(at).iter().map(move |y| x * y))
}

#[cfg(test)]
mod tests {
    use super::{Feature, Logistic, products};

    fn logistic(products: Vec<f32>) -> Logistic {
        let feature =
            |name: &str, weight| Feature { name: name.to_owned(), mean: 0.5, spread: 0.25, weight };
        let features = vec![feature("likeness", 2.0), feature("noise", 0.0)];
        Logistic { threshold: 0.5, intercept: 0.0, features, products }
    }

    #[test]
    fn a_probability_rises_with_what_has_a_positive_weight() {
        let linear = logistic(Vec::new());
        assert_eq!(linear.probability(&vec![("likeness", 0.5), ("other", 9.0)]), 0.5);
        assert_eq!(linear.probability(&vec![]), 0.5);
        assert!(linear.probability(&vec![("likeness", 1.0)]) > 0.9);
    }

    #[test]
    fn products_let_one_feature_weaken_another_one() {
        let both = logistic(vec![0.0, -2.0, 0.0]);
        let quiet = both.probability(&vec![("likeness", 0.75), ("noise", 0.5)]);
        let noisy = both.probability(&vec![("likeness", 0.75), ("noise", 0.75)]);
        assert!(quiet > 0.8 && (noisy - 0.5).abs() < 1e-6);
    }

    #[test]
    fn products_are_those_of_the_upper_triangle() {
        let all: Vec<f32> = products(&[2.0, 3.0, 5.0]).collect();
        assert_eq!(all, [4.0, 6.0, 10.0, 9.0, 15.0, 25.0]);
    }
}
