use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::embed::{Lane, Role, Windows};
use crate::index::{ContentId, ContentSet, Scope};
use crate::related::{
    Answer, Candidate, Choice, Gist, Mode, Ranking, Scale, Subject, WeighedSubject, WeighedText,
    choose,
};
use crate::store::{DocumentKey, Filter, PassageKey, StoredDocument, StoredPassage, View};
use crate::verdict::{Features, compare};

use super::query::{Asked, AskedPassage, now};
use super::search::OCCURRENCES;
use super::steps::timed_question;
use super::{Corpus, CorpusError, Parts, PassageName, Query};

/// Texts that are looked at for each answer that is wanted, and besides, from either side.
const TEXTS_PER_ANSWER: usize = 3;
const TEXTS_BESIDES: usize = 32;

/// Texts that are looked at for all passages of a query together, about, and for each one at
/// least.
const TEXTS: usize = 50_000;
const LEAST_TEXTS: usize = 4;

/// Passages of a query that are looked for by their words, those that come first.
const BY_WORDS: usize = 256;

/// Texts that are looked at for one passage, at most.
const MOST_TEXTS: usize = 20_000;

/// Passages of a query beside which an answer is looked at whether it is a copy: those that it
/// answers to best.
const COPY_OF: usize = 2;

/// Share of a passage that a query must hold to be a copy of it.
const COPIED: f32 = 0.3;

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
    /// How to pick and order them.
    pub ranking: Ranking,
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
    /// How probable it is that it is related, 0 to 1, times the recency factor.
    pub score: f32,
    /// Highest cosine to a passage of the query; `None` where the model does not speak the
    /// language.
    pub cosine: Option<f32>,
    /// Highest BM25 score for the words of a passage of the query, where it was found by them.
    pub lexical_score: Option<f32>,
    /// Passages that say the same and were folded into it.
    pub copies: Vec<StoredPassage>,
    /// Passages of the query that it answers to, best first.
    pub query_ordinals: Vec<u32>,
}

impl Corpus {
    /// Finds stored passages about what a query is about, by meaning and words. The document
    /// or passage that is asked about is left out itself.
    ///
    /// # Errors
    ///
    /// If what is asked about is not stored, is empty or cannot be embedded.
    pub async fn related(&self, question: RelatedQuestion) -> Result<RelatedAnswers, CorpusError> {
        let scale = self.parts().scale.clone();
        self.related_by(question, Arc::new(scale)).await
    }

    /// The same with other parameters, for those who fit them.
    ///
    /// # Errors
    ///
    /// If what is asked about is not stored, is empty or cannot be embedded.
    pub async fn related_by(
        &self,
        question: RelatedQuestion,
        scale: Arc<Scale>,
    ) -> Result<RelatedAnswers, CorpusError> {
        let parts = self.parts();
        let asked = self.resolve(&parts, question.query.clone(), Role::Query).await?;
        let (passages, query_duplicates) = self
            .blocking_on(&parts, Lane::Question, move |parts| {
                parts.related(&asked, &question, &scale)
            })
            .await?;
        Ok(RelatedAnswers {
            passages,
            query_duplicates,
            model_id: parts.embedder.model().id.clone(),
        })
    }
}

impl Corpus {
    /// What probabilities are computed from that stored passages are about the same thing as
    /// one: for those who fit them.
    ///
    /// # Errors
    ///
    /// If one of them is not stored.
    pub async fn passage_features(
        &self,
        query: PassageName,
        others: Vec<PassageName>,
    ) -> Result<Vec<Features>, CorpusError> {
        self.blocking(move |parts| {
            let reader = parts.store.reader()?;
            let view = reader.view();
            let mut texts = Vec::new();
            for name in std::iter::once(&query).chain(&others) {
                let unknown = || CorpusError::UnknownPassage(name.to_string());
                let passage = view.passage(&name.document, name.ordinal)?.ok_or_else(unknown)?;
                let content = passage.content.ok_or_else(unknown)?;
                texts.push(parts.text_in_document(view, content)?.ok_or_else(unknown)?);
            }
            Ok(parts.with_rarities(|rarity| {
                let weighed: Vec<_> = texts.iter().map(|text| text.weighed(&rarity)).collect();
                let Some(((query, _), others)) = weighed.split_first() else { return Vec::new() };
                others.iter().map(|(text, document)| query.features(text, document)).collect()
            }))
        })
        .await
    }
}

