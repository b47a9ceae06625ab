//! How good answers about related coverage are, and what their probabilities are fitted to.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use comfy_table::Table;
use copydesk::article::DocumentId;
use copydesk::corpus::{
    Corpus, Detail, DocumentQuery, Ingest, PassageName, Query, RelatedDocumentsQuestion,
    RelatedQuestion,
};
use copydesk::related::{FittedScale, Functions, Ranking, Scale, Semantic};
use copydesk::store::Filter;
use copydesk::text::{is_stopword, stem, words};
use fastrand::Rng;
use futures::StreamExt;

use crate::data::{Failure, Story};
use crate::listwise::{self, Listing};
use crate::measure::{average_precision, b_cubed, paired_bootstrap, r_precision, spread};
use crate::retrieval::{self, Collection};

const FOLDS: usize = 5;

/// Questions that are asked at once.
const AT_ONCE: usize = 4;

/// Answers of a query that a function is fitted to, the likeliest ones, besides the relevant.
const LISTED: usize = 60;

/// Queries of the newswire that functions are fitted to.
const OF_NEWSWIRE: usize = 200;

/// Answers that are measured.
const MEASURED: usize = 1_000;

/// Orders in which documents come in, to see what stories they make.
const ORDERS: u64 = 5;

const HYBRID: [&str; 5] =
    ["coverage", "coverage_borne_out", "coverage_brief", "words_apart", "figures"];
const LEXICAL: [&str; 3] = ["words", "words_apart", "figures"];
const MEANING: [&str; 1] = ["coverage"];
const HYBRID_PASSAGES: [&str; 4] = ["cosine", "words", "figures", "found"];
const LEXICAL_PASSAGES: [&str; 3] = ["words", "figures", "found"];
const MEANING_PASSAGES: [&str; 1] = ["cosine"];

/// A collection in a corpus of its own.
struct Shelf {
    collection: Collection,
    corpus: Corpus,
    _folder: tempfile::TempDir,
    listings: Vec<Option<Listing>>,
}

impl Shelf {
    async fn listed(collection: Collection, queries: usize) -> Result<Self, Failure> {
        let mut shelf = Self::of(collection).await?;
        let mut rows: Vec<usize> = (0..shelf.collection.rows.len()).collect();
        if rows.len() > queries {
            Rng::with_seed(crate::SEED).shuffle(&mut rows);
        }
        let listings: Vec<Result<Option<Listing>, Failure>> = {
            let shelf = &shelf;
            let listings = rows.iter().take(queries).map(|query| shelf.listing(*query));
            futures::stream::iter(listings).buffered(AT_ONCE).collect().await
        };
        shelf.listings = listings.into_iter().collect::<Result<_, _>>()?;
        Ok(shelf)
    }

    /// The rows that a query is listed with: what is relevant, what is likely, and any others.
    async fn likely(&self, query: usize) -> Result<Vec<usize>, Failure> {
        let rows = 0..self.collection.rows.len();
        let mut random = Rng::with_seed(query as u64);
        let mut kept: Vec<usize> = match self.passage(query)? {
            None => {
                let names = self.names()?;
                let scale = Arc::new(Scale::of(&self.corpus.model().id));
                let ranked = self.asked(query, scale, LISTED).await?;
                let ranked = ranked.iter().filter_map(|(name, _)| names.get(name).copied());
                ranked.take(2 * LISTED).collect()
            }
            Some(_) => {
                let topic = |row: usize| self.collection.rows.get(row).map(|row| &row.topic);
                let near = rows.clone().filter(|row| topic(*row) == topic(query));
                near.chain((0..LISTED).map(|_| random.usize(rows.clone()))).collect()
            }
        };
        if self.collection.is_labelled {
            kept.extend(rows.filter(|row| self.collection.is_relevant(query, *row)));
        }
        kept.sort_unstable();
        kept.dedup();
        kept.retain(|row| self.collection.answers(query, *row));
        Ok(kept)
    }

