use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::article::{DocumentId, Incoming};
use crate::embed::{Lane, Role, Windows};
use crate::index::{ContentSet, Scope};
use crate::related::{
    Pick, Ranking, Scale, Subject, Surroundings, WeighedSubject, pick, rank, ranking_features,
};
use crate::store::{DocumentKey, Filter, StoredDocument, StoredPassage, View};
use crate::verdict::{Features, Report, Verdict, compare, judge_pair};

use super::candidates::Nearest;
use super::lexicon::ASKING;
use super::query::now;
use super::steps::timed_question;
use super::subjects::{by_meaning, subject_of};
use super::{Corpus, CorpusError, Parts};

/// Documents that are looked at for each answer that is wanted, and besides.
const LOOKED_AT_PER_ANSWER: usize = 2;
const LOOKED_AT_BESIDES: usize = 60;

/// Nearest texts that are looked at for all passages together, about, for each document that
/// is looked at, and for each passage at least.
const TEXTS_PER_DOCUMENT: usize = 4;
const LEAST_TEXTS: usize = 16;

/// Passages of a document that are looked for, those that come first.
const SEARCHES: usize = 256;

/// Pairs of passages that tie an answer to the query, at most.
const EVIDENCE: usize = 5;

/// Score under which nothing is a copy of the query or of a better answer, and documents besides
/// the answers that are looked at for copies.
const COPIES: f32 = 0.5;
const COPIES_AMONG: usize = 32;

/// Cosine from which on two passages tie their documents.
const TIES: f32 = 0.4;

/// Which stored documents cover the same events?
#[derive(Debug, Clone, PartialEq)]
pub struct RelatedDocumentsQuestion {
    /// What is asked about.
    pub query: DocumentQuery,
    /// Which documents may answer.
    pub filter: Filter,
    /// Answers, at most.
    pub limit: usize,
    /// Least score to answer.
    pub min_score: f32,
    /// How to pick and order them.
    pub ranking: Ranking,
}

/// A document that is asked about.
#[derive(Debug, Clone, PartialEq)]
pub enum DocumentQuery {
    /// One that is stored.
    Stored(DocumentId),
    /// One that is not.
    Incoming(Box<Incoming>),
}

/// Stored documents that cover the same events.
#[derive(Debug, Clone, PartialEq)]
pub struct RelatedDocuments {
    /// Best first.
    pub documents: Vec<RelatedDocument>,
    /// Copies of the query itself, which were left out.
    pub query_duplicates: Vec<DocumentId>,
    /// The model in use.
    pub model_id: String,
}

/// A stored document that covers the same events.
#[derive(Debug, Clone, PartialEq)]
pub struct RelatedDocument {
    /// The document.
    pub document: StoredDocument,
    /// How probable it is that it does, 0 to 1, times the recency factor.
    pub score: f32,
    /// What it is beside the query.
    pub verdict: Verdict,
    /// Pairs of passages that tie the two together, strongest first.
    pub evidence: Vec<Tie>,
    /// Copies of it that were folded into it.
    pub copies: Vec<DocumentId>,
}

/// A passage of the query and one of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Tie {
    /// Position of the first one in its document.
    pub query_ordinal: u32,
    /// The second one.
    pub passage: StoredPassage,
    /// The cosine of their embeddings.
    pub cosine: f32,
    /// What the second one is beside the first one.
    pub verdict: Verdict,
}

/// A document that is asked about, ready to be compared.
pub(super) struct AskedDocument {
    pub own: Option<StoredDocument>,
    pub report: Report,
    pub subject: Arc<Subject>,
    pub published_at: Option<Timestamp>,
}

/// A stored document that may answer.
struct Candidate {
    document: StoredDocument,
    subject: Arc<Subject>,
    score: f32,
}

impl Corpus {
    /// Finds stored documents that cover the same events as one, ranked by how well their
    /// passages, words, names and figures cover one another.
    ///
    /// # Errors
    ///
    /// If what is asked about is not stored, is empty or cannot be embedded.
    pub async fn related_documents(
        &self,
        question: RelatedDocumentsQuestion,
    ) -> Result<RelatedDocuments, CorpusError> {
        let scale = self.parts().scale.clone();
        self.related_documents_by(question, Arc::new(scale)).await
    }

