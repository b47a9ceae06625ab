//! The stored documents that an incoming one may be a copy or a later version of, and what
//! it is beside each.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::article::Metadata;
use crate::embed::Windows;
use crate::index::{ContentId, Hit, Scope};
use crate::store::{DocumentKey, EditorWord, PassageKey, StoredDocument, View};
use crate::text::ContentHash;
use crate::verdict::{
    Candidate, Comparison, PairVerdict, PassageMatch, Report, ReportPassage, Verdict, compare,
    compare_passages, judge_pair,
};

use super::query::now;
use super::{CorpusError, Parts};

/// Documents that are compared as a whole: so many whose passages are nearest, and so many
/// that share most fingerprints.
const DOCUMENTS: usize = 8;

/// Documents of either side that are compared in any case: a copy that is full of errors is
/// likest to what it was made from, and yet not very like.
const FIRST: usize = 1;

/// Share of the words of the shorter one of two documents that has to be in common, as far as
/// passages and fingerprints let one guess, before any others are compared.
const COMPARED: f32 = 0.06;

/// Words of a text for each of its fingerprints: of every twelve shingles one is kept
/// (Schleimer et al., "Winnowing", 2003, theorem 1: a density of 2 / (window + 1)).
const WORDS_A_PRINT: f32 = 6.5;

/// Documents with the same reporting that are looked at, those published nearest before a
/// document, and as many after it: a short notice may come again every week.
const TWINS: usize = 4;

/// Nearest texts that are looked at for all passages together, about, and for each one at
/// least and at most.
const TEXTS: usize = 120;
const LEAST_TEXTS: usize = 6;
const MOST_TEXTS: usize = 24;

/// Passages of a document that are looked for among what came in since it was prepared, while
/// others wait. The rest are found by their fingerprints.
const SEARCHES: usize = 256;

/// Passages that a text may stand in and be looked at: those of the documents that came in
/// first.
const OCCURRENCES: usize = 24;

/// Cosine of passages that have nothing to do with each other.
const UNRELATED: f32 = 0.5;

/// Nearest texts that each passage is compared with wherever they stand: the first one, and
/// another one that is near.
const ELSEWHERE: usize = 2;
const NEAR: f32 = 0.75;

/// The nearest texts of each passage that reports, by its index in the document.
pub(super) type Nearest = BTreeMap<usize, Vec<Hit>>;

/// Where texts stand, those of the documents that came in first before all others.
pub(super) type Places = HashMap<ContentId, Vec<(PassageKey, DocumentKey)>>;

/// What a document was compared with. What was compared once stays so, unless the stored
/// document is another one by now.
#[derive(Default)]
pub(super) struct Compared {
    documents: HashMap<DocumentKey, Beside>,
    texts: HashMap<(usize, ContentId), Comparison>,
}

/// What a document is beside a stored one.
struct Beside {
    /// As that one was when the two were compared.
    standing: Standing,
    pair: PairVerdict,
    matches: Vec<PassageMatch<DocumentKey, PassageKey>>,
}

/// All of a stored document that a comparison depends on.
#[derive(PartialEq)]
struct Standing {
    sequence: i64,
    metadata: Metadata,
    /// How much each of its passages counts.
    weights: Vec<f32>,
}

impl Standing {
    fn of(document: &StoredDocument, weights: Vec<f32>) -> Self {
        Self { sequence: document.sequence, metadata: document.metadata.clone(), weights }
    }
}

/// What a verdict is reached from.
#[derive(Default)]
pub(super) struct Evidence {
    /// What editors said of the document, if it is stored already.
    words: Vec<EditorWord>,
    own: Option<DocumentKey>,
    pub candidates: Vec<Candidate<DocumentKey>>,
    pub matches: Vec<PassageMatch<DocumentKey, PassageKey>>,
    /// The candidates as they are stored.
    pub documents: HashMap<DocumentKey, StoredDocument>,
}

/// The documents that are likest to a document, each with about how many words are in common,
/// most first.
pub(super) struct Likeliest {
    /// Those whose passages are nearest.
    pub by_passages: Vec<(DocumentKey, f32)>,
    /// Those that share most fingerprints.
    pub by_fingerprints: Vec<(DocumentKey, f32)>,
}

impl Likeliest {
    /// Those of them that are compared with the document as a whole, besides those that say the
    /// same and those that are named.
    pub fn compared(
        &self,
        view: View<'_>,
        report: &Report,
        mut named: HashSet<DocumentKey>,
    ) -> Result<HashMap<DocumentKey, StoredDocument>, CorpusError> {
        let mut common: HashMap<DocumentKey, f32> = HashMap::new();
        for (document, words) in self.by_passages.iter().chain(&self.by_fingerprints) {
            let most = common.entry(*document).or_default();
            *most = most.max(*words);
        }
        let published_at = report.published_at.unwrap_or_else(now);
        named.extend(view.twins(&report.reporting_hash, published_at, TWINS)?);
        let first = [&self.by_passages, &self.by_fingerprints].map(|side| side.iter().take(FIRST));
        named.extend(first.into_iter().flatten().map(|(document, _)| *document));
        let keys = named.iter().chain(common.keys()).copied().collect();
        let mut documents = view.documents(&keys)?;
        let words = report.words();
        documents.retain(|key, document| {
            let common = common.get(key).copied().unwrap_or_default();
            named.contains(key) || common >= COMPARED * words.min(document.words) as f32
        });
        Ok(documents)
    }
}

