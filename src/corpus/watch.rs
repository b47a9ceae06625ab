//! Standing questions: what comes in is compared with each of them, once, in the order in which
//! it is stored.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::embed::Lane;
use crate::related::{Mode, Placed, Subject, Surroundings, WeighedSubject};
use crate::store::{DocumentKey, Filter, StoredDocument};

use super::related_documents::{AskedDocument, RelatedDocument};
use super::{Corpus, CorpusError, DocumentQuery, Parts};

/// Standing questions at once.
pub(super) const WATCHERS: usize = 10_000;

/// Documents that came in and wait to be compared with the questions.
const AHEAD: usize = 256;

/// Answers that wait for a reader, before it is cut off, besides those that are on their way.
const BEHIND: usize = 1_024;
const ON_THEIR_WAY: usize = 16;

/// Bodies before the last one after which a question can still go on.
const REMEMBERED: i64 = 100_000;

/// Documents that are compared at once when a question goes on.
const TOGETHER: usize = 64;

/// Probability from which on a document answers, where the question does not say.
const RELATED: f32 = 0.5;

/// Questions are weighed anew when the documents have become more by one in so many.
const GROWTH: u64 = 16;

/// What is watched for.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchQuestion {
    /// What is asked about.
    pub query: DocumentQuery,
    /// Which documents may answer.
    pub filter: Filter,
    /// Least score to answer; `None` for the one from which on more are related than not.
    pub min_score: Option<f32>,
    /// Go on after this answer.
    pub after: Option<i64>,
}

/// A document that came in and is related.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// The document.
    pub document: RelatedDocument,
    /// Grows with every stored body.
    pub sequence: i64,
}

/// A question that stands.
pub struct Watching {
    /// What to go on after until there is an answer.
    pub after: i64,
    /// Its answers.
    pub answers: Answers,
}

/// The answers to a standing question, or why there are no more.
pub type Answers = mpsc::Receiver<Result<Watched, CorpusError>>;

/// All standing questions, and the way to them.
pub(super) struct Watchers {
    standing: Arc<Mutex<HashMap<u64, Watcher>>>,
    count: Arc<AtomicUsize>,
    events: flume::Sender<Event>,
    numbers: AtomicU64,
    /// Every question that somebody waits at has one, also while it goes on after an answer.
    places: Arc<Semaphore>,
}

/// A document that was stored.
struct Event {
    /// Of the parts that it was stored by.
    generation: u64,
    key: DocumentKey,
    sequence: i64,
    subject: Arc<Subject>,
}

/// A standing question.
struct Watcher {
    standing: Standing,
    question: WeighedQuestion,
    /// It knows all that was stored up to here.
    after: i64,
    /// Where what answers is sent.
    found: mpsc::Sender<Found>,
    fell_behind: Arc<AtomicBool>,
}

/// What documents are compared with.
#[derive(Clone)]
struct Standing {
    parts: Arc<Parts>,
    subject: Arc<Subject>,
    around: Arc<Surroundings>,
    min_score: f32,
    /// The stored document that is asked about: it does not answer itself.
    own: Option<DocumentKey>,
}

/// A document that is related.
#[derive(Clone, Copy)]
struct Found {
    key: DocumentKey,
    sequence: i64,
    score: f32,
}

/// What comes in for a standing question, and whether some of that was not taken in time.
type Live = (mpsc::Receiver<Found>, Arc<AtomicBool>);

/// What is asked about, its words weighed by how rare they are now.
struct WeighedQuestion {
    query: WeighedSubject,
    /// What it shares with all around it.
    shared: f32,
}

impl Standing {
    fn weighed(&self) -> WeighedQuestion {
        let query = self.parts.weighed(&self.subject);
        WeighedQuestion { shared: self.around.place(&query).shared, query }
    }

    /// The probability that a document covers what is asked about, if it is enough.
    fn score(
        &self,
        question: &WeighedQuestion,
        key: DocumentKey,
        document: &WeighedSubject,
    ) -> Option<f32> {
        let query = Placed { document: &question.query, shared: question.shared };
        let probability = |features| self.parts.scale.documents(Mode::Hybrid, &features);
        // Nearly all of what comes in is told to be unrelated by this.
        let may_be = || probability(self.around.at_most(query, document));
        if self.own == Some(key) || may_be() < self.min_score {
            return None;
        }
        let score = probability(self.around.features(query, self.around.place(document)));
        (score >= self.min_score).then_some(score)
    }
}

impl Parts {
    fn weighed(&self, subject: &Arc<Subject>) -> WeighedSubject {
        self.with_rarities(|rarity| WeighedSubject::new(subject, &rarity))
    }
}