/// A stored text with what it is read in.
struct TextInDocument {
    gist: Arc<Gist>,
    windows: Option<Windows>,
    /// The first document that says it.
    document: Arc<Subject>,
}

impl TextInDocument {
    fn weighed(&self, rarity: &impl Fn(u32) -> f32) -> (WeighedText<'_>, WeighedSubject) {
        let text = WeighedText::new(&self.gist, self.windows.as_ref(), rarity);
        (text, WeighedSubject::new(&self.document, rarity))
    }
}

/// Texts that were found for one passage of a query: the cosine of each, and the BM25 score of
/// those that were found by words.
type Signals = BTreeMap<ContentId, (Option<f32>, Option<f32>)>;

/// A text that was found, for whichever passages of the query.
struct Found {
    content: ContentId,
    score: f32,
    cosine: Option<f32>,
    lexical_score: Option<f32>,
    /// Indices of the query's passages with their scores, best first.
    answers_to: Vec<(usize, f32)>,
}

/// A stored passage that says a text which was found.
struct Place {
    /// Index of the text among those that were found.
    found: usize,
    passage: StoredPassage,
}

/// The passages that may answer, best first, copies of the query apart.
struct Pool {
    places: Vec<Place>,
    documents: HashMap<DocumentKey, StoredDocument>,
    candidates: Vec<Candidate<DocumentKey>>,
    query_duplicates: Vec<StoredPassage>,
}

impl Parts {
    fn related(
        &self,
        asked: &Asked,
        question: &RelatedQuestion,
        scale: &Scale,
    ) -> Result<(Vec<RelatedAnswer>, Vec<StoredPassage>), CorpusError> {
        let reader = self.store.reader()?;
        let view = reader.view();
        let allowed = self.allowed(view, &question.filter)?;
        let mut count = question.limit * TEXTS_PER_ANSWER + TEXTS_BESIDES;
        loop {
            let (found, is_all) =
                self.texts_about(view, asked, question, allowed.as_ref(), scale, count)?;
            let last = found.last().map_or(0.0, |found| found.score);
            let pool = timed_question("answer", || self.pool(view, asked, question, &found))?;
            let choice = Choice {
                limit: question.limit,
                max_per_document: question.max_per_document,
                min_score: question.min_score,
                fold: !question.ranking.include_duplicates,
                diversity: question.ranking.diversity,
            };
            let chosen = choose(&self.judge, &pool.candidates, choice);
            let may_be_more = !is_all && count < MOST_TEXTS && last >= question.min_score;
            if chosen.len() >= question.limit || !may_be_more {
                return Ok(pool.answers(asked, &found, chosen));
            }
            count *= 4;
        }
    }

    /// Texts that may be about the same, best first, and whether there are no others.
    fn texts_about(
        &self,
        view: View<'_>,
        asked: &Asked,
        question: &RelatedQuestion,
        allowed: Option<&ContentSet>,
        scale: &Scale,
        count: usize,
    ) -> Result<(Vec<Found>, bool), CorpusError> {
        let each = count.min((TEXTS / asked.passages.len().max(1)).max(LEAST_TEXTS));
        let mode = question.ranking.mode;
        let mut is_all = true;
        let mut signals: Vec<Signals> = Vec::new();
        let known = view.known(asked.passages.iter().map(|passage| passage.comparable.hash))?;
        let mut by_meaning = match mode.has_meaning() && !asked.lexical_only {
            true => {
                let scope = allowed.map_or(Scope::All, Scope::Only);
                let queries: Vec<&Windows> =
                    asked.passages.iter().map(|passage| &passage.windows).collect();
                timed_question("vectors", || self.index.nearest(&queries, each, scope))?
            }
            false => Vec::new(),
        }
        .into_iter();
        for (place, passage) in asked.passages.iter().enumerate() {
            let mut found = Signals::new();
            if let Some(hits) = by_meaning.next() {
                is_all &= hits.len() < each;
                found.extend(hits.into_iter().map(|hit| (hit.content, (Some(hit.cosine), None))));
            }
            if place < BY_WORDS && (mode.has_words() || asked.lexical_only) {
                let hits = timed_question("words", || {
                    self.lexicon.texts(&passage.gist.terms, each, allowed)
                })?;
                is_all &= hits.len() < each;
                for hit in hits {
                    found.entry(ContentId(hit.id as i64)).or_default().1 = Some(hit.score);
                }
            }
            // The same text never depends on an index.
            found
                .extend(known.get(&passage.comparable.hash).map(|same| (*same, (Some(1.0), None))));
            for (content, (cosine, _)) in &mut found {
                if cosine.is_none() && !asked.lexical_only {
                    let windows = self.index.windows(*content)?;
                    *cosine = windows.map(|windows| windows.cosine(&passage.windows));
                }
            }
            signals.push(found);
        }
        let found = timed_question("fusion", || self.scored(view, asked, scale, mode, signals))?;
        Ok((found, is_all))
    }

