use crate::text::{ContentHash, Figures, Shingles, words};

use super::{DEFAULT_PROBABILITY, Verdict};

/// A text made ready to be compared with others.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparable {
    /// Of its normalised form.
    pub hash: ContentHash,
    /// Words in it.
    pub words: usize,
    /// Its word shingles.
    pub shingles: Shingles,
    figures: Figures,
}

impl Comparable {
    /// Of a passage's text.
    pub fn of(text: &str) -> Self {
        let words = words(text);
        Self {
            hash: ContentHash::of(text),
            words: words.len(),
            shingles: Shingles::of(&words),
            figures: Figures::of(&words),
        }
    }
}

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
    /// Share of the figures of the one with fewer that the other one states too, 0 to
    /// 1. `None` if either states none.
    pub agreement: Option<f32>,
}

/// The signals of a query passage and a stored one.
pub fn compare(query: &Comparable, matched: &Comparable, cosine: Option<f32>) -> Signals {
    let exact = query.hash == matched.hash;
    let share = |a: &Comparable, b: &Comparable| {
        if exact { 1.0 } else { a.shingles.contained_in(&b.shingles) }
    };
    Signals {
        exact,
        cosine: if exact { cosine.map(|_| 1.0) } else { cosine },
        resemblance: if exact { 1.0 } else { query.shingles.resemblance(&matched.shingles) },
        containment: if exact { 1.0 } else { query.shingles.containment(&matched.shingles) },
        share_of_query: share(query, matched),
        share_of_match: share(matched, query),
        agreement: query.figures.agreement(&matched.figures),
    }
}

/// The verdict on a passage, and the probability that an editor would call the two
/// the same.
///
/// A logistic function of containment, cosine and agreement of figures. Words weigh
/// most; a cosine under .88 speaks against; figures that disagree outweigh either.
/// Where the model does not speak the language, words and figures alone decide.
pub fn judge_passage(signals: &Signals) -> (Verdict, f32) {
    if signals.exact {
        return (Verdict::ExactDuplicate, 1.0);
    }
    let words = 8.0 * (signals.containment - 0.6);
    let meaning = signals.cosine.map_or(0.0, |cosine| 25.0 * (cosine - 0.88).max(-0.2));
    let facts = signals.agreement.map_or(0.0, |agreement| 5.0 * (agreement - 0.75));
    let probability = 1.0 / (1.0 + (-(words + meaning + facts)).exp());
    match probability >= DEFAULT_PROBABILITY {
        true => (Verdict::NearDuplicate, probability),
        false => (Verdict::New, probability),
    }
}

#[cfg(test)]
mod tests {
    use super::{Comparable, compare, judge_passage};
    use crate::verdict::Verdict;

    fn verdict(query: &str, matched: &str, cosine: f32) -> Verdict {
        let signals = compare(&Comparable::of(query), &Comparable::of(matched), Some(cosine));
        judge_passage(&signals).0
    }

    const STORY: &str = "The central bank raised its key rate by half a point to 5.5 pct on \
        Monday, the governor told reporters in the capital, and more may follow.";

    #[test]
    fn typography_does_not_make_a_difference() {
        assert_eq!(
            verdict("He said \u{201C}no\u{201D}", "He said \"no\"", 0.99),
            Verdict::ExactDuplicate
        );
    }

    #[test]
    fn a_light_edit_and_a_cut_are_near_duplicates() {
        let edited = STORY.replace("and more may follow", "adding that more may follow");
        assert_eq!(verdict(&edited, STORY, 0.97), Verdict::NearDuplicate);
        let cut = "The central bank raised its key rate by half a point to 5.5 pct on Monday.";
        assert_eq!(verdict(cut, STORY, 0.9), Verdict::NearDuplicate);
    }

    #[test]
    fn the_same_template_about_another_day_is_new() {
        let query =
            "Treasury balances at the Fed rose to 3.1 billion dlrs on March 12 from 2.9 billion.";
        let matched =
            "Treasury balances at the Fed rose to 4.7 billion dlrs on October 16 from 4.2 billion.";
        assert_eq!(verdict(query, matched, 0.95), Verdict::New);
    }

    #[test]
    fn other_words_about_the_same_are_new() {
        let other = "Borrowing will cost more after policymakers lifted their benchmark.";
        assert_eq!(verdict(other, STORY, 0.75), Verdict::New);
    }
}