impl Watchers {
    pub fn new() -> Self {
        let (events, incoming) = flume::bounded::<Event>(AHEAD);
        let standing: Arc<Mutex<HashMap<u64, Watcher>>> = Arc::default();
        let count = Arc::new(AtomicUsize::new(0));
        let (watchers, counted) = (Arc::clone(&standing), Arc::clone(&count));
        let compare = move || {
            let mut weighed_among = 0;
            while let Ok(event) = incoming.recv() {
                let mut watchers = watchers.lock().unwrap_or_else(PoisonError::into_inner);
                watchers.retain(|_, watcher| watcher.waits(&event));
                if let Some(parts) = watchers.values().next().map(|w| Arc::clone(&w.standing.parts))
                {
                    let documents = parts.lexicon.spread().texts();
                    if documents.abs_diff(weighed_among) > weighed_among / GROWTH {
                        watchers.values_mut().for_each(|w| w.question = w.standing.weighed());
                        weighed_among = documents;
                    }
                    let document = parts.weighed(&event.subject);
                    watchers.retain(|_, watcher| watcher.compare(&event, &document));
                }
                counted.store(watchers.len(), Ordering::Release);
            }
        };
        if let Err(error) = std::thread::Builder::new().name("watch".into()).spawn(compare) {
            tracing::error!(%error, "standing questions are not answered");
        }
        let places = Arc::new(Semaphore::new(WATCHERS));
        Self { standing, count, events, numbers: AtomicU64::new(0), places }
    }

    /// A place for one more question.
    fn place(&self) -> Result<OwnedSemaphorePermit, CorpusError> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        place.map_err(|_| CorpusError::TooManyWatchers(WATCHERS))
    }

    /// How many questions stand.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Watcher>> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a document that was stored. Called in the order of storing.
    pub fn stored(&self, parts: &Parts, document: &StoredDocument, subject: &Arc<Subject>) {
        if self.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let event = Event {
            generation: parts.generation,
            key: document.key,
            sequence: document.sequence,
            subject: Arc::clone(subject),
        };
        // The thread that compares ends with the last sender.
        let _ = self.events.send(event);
    }

    /// Sends what is stored after `after`, which is the last that was stored, while it is sure
    /// that nothing is. Its caller has a place.
    fn add(&self, standing: Standing, after: i64) -> Live {
        let (found, receiver) = mpsc::channel(BEHIND);
        let fell_behind = Arc::new(AtomicBool::new(false));
        let question = standing.weighed();
        let mut watchers = self.lock();
        if watchers.len() >= WATCHERS {
            // Else those that nobody waits at any more are found with the next document.
            watchers.retain(|_, watcher| !watcher.found.is_closed());
        }
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let fell = Arc::clone(&fell_behind);
        let watcher = Watcher { standing, question, after, found, fell_behind: fell };
        watchers.insert(number, watcher);
        self.count.store(watchers.len(), Ordering::Release);
        (receiver, fell_behind)
    }
}

impl Watcher {
    /// Whether somebody still waits for what is stored by the parts that an event comes from.
    fn waits(&self, event: &Event) -> bool {
        !self.found.is_closed() && self.standing.parts.generation == event.generation
    }

    /// Compares a document with the question. False if its answers are not taken any more.
    fn compare(&self, event: &Event, document: &WeighedSubject) -> bool {
        if event.sequence <= self.after {
            return true;
        }
        let score = self.standing.score(&self.question, event.key, document);
        let Some(score) = score else { return true };
        let found = Found { key: event.key, sequence: event.sequence, score };
        match self.found.try_send(found) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.fell_behind.store(true, Ordering::Release);
                false
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        }
    }
}

impl Corpus {
    /// Answers a question with every related document that is stored from now on, or after the
    /// answer that it names, in the order of storing. When this returns, the question stands.
    ///
    /// # Errors
    ///
    /// If what is asked about is not stored, is empty or cannot be embedded, or if it goes on
    /// after what is not remembered.
    pub async fn watch(&self, question: WatchQuestion) -> Result<Watching, CorpusError> {
        let place = self.desk.watchers.place()?;
        let parts = self.parts();
        let asked = self.asked_document(&parts, question.query).await?;
        let min_score = question.min_score.unwrap_or(RELATED);
        let subject = Arc::clone(&asked.subject);
        let around = self
            .blocking_on(&parts, Lane::Question, move |parts| {
                let reader = parts.store.reader()?;
                parts.surroundings(reader.view(), &subject)
            })
            .await?;
        let standing = Standing {
            parts: Arc::clone(&parts),
            subject: Arc::clone(&asked.subject),
            around: Arc::new(around),
            min_score,
            own: asked.own.as_ref().map(|own| own.key),
        };
        let (asked, filter) = (Arc::new(asked), question.filter);
        let watch = Watch { corpus: self.clone(), parts, asked, standing, filter, _place: place };
        let (answers, receiver) = mpsc::channel(ON_THEIR_WAY);
        let after = match question.after {
            None => {
                let turn = Arc::clone(&self.desk.turn).lock_owned().await;
                let last = self.sequence().await?;
                let live = self.desk.watchers.add(watch.standing.clone(), last);
                drop(turn);
                tokio::spawn(async move { watch.send_live(live, answers).await });
                last
            }
            Some(after) => {
                let last = self.sequence().await?;
                if after > last || after < last - REMEMBERED {
                    return Err(CorpusError::NotRemembered {
                        after,
                        first: (last - REMEMBERED).max(0),
                        last,
                    });
                }
                tokio::spawn(async move { watch.go_on(after, answers).await });
                after
            }
        };
        Ok(Watching { after, answers: receiver })
    }

