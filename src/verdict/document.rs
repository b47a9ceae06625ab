use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use crate::article::PassageKind;

use super::{Comparable, DEFAULT_PROBABILITY, Signals, Verdict, judge_passage};

/// Share of a document's words that must stand in another one for it to be a copy.
const COPY_SHARE: f32 = 0.8;

/// Share of an earlier document's words that a later version of it keeps, and share
/// of the later version's own words that these are, at least.
const UPDATE_KEEPS: f32 = 0.5;
const UPDATE_SHARE: f32 = 0.25;

/// What must be known of a stored document that shares passages with the one that is
/// judged. `D` names documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate<D> {
    /// Which one.
    pub document: D,
    /// Words in its reporting.
    pub words: usize,
    /// All its reporting is the same, letter for letter after normalisation.
    pub exact: bool,
}

/// A stored passage beside a passage of the document that is judged. `D` names
/// documents and `P` passages.
#[derive(Debug, Clone, PartialEq)]
pub struct PassageMatch<D, P> {
    /// Index of the passage that is judged, among those given.
    pub index: usize,
    /// The stored passage.
    pub passage: P,
    /// The document that it is of.
    pub document: D,
    /// Words in it.
    pub words: usize,
    /// The two compared.
    pub signals: Signals,
}

/// The verdict on a document beside everything before it.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentVerdict<D, P> {
    /// What it is.
    pub verdict: Verdict,
    /// The document that it copies or updates; `None` if new.
    pub of: Option<D>,
    /// Probability that calling it new would be wrong, 0 to 1.
    pub probability: f32,
    /// Share of its words that stand in earlier documents, 0 to 1.
    pub duplicate_share: f32,
    /// Share of its words whose message no earlier document has, 0 to 1.
    pub novelty: f32,
    /// Words and figures alone decided.
    pub lexical_only: bool,
    /// One for each passage, furniture included, in reading order.
    pub passages: Vec<PassageVerdict<P>>,
}

/// The verdict on one passage of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct PassageVerdict<P> {
    /// Position in its document.
    pub ordinal: u32,
    /// What the passage is for. Furniture is always new.
    pub kind: PassageKind,
    /// What it is.
    pub verdict: Verdict,
    /// Probability that it says the same as its match, 0 to 1.
    pub probability: f32,
    /// How far no earlier passage says it, 0 to 1.
    pub novelty: f32,
    /// The stored passage that it is likest to, and how.
    pub matched: Option<(P, Signals)>,
}

/// Judges a document by its passages and what was found for them. Documents that have
/// a passage that is the same, or all of it, must be among `candidates`.
///
/// It copies the document that holds most of its words, if that is nearly all of
/// them: a take that only cuts is a copy. It updates that document if it keeps most
/// of it and says more. Otherwise it is new. Passages that share a template but not
/// the figures are not the same, so they count for neither.
pub fn judge_document<D, P>(
    passages: &[(u32, PassageKind, &Comparable)],
    candidates: &[Candidate<D>],
    matches: &[PassageMatch<D, P>],
    lexical_only: bool,
) -> DocumentVerdict<D, P>
where
    D: Copy + Ord + Hash,
    P: Copy,
{
    let weights = Weights::of(passages);
    let mut by_passage: Vec<Vec<&PassageMatch<D, P>>> = vec![Vec::new(); passages.len()];
    let mut by_document: BTreeMap<D, Vec<&PassageMatch<D, P>>> = BTreeMap::new();
    for candidate in candidates {
        by_document.entry(candidate.document).or_default();
    }
    for found in matches {
        by_document.entry(found.document).or_default().push(found);
        if let Some(own) = by_passage.get_mut(found.index) {
            own.push(found);
        }
    }
    let judged: Vec<PassageVerdict<P>> = passages
        .iter()
        .zip(&by_passage)
        .map(|(&(ordinal, kind, _), own)| judge_one(ordinal, kind, own))
        .collect();
    let known: HashMap<D, &Candidate<D>> =
        candidates.iter().map(|candidate| (candidate.document, candidate)).collect();
    let of = by_document
        .iter()
        .map(|(document, own)| beside(&weights, *document, known.get(document).copied(), own))
        .max_by(|a, b| {
            let by_verdict = strength(a.verdict).cmp(&strength(b.verdict));
            let by_probability = a.probability.total_cmp(&b.probability);
            by_verdict.then(by_probability).then(b.document.cmp(&a.document))
        });
    DocumentVerdict {
        verdict: of.as_ref().map_or(Verdict::New, |of| of.verdict),
        of: of.as_ref().filter(|of| of.verdict != Verdict::New).map(|of| of.document),
        probability: of.as_ref().map_or(0.0, |of| of.probability),
        duplicate_share: weights.mean(best(matches.iter(), covered)),
        novelty: weights.mean(judged.iter().map(|passage| passage.novelty).enumerate()),
        lexical_only,
        passages: judged,
    }
}

