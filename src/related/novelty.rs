use super::subject::{Subject, SubjectPassage};

/// Cosines of a passage and one that has nothing to do with it, and one that says the same in
/// other words.
const UNRELATED: f32 = 0.40;
const SAME: f32 = 0.70;

/// Passages of an earlier document that are looked at.
const COMPARED: usize = 256;

/// How much of what a passage says has been told where it means the same but every fact of it is
/// another one.
const WITHOUT_FACTS: f32 = 0.3;

/// How far a document told before what a passage says, in these words or others, 0 to 1: how
/// near the nearest of its passages is in meaning, and how many of the facts it has, which are
/// names and figures.
///
/// A passage whose novelty is wanted is compared with each earlier document by itself: who wants
/// to know what is new has read each of them as a whole. Its novelty is what the one of them that
/// told most of it left out.
pub fn told(passage: &SubjectPassage, by: &Subject) -> f32 {
    let Some(windows) = &passage.windows else { return 0.0 };
    let others = by.passages.iter().take(COMPARED).filter_map(|other| other.windows.as_ref());
    let nearest = others.map(|other| windows.cosine(other)).fold(-1.0, f32::max);
    let meaning = ((nearest - UNRELATED) / (SAME - UNRELATED)).clamp(0.0, 1.0);
    let facts = || passage.gist.names.terms().chain(passage.gist.figures.terms());
    let all = facts().count();
    let known = facts().filter(|fact| by.terms.weight(*fact) > 0.0).count();
    let share = if all == 0 { 1.0 } else { known as f32 / all as f32 };
    meaning * (WITHOUT_FACTS + (1.0 - WITHOUT_FACTS) * share)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::told;
    use crate::embed::{UnitVector, Windows};
    use crate::related::{Gist, Subject, SubjectPassage};

    fn passage(text: &str, vector: &[f32]) -> SubjectPassage {
        let vector = UnitVector::normalized(vector);
        SubjectPassage {
            ordinal: 0,
            gist: Arc::new(Gist::of(text)),
            before: 0,
            windows: vector.and_then(|vector| Windows::new(vec![vector])),
            weight: 1.0,
        }
    }

    #[test]
    fn the_same_facts_in_other_words_are_told_and_other_facts_are_not() {
        let before = "Lane said 1,240 workers at the Duluth mill would lose their jobs.";
        let before = Subject::new("", None, vec![passage(before, &[1.0, 0.0])]);
        let near = [0.8, 0.6];
        let same = passage("At the Duluth mill Lane lays off 1,240 people.", &near);
        let other = passage("At the Gary plant Moore lays off 300 people.", &near);
        let unrelated = passage("Some 1,240 fishermen met Lane.", &[0.1, 1.0]);
        assert_eq!((told(&same, &before), told(&unrelated, &before)), (1.0, 0.0));
        assert!(told(&other, &before) < 0.5);
    }
}