    /// The same with other parameters, for those who fit them.
    ///
    /// # Errors
    ///
    /// If what is asked about is not stored, is empty or cannot be embedded.
    pub async fn related_documents_by(
        &self,
        question: RelatedDocumentsQuestion,
        scale: Arc<Scale>,
    ) -> Result<RelatedDocuments, CorpusError> {
        let parts = self.parts();
        let asked = self.asked_document(&parts, question.query.clone()).await?;
        self.blocking_on(&parts, Lane::Question, move |parts| {
            parts.related_documents(&asked, &question, &scale)
        })
        .await
    }

    pub(super) async fn asked_document(
        &self,
        parts: &Arc<Parts>,
        query: DocumentQuery,
    ) -> Result<AskedDocument, CorpusError> {
        match query {
            DocumentQuery::Stored(id) => {
                let asked = move |parts: &Parts| {
                    let reader = parts.store.reader()?;
                    let view = reader.view();
                    let document = view.document(&id)?;
                    let document =
                        document.ok_or_else(|| CorpusError::UnknownDocument(id.to_string()))?;
                    Ok(AskedDocument {
                        report: parts.stored_report(view, &document)?.0,
                        subject: parts.subject(view, &document)?,
                        published_at: Some(document.published_at),
                        own: Some(document),
                    })
                };
                self.blocking_on(parts, Lane::Question, asked).await
            }
            DocumentQuery::Incoming(incoming) => {
                let article = self.read(parts, *incoming).await?;
                let texts = article.reporting().map(|p| (p.hash, p.text.clone())).collect();
                let vectors = self.vectors_of(parts, texts, Lane::Question, Role::Passage).await?;
                let asked = move |parts: &Parts| {
                    let reader = parts.store.reader()?;
                    let report = parts.report_of(reader.view(), &article, &vectors)?;
                    Ok(AskedDocument {
                        own: None,
                        subject: Arc::new(subject_of(&article, &report)),
                        report,
                        published_at: article.metadata.published_at,
                    })
                };
                self.blocking_on(parts, Lane::Question, asked).await
            }
        }
    }
}

impl Corpus {
    /// The answers to a question in their order, with their scores, before copies are folded and
    /// before they are dressed: for those who measure.
    ///
    /// # Errors
    ///
    /// If what is asked about is not stored, is empty or cannot be embedded.
    pub async fn ranked_documents(
        &self,
        question: RelatedDocumentsQuestion,
        scale: Arc<Scale>,
    ) -> Result<Vec<(DocumentId, f32)>, CorpusError> {
        let parts = self.parts();
        let asked = self.asked_document(&parts, question.query.clone()).await?;
        self.blocking_on(&parts, Lane::Question, move |parts| {
            let reader = parts.store.reader()?;
            let ranked = parts.ranked(reader.view(), &asked, &question, &scale)?;
            Ok(ranked.into_iter().map(|c| (c.document.id, c.score)).collect())
        })
        .await
    }

    /// What probabilities are computed from that stored documents cover the same events as one:
    /// for those who fit them.
    ///
    /// # Errors
    ///
    /// If one of them is not stored.
    pub async fn document_features(
        &self,
        query: DocumentId,
        others: Vec<DocumentId>,
    ) -> Result<Vec<Features>, CorpusError> {
        self.blocking(move |parts| {
            let reader = parts.store.reader()?;
            let subjects = parts.subjects_of(reader.view(), &query, &others)?;
            Ok(parts.with_rarities(|rarity| {
                let mut all: Vec<WeighedSubject> =
                    subjects.iter().map(|subject| WeighedSubject::new(subject, &rarity)).collect();
                let query = all.remove(0);
                ranking_features(&query, &all)
            }))
        })
        .await
    }
}