/// How much each passage counts: by its words, furniture not at all.
struct Weights(Vec<f32>);

impl Weights {
    fn of(passages: &[(u32, PassageKind, &Comparable)]) -> Self {
        let weight = |&(_, kind, comparable): &(u32, PassageKind, &Comparable)| match kind {
            PassageKind::Body => comparable.words.max(1) as f32,
            PassageKind::Furniture => 0.0,
        };
        Self(passages.iter().map(weight).collect())
    }

    /// The weighted mean of values by passage index; those not named count 0.
    fn mean(&self, values: impl IntoIterator<Item = (usize, f32)>) -> f32 {
        let total: f32 = self.0.iter().sum();
        let weighted = |(index, value): (usize, f32)| self.0.get(index).unwrap_or(&0.0) * value;
        let sum: f32 = values.into_iter().map(weighted).sum();
        if total > 0.0 { sum / total } else { 0.0 }
    }
}

/// What a document is beside one other.
struct Beside<D> {
    document: D,
    verdict: Verdict,
    probability: f32,
}

fn beside<D: Copy, P>(
    weights: &Weights,
    document: D,
    known: Option<&Candidate<D>>,
    matches: &[&PassageMatch<D, P>],
) -> Beside<D> {
    let own = || matches.iter().copied();
    let share = weights.mean(best(own(), covered));
    let likely = weights.mean(best(own(), |signals| judge_passage(signals).1));
    let kept = known.map_or(0.0, |known| kept_words(own()) / known.words.max(1) as f32);
    let (verdict, probability) = if known.is_some_and(|known| known.exact) {
        (Verdict::ExactDuplicate, 1.0)
    } else if share >= COPY_SHARE {
        (Verdict::NearDuplicate, likely.max(share))
    } else if kept >= UPDATE_KEEPS && share >= UPDATE_SHARE {
        (Verdict::Update, likely.max(kept.min(1.0)))
    } else {
        (Verdict::New, likely.min(DEFAULT_PROBABILITY))
    };
    Beside { document, verdict, probability }
}

/// Which of two verdicts beside different documents to report.
fn strength(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::New => 0,
        Verdict::Update => 1,
        Verdict::NearDuplicate => 2,
        Verdict::ExactDuplicate => 3,
    }
}

fn judge_one<D, P: Copy>(
    ordinal: u32,
    kind: PassageKind,
    matches: &[&PassageMatch<D, P>],
) -> PassageVerdict<P> {
    let mut judged = PassageVerdict {
        ordinal,
        kind,
        verdict: Verdict::New,
        probability: 0.0,
        novelty: 1.0,
        matched: None,
    };
    for found in matches {
        let (verdict, probability) = judge_passage(&found.signals);
        judged.novelty = judged.novelty.min(1.0 - said_before(&found.signals));
        if judged.matched.is_none() || probability > judged.probability {
            judged.verdict = verdict;
            judged.probability = probability;
            judged.matched = Some((found.passage, found.signals));
        }
    }
    if kind == PassageKind::Furniture {
        judged.novelty = 0.0;
    }
    judged
}

/// The best value of each passage that has matches, by its index.
fn best<'a, D: 'a, P: 'a>(
    matches: impl Iterator<Item = &'a PassageMatch<D, P>>,
    value: impl Fn(&Signals) -> f32,
) -> HashMap<usize, f32> {
    let mut best: HashMap<usize, f32> = HashMap::new();
    for found in matches {
        let best = best.entry(found.index).or_insert(0.0);
        *best = best.max(value(&found.signals));
    }
    best
}

/// Share of a passage's words that stand in its match, if the two are the same.
fn covered(signals: &Signals) -> f32 {
    match judge_passage(signals).0 {
        Verdict::New => 0.0,
        _ => signals.share_of_query,
    }
}

/// Words of a candidate's passages that stand in the document that is judged.
fn kept_words<'a, D: 'a, P: 'a>(matches: impl Iterator<Item = &'a PassageMatch<D, P>>) -> f32 {
    // One judged passage answers for at most one stored one: the one it shares most
    // words with.
    let mut kept: HashMap<usize, f32> = HashMap::new();
    for found in matches.filter(|found| judge_passage(&found.signals).0 != Verdict::New) {
        let kept = kept.entry(found.index).or_insert(0.0);
        *kept = kept.max(found.signals.share_of_match * found.words as f32);
    }
    kept.values().sum()
}

