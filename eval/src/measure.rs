//! Measures of how good answers are.

/// Share of pairs of a positive and a negative that scores put in the right order; equal
/// scores count half (Hanley and McNeil, "The meaning and use of the area under a ROC
/// curve", 1982).
pub fn auc(scored: &[(f32, bool)]) -> f64 {
    let mut scored = scored.to_vec();
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut rank, mut of_positives) = (0.0, 0.0);
    for tied in scored.chunk_by(|a, b| a.0 == b.0) {
        let middle = rank + (tied.len() as f64 + 1.0) / 2.0;
        of_positives += middle * tied.iter().filter(|(_, positive)| *positive).count() as f64;
        rank += tied.len() as f64;
    }
    let positives = scored.iter().filter(|(_, positive)| *positive).count() as f64;
    let negatives = rank - positives;
    (of_positives - positives * (positives + 1.0) / 2.0) / (positives * negatives)
}

/// How often yes was said, and how often rightly.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Detection {
    pub right: usize,
    pub said: usize,
    pub positive: usize,
}

impl Detection {
    pub fn count(&mut self, said: bool, is_so: bool) {
        self.right += usize::from(said && is_so);
        self.said += usize::from(said);
        self.positive += usize::from(is_so);
    }

    pub fn of(said: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let mut detection = Self::default();
        said.into_iter().for_each(|(said, is_so)| detection.count(said, is_so));
        detection
    }

    pub fn precision(self) -> f64 {
        if self.said == 0 { 1.0 } else { self.right as f64 / self.said as f64 }
    }

    pub fn recall(self) -> f64 {
        if self.positive == 0 { 1.0 } else { self.right as f64 / self.positive as f64 }
    }

    pub fn f1(self) -> f64 {
        2.0 * self.right as f64 / (self.said + self.positive).max(1) as f64
    }
}

/// Expected calibration error: mean distance between what was foretold and what was so, in
/// `bins` bins of equally many (Naeini et al., "Obtaining well calibrated probabilities
/// using Bayesian binning", 2015, with bins of equal mass).
pub fn calibration_error(foretold: &[(f32, bool)], bins: usize) -> f64 {
    let mut foretold = foretold.to_vec();
    foretold.sort_by(|a, b| a.0.total_cmp(&b.0));
    let count = foretold.len();
    let edges = (0..=bins).map(|bin| bin * count / bins).collect::<Vec<_>>();
    let error = |edge: &[usize]| {
        let bin = edge.first().zip(edge.last()).and_then(|(a, b)| foretold.get(*a..*b));
        let bin = bin.unwrap_or_default();
        let said: f64 = bin.iter().map(|(p, _)| f64::from(*p)).sum();
        let so = bin.iter().filter(|(_, is_so)| *is_so).count() as f64;
        (said - so).abs()
    };
    edges.windows(2).map(error).sum::<f64>() / count.max(1) as f64
}

/// Mean and the interval that 95 of 100 of the values lie in.
pub fn spread(values: &[f64]) -> (f64, f64, f64) {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = (share * (values.len().max(1) - 1) as f64).round() as usize;
        values.get(place).copied().unwrap_or(f64::NAN)
    };
    (values.iter().sum::<f64>() / values.len() as f64, at(0.025), at(0.975))
}

#[cfg(test)]
mod tests {
    use super::{auc, calibration_error, spread};

    #[test]
    fn order_is_what_counts() {
        assert_eq!(auc(&[(0.1, false), (0.2, true), (0.9, true)]), 1.0);
        assert_eq!(auc(&[(0.5, false), (0.5, true)]), 0.5);
        assert_eq!(auc(&[(0.3, true), (0.5, false)]), 0.0);
    }

    #[test]
    fn what_is_foretold_as_often_as_it_is_so_is_calibrated() {
        let half = [(0.5, true), (0.5, false), (0.5, true), (0.5, false)];
        assert_eq!(calibration_error(&half, 2), 0.0);
        assert_eq!(calibration_error(&[(0.0, true), (1.0, true)], 2), 0.5);
    }

    #[test]
    fn most_values_lie_in_the_interval() {
        let values: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(spread(&values), (50.0, 3.0, 98.0));
    }
}