impl Parts {
    fn subjects_of(
        &self,
        view: View<'_>,
        query: &DocumentId,
        others: &[DocumentId],
    ) -> Result<Vec<Arc<Subject>>, CorpusError> {
        let subject = |id: &DocumentId| {
            let document = view.document(id)?;
            let document = document.ok_or_else(|| CorpusError::UnknownDocument(id.to_string()))?;
            self.subject(view, &document)
        };
        std::iter::once(query).chain(others).map(subject).collect()
    }

    fn related_documents(
        &self,
        asked: &AskedDocument,
        question: &RelatedDocumentsQuestion,
        scale: &Scale,
    ) -> Result<RelatedDocuments, CorpusError> {
        let reader = self.store.reader()?;
        let view = reader.view();
        let candidates = self.ranked(view, asked, question, scale)?;
        timed_question("answer", || self.answer(view, asked, question, &candidates))
    }

    fn ranked(
        &self,
        view: View<'_>,
        asked: &AskedDocument,
        question: &RelatedDocumentsQuestion,
        scale: &Scale,
    ) -> Result<Vec<Candidate>, CorpusError> {
        let keys = self.may_be_related(view, asked, question)?;
        let (documents, subjects, scores) = timed_question("fusion", || {
            let mut documents: Vec<StoredDocument> = view.documents(&keys)?.into_values().collect();
            documents.sort_by_key(|document| document.key);
            let mut subjects = Vec::new();
            for document in &documents {
                subjects.push(self.subject(view, document)?);
            }
            let scores = self.scores(asked, &subjects, question.ranking, scale);
            Ok::<_, CorpusError>((documents, subjects, scores))
        })?;
        let as_of = question.ranking.as_of.or(asked.published_at).unwrap_or_else(now);
        let mut candidates: Vec<Candidate> = documents
            .into_iter()
            .zip(subjects)
            .zip(scores)
            .map(|((document, subject), score)| {
                let score = score * question.ranking.recency(as_of, document.published_at);
                Candidate { document, subject, score }
            })
            .collect();
        candidates.sort_by(|a, b| {
            let by_score = b.score.total_cmp(&a.score);
            let by_time = a.document.published_at.cmp(&b.document.published_at);
            by_score.then(by_time).then(a.document.key.cmp(&b.document.key))
        });
        Ok(candidates)
    }

    /// Documents that may be related: by the nearest texts to each passage, and by words.
    fn may_be_related(
        &self,
        view: View<'_>,
        asked: &AskedDocument,
        question: &RelatedDocumentsQuestion,
    ) -> Result<HashSet<DocumentKey>, CorpusError> {
        let most = question.limit * LOOKED_AT_PER_ANSWER + LOOKED_AT_BESIDES;
        let texts = self.allowed(view, &question.filter)?;
        let documents = self.allowed_documents(view, &question.filter)?;
        let mut keys = HashSet::new();
        if question.ranking.mode.has_meaning() {
            let nearest = timed_question("vectors", || {
                self.nearest_texts(&asked.subject, most, texts.as_ref())
            })?;
            keys.extend(by_meaning(view, &nearest, most)?);
        }
        if question.ranking.mode.has_words() {
            let terms = &asked.subject.terms;
            let found = timed_question("words", || {
                self.lexicon.documents(terms, ASKING, most, documents.clone())
            })?;
            keys.extend(found.into_iter().map(|hit| DocumentKey(hit.id as i64)));
        }
        let own = asked.own.as_ref().map(|own| own.key);
        keys.retain(|key| {
            let is_allowed = |allowed: &Arc<roaring::RoaringTreemap>| {
                u64::try_from(key.0).is_ok_and(|key| allowed.contains(key))
            };
            Some(*key) != own && documents.as_ref().is_none_or(is_allowed)
        });
        Ok(keys)
    }

