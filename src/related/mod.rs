//! What is about the same thing: probabilities that texts, and documents, are related; ranking,
//! folding of copies, variety; grouping into stories; novelty.
//!
//! Pure functions of candidates and of how rare words are. How candidates were found is not known
//! here.

mod documents;
mod gist;
mod grouping;
mod likeness;
mod novelty;
mod prior;
mod ranking;
mod scale;
mod subject;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use jiff::Timestamp;

use crate::embed::Windows;
use crate::verdict::{Comparable, Judge, compare};

pub use documents::{rank, ranking_features};
pub use gist::Gist;
pub use grouping::{Grouping, group};
pub use likeness::{Placed, Surroundings, WeighedSubject, WeighedText};
pub use novelty::told;
pub use prior::Prior;
pub use ranking::{Mode, Pick, Ranking, pick};
pub use scale::{FittedScale, Functions, Scale, Semantic};
pub use subject::{Subject, SubjectPassage};

/// A passage that may be related to a query. `D` names documents.
#[derive(Debug, Clone)]
pub struct Candidate<D> {
    /// Its document.
    pub document: D,
    /// When that was published: of equal scores, the earlier one wins.
    pub published_at: Timestamp,
    /// How related it is, 0 to 1.
    pub score: f32,
    /// What it says.
    pub text: Arc<Comparable>,
    /// Its vectors, if the model speaks its language.
    pub windows: Option<Windows>,
}

/// How to choose among candidates.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// Answers, at most.
    pub limit: usize,
    /// Answers of one document, at most.
    pub max_per_document: usize,
    /// Least score.
    pub min_score: f32,
    /// Fold copies of better answers into them.
    pub fold: bool,
    /// 0 ranks by score alone, 1 by variety alone.
    pub diversity: f32,
}

/// A candidate that was chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Its index among the candidates.
    pub candidate: usize,
    /// How related it is, 0 to 1.
    pub score: f32,
    /// Indices of the candidates that say the same and were folded into it.
    pub copies: Vec<usize>,
}

/// Answers among which a various choice is made, for each one that is wanted.
const VARIOUS: usize = 4;

/// Chooses the best candidates, best first.
pub fn choose<D: Copy + Eq + Hash + Ord>(
    judge: &Judge,
    candidates: &[Candidate<D>],
    choice: Choice,
) -> Vec<Answer> {
    let wanted = if choice.diversity > 0.0 { VARIOUS } else { 1 } * choice.limit;
    let best = best(judge, candidates, Choice { limit: wanted, ..choice });
    let places: Vec<usize> = (0..best.len()).collect();
    let score = |place: &usize| best.get(*place).map_or(0.0, |answer| answer.score);
    let windows = |place: &usize| candidates.get(best.get(*place)?.candidate)?.windows.as_ref();
    let alike = |a: &usize, b: &usize| windows(a).zip(windows(b)).map_or(0.0, |(a, b)| a.cosine(b));
    let options = Pick { limit: choice.limit, diversity: choice.diversity };
    let picked = pick(&places, options, score, alike);
    picked.into_iter().filter_map(|place| best.get(place).cloned()).collect()
}

/// The best candidates with what is folded into them.
fn best<D: Copy + Eq + Hash + Ord>(
    judge: &Judge,
    candidates: &[Candidate<D>],
    choice: Choice,
) -> Vec<Answer> {
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by(|&a, &b| match (candidates.get(a), candidates.get(b)) {
        (Some(x), Some(y)) => y
            .score
            .total_cmp(&x.score)
            .then(x.published_at.cmp(&y.published_at))
            .then(x.document.cmp(&y.document))
            .then(a.cmp(&b)),
        _ => a.cmp(&b),
    });
    let mut answers: Vec<Answer> = Vec::new();
    let mut of_document: HashMap<D, usize> = HashMap::new();
    let mut copies = Copies::default();
    for index in order {
        let Some(candidate) = candidates.get(index) else { continue };
        if candidate.score < choice.min_score {
            break;
        }
        if choice.fold
            && let Some(original) = copies.original(judge, candidate, candidates)
        {
            if let Some(answer) = answers.get_mut(original) {
                answer.copies.push(index);
            }
            continue;
        }
        let taken = of_document.entry(candidate.document).or_default();
        if answers.len() >= choice.limit || *taken >= choice.max_per_document {
            continue;
        }
        *taken += 1;
        copies.keep(index, candidate, answers.len());
        answers.push(Answer { candidate: index, score: candidate.score, copies: Vec::new() });
    }
    answers
}