    async fn of(collection: Collection) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let corpus = crate::open(folder.path())?;
        let order: Vec<usize> = (0..collection.stories.len()).collect();
        take_in(&corpus, &collection, &order).await?;
        Ok(Self { collection, corpus, _folder: folder, listings: Vec::new() })
    }

    fn id(&self, row: usize) -> Result<DocumentId, Failure> {
        let row = self.collection.rows.get(row).ok_or("no such row")?;
        id(self.collection.stories.get(row.story).ok_or("no such story")?)
    }

    fn passage(&self, row: usize) -> Result<Option<PassageName>, Failure> {
        let ordinal = self.collection.rows.get(row).and_then(|row| row.ordinal);
        let document = self.id(row)?;
        Ok(ordinal.map(|ordinal| PassageName { document, ordinal }))
    }

    fn relevant(&self, query: usize) -> usize {
        let rows = 0..self.collection.rows.len();
        rows.filter(|row| self.collection.is_relevant(query, *row)).count()
    }

    /// The likeliest answers to a query; `None` where nothing is relevant.
    async fn listing(&self, query: usize) -> Result<Option<Listing>, Failure> {
        if self.relevant(query) == 0 {
            return Ok(None);
        }
        let others = self.likely(query).await?;
        let features = match self.passage(query)? {
            None => {
                let ids = others.iter().map(|row| self.id(*row)).collect::<Result<_, _>>()?;
                self.corpus.document_features(self.id(query)?, ids).await?
            }
            Some(passage) => {
                let names = others.iter().map(|row| self.passage(*row));
                let names: Vec<Option<PassageName>> = names.collect::<Result<_, _>>()?;
                let names = names.into_iter().flatten().collect();
                self.corpus.passage_features(passage, names).await?
            }
        };
        let likely = |features: &copydesk::verdict::Features| -> f32 {
            let counting = ["coverage", "words", "cosine"];
            let of = features.iter().filter(|(name, _)| counting.contains(name));
            of.map(|(_, value)| *value).sum()
        };
        let mut answers: Vec<(f32, copydesk::verdict::Features, bool)> = others
            .iter()
            .zip(features)
            .map(|(row, features)| {
                (likely(&features), features, self.collection.is_relevant(query, *row))
            })
            .collect();
        answers.sort_by(|(a, ..), (b, ..)| b.total_cmp(a));
        let kept = answers.into_iter().enumerate().filter(|(place, (.., relevant))| {
            *place < LISTED || *relevant && self.collection.is_labelled
        });
        let answers = kept.map(|(_, (_, features, relevant))| (features, relevant)).collect();
        let topic = self.collection.rows.get(query).map(|row| row.topic.clone());
        Ok(Some(Listing { answers, topic: topic.unwrap_or_default() }))
    }

    /// What answers a query, in the order of the server.
    async fn ranked(&self, query: usize, scale: Arc<Scale>) -> Result<Vec<(String, f32)>, Failure> {
        self.asked(query, scale, MEASURED).await
    }

    async fn asked(
        &self,
        query: usize,
        scale: Arc<Scale>,
        limit: usize,
    ) -> Result<Vec<(String, f32)>, Failure> {
        let ranking = Ranking { include_duplicates: true, ..Ranking::default() };
        match self.passage(query)? {
            None => {
                let question = RelatedDocumentsQuestion {
                    query: DocumentQuery::Stored(self.id(query)?),
                    filter: Filter::default(),
                    limit,
                    min_score: 0.0,
                    ranking,
                };
                let ranked = self.corpus.ranked_documents(question, scale).await?;
                Ok(ranked.into_iter().map(|(id, score)| (id.to_string(), score)).collect())
            }
            Some(passage) => {
                let question = RelatedQuestion {
                    query: Query::Passage(passage),
                    filter: Filter::default(),
                    limit,
                    max_per_document: usize::MAX,
                    min_score: 0.0,
                    ranking,
                };
                let answers = self.corpus.related_by(question, scale).await?;
                let name = |answer: copydesk::corpus::RelatedAnswer| {
                    let passage = answer.passage;
                    (format!("{}#{}", passage.document_id, passage.ordinal), answer.score)
                };
                Ok(answers.passages.into_iter().map(name).collect())
            }
        }
    }

    fn names(&self) -> Result<HashMap<String, usize>, Failure> {
        let name = |row: usize| -> Result<(String, usize), Failure> {
            let name = match self.passage(row)? {
                Some(passage) => passage.to_string(),
                None => self.id(row)?.to_string(),
            };
            Ok((name, row))
        };
        (0..self.collection.rows.len()).map(name).collect()
    }
}

fn id(story: &Story) -> Result<DocumentId, Failure> {
    Ok(DocumentId::parse(&story.id)?)
}

/// Stores stories in an order.
async fn take_in(corpus: &Corpus, of: &Collection, order: &[usize]) -> Result<(), Failure> {
    for story in order.iter().filter_map(|story| of.stories.get(*story)) {
        let mut document = story.incoming();
        document.id = Some(id(story)?);
        let ingest = Ingest {
            document,
            validate_only: false,
            skip_duplicates: false,
            detail: Detail::Summary,
        };
        corpus.ingest(ingest).await?;
    }
    Ok(())
}

