use std::collections::{HashMap, HashSet};

use crate::article::{DocumentId, PassageKind};
use crate::store::{DocumentKey, PassageKey, StoredDocument, StoredPassage, StoryKey, View};
use crate::text::{Alignment, align, words};
use crate::verdict::{DocumentVerdict, PassageVerdict, Signals, Verdict};

use super::CorpusError;

/// How much of a verdict to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// The document's verdict alone.
    Summary,
    /// With one verdict for each passage, and its match.
    Passages,
    /// With what the two texts share and where they differ.
    Evidence,
}

/// A verdict on a document, as it is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct VerdictAnswer {
    /// What it is.
    pub verdict: Verdict,
    /// The canonical document of its family; `None` if that was deleted since.
    pub canonical: Option<DocumentId>,
    /// Probability that the verdict "new" would be wrong.
    pub probability: f32,
    /// Share of its words that stand in earlier documents.
    pub duplicate_share: f32,
    /// Share of its words whose message no earlier document has.
    pub novelty: f32,
    /// The model does not speak its language.
    pub lexical_only: bool,
    /// The model whose vectors it rests on.
    pub model_id: String,
    /// The story that it is filed under; `None` where it would found one.
    pub story: Option<StoryKey>,
    /// One for each passage, in reading order. Empty in a summary.
    pub passages: Vec<PassageAnswer>,
}

/// A verdict on one passage of a document, as it is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct PassageAnswer {
    /// Position in its document.
    pub ordinal: u32,
    /// What the passage is for.
    pub kind: PassageKind,
    /// What it is.
    pub verdict: Verdict,
    /// How far no earlier document says it.
    pub novelty: f32,
    /// The passage. Empty unless evidence was asked for.
    pub text: String,
    /// The best match that is still stored.
    pub matched: Option<MatchAnswer>,
}

/// A stored passage beside one of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchAnswer {
    /// The stored passage.
    pub passage: StoredPassage,
    /// Its document.
    pub document: StoredDocument,
    /// What the query is beside it.
    pub verdict: Verdict,
    /// Probability that the two say the same.
    pub probability: f32,
    /// Ordinal of the query's passage.
    pub query_ordinal: u32,
    /// Why we think so.
    pub evidence: Evidence,
}

/// The signals behind a match.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Signals of the two texts.
    pub signals: Signals,
    /// What they share and where they differ. Empty unless evidence was asked for.
    pub alignment: Alignment,
}

impl Evidence {
    /// Of a query text that starts at `offset` and a stored text. Offsets in the
    /// answer count from the start of what `offset` counts from.
    pub(super) fn of(
        query: &str,
        offset: u32,
        matched: &str,
        signals: Signals,
        detail: Detail,
    ) -> Self {
        if detail < Detail::Evidence {
            return Self { signals, alignment: Alignment::default() };
        }
        let mut alignment = align(&words(query), &words(matched));
        for span in &mut alignment.spans {
            span.query = span.query.start + offset..span.query.end + offset;
        }
        Self { signals, alignment }
    }
}

/// A verdict, stored or computed, before what it refers to is filled in.
pub(super) struct Unfilled<'a> {
    pub judged: &'a DocumentVerdict<DocumentKey, PassageKey>,
    pub canonical: Option<DocumentId>,
    pub story: Option<StoryKey>,
    pub model_id: String,
    /// The document's passages by ordinal.
    pub texts: HashMap<u32, &'a str>,
}

/// Fills in the passages that a verdict refers to, those that are still stored.
pub(super) fn answer(
    view: View<'_>,
    unfilled: Unfilled<'_>,
    detail: Detail,
) -> Result<VerdictAnswer, CorpusError> {
    let Unfilled { judged, canonical, story, model_id, texts } = unfilled;
    let keys: HashSet<PassageKey> =
        judged.passages.iter().filter_map(|passage| Some(passage.matched?.0)).collect();
    let stored = match detail {
        Detail::Summary => HashMap::new(),
        Detail::Passages | Detail::Evidence => view.passages_by_key(&keys)?,
    };
    let documents = stored.values().map(|passage| passage.document).collect();
    let documents = view.documents(&documents)?;
    let resolve = |key: PassageKey| {
        let passage = stored.get(&key)?.clone();
        let document = documents.get(&passage.document)?.clone();
        Some(Resolved { passage, document })
    };
    let passages = passage_answers(&judged.passages, &texts, detail, resolve);
    Ok(VerdictAnswer {
        verdict: judged.verdict,
        canonical,
        probability: judged.probability,
        duplicate_share: judged.duplicate_share,
        novelty: judged.novelty,
        lexical_only: judged.lexical_only,
        model_id,
        story,
        passages,
    })
}

/// A passage that a verdict refers to, with its document.
pub(super) struct Resolved {
    pub passage: StoredPassage,
    pub document: StoredDocument,
}

/// Verdicts on passages with the passages that they refer to, as far as these are found. Of
/// a summary there is none.
pub(super) fn passage_answers<P: Copy>(
    judged: &[PassageVerdict<P>],
    texts: &HashMap<u32, &str>,
    detail: Detail,
    resolve: impl Fn(P) -> Option<Resolved>,
) -> Vec<PassageAnswer> {
    let answer = |judged: &PassageVerdict<P>| {
        let text = texts.get(&judged.ordinal).copied().unwrap_or_default();
        let matched = judged.matched.and_then(|(passage, signals)| {
            let Resolved { passage, document } = resolve(passage)?;
            Some(MatchAnswer {
                evidence: Evidence::of(text, 0, &passage.text, signals, detail),
                passage,
                document,
                verdict: judged.verdict,
                probability: judged.probability,
                query_ordinal: judged.ordinal,
            })
        });
        PassageAnswer {
            ordinal: judged.ordinal,
            kind: judged.kind,
            verdict: judged.verdict,
            novelty: judged.novelty,
            text: if detail >= Detail::Evidence { text.to_owned() } else { String::new() },
            matched,
        }
    };
    match detail {
        Detail::Summary => Vec::new(),
        Detail::Passages | Detail::Evidence => judged.iter().map(answer).collect(),
    }
}
