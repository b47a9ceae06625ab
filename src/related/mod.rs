//! Ranking what is about the same thing: scores, folding of copies, a bound for each
//! document.
//!
//! A pure function of candidates. How they were found is not known here.

use std::collections::HashMap;
use std::hash::Hash;

use jiff::Timestamp;

use crate::embed::Windows;
use crate::verdict::{Comparable, Judge, compare};

/// A passage that may be related to a query. `D` names documents.
#[derive(Debug, Clone)]
pub struct Candidate<D> {
    /// Its document.
    pub document: D,
    /// When that was published: of equal scores, the earlier one wins.
    pub published_at: Timestamp,
    /// Highest cosine to a passage of the query, -1 to 1.
    pub cosine: f32,
    /// What it says.
    pub text: Comparable,
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

/// How probable it is that an editor would call two passages related whose vectors
/// have this cosine.
///
/// A logistic function, fitted to the 30 nearest neighbours of each ECB+ sentence
/// (Cybulska and Vossen, "Using a sledgehammer to crack a nut?", 2014) among all of
/// them and 1,500 stories of Reuters-21578, related being those of the same event.
pub fn score(cosine: f32) -> f32 {
    const SLOPE: f32 = 7.8;
    const EVEN: f32 = 0.52;
    1.0 / (1.0 + (-SLOPE * (cosine - EVEN)).exp())
}

/// Chooses the best candidates, best first.
pub fn choose<D: Copy + Eq + Hash + Ord>(
    judge: &Judge,
    candidates: &[Candidate<D>],
    choice: Choice,
) -> Vec<Answer> {
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by(|&a, &b| match (candidates.get(a), candidates.get(b)) {
        (Some(x), Some(y)) => y
            .cosine
            .total_cmp(&x.cosine)
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
        let score = score(candidate.cosine);
        if score < choice.min_score {
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
        answers.push(Answer { candidate: index, score, copies: Vec::new() });
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

    const A: &str = "The central bank raised its key rate by half a point to 5.5 pct on Monday.";
    const B: &str =
        "Fishermen in the northern harbour have been on strike over quotas since last week.";

    fn candidate(document: u32, text: &str, cosine: f32) -> Candidate<u32> {
        Candidate {
            document,
            published_at: Timestamp::UNIX_EPOCH,
            cosine,
            text: Comparable::of(text),
            windows: None,
        }
    }

    const ALL: Choice =
        Choice { limit: 10, max_per_document: usize::MAX, min_score: 0.0, fold: true };

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
