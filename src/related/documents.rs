use crate::verdict::Features;

use super::likeness::{Placed, Surroundings, WeighedSubject};
use super::{Mode, Scale};

/// Answers that the others are compared with once more, the best ones.
const EXPANDED_BY: usize = 3;

/// Answers that are compared with those, the best ones by themselves.
const EXPANDED: usize = 100;

/// How much they count.
const COUNTS: f32 = 1.0;

/// The probability of each of some documents that it covers the same events as the query.
pub fn rank(
    scale: &Scale,
    mode: Mode,
    query: &WeighedSubject,
    candidates: &[WeighedSubject],
) -> Vec<f32> {
    let around = Surroundings::of(query, candidates);
    let probability = |one, other| scale.documents(mode, &around.features(one, other));
    let query = around.place(query);
    let candidates: Vec<Placed<'_>> = candidates.iter().map(|one| around.place(one)).collect();
    let own: Vec<f32> = candidates.iter().map(|one| probability(query, *one)).collect();
    expanded(&own, |a, b| {
        let pair = candidates.get(a).zip(candidates.get(b));
        pair.map_or(0.0, |(a, b)| probability(*a, *b))
    })
}

/// What those probabilities are computed from, for those who fit them.
pub fn ranking_features(query: &WeighedSubject, candidates: &[WeighedSubject]) -> Vec<Features> {
    let around = Surroundings::of(query, candidates);
    let query = around.place(query);
    candidates.iter().map(|candidate| around.features(query, around.place(candidate))).collect()
}

/// Probabilities that take into account how probably the best answers are related to one another.
///
/// What has little in common with the query may have much in common with what surely is related
/// to it (query expansion: Chum et al., "Total recall", 2007; here with probabilities in place of
/// vectors).
fn expanded(own: &[f32], relatedness: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    let of = |place: usize| own.get(place).copied().unwrap_or_default();
    let mut order: Vec<usize> = (0..own.len()).collect();
    order.sort_by(|&a, &b| of(b).total_cmp(&of(a)).then(a.cmp(&b)));
    let mut all = own.to_vec();
    let mut least = 1.0_f32;
    for (rank, &place) in order.iter().enumerate() {
        let Some(probability) = all.get_mut(place) else { continue };
        if rank >= EXPANDED {
            // What is not compared again stays below what is.
            *probability = probability.min(least);
            continue;
        }
        let (mut sum, mut total) = (of(place), 1.0);
        // Itself included, if it is one of them: a copy of it must not rise above it.
        for &near in order.iter().take(EXPANDED_BY) {
            let weight = COUNTS * of(near) * of(near);
            sum += weight * relatedness(near, place);
            total += weight;
        }
        *probability = sum / total;
        least = least.min(*probability);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::expanded;

    #[test]
    fn what_sure_answers_are_related_to_rises() {
        let own = [0.9, 0.3, 0.3];
        let to_first = |a: usize, b: usize| match (a, b) {
            _ if a == b => 1.0,
            (0, 1) | (1, 0) => 0.95,
            _ => 0.05,
        };
        let all = expanded(&own, to_first);
        assert!(all[1] > 0.4 && all[2] < 0.3, "{all:?}");
        assert!((expanded(&[0.2], to_first)[0] - 0.2).abs() < 0.05);
    }
}
