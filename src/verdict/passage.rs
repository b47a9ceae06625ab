use super::logistic::Features;
use super::overlap::Overlap;
use super::{Comparable, Judge, Verdict};

/// What speaks for and against two passages being the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signals {
    /// They are the same, letter for letter after normalisation.
    pub exact: bool,
    /// Cosine of their embeddings, -1 to 1. `None` where the model does not speak
    /// their language.
    pub cosine: Option<f32>,
    /// Jaccard resemblance of their shingles, 0 to 1.
    pub resemblance: f32,
    /// Share of the shorter one's shingles that the longer one holds, 0 to 1.
    pub containment: f32,
    /// Share of the query's shingles that the match holds, 0 to 1.
    pub share_of_query: f32,
    /// Share of the match's shingles that the query holds, 0 to 1.
    pub share_of_match: f32,
    /// Of the numbers that the two state at most once each, the share that both state, 0
    /// to 1. `None` if either states none.
    pub agreement: Option<f32>,
}

/// Two passages compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// What the first one is beside the second one.
    pub verdict: Verdict,
    /// Probability that an editor would call the two the same, 0 to 1.
    pub probability: f32,
    /// Why.
    pub signals: Signals,
}

impl Comparison {
    /// Whether the two are the same, exactly or nearly.
    pub fn is_same(&self) -> bool {
        self.verdict != Verdict::New
    }
}

/// Compares a query passage with a stored one, given the cosine of their embeddings if
/// the model speaks their language.
///
/// The probability is a logistic function of the cosine and of what words, numbers and
/// names have in common. Where there is no cosine, another one that was fitted without.
pub fn compare(
    judge: &Judge,
    query: &Comparable,
    matched: &Comparable,
    cosine: Option<f32>,
) -> Comparison {
    if query.hash == matched.hash {
        return same(query, cosine);
    }
    let overlap = Overlap::of(&query.profile, &matched.profile);
    let agreed =
        overlap.numbers_shared / (overlap.numbers_shared + overlap.numbers_apart.replaced());
    let signals = Signals {
        exact: false,
        cosine,
        resemblance: overlap.resemblance,
        containment: overlap.containment,
        share_of_query: overlap.share_of_first,
        share_of_match: overlap.share_of_second,
        agreement: Some(agreed).filter(|agreed| agreed.is_finite() && overlap.both_state_numbers),
    };
    let model = judge.passage(cosine.is_some());
    let probability = model.probability(&features(&overlap, cosine));
    let verdict = match probability >= model.threshold {
        true => Verdict::NearDuplicate,
        false => Verdict::New,
    };
    Comparison { verdict, probability, signals }
}

/// A passage beside its like.
fn same(text: &Comparable, cosine: Option<f32>) -> Comparison {
    let signals = Signals {
        exact: true,
        cosine: cosine.map(|_| 1.0),
        resemblance: 1.0,
        containment: 1.0,
        share_of_query: 1.0,
        share_of_match: 1.0,
        agreement: Some(1.0).filter(|_| text.profile.states_numbers()),
    };
    Comparison { verdict: Verdict::ExactDuplicate, probability: 1.0, signals }
}

/// What a passage's probability is computed from.
pub(super) fn features(overlap: &Overlap, cosine: Option<f32>) -> Features {
    let mut features = vec![
        ("words", overlap.words),
        ("containment", overlap.containment),
        ("plain_of_smaller", overlap.plain.of_smaller),
        ("plain_of_larger", overlap.plain.of_larger),
        ("grams_of_smaller", overlap.grams.of_smaller),
        ("grams_of_larger", overlap.grams.of_larger),
        ("words_replaced", overlap.words_apart.replaced().ln_1p()),
        ("numbers_apart", overlap.numbers_apart.all().ln_1p()),
        ("numbers_replaced", overlap.numbers_apart.replaced().ln_1p()),
        ("numbers_in_place", overlap.numbers_in_place),
        ("names_shared", overlap.names_shared.ln_1p()),
        ("names_replaced", overlap.names_apart.replaced().ln_1p()),
        ("names_apart", overlap.names_apart.all().ln_1p()),
        ("numbers_shared", overlap.numbers_shared.ln_1p()),
        ("resemblance", overlap.resemblance),
        ("words_apart", overlap.words_apart.all().ln_1p()),
        ("misspelt", overlap.misspelt),
        ("numberless", f32::from(u8::from(!overlap.both_state_numbers))),
        ("ending", overlap.ending),
        ("denials_apart", overlap.denials_apart),
        ("lead", overlap.lead),
    ];
    features.extend(cosine.map(|cosine| ("cosine", cosine)));
    features
}

/// The features that the parameters weigh, of two passages.
pub fn passage_features(query: &Comparable, matched: &Comparable, cosine: Option<f32>) -> Features {
    features(&Overlap::of(&query.profile, &matched.profile), cosine)
}

#[cfg(test)]
mod tests {
    use super::{Comparison, compare};
    use crate::verdict::{Comparable, Judge, Verdict};

    fn compared(query: &str, matched: &str, cosine: f32) -> Comparison {
        let judge = Judge::of("all-MiniLM-L6-v2/int8");
        compare(&judge, &Comparable::of(query), &Comparable::of(matched), Some(cosine))
    }

    const STORY: &str = "The central bank raised its key rate by half a point to 5.5 pct on \
        Monday, the governor told reporters in the capital, and more may follow.";

    #[test]
    fn typography_does_not_make_a_difference() {
        let same = compared("He said \u{201C}no\u{201D}", "He said \"no\"", 0.99);
        assert_eq!((same.verdict, same.probability), (Verdict::ExactDuplicate, 1.0));
    }

    #[test]
    fn a_light_edit_and_a_cut_are_near_duplicates() {
        let edited = STORY.replace("and more may follow", "adding that more may follow");
        assert_eq!(compared(&edited, STORY, 0.97).verdict, Verdict::NearDuplicate);
        let cut = "The central bank raised its key rate by half a point to 5.5 pct on Monday.";
        assert_eq!(compared(cut, STORY, 0.9).verdict, Verdict::NearDuplicate);
    }

    #[test]
    fn the_same_template_about_another_day_is_new() {
        let query =
            "Treasury balances at the Fed rose to 3.1 billion dlrs on March 12 from 2.9 billion.";
        let matched =
            "Treasury balances at the Fed rose to 4.7 billion dlrs on October 16 from 4.2 billion.";
        assert_eq!(compared(query, matched, 0.95).verdict, Verdict::New);
    }

    #[test]
    fn other_words_about_the_same_are_new() {
        let other = "Borrowing will cost more after policymakers lifted their benchmark.";
        assert_eq!(compared(other, STORY, 0.75).verdict, Verdict::New);
    }
}