    fn scored(
        &self,
        view: View<'_>,
        asked: &Asked,
        scale: &Scale,
        mode: Mode,
        signals: Vec<Signals>,
    ) -> Result<Vec<Found>, CorpusError> {
        let mut texts: BTreeMap<ContentId, TextInDocument> = BTreeMap::new();
        for content in signals.iter().flat_map(BTreeMap::keys) {
            if !texts.contains_key(content)
                && let Some(text) = self.text_in_document(view, *content)?
            {
                texts.insert(*content, text);
            }
        }
        let mut found: BTreeMap<ContentId, Found> = BTreeMap::new();
        self.with_rarities(|rarity| {
            let texts: BTreeMap<ContentId, _> =
                texts.iter().map(|(content, text)| (*content, text.weighed(&rarity))).collect();
            for (index, (passage, signals)) in asked.passages.iter().zip(signals).enumerate() {
                let windows = Some(&passage.windows).filter(|_| !asked.lexical_only);
                let query = WeighedText::new(&passage.gist, windows, &rarity);
                for (content, (cosine, lexical)) in signals {
                    let Some((text, document)) = texts.get(&content) else { continue };
                    let score = scale.passages(mode, &query.features(text, document));
                    let found = found.entry(content).or_insert_with(|| Found {
                        content,
                        score: 0.0,
                        cosine: None,
                        lexical_score: None,
                        answers_to: Vec::new(),
                    });
                    found.score = found.score.max(score);
                    found.cosine = higher(found.cosine, cosine);
                    found.lexical_score = higher(found.lexical_score, lexical);
                    found.answers_to.push((index, score));
                }
            }
        });
        let mut found: Vec<Found> = found.into_values().collect();
        for found in &mut found {
            found.answers_to.sort_by(|(a, x), (b, y)| y.total_cmp(x).then(a.cmp(b)));
        }
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.content.cmp(&b.content)));
        Ok(found)
    }

    /// A text with the first document that says it; `None` if none does any more.
    fn text_in_document(
        &self,
        view: View<'_>,
        content: ContentId,
    ) -> Result<Option<TextInDocument>, CorpusError> {
        let Some(gist) = self.gist(view, content)? else { return Ok(None) };
        let places = view.places(std::iter::once(content), 1)?;
        let first = places.get(&content).and_then(|places| places.first());
        let Some((_, document)) = first else { return Ok(None) };
        let Some(document) = self.subject_by_key(view, *document)? else { return Ok(None) };
        Ok(Some(TextInDocument { gist, windows: self.index.windows(content)?, document }))
    }

    /// Where the texts stand, as far as they are needed.
    fn pool(
        &self,
        view: View<'_>,
        asked: &Asked,
        question: &RelatedQuestion,
        found: &[Found],
    ) -> Result<Pool, CorpusError> {
        let ranking = &question.ranking;
        // Age changes the order; else the best texts are enough.
        let needed = match ranking.half_life {
            Some(_) => found.len(),
            None => question.limit * TEXTS_PER_ANSWER + TEXTS_BESIDES,
        };
        let most = OCCURRENCES.max(question.limit);
        let (mut places, mut query_duplicates) = (Vec::new(), Vec::new());
        let mut texts = Vec::new();
        for (index, text) in found.iter().enumerate() {
            if places.len() >= needed * 2 || text.score < question.min_score {
                break;
            }
            let mut occurrences = view.occurrences(text.content, &question.filter, most)?;
            occurrences.retain(|passage| Some(passage.document) != asked.own);
            let Some(first) = occurrences.first() else { continue };
            let comparable = self.texts.of(first);
            let windows = self.index.windows(text.content)?;
            let is_copy = |(index, _): &(usize, f32)| {
                asked.passages.get(*index).is_some_and(|passage| {
                    let windows = windows.as_ref().filter(|_| !asked.lexical_only);
                    let cosine = windows.map(|windows| windows.cosine(&passage.windows));
                    let comparison = compare(&self.judge, &passage.comparable, &comparable, cosine);
                    // A few words that stand in a passage ask about it.
                    comparison.is_same() && comparison.signals.share_of_match >= COPIED
                })
            };
            if !ranking.include_duplicates && text.answers_to.iter().take(COPY_OF).any(is_copy) {
                query_duplicates.extend(occurrences);
                continue;
            }
            texts.push((index, (comparable, windows)));
            places.extend(occurrences.into_iter().map(|passage| Place { found: index, passage }));
        }
        let keys: HashSet<DocumentKey> =
            places.iter().map(|place| place.passage.document).collect();
        let documents = view.documents(&keys)?;
        let mut furniture: HashMap<(usize, &str), bool> = HashMap::new();
        let mut kept = Vec::new();
        for place in places {
            let Some(document) = documents.get(&place.passage.document) else { continue };
            let source = document.metadata.source.as_str();
            let is_furniture = match furniture.entry((place.found, source)) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(unknown) => {
                    let content = found.get(place.found).map(|found| found.content);
                    let is_furniture = content
                        .map(|content| self.is_learned_furniture(view, content, source))
                        .transpose()?;
                    *unknown.insert(is_furniture.unwrap_or_default())
                }
            };
            if !is_furniture {
                kept.push(place);
            }
        }
        let as_of = ranking.as_of.or(asked.published_at).unwrap_or_else(now);
        let texts: HashMap<usize, _> = texts.into_iter().collect();
        let candidate = |place: &Place| {
            let document = documents.get(&place.passage.document)?;
            let found = found.get(place.found)?;
            let (text, windows) = texts.get(&place.found)?;
            Some(Candidate {
                document: document.key,
                published_at: document.published_at,
                score: found.score * ranking.recency(as_of, document.published_at),
                text: Arc::clone(text),
                windows: windows.clone(),
            })
        };
        let (places, candidates) = kept
            .into_iter()
            .filter_map(|place| Some((candidate(&place)?, place)))
            .fold((Vec::new(), Vec::new()), |(mut places, mut candidates), (candidate, place)| {
                places.push(place);
                candidates.push(candidate);
                (places, candidates)
            });
        Ok(Pool { places, documents, candidates, query_duplicates })
    }
}

