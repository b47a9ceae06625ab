use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::embed::{Lane, Role};
use crate::index::Scope;
use crate::related::{Answer, Candidate, Choice, choose, score};
use crate::store::{DocumentKey, Filter, PassageKey, StoredDocument, StoredPassage};

use super::duplicates::probes;
use super::query::Asked;
use super::search::{Findings, Found, OCCURRENCES, Search};
use super::{Corpus, CorpusError, Parts, Query};

/// Nearest texts that are looked at for each answer that is wanted, and besides.
const NEAREST_PER_ANSWER: usize = 3;
const NEAREST_BESIDES: usize = 32;

/// Nearest texts that are looked at, at most.
const NEAREST_MOST: usize = 20_000;

/// Which stored passages are about the same thing?
#[derive(Debug, Clone, PartialEq)]
pub struct RelatedQuestion {
    /// What is asked about.
    pub query: Query,
    /// Which documents may answer.
    pub filter: Filter,
    /// Answers, at most.
    pub limit: usize,
    /// Answers of one document, at most.
    pub max_per_document: usize,
    /// Least score to answer.
    pub min_score: f32,
    /// Keep copies of the query and of better answers as answers of their own.
    pub include_duplicates: bool,
}

/// Stored passages about the same thing.
#[derive(Debug, Clone, PartialEq)]
pub struct RelatedAnswers {
    /// Best first.
    pub passages: Vec<RelatedAnswer>,
    /// Copies of the query itself, which were left out.
    pub query_duplicates: Vec<StoredPassage>,
    /// The model in use.
    pub model_id: String,
}

/// A stored passage about the same thing.
#[derive(Debug, Clone, PartialEq)]
pub struct RelatedAnswer {
    /// The passage.
    pub passage: StoredPassage,
    /// Its document.
    pub document: StoredDocument,
    /// How related it is, 0 to 1.
    pub score: f32,
    /// Highest cosine to a passage of the query.
    pub cosine: f32,
    /// Passages that say the same and were folded into it.
    pub copies: Vec<StoredPassage>,
    /// Passages of the query that it answers to, best first.
    pub query_ordinals: Vec<u32>,
}

impl Corpus {
    /// Finds stored passages about what a query is about, by meaning. The document or
    /// passage that is asked about is left out itself.
    ///
    /// # Errors
    ///
    /// If what is asked about is not stored, is empty or cannot be embedded.
    pub async fn related(&self, question: RelatedQuestion) -> Result<RelatedAnswers, CorpusError> {
        let parts = self.parts();
        let asked = self.resolve(&parts, question.query.clone(), Role::Query).await?;
        let (passages, query_duplicates) = self
            .blocking_on(&parts, Lane::Question, move |parts| parts.related(&asked, &question))
            .await?;
        Ok(RelatedAnswers {
            passages,
            query_duplicates,
            model_id: parts.embedder.model().id.clone(),
        })
    }
}

impl Parts {
    fn related(
        &self,
        asked: &Asked,
        question: &RelatedQuestion,
    ) -> Result<(Vec<RelatedAnswer>, Vec<StoredPassage>), CorpusError> {
        let reader = self.store.reader()?;
        let view = reader.view();
        let allowed = self.allowed(view, &question.filter)?;
        let probes = probes(asked);
        let mut nearest = question.limit * NEAREST_PER_ANSWER + NEAREST_BESIDES;
        loop {
            let search = Search {
                scope: allowed.as_ref().map_or(Scope::All, Scope::Only),
                filter: &question.filter,
                nearest,
                occurrences: OCCURRENCES.max(question.limit),
                lexical_only: asked.lexical_only,
            };
            let findings = self.find(view, &probes, search)?;
            let may_be_more = findings.may_be_more
                && nearest < NEAREST_MOST
                && score(findings.farthest) >= question.min_score;
            let mut pool = Pool::of(findings, asked, question);
            let documents = pool.entries.iter().map(|entry| entry.passage.document).collect();
            let documents = view.documents(&documents)?;
            let candidates = self.candidates(&pool, &documents);
            let choice = Choice {
                limit: question.limit,
                max_per_document: question.max_per_document,
                min_score: question.min_score,
                fold: !question.include_duplicates,
            };
            let chosen = choose(&self.judge, &candidates, choice);
            let ended = chosen.len() >= question.limit || !may_be_more;
            if ended {
                return Ok(pool.answers(chosen, &documents));
            }
            nearest *= 4;
        }
    }

