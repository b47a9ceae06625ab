use std::collections::HashMap;

use crate::article::PassageKind;

use super::{Comparison, PairVerdict, Report, Signals, Verdict};

/// Share of a passage's words that a later version of it keeps, at least.
const VERSION_KEEPS: f32 = 0.3;

/// A stored document beside the one that is judged. `D` names documents.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate<D> {
    /// Which one.
    pub document: D,
    /// It is the canonical document of its family.
    pub is_canonical: bool,
    /// What the judged document is beside it.
    pub pair: PairVerdict,
}

/// A stored passage beside a passage of the document that is judged. `D` names
/// documents and `P` passages.
#[derive(Debug, Clone, PartialEq)]
pub struct PassageMatch<D, P> {
    /// Index of the passage that is judged, in its document.
    pub index: usize,
    /// The stored passage.
    pub passage: P,
    /// The document that it is of.
    pub document: D,
    /// The two compared.
    pub comparison: Comparison,
}

/// The verdict on a document beside everything before it.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentVerdict<D, P> {
    /// What it is.
    pub verdict: Verdict,
    /// The document whose family it belongs to; `None` if new.
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

/// Judges a document by the documents that may be the same, and by the passages that may
/// say the same.
///
/// What it is beside any of them is what it is: an exact copy before a near one, that
/// before an update. It belongs to the family of a canonical document wherever it is a
/// copy or update of that one itself.
pub fn judge_document<D, P>(
    document: &Report,
    candidates: &[Candidate<D>],
    matches: &[PassageMatch<D, P>],
    lexical_only: bool,
) -> DocumentVerdict<D, P>
where
    D: Copy + Ord,
    P: Copy,
{
    let is_same = |candidate: &&Candidate<D>| candidate.pair.verdict != Verdict::New;
    let best = |of: &mut dyn Iterator<Item = &Candidate<D>>| {
        of.max_by(|a, b| {
            let by_verdict = strength(a.pair.verdict).cmp(&strength(b.pair.verdict));
            let by_probability = a.pair.probability.total_cmp(&b.pair.probability);
            by_verdict.then(by_probability).then(b.document.cmp(&a.document))
        })
        .copied()
    };
    let strongest = best(&mut candidates.iter().filter(is_same));
    let canonical =
        best(&mut candidates.iter().filter(is_same).filter(|candidate| candidate.is_canonical));
    let of = canonical.or(strongest).map(|candidate| candidate.document);
    let verdict = strongest.map_or(Verdict::New, |strongest| strongest.pair.verdict);

    let mut by_passage: Vec<Vec<&PassageMatch<D, P>>> = vec![Vec::new(); document.passages.len()];
    for found in matches {
        if let Some(own) = by_passage.get_mut(found.index) {
            own.push(found);
        }
    }
    let versions = |found: &PassageMatch<D, P>| {
        verdict == Verdict::Update
            && candidates.iter().filter(is_same).any(|of| of.document == found.document)
    };
    let passages: Vec<PassageVerdict<P>> = document
        .passages
        .iter()
        .zip(&by_passage)
        .map(|(passage, own)| judge_one(passage.ordinal, passage.kind, own, versions))
        .collect();
    let probabilities = candidates.iter().map(|candidate| candidate.pair.probability);
    DocumentVerdict {
        verdict,
        of,
        probability: probabilities.fold(0.0, f32::max),
        duplicate_share: mean(document, best_of(matches, |found| covered(&found.comparison))),
        novelty: mean(document, passages.iter().map(|passage| passage.novelty).enumerate()),
        lexical_only,
        passages,
    }
}

impl<D, P> DocumentVerdict<D, P> {
    /// Lowers the novelty of passages, each by its position, of which it is known how far
    /// earlier documents told them.
    pub fn lower_novelty(&mut self, document: &Report, told: &HashMap<u32, f32>) {
        for passage in &mut self.passages {
            let told = told.get(&passage.ordinal).copied().unwrap_or_default();
            passage.novelty = passage.novelty.min(1.0 - told);
        }
        let novelties = self.passages.iter().map(|passage| passage.novelty).enumerate();
        self.novelty = mean(document, novelties);
    }
}

/// The mean of values by passage index, weighted by words; those not named count 0.
fn mean(document: &Report, values: impl IntoIterator<Item = (usize, f32)>) -> f32 {
    let weight = |index: usize| {
        let passage = document.passages.get(index);
        passage
            .filter(|passage| passage.kind == PassageKind::Body)
            .map_or(0.0, |passage| passage.text.words.max(1) as f32)
    };
    let total: f32 = (0..document.passages.len()).map(weight).sum();
    let sum: f32 = values.into_iter().map(|(index, value)| weight(index) * value).sum();
    if total > 0.0 { sum / total } else { 0.0 }
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
    is_in_an_earlier_version: impl Fn(&PassageMatch<D, P>) -> bool,
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
        let Comparison { verdict, probability, signals } = found.comparison;
        judged.novelty = judged.novelty.min(1.0 - said_before(&found.comparison));
        if judged.matched.is_none() || probability > judged.probability {
            let keeps = signals.share_of_query.max(signals.share_of_match);
            let is_version = keeps >= VERSION_KEEPS && is_in_an_earlier_version(found);
            judged.verdict = match verdict {
                Verdict::New if is_version => Verdict::Update,
                verdict => verdict,
            };
            judged.probability = probability;
            judged.matched = Some((found.passage, signals));
        }
    }
    if kind == PassageKind::Furniture {
        judged.novelty = 0.0;
    }
    judged
}

