use std::collections::HashSet;
use std::sync::Arc;

use crate::article::{Article, DocumentId, Incoming, Passage};
use crate::embed::{Lane, Role};
use crate::index::Scope;
use crate::store::{DocumentKey, EditorWord, PassageKey, StoredDocument, StoredPassage, StoryKey};
use crate::verdict::{
    Candidate, DocumentVerdict, PairVerdict, PassageMatch, Report, Verdict, compare_passages,
    judge_document, judge_pair,
};

use super::answers::{Detail, Resolved, VerdictAnswer, passage_answers};
use super::candidates::places;
use super::query::{now, primary};
use super::{Corpus, CorpusError, Parts, Which};

/// One of two documents that are compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Compared {
    /// One that is stored.
    Stored(DocumentId),
    /// One that is not.
    Incoming(Box<Incoming>),
}

/// The stored documents that one which is not stored may be a copy or a later version of.
#[derive(Debug, Clone, PartialEq)]
pub struct CandidateIds {
    /// Those whose passages mean most nearly the same, likest first.
    pub by_passages: Vec<DocumentId>,
    /// Those that share most fingerprints of their words, likest first.
    pub by_fingerprints: Vec<DocumentId>,
    /// Those that it is compared with as a whole: of either side, and those with the same
    /// reporting.
    pub compared: Vec<DocumentId>,
}

/// A document with all that a comparison needs of it.
struct Side {
    document: StoredDocument,
    passages: Vec<StoredPassage>,
    report: Report,
    is_stored: bool,
    lexical_only: bool,
}

impl Corpus {
    /// The verdict on `right`, had it come after `left` and nothing else.
    ///
    /// # Errors
    ///
    /// If one of them is not stored, is empty or cannot be embedded.
    pub async fn compare_documents(
        &self,
        left: Compared,
        right: Compared,
        detail: Detail,
    ) -> Result<VerdictAnswer, CorpusError> {
        let parts = self.parts();
        let left = self.side(&parts, left).await.map_err(|error| error.of(Which::Left))?;
        let right = self.side(&parts, right).await.map_err(|error| error.of(Which::Right))?;
        let compare = move |parts: &Parts| parts.compare_sides(&left, &right, detail);
        self.blocking_on(&parts, Lane::Question, compare).await
    }

    /// A document that is not stored, as it is compared with others.
    ///
    /// # Errors
    ///
    /// If it is empty or cannot be embedded.
    pub async fn report(&self, document: Incoming) -> Result<Report, CorpusError> {
        let side = self.side(&self.parts(), Compared::Incoming(Box::new(document))).await?;
        Ok(side.report)
    }

    /// The candidates for a verdict on a document, without itself if it is stored.
    ///
    /// # Errors
    ///
    /// If it is empty or cannot be embedded.
    pub async fn candidates(&self, document: Incoming) -> Result<CandidateIds, CorpusError> {
        let parts = self.parts();
        let article = self.read(&parts, document).await?;
        let texts = article.reporting().map(|p| (p.hash, p.text.clone())).collect();
        let vectors = self.vectors_of(&parts, texts, Lane::Question, Role::Passage).await?;
        let found = move |parts: &Parts| {
            let reader = parts.store.reader()?;
            let view = reader.view();
            let report = parts.report_of(view, &article, &vectors)?;
            let nearest = parts.nearest(view, &report, &vectors, Scope::All)?;
            let own = view.document(&article.id)?.map(|stored| stored.key);
            let likeliest = parts.likeliest(&report, &nearest, &places(view, &nearest)?, own);
            let ids = |side: &[(DocumentKey, f32)]| {
                let documents = view.documents(&side.iter().map(|(key, _)| *key).collect())?;
                let id = |(key, _): &(DocumentKey, f32)| Some(documents.get(key)?.id.clone());
                Ok::<_, CorpusError>(side.iter().filter_map(id).collect())
            };
            let mut compared = likeliest.compared(view, &report, HashSet::new())?;
            compared.retain(|key, _| Some(*key) != own);
            Ok(CandidateIds {
                by_passages: ids(&likeliest.by_passages)?,
                by_fingerprints: ids(&likeliest.by_fingerprints)?,
                compared: compared.into_values().map(|document| document.id).collect(),
            })
        };
        self.blocking_on(&parts, Lane::Question, found).await
    }