    fn candidates(
        &self,
        pool: &Pool,
        documents: &HashMap<DocumentKey, StoredDocument>,
    ) -> Vec<Candidate<DocumentKey>> {
        let candidate = |entry: &Entry| {
            Some(Candidate {
                document: entry.passage.document,
                published_at: documents.get(&entry.passage.document)?.published_at,
                cosine: entry.cosine,
                text: pool.texts.get(&entry.content)?.clone(),
                windows: self.index.windows(entry.content),
            })
        };
        pool.entries.iter().filter_map(candidate).collect()
    }
}

/// A passage that was found, for whichever passages of the query.
struct Entry {
    passage: Arc<StoredPassage>,
    content: crate::index::ContentId,
    cosine: f32,
    /// Ordinals of the query with their cosines.
    answers_to: Vec<(u32, f32)>,
}

/// All that was found, once for each passage, copies of the query apart.
struct Pool {
    entries: Vec<Entry>,
    texts: HashMap<crate::index::ContentId, crate::verdict::Comparable>,
    query_duplicates: Vec<Arc<StoredPassage>>,
}

impl Pool {
    fn of(findings: Findings, asked: &Asked, question: &RelatedQuestion) -> Self {
        let mut entries: BTreeMap<PassageKey, Entry> = BTreeMap::new();
        let mut copies: BTreeMap<PassageKey, Arc<StoredPassage>> = BTreeMap::new();
        for found in findings.found {
            let Found { index, passage, content, cosine, comparison, .. } = found;
            if asked.own == Some(passage.document) {
                continue;
            }
            let is_copy = comparison.is_same();
            if is_copy && !question.include_duplicates {
                copies.insert(passage.key, passage);
                continue;
            }
            let ordinal = asked.passages.get(index).map_or(0, |passage| passage.ordinal);
            let entry = entries.entry(passage.key).or_insert_with(|| Entry {
                passage,
                content,
                cosine: -1.0,
                answers_to: Vec::new(),
            });
            entry.cosine = entry.cosine.max(cosine);
            entry.answers_to.push((ordinal, cosine));
        }
        entries.retain(|key, _| !copies.contains_key(key));
        Self {
            entries: entries.into_values().collect(),
            texts: findings.texts,
            query_duplicates: copies.into_values().collect(),
        }
    }

    fn answers(
        &mut self,
        chosen: Vec<Answer>,
        documents: &HashMap<DocumentKey, StoredDocument>,
    ) -> (Vec<RelatedAnswer>, Vec<StoredPassage>) {
        let passage = |index: &usize| Some((*self.entries.get(*index)?.passage).clone());
        let answer = |answer: Answer| {
            let entry = self.entries.get(answer.candidate)?;
            let mut answers_to = entry.answers_to.clone();
            answers_to.sort_by(|(a, x), (b, y)| y.total_cmp(x).then(a.cmp(b)));
            Some(RelatedAnswer {
                passage: (*entry.passage).clone(),
                document: documents.get(&entry.passage.document)?.clone(),
                score: answer.score,
                cosine: entry.cosine,
                copies: answer.copies.iter().filter_map(passage).collect(),
                query_ordinals: answers_to.into_iter().map(|(ordinal, _)| ordinal).collect(),
            })
        };
        let answers = chosen.into_iter().filter_map(answer).collect();
        let copies = std::mem::take(&mut self.query_duplicates);
        (answers, copies.into_iter().map(Arc::unwrap_or_clone).collect())
    }
}