/// Finds the answer that a candidate copies, by the shingles that they share.
#[derive(Default)]
struct Copies {
    /// Shingle to the answers that hold it, as indices of answer and candidate.
    holders: HashMap<u32, Vec<(usize, usize)>>,
    /// The same for texts, letter for letter.
    exact: HashMap<crate::text::ContentHash, usize>,
}

impl Copies {
    fn keep<D>(&mut self, index: usize, candidate: &Candidate<D>, answer: usize) {
        self.exact.entry(candidate.text.hash).or_insert(answer);
        for shingle in candidate.text.shingles().terms() {
            self.holders.entry(shingle).or_default().push((answer, index));
        }
    }

    fn original<D>(
        &self,
        judge: &Judge,
        candidate: &Candidate<D>,
        candidates: &[Candidate<D>],
    ) -> Option<usize> {
        if let Some(&answer) = self.exact.get(&candidate.text.hash) {
            return Some(answer);
        }
        let shingles = candidate.text.shingles().terms();
        let mut holders: Vec<(usize, usize)> =
            shingles.filter_map(|shingle| self.holders.get(&shingle)).flatten().copied().collect();
        holders.sort_unstable();
        holders.dedup();
        let is_copy = |&&(_, index): &&(usize, usize)| {
            candidates.get(index).is_some_and(|original| {
                let cosine = candidate.windows.as_ref().zip(original.windows.as_ref());
                let cosine = cosine.map(|(a, b)| a.cosine(b));
                compare(judge, &candidate.text, &original.text, cosine).is_same()
            })
        };
        holders.iter().find(is_copy).map(|(answer, _)| *answer)
    }
}

#[cfg(test)]
mod tests {
    use super::{Candidate, Choice, choose};
    use crate::verdict::{Comparable, Judge};
    use jiff::Timestamp;
    use std::sync::Arc;

    const A: &str = "The central bank raised its key rate by half a point to 5.5 pct on Monday.";
    const B: &str =
        "Fishermen in the northern harbour have been on strike over quotas since last week.";

    fn candidate(document: u32, text: &str, score: f32) -> Candidate<u32> {
        Candidate {
            document,
            published_at: Timestamp::UNIX_EPOCH,
            score,
            text: Arc::new(Comparable::of(text)),
            windows: None,
        }
    }

    const ALL: Choice = Choice {
        limit: 10,
        max_per_document: usize::MAX,
        min_score: 0.0,
        fold: true,
        diversity: 0.0,
    };

    fn chosen(candidates: &[Candidate<u32>], choice: Choice) -> Vec<(usize, Vec<usize>)> {
        choose(&Judge::of("all-MiniLM-L6-v2/int8"), candidates, choice)
            .into_iter()
            .map(|answer| (answer.candidate, answer.copies))
            .collect()
    }

    #[test]
    fn copies_fold_into_the_best_answer() {
        let edited = A.replace("half a point", "50 basis points");
        let candidates = [
            candidate(1, &edited, 0.7),
            candidate(2, A, 0.8),
            candidate(3, B, 0.75),
            candidate(4, A, 0.8),
        ];
        assert_eq!(chosen(&candidates, ALL), [(1, vec![3, 0]), (2, vec![])]);
        let apart = Choice { fold: false, ..ALL };
        assert_eq!(chosen(&candidates, apart).len(), 4);
    }

    #[test]
    fn documents_and_scores_are_bounded() {
        let candidates =
            [candidate(1, A, 0.9), candidate(1, B, 0.8), candidate(2, "Something else.", 0.1)];
        let one = Choice { max_per_document: 1, ..ALL };
        assert_eq!(chosen(&candidates, one), [(0, vec![]), (2, vec![])]);
        let strict = Choice { min_score: 0.5, ..ALL };
        assert_eq!(chosen(&candidates, strict), [(0, vec![]), (1, vec![])]);
    }
}