/// Where the texts stand that are nearest to a document.
pub(super) fn places(view: View<'_>, nearest: &Nearest) -> Result<Places, CorpusError> {
    let contents = nearest.values().flatten().map(|hit| hit.content);
    Ok(view.places(contents, OCCURRENCES)?)
}

impl Parts {
    /// The nearest texts in `scope` to each passage of a document that reports, best first,
    /// those that say the same before all others.
    pub fn nearest(
        &self,
        view: View<'_>,
        report: &Report,
        vectors: &HashMap<ContentHash, Windows>,
        scope: Scope<'_>,
    ) -> Result<Nearest, CorpusError> {
        let count = texts_for_each(report.reporting().count());
        let known = view.known(report.reporting().map(|(_, passage)| passage.text.hash))?;
        let mut texts: Vec<(ContentHash, &Windows)> = Vec::new();
        let mut seen = HashSet::new();
        for (_, passage) in report.reporting() {
            let hash = passage.text.hash;
            let windows = vectors.get(&hash).filter(|_| seen.insert(hash));
            texts.extend(windows.map(|windows| (hash, windows)));
        }
        let looked_for = match scope {
            Scope::Since(_) => SEARCHES.min(texts.len()),
            Scope::All | Scope::Only(_) => texts.len(),
        };
        let queries: Vec<&Windows> =
            texts.iter().take(looked_for).map(|(_, windows)| *windows).collect();
        let mut found = self.index.nearest(&queries, count, scope)?.into_iter();
        let mut asked: HashMap<ContentHash, Vec<Hit>> = HashMap::new();
        for (hash, _) in texts {
            let hits = found.next().unwrap_or_default();
            asked.insert(hash, same_first(hits, known.get(&hash).copied()));
        }
        let hits = |(index, passage): (usize, &ReportPassage)| {
            Some((index, asked.get(&passage.text.hash)?.clone()))
        };
        Ok(report.reporting().filter_map(hits).collect())
    }

    /// Compares a document with those that it may be a copy or later version of, and its
    /// passages with those that they are nearest to, as of now.
    pub fn evidence(
        &self,
        view: View<'_>,
        report: &Report,
        nearest: &Nearest,
        compared: &mut Compared,
        own: Option<DocumentKey>,
    ) -> Result<Evidence, CorpusError> {
        let words = match own {
            Some(own) => view.editor_words(own)?,
            None => Vec::new(),
        };
        let named = words.iter().flat_map(|word| [word.document, word.other]).collect();
        let places = places(view, nearest)?;
        let likeliest = self.likeliest(report, nearest, &places, None);
        let documents = likeliest.compared(view, report, named)?;
        let mut evidence = Evidence { words, own, ..Evidence::default() };
        self.compare_with(view, report, documents, compared, &mut evidence)?;
        // A family stands around its canonical document.
        let canonical: HashSet<DocumentKey> = evidence
            .candidates
            .iter()
            .filter(|candidate| candidate.pair.verdict != Verdict::New)
            .filter_map(|candidate| evidence.documents.get(&candidate.document))
            .map(|document| Ok(view.canonical(document.family)?))
            .filter_map(|key: Result<_, CorpusError>| key.transpose())
            .filter(|key| !key.as_ref().is_ok_and(|key| evidence.documents.contains_key(key)))
            .collect::<Result<_, CorpusError>>()?;
        let canonical = view.documents(&canonical)?;
        self.compare_with(view, report, canonical, compared, &mut evidence)?;
        self.compare_elsewhere(view, report, nearest, &places, compared, &mut evidence)?;
        Ok(evidence)
    }

    /// The documents that are likest to a document, from two sides: a paraphrase has few runs of
    /// words in common, and passages that are full of errors mean something else to the model.
    /// `left_out` is none of them.
    pub fn likeliest(
        &self,
        report: &Report,
        nearest: &Nearest,
        places: &Places,
        left_out: Option<DocumentKey>,
    ) -> Likeliest {
        let mut scores: HashMap<DocumentKey, f32> = HashMap::new();
        for (index, hits) in nearest {
            let Some(passage) = report.passages.get(*index) else { continue };
            let words = passage.weight * passage.text.words as f32;
            let mut best: HashMap<DocumentKey, f32> = HashMap::new();
            for hit in hits {
                let likeness = ((hit.cosine - UNRELATED) / (1.0 - UNRELATED)).max(0.0).powi(2);
                for (_, document) in places.get(&hit.content).into_iter().flatten() {
                    let best = best.entry(*document).or_default();
                    *best = best.max(likeness);
                }
            }
            for (document, likeness) in best {
                *scores.entry(document).or_default() += words * likeness;
            }
        }
        let is_wanted = |(document, _): &(DocumentKey, f32)| Some(*document) != left_out;
        let mut by_passages: Vec<(DocumentKey, f32)> =
            scores.into_iter().filter(is_wanted).collect();
        by_passages.sort_by(|(a, x), (b, y)| y.total_cmp(x).then(b.cmp(a)));
        by_passages.truncate(DOCUMENTS);
        let sharing = self.fingerprints.likeliest(&report.fingerprints(), DOCUMENTS + 1);
        let words = |(document, shared)| (DocumentKey(document), shared as f32 * WORDS_A_PRINT);
        let by_fingerprints = sharing.into_iter().map(words).filter(is_wanted).take(DOCUMENTS);
        Likeliest { by_passages, by_fingerprints: by_fingerprints.collect() }
    }