    async fn side(&self, parts: &Arc<Parts>, document: Compared) -> Result<Side, CorpusError> {
        match document {
            Compared::Stored(id) => {
                let side = move |parts: &Parts| {
                    let reader = parts.store.reader()?;
                    let document = reader.view().document(&id)?;
                    let document =
                        document.ok_or_else(|| CorpusError::UnknownDocument(id.to_string()))?;
                    let (report, passages) = parts.stored_report(reader.view(), &document)?;
                    let lexical_only = parts.is_lexical_only(&primary(&document.metadata));
                    Ok(Side { document, passages, report, is_stored: true, lexical_only })
                };
                self.blocking_on(parts, Lane::Question, side).await
            }
            Compared::Incoming(incoming) => {
                let article = self.read(parts, *incoming).await?;
                let texts = article.reporting().map(|p| (p.hash, p.text.clone())).collect();
                let vectors = self.vectors_of(parts, texts, Lane::Question, Role::Passage).await?;
                let side = move |parts: &Parts| {
                    let reader = parts.store.reader()?;
                    let report = parts.report_of(reader.view(), &article, &vectors)?;
                    let lexical_only = parts.is_lexical_only(&primary(&article.metadata));
                    let (document, passages) = as_if_stored(article, report.words());
                    Ok(Side { document, passages, report, is_stored: false, lexical_only })
                };
                self.blocking_on(parts, Lane::Question, side).await
            }
        }
    }
}

impl Parts {
    /// Whether verdicts on texts in a language rest on words and facts alone.
    pub fn is_lexical_only(&self, language: &str) -> bool {
        !(self.judge.is_semantic() && self.embedder.model().speaks(language))
    }

    fn compare_sides(
        &self,
        left: &Side,
        right: &Side,
        detail: Detail,
    ) -> Result<VerdictAnswer, CorpusError> {
        let mut pair = judge_pair(&self.judge, &right.report, &left.report);
        if left.is_stored && right.is_stored && left.document.key != right.document.key {
            let reader = self.store.reader()?;
            let words = reader.view().editor_words(right.document.key)?;
            pair = pair.corrected(&words, left.document.key);
        }
        let matches: Vec<PassageMatch<(), usize>> =
            compare_passages(&self.judge, &right.report, &left.report)
                .into_iter()
                .map(|(index, passage, comparison)| PassageMatch {
                    index,
                    passage,
                    document: (),
                    comparison,
                })
                .collect();
        let candidate = Candidate { document: (), is_canonical: true, pair };
        let judged: DocumentVerdict<(), usize> =
            judge_document(&right.report, &[candidate], &matches, right.lexical_only);
        let resolve = |place: usize| {
            let passage = left.passages.get(place)?.clone();
            Some(Resolved { passage, document: left.document.clone() })
        };
        let texts = right.passages.iter().map(|p| (p.ordinal, p.text.as_str())).collect();
        let earlier = match judged.verdict {
            Verdict::New => right,
            _ => left,
        };
        Ok(VerdictAnswer {
            verdict: judged.verdict,
            canonical: Some(earlier.document.id.clone()),
            probability: judged.probability,
            duplicate_share: judged.duplicate_share,
            novelty: judged.novelty,
            lexical_only: judged.lexical_only,
            model_id: self.embedder.model().id.clone(),
            story: None,
            passages: passage_answers(&judged.passages, &texts, detail, resolve),
        })
    }
}

impl PairVerdict {
    /// The same, or what an editor said of the two.
    pub(super) fn corrected(self, words: &[EditorWord], other: DocumentKey) -> Self {
        let word = words.iter().find(|word| word.document == other || word.other == other);
        word.map_or(self, |word| Self {
            verdict: word.verdict,
            probability: f32::from(u8::from(word.verdict != Verdict::New)),
        })
    }
}

/// What a document would be if it were stored alone.
fn as_if_stored(article: Article, words: usize) -> (StoredDocument, Vec<StoredPassage>) {
    let now = now();
    let passage = |passage: Passage| StoredPassage {
        key: PassageKey(0),
        document: DocumentKey(0),
        document_id: article.id.clone(),
        ordinal: passage.ordinal,
        text: passage.text,
        kind: passage.kind,
        paragraph: passage.paragraph,
        span: passage.span,
        content: None,
    };
    let passages = article.passages.into_iter().map(passage).collect();
    let document = StoredDocument {
        key: DocumentKey(0),
        published_at: article.metadata.published_at.unwrap_or(now),
        metadata: article.metadata,
        ingested_at: now,
        first_ingested_at: now,
        revision: 0,
        sequence: 0,
        body_hash: article.body_hash,
        reporting_hash: article.reporting_hash,
        words,
        family: 0,
        story: StoryKey(0),
        canonical: article.id.clone(),
        verdict: Verdict::New,
        id: article.id,
    };
    (document, passages)
}