/// All that documents are fitted to, and all that passages are.
struct Shelves {
    documents: Vec<Shelf>,
    /// What documents are fitted to besides, and not measured on.
    newswire: Shelf,
    passages: Vec<Shelf>,
}

impl Shelves {
    async fn of(data: &Path) -> Result<Self, Failure> {
        let mut documents = Vec::new();
        for collection in of_documents(data)? {
            documents.push(Shelf::listed(collection, usize::MAX).await?);
        }
        let newswire = Shelf::listed(retrieval::newswire(data)?, OF_NEWSWIRE).await?;
        let passages = vec![Shelf::listed(retrieval::ecb_sentences(data)?, usize::MAX).await?];
        Ok(Self { documents, newswire, passages })
    }

    /// The scale that is fitted to all topics but those of a fold.
    fn scale(&self, model: &str, left_out: Option<usize>) -> Result<FittedScale, Failure> {
        let listings = |shelves: &[Shelf]| -> Vec<Listing> {
            let all = shelves.iter().flat_map(|shelf| {
                let folds = folds(shelf);
                let count = shelf.listings.iter().flatten().count();
                shelf.listings.iter().flatten().filter(move |listing| {
                    count > 0
                        && (left_out.is_none() || folds.get(&listing.topic).copied() != left_out)
                })
            });
            all.cloned().collect()
        };
        let (mut documents, passages) = (listings(&self.documents), listings(&self.passages));
        documents.extend(self.newswire.listings.iter().flatten().cloned());
        let documents: Vec<&Listing> = documents.iter().collect();
        let passages: Vec<&Listing> = passages.iter().collect();
        let functions = |of_documents: &[&'static str], of_passages: &[&'static str]| {
            Ok::<_, Failure>(Functions {
                documents: listwise::rank(&documents, of_documents)?,
                passages: listwise::rank(&passages, of_passages)?,
            })
        };
        let semantic = Semantic {
            hybrid: functions(&HYBRID, &HYBRID_PASSAGES)?,
            meaning: functions(&MEANING, &MEANING_PASSAGES)?,
        };
        Ok(FittedScale {
            lexical: functions(&LEXICAL, &LEXICAL_PASSAGES)?,
            semantic: BTreeMap::from([(model.to_owned(), semantic)]),
        })
    }

    fn model(&self) -> String {
        let id = self.documents.first().map(|shelf| shelf.corpus.model().id.clone());
        let id = id.unwrap_or_default();
        id.rsplit_once('/').map_or(id.as_str(), |(model, _)| model).to_owned()
    }
}

/// The fold of each topic.
fn folds(shelf: &Shelf) -> HashMap<String, usize> {
    let mut topics: Vec<&String> = shelf.collection.rows.iter().map(|row| &row.topic).collect();
    topics.sort_unstable();
    topics.dedup();
    Rng::with_seed(crate::SEED).shuffle(&mut topics);
    topics.into_iter().enumerate().map(|(at, topic)| (topic.clone(), at % FOLDS)).collect()
}

/// Fits the probabilities of being related to all that is labelled.
pub async fn fit(data: &Path, to: &Path) -> Result<(), Failure> {
    let shelves = Shelves::of(data).await?;
    let fitted = shelves.scale(&shelves.model(), None)?;
    let text = format!(
        "# Parameters of related coverage. Made by `cargo run --release -p copydesk-eval -- \
         fit-related`.\n\n{}",
        toml::to_string(&fitted)?
    );
    std::fs::write(to, text)?;
    println!("fitted: {}", to.display());
    Ok(())
}

fn of_documents(data: &Path) -> Result<Vec<Collection>, Failure> {
    Ok(vec![
        retrieval::ecb_documents(data)?,
        retrieval::ecb_texts(data)?,
        retrieval::wikinews(data)?,
        retrieval::emergent(data)?,
    ])
}