/// The best value of each passage that has matches, by its index.
fn best_of<D, P>(
    matches: &[PassageMatch<D, P>],
    value: impl Fn(&PassageMatch<D, P>) -> f32,
) -> HashMap<usize, f32> {
    let mut best: HashMap<usize, f32> = HashMap::new();
    for found in matches {
        let best = best.entry(found.index).or_insert(0.0);
        *best = best.max(value(found));
    }
    best
}

/// Share of a passage's words that stand in its match, if the two are the same.
fn covered(comparison: &Comparison) -> f32 {
    if comparison.is_same() { comparison.signals.share_of_query } else { 0.0 }
}

/// How far a match says what a passage says, in these words or others, 0 to 1.
fn said_before(comparison: &Comparison) -> f32 {
    /// Cosines of passages that have nothing, and everything, to do with each other.
    const UNRELATED: f32 = 0.5;
    const SAME: f32 = 0.9;
    let in_other_words =
        comparison.signals.cosine.map_or(0.0, |cosine| (cosine - UNRELATED) / (SAME - UNRELATED));
    let agreed = comparison.signals.agreement.unwrap_or(1.0);
    covered(comparison).max(in_other_words * agreed).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::{Candidate, DocumentVerdict, PassageMatch, judge_document};
    use crate::verdict::report::tests::report;
    use crate::verdict::{Judge, PairVerdict, Verdict, compare_passages};

    const LEAD: &str = "The central bank raised its key rate by half a point to 5.5 pct on Monday.";
    const SECOND: &str =
        "Governor Jane Doe told reporters that inflation had proved more stubborn than expected.";
    const THIRD: &str =
        "Markets fell after the announcement, with shares in banks leading the losses.";

    fn candidate(document: u32, is_canonical: bool, verdict: Verdict) -> Candidate<u32> {
        Candidate { document, is_canonical, pair: PairVerdict { verdict, probability: 0.9 } }
    }

    fn judged(
        incoming: &[&str],
        stored: &[&str],
        candidates: &[Candidate<u32>],
    ) -> DocumentVerdict<u32, usize> {
        let (incoming, stored) = (report(incoming), report(stored));
        let judge = Judge::of("all-MiniLM-L6-v2/int8");
        let matches: Vec<_> = compare_passages(&judge, &incoming, &stored)
            .into_iter()
            .map(|(index, passage, comparison)| PassageMatch {
                index,
                passage,
                document: 1,
                comparison,
            })
            .collect();
        judge_document(&incoming, candidates, &matches, false)
    }

    #[test]
    fn the_same_text_adds_nothing() {
        let same = [candidate(1, true, Verdict::ExactDuplicate)];
        let verdict = judged(&[LEAD, SECOND], &[LEAD, SECOND], &same);
        assert_eq!((verdict.verdict, verdict.of), (Verdict::ExactDuplicate, Some(1)));
        assert_eq!((verdict.duplicate_share, verdict.novelty), (1.0, 0.0));
    }

    #[test]
    fn an_update_tells_what_it_adds() {
        let later = [candidate(1, true, Verdict::Update)];
        let verdict = judged(&[LEAD, SECOND, THIRD], &[LEAD, SECOND], &later);
        let novelty: Vec<f32> = verdict.passages.iter().map(|passage| passage.novelty).collect();
        assert_eq!(novelty[..2], [0.0, 0.0]);
        assert!(novelty[2] > 0.9 && (0.25..0.35).contains(&verdict.novelty));
        assert_eq!(verdict.passages[2].verdict, Verdict::New);
    }

    #[test]
    fn the_strongest_verdict_is_told_and_the_canonical_document_is_joined() {
        let candidates = [
            candidate(1, true, Verdict::Update),
            candidate(2, false, Verdict::NearDuplicate),
            candidate(3, true, Verdict::New),
        ];
        let verdict = judged(&[LEAD], &[SECOND], &candidates);
        assert_eq!((verdict.verdict, verdict.of), (Verdict::NearDuplicate, Some(1)));
        let verdict = judged(&[LEAD], &[SECOND], &candidates[1..]);
        assert_eq!((verdict.verdict, verdict.of), (Verdict::NearDuplicate, Some(2)));
    }

    #[test]
    fn a_document_beside_nothing_is_new() {
        let verdict = judged(&[LEAD], &[], &[]);
        assert_eq!((verdict.verdict, verdict.of, verdict.novelty), (Verdict::New, None, 1.0));
        assert_eq!(verdict.probability, 0.0);
    }
}