    async fn sequence(&self) -> Result<i64, CorpusError> {
        self.blocking(|parts| Ok(parts.store.reader()?.view().sequence()?)).await
    }
}

/// A standing question that somebody waits at.
struct Watch {
    corpus: Corpus,
    parts: Arc<Parts>,
    asked: Arc<AskedDocument>,
    standing: Standing,
    filter: Filter,
    _place: OwnedSemaphorePermit,
}

impl Watch {
    /// Sends what was stored after `after`, then what comes in.
    async fn go_on(self, after: i64, answers: mpsc::Sender<Result<Watched, CorpusError>>) {
        let mut after = after;
        let live = loop {
            let turn = match self.corpus.sequence().await {
                // Nearly there: from here on nothing comes in until the question stands.
                Ok(last) if last - after <= TOGETHER as i64 => {
                    Some(Arc::clone(&self.corpus.desk.turn).lock_owned().await)
                }
                Ok(_) => None,
                Err(error) => return drop(answers.send(Err(error)).await),
            };
            let (found, last) = match self.stored_after(after).await {
                Ok(found) => found,
                Err(error) => return drop(answers.send(Err(error)).await),
            };
            let is_last =
                turn.is_some() && self.corpus.sequence().await.is_ok_and(|now| now <= last);
            let live = is_last.then(|| self.corpus.desk.watchers.add(self.standing.clone(), last));
            drop(turn);
            after = last;
            for found in found {
                if !self.send(found, &answers).await {
                    return;
                }
            }
            if let Some(live) = live {
                break live;
            }
        };
        self.send_live(live, answers).await;
    }

    async fn send_live(
        self,
        (mut live, fell_behind): Live,
        answers: mpsc::Sender<Result<Watched, CorpusError>>,
    ) {
        loop {
            let found = tokio::select! {
                found = live.recv() => found,
                () = answers.closed() => return,
            };
            let Some(found) = found else { break };
            if !self.send(found, &answers).await {
                return;
            }
        }
        let why = match fell_behind.load(Ordering::Acquire) {
            true => CorpusError::FellBehind(BEHIND),
            false => CorpusError::ModelChanged,
        };
        drop(answers.send(Err(why)).await);
    }

    /// Documents that were stored after that one and are related, some of them, and the last one
    /// that was looked at.
    async fn stored_after(&self, after: i64) -> Result<(Vec<Found>, i64), CorpusError> {
        let standing = self.standing.clone();
        self.corpus
            .blocking_on(&self.parts, Lane::Question, move |parts| {
                let reader = parts.store.reader()?;
                let view = reader.view();
                let documents = view.stored_from(after, TOGETHER)?;
                let last = match documents.len() < TOGETHER {
                    true => view.sequence()?,
                    false => documents.last().map_or(after, |document| document.sequence),
                };
                let question = standing.weighed();
                let mut found = Vec::new();
                for document in documents {
                    let weighed = parts.weighed(&parts.subject(view, &document)?);
                    let score = standing.score(&question, document.key, &weighed);
                    found.extend(score.map(|score| Found {
                        key: document.key,
                        sequence: document.sequence,
                        score,
                    }));
                }
                Ok((found, last))
            })
            .await
    }

    /// Sends an answer, if its document passes the filter and is still what it was. False if
    /// nobody waits for it.
    async fn send(
        &self,
        found: Found,
        answers: &mpsc::Sender<Result<Watched, CorpusError>>,
    ) -> bool {
        let (asked, filter) = (Arc::clone(&self.asked), self.filter.clone());
        let answer = self
            .corpus
            .blocking_on(&self.parts, Lane::Question, move |parts| {
                let reader = parts.store.reader()?;
                let view = reader.view();
                let document = view.documents(&[found.key].into())?.remove(&found.key);
                let stands = |document: &StoredDocument| document.sequence == found.sequence;
                let Some(document) = document.filter(stands) else { return Ok(None) };
                if !view.passes(&filter, document.key)? {
                    return Ok(None);
                }
                let document = parts.dressed(view, &asked, document, found.score)?;
                Ok(Some(Watched { document, sequence: found.sequence }))
            })
            .await;
        match answer.transpose() {
            Some(answer) => answers.send(answer).await.is_ok(),
            None => !answers.is_closed(),
        }
    }
}
