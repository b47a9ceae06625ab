use jiff::Timestamp;

/// Which evidence ranks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Meaning and words.
    #[default]
    Hybrid,
    /// Embeddings alone.
    Semantic,
    /// Words alone.
    Lexical,
}

impl Mode {
    /// Whether embeddings count.
    pub fn has_meaning(self) -> bool {
        self != Self::Lexical
    }

    /// Whether words count.
    pub fn has_words(self) -> bool {
        self != Self::Semantic
    }
}

/// How to pick and order what is related.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Ranking {
    /// Which evidence ranks.
    pub mode: Mode,
    /// 0 ranks by relevance alone, 1 by variety alone.
    pub diversity: f32,
    /// Seconds between `as_of` and a publication that halve a score; `None`: age does not
    /// matter.
    pub half_life: Option<f64>,
    /// Keep near-copies of the query and of better answers as answers of their own.
    pub include_duplicates: bool,
    /// Age is counted from then on; `None`: from the publication of what is asked about, or now.
    pub as_of: Option<Timestamp>,
}

impl Ranking {
    /// What the score of a document published then is multiplied by.
    pub fn recency(&self, as_of: Timestamp, published_at: Timestamp) -> f32 {
        self.half_life.map_or(1.0, |half_life| {
            let seconds = (as_of.as_microsecond() - published_at.as_microsecond()).abs() as f64;
            (-(seconds / 1e6) / half_life).exp2() as f32
        })
    }
}

/// How many to pick, and how various they are to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pick {
    /// Answers, at most.
    pub limit: usize,
    /// 0 ranks by score alone, 1 by variety alone.
    pub diversity: f32,
}

/// Picks the best of `ranked`, which are ordered by score, by maximal marginal relevance
/// (Carbonell and Goldstein, 1998): each time the one whose score is high and which is unlike
/// those that were picked before.
pub fn pick(
    ranked: &[usize],
    options: Pick,
    score: impl Fn(&usize) -> f32,
    alike: impl Fn(&usize, &usize) -> f32,
) -> Vec<usize> {
    if options.diversity <= 0.0 {
        return ranked.iter().copied().take(options.limit).collect();
    }
    let mut left: Vec<(usize, f32)> = ranked.iter().map(|place| (*place, 0.0)).collect();
    let mut picked: Vec<usize> = Vec::new();
    while picked.len() < options.limit && !left.is_empty() {
        let value = |(place, nearest): &(usize, f32)| {
            (1.0 - options.diversity) * score(place) - options.diversity * nearest
        };
        let mut best = 0;
        for (at, candidate) in left.iter().enumerate() {
            if left.get(best).is_some_and(|known| value(candidate) > value(known)) {
                best = at;
            }
        }
        let (place, _) = left.remove(best);
        for (other, nearest) in &mut left {
            *nearest = nearest.max(alike(other, &place));
        }
        picked.push(place);
    }
    picked
}

#[cfg(test)]
mod tests {
    use super::{Pick, Ranking, pick};
    use jiff::Timestamp;

    #[test]
    fn variety_changes_the_order() {
        let score = |place: &usize| [0.9, 0.88, 0.5][*place];
        let alike = |a: &usize, b: &usize| if a + b == 1 { 0.95 } else { 0.1 };
        let order = |diversity| pick(&[0, 1, 2], Pick { limit: 2, diversity }, score, alike);
        assert_eq!(order(0.0), [0, 1]);
        assert_eq!(order(0.5), [0, 2]);
    }

    #[test]
    fn a_score_halves_with_each_half_life() {
        let at = |seconds| Timestamp::from_second(seconds).expect("a time");
        let ranking = Ranking { half_life: Some(100.0), ..Ranking::default() };
        assert_eq!(ranking.recency(at(1_000), at(800)), 0.25);
        assert_eq!(ranking.recency(at(1_000), at(1_100)), 0.5);
        assert_eq!(Ranking::default().recency(at(1_000), at(0)), 1.0);
    }
}