    /// What a document and those likest to it have in common.
    pub fn surroundings(
        &self,
        view: View<'_>,
        subject: &Arc<Subject>,
    ) -> Result<Surroundings, CorpusError> {
        let nearest = self.nearest_texts(subject, LOOKED_AT_BESIDES, None)?;
        let mut keys = HashSet::from_iter(by_meaning(view, &nearest, LOOKED_AT_BESIDES)?);
        let by_words = self.lexicon.documents(&subject.terms, ASKING, LOOKED_AT_BESIDES, None)?;
        keys.extend(by_words.into_iter().map(|hit| DocumentKey(hit.id as i64)));
        let mut others = Vec::new();
        for document in view.documents(&keys)?.values() {
            others.push(self.subject(view, document)?);
        }
        Ok(self.with_rarities(|rarity| {
            let query = WeighedSubject::new(subject, &rarity);
            let others: Vec<WeighedSubject> =
                others.iter().map(|other| WeighedSubject::new(other, &rarity)).collect();
            Surroundings::of(&query, &others)
        }))
    }

    fn nearest_texts(
        &self,
        subject: &Subject,
        most: usize,
        allowed: Option<&ContentSet>,
    ) -> Result<Nearest, CorpusError> {
        let counting = subject.passages.iter().enumerate().take(SEARCHES);
        let (passages, queries): (Vec<usize>, Vec<&Windows>) = counting
            .filter(|(_, passage)| passage.weight > 0.0)
            .filter_map(|(index, passage)| Some((index, passage.windows.as_ref()?)))
            .unzip();
        let count = (most * TEXTS_PER_DOCUMENT / passages.len().max(1)).max(LEAST_TEXTS);
        let scope = allowed.map_or(Scope::All, Scope::Only);
        let hits = self.index.nearest(&queries, count, scope)?;
        Ok(passages.into_iter().zip(hits).collect())
    }

    fn scores(
        &self,
        asked: &AskedDocument,
        subjects: &[Arc<Subject>],
        ranking: Ranking,
        scale: &Scale,
    ) -> Vec<f32> {
        self.with_rarities(|rarity| {
            let query = WeighedSubject::new(&asked.subject, &rarity);
            let candidates: Vec<WeighedSubject> =
                subjects.iter().map(|subject| WeighedSubject::new(subject, &rarity)).collect();
            rank(scale, ranking.mode, &query, &candidates)
        })
    }

    fn answer(
        &self,
        view: View<'_>,
        asked: &AskedDocument,
        question: &RelatedDocumentsQuestion,
        candidates: &[Candidate],
    ) -> Result<RelatedDocuments, CorpusError> {
        let mut reports: HashMap<usize, Report> = HashMap::new();
        let mut verdicts: HashMap<usize, Verdict> = HashMap::new();
        let mut query_duplicates = Vec::new();
        let mut copies: HashMap<usize, Vec<DocumentId>> = HashMap::new();
        let folds = !question.ranking.include_duplicates;
        let mut kept: Vec<usize> = Vec::new();
        let mut leaders: HashMap<i64, Vec<usize>> = HashMap::new();
        let enough = question.limit * if question.ranking.diversity > 0.0 { 4 } else { 1 };
        for (place, candidate) in candidates.iter().enumerate() {
            let is_enough = kept.len() >= enough;
            let may_be_a_copy = candidate.score >= COPIES && place < enough + COPIES_AMONG;
            if candidate.score < question.min_score || is_enough && !may_be_a_copy {
                break;
            }
            let report = self.stored_report(view, &candidate.document)?.0;
            let verdict = self.verdict_beside(view, asked, &candidate.document, &report)?;
            if folds && is_copy(verdict) {
                query_duplicates.push(candidate.document.id.clone());
                continue;
            }
            let family = leaders.entry(candidate.document.family).or_default();
            // Copies of better answers are of their families.
            let original = family.iter().copied().find(|better| {
                let better = reports.get(better);
                let verdict = |better| judge_pair(&self.judge, &report, better).verdict;
                folds && better.map(verdict).is_some_and(is_copy)
            });
            if let Some(original) = original {
                copies.entry(original).or_default().push(candidate.document.id.clone());
                continue;
            }
            if is_enough {
                continue;
            }
            family.push(place);
            kept.push(place);
            reports.insert(place, report);
            verdicts.insert(place, verdict);
        }
        let score = |place: &usize| candidates.get(*place).map_or(0.0, |c| c.score);
        let alike = |a: &usize, b: &usize| {
            let mean = |place: &usize| candidates.get(*place)?.subject.mean.as_ref();
            mean(a).zip(mean(b)).map_or(0.0, |(a, b)| a.cosine(b))
        };
        let options = Pick { limit: question.limit, diversity: question.ranking.diversity };
        let chosen = pick(&kept, options, score, alike);
        let mut answers = Vec::new();
        for place in chosen {
            let Some(candidate) = candidates.get(place) else { continue };
            let Some(report) = reports.get(&place) else { continue };
            answers.push(RelatedDocument {
                document: candidate.document.clone(),
                score: candidate.score,
                verdict: verdicts.get(&place).copied().unwrap_or(Verdict::New),
                evidence: self.ties(view, asked, &candidate.document, report)?,
                copies: copies.remove(&place).unwrap_or_default(),
            });
        }
        Ok(RelatedDocuments {
            documents: answers,
            query_duplicates,
            model_id: self.embedder.model().id.clone(),
        })
    }