/// Prints a table of all measures, out of fold; or of those of one collection, with the
/// parameters that are served.
pub async fn print(data: &Path, served: Option<&str>, with_stories: bool) -> Result<(), Failure> {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header([
        "task",
        "measure",
        "ours",
        "wanted",
        "fusion",
        "ours - fusion, 95%",
        "tf-idf",
        "dense",
    ]);
    if let Some(name) = served {
        let mut collections = of_documents(data)?;
        collections.push(retrieval::ecb_sentences(data)?);
        for collection in collections.into_iter().filter(|one| one.name.contains(name)) {
            let shelf = Shelf::of(collection).await?;
            let scale = Arc::new(Scale::of(&shelf.corpus.model().id));
            measure(&mut table, &shelf, &vec![scale; FOLDS]).await?;
            if with_stories {
                stories(&[&shelf.collection]).await?;
            }
        }
        println!("{table}");
        return Ok(());
    }
    let shelves = Shelves::of(data).await?;
    let model = shelves.model();
    let mut scales = Vec::new();
    for fold in 0..FOLDS {
        let fitted = shelves.scale(&model, Some(fold))?;
        scales.push(Arc::new(Scale::from_fitted(&fitted, &model)));
    }
    for shelf in shelves.documents.iter().chain(&shelves.passages) {
        measure(&mut table, shelf, &scales).await?;
    }
    println!("{table}");
    if with_stories {
        let collections: Vec<&Collection> =
            shelves.documents.iter().map(|shelf| &shelf.collection).take(3).collect();
        stories(&collections).await?;
    }
    Ok(())
}

async fn measure(table: &mut Table, shelf: &Shelf, scales: &[Arc<Scale>]) -> Result<(), Failure> {
    let (folds, names) = (folds(shelf), shelf.names()?);
    let simple = Simple::of(shelf).await?;
    let asked = shelf.collection.rows.iter().enumerate().filter_map(|(query, row)| {
        let scale = folds.get(&row.topic).and_then(|fold| scales.get(*fold))?;
        Some((query, Arc::clone(scale), shelf.relevant(query)))
            .filter(|(.., relevant)| *relevant > 0)
    });
    let ranked = asked.map(|(query, scale, relevant)| async move {
        Ok::<_, Failure>((query, relevant, shelf.ranked(query, scale).await?))
    });
    let mut ranked = futures::stream::iter(ranked).buffered(AT_ONCE);
    let mut precisions: [Vec<f64>; 4] = Default::default();
    let mut r_precisions: [Vec<f64>; 4] = Default::default();
    while let Some(ranked) = ranked.next().await {
        let (query, relevant, ours) = ranked?;
        let ours = ours.iter().filter_map(|(name, _)| names.get(name).copied()).collect();
        let [fused, by_words, by_meaning] = simple.rankings(shelf, query);
        let rankings = [ours, fused, by_words, by_meaning];
        let all = rankings.iter().zip(precisions.iter_mut().zip(&mut r_precisions));
        for (ranking, (precisions, r_precisions)) in all {
            let ranking: &Vec<usize> = ranking;
            let is_relevant = || {
                ranking.iter().map(|row| shelf.collection.is_relevant(query, *row)).take(MEASURED)
            };
            precisions.push(average_precision(is_relevant(), relevant));
            r_precisions.push(r_precision(is_relevant(), relevant));
        }
    }
    let wanted = [shelf.collection.wanted, ""];
    for ((name, all), wanted) in
        [("MAP", &precisions), ("R-precision", &r_precisions)].into_iter().zip(wanted)
    {
        let [ours, fused, by_words, by_meaning] = all;
        let mean = |values: &Vec<f64>| format!("{:.3}", spread(values).0);
        let (low, high) = paired_bootstrap(ours, fused, crate::SEED);
        table.add_row([
            shelf.collection.name.to_owned(),
            name.to_owned(),
            mean(ours),
            wanted.to_owned(),
            mean(fused),
            format!("{low:+.3} to {high:+.3}"),
            mean(by_words),
            mean(by_meaning),
        ]);
    }
    Ok(())
}

/// What simple methods say of the same rows.
struct Simple {
    vectors: Vec<Vec<copydesk::embed::Windows>>,
    words: Vec<HashMap<u32, f32>>,
}

