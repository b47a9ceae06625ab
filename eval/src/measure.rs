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

/// Average precision of a ranking of which it is told what is relevant; `relevant` is how many
/// there are in all: what is missed counts 0.
pub fn average_precision(ranked: impl IntoIterator<Item = bool>, relevant: usize) -> f64 {
    let (mut found, mut sum) = (0, 0.0);
    for (place, is_relevant) in ranked.into_iter().enumerate() {
        if is_relevant {
            found += 1;
            sum += f64::from(found) / (place + 1) as f64;
        }
    }
    sum / relevant.max(1) as f64
}

/// Share of the first `relevant` answers that are relevant.
pub fn r_precision(ranked: impl IntoIterator<Item = bool>, relevant: usize) -> f64 {
    let right = ranked.into_iter().take(relevant).filter(|is_relevant| *is_relevant).count();
    right as f64 / relevant.max(1) as f64
}

/// The interval in which 95 of 100 of the means of differences lie, drawn again and again from
/// the queries (Efron and Tibshirani, "An introduction to the bootstrap", 1993).
pub fn paired_bootstrap(ours: &[f64], theirs: &[f64], seed: u64) -> (f64, f64) {
    const DRAWS: usize = 2_000;
    let mut random = fastrand::Rng::with_seed(seed);
    let differences: Vec<f64> = ours.iter().zip(theirs).map(|(a, b)| a - b).collect();
    let means: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let one = |_| differences.get(random.usize(..differences.len())).copied();
            let sum: f64 = (0..differences.len()).filter_map(one).sum();
            sum / differences.len().max(1) as f64
        })
        .collect();
    let (_, low, high) = spread(&means);
    (low, high)
}

/// B-cubed F1 of clusters beside true ones (Bagga and Baldwin, "Entity-based cross-document
/// coreferencing using the vector space model", 1998).
pub fn b_cubed<A: Eq, B: Eq>(clusters: &[A], truth: &[B]) -> f64 {
    let (mut precision, mut recall) = (0.0, 0.0);
    for (cluster, event) in clusters.iter().zip(truth) {
        let (mut together, mut same, mut both) = (0.0, 0.0, 0.0);
        for (other, other_event) in clusters.iter().zip(truth) {
            let (is_together, is_same) = (cluster == other, event == other_event);
            together += f64::from(u8::from(is_together));
            same += f64::from(u8::from(is_same));
            both += f64::from(u8::from(is_together && is_same));
        }
        precision += both / together;
        recall += both / same;
    }
    2.0 * precision * recall / ((precision + recall) * clusters.len().max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::{auc, average_precision, b_cubed, calibration_error, r_precision, spread};

    #[test]
    fn a_ranking_is_as_good_as_what_stands_first() {
        assert_eq!(average_precision([true, false, true], 2), (1.0 + 2.0 / 3.0) / 2.0);
        assert_eq!(average_precision([true], 2), 0.5);
        assert_eq!(r_precision([true, false, true], 2), 0.5);
    }

    #[test]
    fn clusters_are_as_good_as_their_members() {
        assert_eq!(b_cubed(&[1, 1, 2], &["a", "a", "b"]), 1.0);
        assert!(
            (b_cubed(&[1, 1, 1], &["a", "a", "b"]) - 2.0 * 5.0 / 9.0 / (1.0 + 5.0 / 9.0)).abs()
                < 1e-9
        );
    }

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