impl Pool {
    fn answers(
        mut self,
        asked: &Asked,
        found: &[Found],
        chosen: Vec<Answer>,
    ) -> (Vec<RelatedAnswer>, Vec<StoredPassage>) {
        let passage = |index: &usize| Some(self.places.get(*index)?.passage.clone());
        let answer = |answer: Answer| {
            let place = self.places.get(answer.candidate)?;
            let found = found.get(place.found)?;
            let ordinal =
                |(index, _): &(usize, f32)| asked.passages.get(*index).map(AskedPassage::place);
            Some(RelatedAnswer {
                passage: place.passage.clone(),
                document: self.documents.get(&place.passage.document)?.clone(),
                score: answer.score,
                cosine: found.cosine,
                lexical_score: found.lexical_score,
                copies: answer.copies.iter().filter_map(passage).collect(),
                query_ordinals: found.answers_to.iter().filter_map(ordinal).collect(),
            })
        };
        let answers = chosen.into_iter().filter_map(answer).collect();
        let mut copies = std::mem::take(&mut self.query_duplicates);
        copies.sort_by_key(|passage: &StoredPassage| passage.key);
        copies.dedup_by_key(|passage: &mut StoredPassage| -> PassageKey { passage.key });
        (answers, copies)
    }
}

fn higher(one: Option<f32>, other: Option<f32>) -> Option<f32> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
    }
}
