use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use crate::embed::{Lane, Role};
use crate::index::Scope;
use crate::store::{Filter, PassageKey};

use super::answers::{Detail, Evidence, MatchAnswer};
use super::query::{Asked, AskedPassage};
use super::search::{Found, OCCURRENCES, Probe, Search};
use super::steps::timed_question;
use super::{Corpus, CorpusError, Parts, Query};

/// Nearest texts that are looked at for each passage of a query, at least.
const NEAREST: usize = 64;

/// Which stored passages say the same?
#[derive(Debug, Clone, PartialEq)]
pub struct DuplicateQuestion {
    /// What is asked about.
    pub query: Query,
    /// Least probability to answer; `None` for the default.
    pub min_probability: Option<f32>,
    /// Which documents may answer.
    pub filter: Filter,
    /// Answers, at most.
    pub limit: usize,
    /// How much to say of each.
    pub detail: Detail,
}

/// Stored passages that say the same.
#[derive(Debug, Clone, PartialEq)]
pub struct DuplicateAnswers {
    /// Most probable first; of equal probability, earliest published first.
    pub matches: Vec<MatchAnswer>,
    /// The model in use.
    pub model_id: String,
}

impl Corpus {
    /// Finds stored passages that say what a query says. The document or passage that
    /// is asked about is left out itself.
    ///
    /// # Errors
    ///
    /// If what is asked about is not stored, is empty or cannot be embedded.
    pub async fn duplicates(
        &self,
        question: DuplicateQuestion,
    ) -> Result<DuplicateAnswers, CorpusError> {
        let parts = self.parts();
        let asked = self.resolve(&parts, question.query.clone(), Role::Passage).await?;
        let matches = self
            .blocking_on(&parts, Lane::Question, move |parts| parts.duplicates(&asked, &question))
            .await?;
        Ok(DuplicateAnswers { matches, model_id: parts.embedder.model().id.clone() })
    }
}

impl Parts {
    fn duplicates(
        &self,
        asked: &Asked,
        question: &DuplicateQuestion,
    ) -> Result<Vec<MatchAnswer>, CorpusError> {
        let least = question
            .min_probability
            .unwrap_or_else(|| self.judge.least_probability(!asked.lexical_only));
        let reader = self.store.reader()?;
        let view = reader.view();
        let allowed = self.allowed(view, &question.filter)?;
        let probes: Vec<Probe<'_>> = probes(asked);
        let search = Search {
            scope: allowed.as_ref().map_or(Scope::All, Scope::Only),
            filter: &question.filter,
            nearest: NEAREST.max(question.limit + OCCURRENCES),
            occurrences: OCCURRENCES.max(question.limit + 1),
            lexical_only: asked.lexical_only,
        };
        let all = timed_question("duplicates", || self.find(view, &probes, search))?;

        let mut best: HashMap<PassageKey, (f32, Found)> = HashMap::new();
        for found in all {
            let probability = found.comparison.probability;
            if probability < least || asked.own == Some(found.passage.document) {
                continue;
            }
            match best.entry(found.passage.key) {
                Entry::Occupied(mut known) if known.get().0 < probability => {
                    known.insert((probability, found));
                }
                Entry::Occupied(_) => {}
                Entry::Vacant(unknown) => {
                    unknown.insert((probability, found));
                }
            }
        }
        let documents = best.values().map(|(_, found)| found.passage.document).collect();
        let documents = view.documents(&documents)?;
        let mut best: Vec<(f32, Found)> = best.into_values().collect();
        let published =
            |found: &Found| documents.get(&found.passage.document).map(|d| d.published_at);
        best.sort_by(|(p, a), (q, b)| {
            q.total_cmp(p)
                .then(published(a).cmp(&published(b)))
                .then(a.passage.key.cmp(&b.passage.key))
        });
        best.truncate(question.limit);
        let answer = |(probability, found): (f32, Found)| {
            let AskedPassage { ordinal, text, offset, .. } = asked.passages.get(found.index)?;
            Some(MatchAnswer {
                document: documents.get(&found.passage.document)?.clone(),
                verdict: found.comparison.verdict,
                probability,
                query_ordinal: *ordinal,
                evidence: Evidence::of(
                    text,
                    *offset,
                    &found.passage.text,
                    found.comparison.signals,
                    question.detail,
                ),
                passage: Arc::unwrap_or_clone(found.passage),
            })
        };
        Ok(best.into_iter().filter_map(answer).collect())
    }
}

/// The passages of a query as they are looked for.
pub(super) fn probes(asked: &Asked) -> Vec<Probe<'_>> {
    asked
        .passages
        .iter()
        .enumerate()
        .map(|(index, passage)| Probe {
            index,
            comparable: &passage.comparable,
            windows: &passage.windows,
        })
        .collect()
}