/// How far a match says what a passage says, in these words or others, 0 to 1.
fn said_before(signals: &Signals) -> f32 {
    /// Cosines of passages that have nothing, and everything, to do with each other.
    const UNRELATED: f32 = 0.5;
    const SAME: f32 = 0.9;
    let in_other_words =
        signals.cosine.map_or(0.0, |cosine| (cosine - UNRELATED) / (SAME - UNRELATED));
    let agreed = signals.agreement.unwrap_or(1.0);
    covered(signals).max(in_other_words * agreed).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::{Candidate, DocumentVerdict, PassageMatch, judge_document};
    use crate::article::PassageKind;
    use crate::verdict::{Comparable, Verdict, compare};

    const LEAD: &str = "The central bank raised its key rate by half a point to 5.5 pct on Monday.";
    const SECOND: &str =
        "Governor Jane Doe told reporters that inflation had proved more stubborn than expected.";
    const THIRD: &str =
        "Markets fell after the announcement, with shares in banks leading the losses.";
    const OTHER: &str =
        "Fishermen in the northern harbour have been on strike over quotas since last week.";

    /// Judges `incoming` beside one stored document, with cosines of 1 for the same
    /// text and .3 for others.
    fn judge(incoming: &[&str], stored: &[&str]) -> DocumentVerdict<u32, u32> {
        let incoming: Vec<Comparable> = incoming.iter().map(|text| Comparable::of(text)).collect();
        let stored: Vec<Comparable> = stored.iter().map(|text| Comparable::of(text)).collect();
        let passages: Vec<_> = incoming
            .iter()
            .enumerate()
            .map(|(index, comparable)| (index as u32, PassageKind::Body, comparable))
            .collect();
        let mut matches = Vec::new();
        for (index, query) in incoming.iter().enumerate() {
            for (passage, matched) in stored.iter().enumerate() {
                let cosine = if query.hash == matched.hash { 1.0 } else { 0.3 };
                let signals = compare(query, matched, Some(cosine));
                matches.push(PassageMatch {
                    index,
                    passage: passage as u32,
                    document: 7,
                    words: matched.words,
                    signals,
                });
            }
        }
        let same = |(a, b): (&Comparable, &Comparable)| a.hash == b.hash;
        let exact = incoming.len() == stored.len() && incoming.iter().zip(&stored).all(same);
        let words = stored.iter().map(|passage| passage.words).sum();
        judge_document(&passages, &[Candidate { document: 7, words, exact }], &matches, false)
    }

    #[test]
    fn the_same_text_is_an_exact_duplicate_and_adds_nothing() {
        let verdict = judge(&[LEAD, SECOND], &[LEAD, SECOND]);
        assert_eq!((verdict.verdict, verdict.of), (Verdict::ExactDuplicate, Some(7)));
        assert_eq!((verdict.duplicate_share, verdict.novelty), (1.0, 0.0));
    }

    #[test]
    fn a_take_that_only_cuts_is_a_near_duplicate() {
        assert_eq!(judge(&[LEAD, SECOND], &[LEAD, SECOND, THIRD]).verdict, Verdict::NearDuplicate);
    }

    #[test]
    fn a_longer_take_is_an_update_and_tells_what_it_adds() {
        let verdict = judge(&[LEAD, SECOND, THIRD], &[LEAD, SECOND]);
        assert_eq!(verdict.verdict, Verdict::Update);
        let novelty: Vec<f32> = verdict.passages.iter().map(|passage| passage.novelty).collect();
        assert_eq!(novelty, [0.0, 0.0, 1.0]);
        assert!((0.25..0.35).contains(&verdict.novelty));
    }

    #[test]
    fn one_shared_paragraph_of_many_does_not_make_a_copy() {
        let verdict = judge(&[SECOND, THIRD, OTHER], &[OTHER, LEAD, LEAD, LEAD]);
        assert_eq!((verdict.verdict, verdict.of), (Verdict::New, None));
        assert!((0.3..0.5).contains(&verdict.duplicate_share));
    }

    #[test]
    fn a_document_beside_nothing_is_new() {
        let comparable = Comparable::of(LEAD);
        let verdict: DocumentVerdict<u32, u32> =
            judge_document(&[(0, PassageKind::Body, &comparable)], &[], &[], false);
        assert_eq!((verdict.verdict, verdict.of, verdict.novelty), (Verdict::New, None, 1.0));
    }
}