impl Simple {
    async fn of(shelf: &Shelf) -> Result<Self, Failure> {
        let collection = &shelf.collection;
        let mut of_stories = Vec::new();
        for story in &collection.stories {
            let report = shelf.corpus.report(story.incoming()).await?;
            of_stories.push(report.passages);
        }
        let vectors = |row: &retrieval::Row| {
            let passages = of_stories.get(row.story).into_iter().flatten();
            let wanted =
                passages.filter(|p| row.ordinal.is_none_or(|ordinal| ordinal == p.ordinal));
            wanted.filter_map(|passage| passage.windows.clone()).collect()
        };
        let counts: Vec<HashMap<u32, f32>> = collection
            .rows
            .iter()
            .map(|row| {
                let text = collection.text(row);
                let mut counts: HashMap<u32, f32> = HashMap::new();
                for word in words(&text).iter().filter(|word| !is_stopword(word)) {
                    *counts.entry(stem(word)).or_default() += 1.0;
                }
                counts
            })
            .collect();
        let mut with: HashMap<u32, f32> = HashMap::new();
        counts.iter().flat_map(HashMap::keys).for_each(|term| {
            *with.entry(*term).or_default() += 1.0;
        });
        let all = counts.len() as f32;
        let weighed = counts.into_iter().map(|counts| {
            let weight = |(term, count): (u32, f32)| {
                let with = with.get(&term).copied().unwrap_or(1.0);
                (term, (1.0 + count.ln()) * (((all + 1.0) / (with + 1.0)).ln() + 1.0))
            };
            let mut weights: HashMap<u32, f32> = counts.into_iter().map(weight).collect();
            let length = weights.values().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
            weights.values_mut().for_each(|x| *x /= length);
            weights
        });
        Ok(Self {
            vectors: collection.rows.iter().map(vectors).collect(),
            words: weighed.collect(),
        })
    }

    /// The highest cosine of two passages.
    fn meaning(&self, a: usize, b: usize) -> f32 {
        let (Some(a), Some(b)) = (self.vectors.get(a), self.vectors.get(b)) else { return 0.0 };
        let pairs = a.iter().flat_map(|a| b.iter().map(move |b| a.cosine(b)));
        pairs.max_by(f32::total_cmp).unwrap_or_default()
    }

    fn likeness(&self, a: usize, b: usize) -> f32 {
        let (Some(a), Some(b)) = (self.words.get(a), self.words.get(b)) else { return 0.0 };
        let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
        short.iter().filter_map(|(term, x)| Some(x * long.get(term)?)).sum()
    }

    /// All that may answer a query: by the sum of both, each in units of its spread, by words and
    /// by meaning.
    fn rankings(&self, shelf: &Shelf, query: usize) -> [Vec<usize>; 3] {
        let rows = 0..shelf.collection.rows.len();
        let others: Vec<usize> = rows.filter(|row| shelf.collection.answers(query, *row)).collect();
        let in_units = |values: &[f32]| -> Vec<f32> {
            let count = values.len().max(1) as f32;
            let mean = values.iter().sum::<f32>() / count;
            let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / count;
            values.iter().map(|x| (x - mean) / variance.sqrt().max(1e-6)).collect()
        };
        let meaning: Vec<f32> = others.iter().map(|row| self.meaning(query, *row)).collect();
        let words: Vec<f32> = others.iter().map(|row| self.likeness(query, *row)).collect();
        let sums = in_units(&meaning).into_iter().zip(in_units(&words)).map(|(a, b)| a + b);
        let ordered = |scores: Vec<f32>| {
            let mut scored: Vec<(f32, usize)> =
                scores.into_iter().zip(others.iter().copied()).collect();
            scored.sort_by(|(x, a), (y, b)| y.total_cmp(x).then(a.cmp(b)));
            scored.into_iter().map(|(_, row)| row).collect()
        };
        [ordered(sums.collect()), ordered(words), ordered(meaning)]
    }
}

/// Prints how well stories are told apart, whatever order their documents come in.
async fn stories(collections: &[&Collection]) -> Result<(), Failure> {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header(["stories", "B-cubed F1, mean", "least", "most", "stories, true"]);
    for collection in collections {
        let truth: Vec<&String> = collection.rows.iter().map(|row| &row.event).collect();
        let mut all = Vec::new();
        let mut count = 0;
        for seed in 0..ORDERS {
            let folder = tempfile::tempdir()?;
            let corpus = crate::open(folder.path())?;
            let mut order: Vec<usize> = (0..collection.stories.len()).collect();
            Rng::with_seed(seed).shuffle(&mut order);
            take_in(&corpus, collection, &order).await?;
            let ids = collection.stories.iter().map(id).collect::<Result<_, _>>()?;
            let (documents, _) = corpus.documents(ids).await?;
            let stories: Vec<_> = documents.iter().map(|document| document.story).collect();
            count = stories.iter().collect::<std::collections::HashSet<_>>().len();
            all.push(b_cubed(&stories, &truth));
        }
        let (mean, least, most) = spread(&all);
        let events = truth.iter().collect::<std::collections::HashSet<_>>().len();
        table.add_row([
            collection.name.to_owned(),
            format!("{mean:.3}"),
            format!("{least:.3}"),
            format!("{most:.3}"),
            format!("{count}, {events}"),
        ]);
    }
    println!("{table}");
    Ok(())
}