    /// What a stored document is beside what is asked about.
    fn verdict_beside(
        &self,
        view: View<'_>,
        asked: &AskedDocument,
        document: &StoredDocument,
        report: &Report,
    ) -> Result<Verdict, CorpusError> {
        let pair = judge_pair(&self.judge, report, &asked.report);
        Ok(match &asked.own {
            Some(own) => pair.corrected(&view.editor_words(own.key)?, document.key).verdict,
            None => pair.verdict,
        })
    }

    /// A related document as it is answered, without copies.
    pub fn dressed(
        &self,
        view: View<'_>,
        asked: &AskedDocument,
        document: StoredDocument,
        score: f32,
    ) -> Result<RelatedDocument, CorpusError> {
        let report = self.stored_report(view, &document)?.0;
        Ok(RelatedDocument {
            score,
            verdict: self.verdict_beside(view, asked, &document, &report)?,
            evidence: self.ties(view, asked, &document, &report)?,
            copies: Vec::new(),
            document,
        })
    }

    /// The pairs of passages that tie a candidate to the query, each passage once.
    fn ties(
        &self,
        view: View<'_>,
        asked: &AskedDocument,
        document: &StoredDocument,
        report: &Report,
    ) -> Result<Vec<Tie>, CorpusError> {
        let counting = |report: &'_ Report| -> Vec<usize> {
            let counting = report.reporting().filter(|(_, passage)| passage.weight > 0.0);
            counting.map(|(index, _)| index).take(LOOKED_AT_BESIDES).collect()
        };
        let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
        let theirs = counting(report);
        for mine in counting(&asked.report) {
            for &their in &theirs {
                let windows = |report: &Report, index: usize| {
                    report.passages.get(index).and_then(|passage| passage.windows.clone())
                };
                let pair = windows(&asked.report, mine).zip(windows(report, their));
                let Some((a, b)) = pair else { continue };
                let cosine = a.cosine(&b);
                if cosine >= TIES {
                    pairs.push((cosine, mine, their));
                }
            }
        }
        pairs.sort_by(|(x, a, b), (y, c, d)| y.total_cmp(x).then((a, b).cmp(&(c, d))));
        let (mut used, mut used_there) = (HashSet::new(), HashSet::new());
        let mut ties = Vec::new();
        let stored = view.passages(document.key)?;
        for (cosine, mine, their) in pairs {
            if ties.len() >= EVIDENCE || used.contains(&mine) || used_there.contains(&their) {
                continue;
            }
            let pair = asked.report.passages.get(mine).zip(report.passages.get(their));
            let Some((mine_passage, their_passage)) = pair else { continue };
            let passage = stored.iter().find(|p| p.ordinal == their_passage.ordinal);
            let Some(passage) = passage else { continue };
            used.insert(mine);
            used_there.insert(their);
            ties.push(Tie {
                query_ordinal: mine_passage.ordinal,
                passage: passage.clone(),
                cosine,
                verdict: compare(
                    &self.judge,
                    &their_passage.text,
                    &mine_passage.text,
                    Some(cosine),
                )
                .verdict,
            });
        }
        Ok(ties)
    }
}

fn is_copy(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::ExactDuplicate | Verdict::NearDuplicate)
}