    fn compare_with(
        &self,
        view: View<'_>,
        report: &Report,
        documents: HashMap<DocumentKey, StoredDocument>,
        compared: &mut Compared,
        evidence: &mut Evidence,
    ) -> Result<(), CorpusError> {
        let mut documents: Vec<StoredDocument> = documents.into_values().collect();
        documents.sort_by_key(|document| document.key);
        for document in documents {
            let weights = self.weights(view, &document)?;
            let standing = Standing::of(&document, weights);
            let beside = match compared.documents.entry(document.key) {
                Entry::Occupied(known) if known.get().standing == standing => known.into_mut(),
                Entry::Occupied(mut outdated) => {
                    outdated.insert(self.beside(view, report, &document, standing)?);
                    outdated.into_mut()
                }
                Entry::Vacant(unknown) => {
                    unknown.insert(self.beside(view, report, &document, standing)?)
                }
            };
            evidence.matches.extend(beside.matches.iter().cloned());
            evidence.candidates.push(Candidate {
                document: document.key,
                is_canonical: document.canonical == document.id,
                pair: match evidence.own == Some(document.key) {
                    true => beside.pair,
                    false => beside.pair.corrected(&evidence.words, document.key),
                },
            });
            evidence.documents.insert(document.key, document);
        }
        Ok(())
    }

    fn beside(
        &self,
        view: View<'_>,
        report: &Report,
        document: &StoredDocument,
        standing: Standing,
    ) -> Result<Beside, CorpusError> {
        let (other, stored) = self.weighed_report(view, document, &standing.weights)?;
        let matches = compare_passages(&self.judge, report, &other).into_iter();
        let named = |(index, there, comparison): (usize, usize, Comparison)| {
            let passage = stored.get(there)?.key;
            Some(PassageMatch { index, passage, document: document.key, comparison })
        };
        Ok(Beside {
            pair: judge_pair(&self.judge, report, &other),
            matches: matches.filter_map(named).collect(),
            standing,
        })
    }

    /// Compares passages with the nearest texts, which may stand in documents that have
    /// little else in common.
    fn compare_elsewhere(
        &self,
        view: View<'_>,
        report: &Report,
        nearest: &Nearest,
        places: &Places,
        compared: &mut Compared,
        evidence: &mut Evidence,
    ) -> Result<(), CorpusError> {
        for (&index, hits) in nearest {
            let Some(passage) = report.passages.get(index) else { continue };
            let near = hits.iter().take(ELSEWHERE).enumerate();
            for (_, hit) in near.filter(|(rank, hit)| *rank == 0 || hit.cosine >= NEAR) {
                let first = places.get(&hit.content).and_then(|places| places.first());
                let Some(&(there, document)) = first else { continue };
                let comparison = match compared.texts.entry((index, hit.content)) {
                    Entry::Occupied(known) => *known.get(),
                    Entry::Vacant(unknown) => {
                        let Some(text) = self.text(view, hit.content, there)? else { continue };
                        let cosine = passage.windows.as_ref().map(|_| hit.cosine);
                        *unknown.insert(compare(&self.judge, &passage.text, &text, cosine))
                    }
                };
                evidence.matches.push(PassageMatch { index, passage: there, document, comparison });
            }
        }
        Ok(())
    }
}

/// Texts that were found, the one that says the same before all others.
pub(super) fn same_first(mut hits: Vec<Hit>, same: Option<ContentId>) -> Vec<Hit> {
    if let Some(content) = same {
        hits.retain(|hit| hit.content != content);
        hits.insert(0, Hit { content, cosine: 1.0 });
    }
    hits
}

fn texts_for_each(passages: usize) -> usize {
    (TEXTS / passages.max(1)).clamp(LEAST_TEXTS, MOST_TEXTS)
}

/// The nearest texts of two searches in scopes that have nothing in common.
pub(super) fn merged(mut nearest: Nearest, newer: Nearest) -> Nearest {
    let count = texts_for_each(nearest.len());
    for (index, hits) in newer {
        let all = nearest.entry(index).or_default();
        let known: HashSet<ContentId> = all.iter().map(|hit| hit.content).collect();
        all.extend(hits.into_iter().filter(|hit| !known.contains(&hit.content)));
        all.sort_by(|a, b| b.cosine.total_cmp(&a.cosine).then(a.content.cmp(&b.content)));
        all.truncate(count);
    }
    nearest
}
