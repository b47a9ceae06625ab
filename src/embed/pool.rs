use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::sync::mpsc::{self, UnboundedSender};

use super::lanes::{ClientId, Lane, Lanes, Ticket};
use super::model::{Loaded, Model, ModelError, ModelInfo, Role};
use super::recent::Recent;
use super::{Setup, Windows};

/// Bytes of text that may wait in each lane.
const QUEUE_BYTES: usize = 8 << 20;

/// Time that a byte of text takes before one was measured.
const FIRST_GUESS: Duration = Duration::from_micros(15);

/// Bounds of the delay after which a refused caller may try again.
const SOONEST: Duration = Duration::from_millis(200);
const LATEST: Duration = Duration::from_secs(60);

/// Why a text has no vectors.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// The model failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// As much text waits as may.
    #[error("{waiting_bytes} bytes of text wait to be embedded; try again in {retry_after:?}")]
    Busy {
        /// Bytes of text that wait.
        waiting_bytes: usize,
        /// When the queue is likely to be empty.
        retry_after: Duration,
    },
    /// The workers are gone.
    #[error("the embedder was shut down")]
    Closed,
}

/// For whom and for what texts are embedded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purpose {
    /// How urgent it is.
    pub lane: Lane,
    /// What the texts are.
    pub role: Role,
    /// Who waits for it.
    pub client: ClientId,
    /// Wait for a place in the queue instead of being refused.
    pub is_patient: bool,
}

impl Purpose {
    /// For nobody who shares the workers with others.
    pub const ALONE: Self =
        Self { lane: Lane::Ingest, role: Role::Passage, client: ClientId(0), is_patient: true };
}

/// What was embedded since the start, and what waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EmbedStats {
    /// Texts that the model was run on.
    pub embedded: u64,
    /// Texts that were asked about recently, so that it was not.
    pub recent: u64,
    /// Bytes of text of questions that wait.
    pub waiting_questions: usize,
    /// Bytes of text that comes in and waits.
    pub waiting_ingests: usize,
    /// Threads.
    pub workers: usize,
}

impl EmbedStats {
    /// Bytes of text that wait.
    pub fn waiting_bytes(&self) -> usize {
        self.waiting_questions + self.waiting_ingests
    }
}

/// The worker threads. Clones share them; they end with the last clone.
#[derive(Clone)]
pub struct Embedder(Arc<Handle>);

struct Handle(Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.is_closed.store(true, Ordering::Release);
        drop(self.0.lanes());
        self.0.wake.notify_all();
    }
}

struct Shared {
    info: Arc<ModelInfo>,
    words: Vec<String>,
    workers: usize,
    lanes: Mutex<Lanes<Job>>,
    wake: Condvar,
    is_closed: AtomicBool,
    /// Told whenever text leaves the queue.
    room: Notify,
    /// Those who wait for room do so one after the other, so that a large call is not
    /// passed by small ones for ever.
    patience: tokio::sync::Mutex<()>,
    recent: Recent,
    embedded: AtomicU64,
    from_recent: AtomicU64,
    /// Nanoseconds that a worker takes for 1,024 bytes of text, lately.
    pace: AtomicU64,
}

/// A text of a call.
struct Job {
    text: Arc<str>,
    role: Role,
    /// Its position in the call.
    index: usize,
    answers: UnboundedSender<(usize, Result<Windows, ModelError>)>,
}

impl Embedder {
    /// Loads the model once for `workers` threads and starts them. Blocks until all are
    /// ready.
    ///
    /// # Errors
    ///
    /// If the runtime or the model cannot be loaded.
    pub fn start(setup: &Setup, workers: usize) -> Result<Self, ModelError> {
        let workers = workers.max(1);
        let loaded = Loaded::load(setup)?;
        let models = (0..workers).map(|_| loaded.model()).collect::<Result<Vec<_>, _>>()?;
        let shared = Arc::new(Shared {
            info: Arc::clone(&loaded.info),
            words: loaded.words(),
            workers,
            lanes: Mutex::new(Lanes::new()),
            wake: Condvar::new(),
            is_closed: AtomicBool::new(false),
            room: Notify::new(),
            patience: tokio::sync::Mutex::new(()),
            recent: Recent::new(),
            embedded: AtomicU64::new(0),
            from_recent: AtomicU64::new(0),
            pace: AtomicU64::new(1_024 * FIRST_GUESS.as_nanos() as u64),
        });
        let embedder = Self(Arc::new(Handle(Arc::clone(&shared))));
        for (index, model) in models.into_iter().enumerate() {
            let shared = Arc::clone(&shared);
            thread::Builder::new()
                .name(format!("embed-{index}"))
                .spawn(move || work(model, &shared))
                .map_err(|error| {
                    ModelError::Run(format!("cannot start a worker thread: {error}"))
                })?;
        }
        Ok(embedder)
    }

    /// The model in use.
    pub fn model(&self) -> &Arc<ModelInfo> {
        &self.shared().info
    }

    /// The words that it knows by themselves, the most frequent first.
    pub fn words(&self) -> &[String] {
        &self.shared().words
    }

    /// What was done, and what waits.
    pub fn stats(&self) -> EmbedStats {
        let shared = self.shared();
        let lanes = shared.lanes();
        EmbedStats {
            embedded: shared.embedded.load(Ordering::Relaxed),
            recent: shared.from_recent.load(Ordering::Relaxed),
            waiting_questions: lanes.bytes(Lane::Question),
            waiting_ingests: lanes.bytes(Lane::Ingest),
            workers: shared.workers,
        }
    }

    /// Embeds normalised texts, on all workers, and returns their vectors in order.
    /// Dropping the future takes what was not begun out of the queue.
    ///
    /// # Errors
    ///
    /// If the model fails on one of them, or if more text waits than may.
    pub async fn embed(
        &self,
        purpose: Purpose,
        texts: Vec<Arc<str>>,
    ) -> Result<Vec<Windows>, EmbedError> {
        let shared = self.shared();
        let role = match shared.info.is_symmetric {
            true => Role::Passage,
            false => purpose.role,
        };
        let mut vectors: Vec<Option<Windows>> =
            texts.iter().map(|text| shared.recent.get(role, text)).collect();
        let missing: Vec<usize> = (0..texts.len())
            .filter(|&index| vectors.get(index).is_some_and(Option::is_none))
            .collect();
        shared.from_recent.fetch_add((texts.len() - missing.len()) as u64, Ordering::Relaxed);
        if !missing.is_empty() {
            let wanted =
                missing.iter().filter_map(|&index| Some((index, texts.get(index)?.clone())));
            let (ticket, mut answers) = shared.enqueue(purpose, role, wanted.collect()).await?;
            let _waiting = Waiting { shared, ticket };
            for _ in &missing {
                let (index, windows) = answers.recv().await.ok_or(EmbedError::Closed)?;
                let windows = windows?;
                if let Some(text) = texts.get(index).filter(|_| purpose.lane == Lane::Question) {
                    shared.recent.keep(role, Arc::clone(text), windows.clone());
                }
                if let Some(slot) = vectors.get_mut(index) {
                    *slot = Some(windows);
                }
            }
        }
        vectors.into_iter().collect::<Option<_>>().ok_or(EmbedError::Closed)
    }

    fn shared(&self) -> &Shared {
        &self.0.0
    }
}

/// A call whose texts may wait in the queue: it takes them out when it ends.
struct Waiting<'a> {
    shared: &'a Shared,
    ticket: Ticket,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let left = self.shared.lanes().remove(self.ticket);
        if !left.is_empty() {
            self.shared.room.notify_waiters();
        }
    }
}

type Answers = mpsc::UnboundedReceiver<(usize, Result<Windows, ModelError>)>;

impl Shared {
    fn lanes(&self) -> MutexGuard<'_, Lanes<Job>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts texts, with their positions in the call, into the queue.
    async fn enqueue(
        &self,
        purpose: Purpose,
        role: Role,
        texts: Vec<(usize, Arc<str>)>,
    ) -> Result<(Ticket, Answers), EmbedError> {
        let (answers, receiver) = mpsc::unbounded_channel();
        let mut jobs: VecDeque<(usize, Job)> = texts
            .into_iter()
            .map(|(index, text)| (text.len(), Job { text, role, index, answers: answers.clone() }))
            .collect();
        let _patience = match purpose.is_patient {
            true => Some(self.patience.lock().await),
            false => None,
        };
        loop {
            // Asked for before the queue is looked at, so that no word of room is missed.
            let room = self.room.notified();
            match self.try_enqueue(purpose, jobs) {
                Ok(ticket) => return Ok((ticket, receiver)),
                Err((returned, waiting_bytes)) if !purpose.is_patient => {
                    drop(returned);
                    let retry_after = self.time_for(waiting_bytes);
                    return Err(EmbedError::Busy { waiting_bytes, retry_after });
                }
                Err((returned, _)) => jobs = returned,
            }
            room.await;
        }
    }

    /// Puts texts into the queue if there is room: beside what waits in their lane, or for
    /// any number of bytes if nothing does. Else returns them, and how much waits.
    fn try_enqueue(
        &self,
        purpose: Purpose,
        jobs: VecDeque<(usize, Job)>,
    ) -> Result<Ticket, (VecDeque<(usize, Job)>, usize)> {
        let mut lanes = self.lanes();
        let waiting = lanes.bytes(purpose.lane);
        let bytes: usize = jobs.iter().map(|(bytes, _)| bytes).sum();
        if waiting > 0 && waiting + bytes > QUEUE_BYTES {
            return Err((jobs, waiting));
        }
        let several = jobs.len() > 1;
        let ticket = lanes.push(purpose.lane, purpose.client, jobs);
        drop(lanes);
        if several {
            self.wake.notify_all();
        } else {
            self.wake.notify_one();
        }
        Ok(ticket)
    }

    /// How long the workers take for so much text.
    fn time_for(&self, bytes: usize) -> Duration {
        let pace = self.pace.load(Ordering::Relaxed);
        let nanoseconds = bytes as u64 / 1_024 * pace / self.workers as u64;
        Duration::from_nanos(nanoseconds).clamp(SOONEST, LATEST)
    }

    /// The text that is next, as soon as there is one. `None` at the end.
    fn next(&self) -> Option<Job> {
        let mut lanes = self.lanes();
        loop {
            if self.is_closed.load(Ordering::Acquire) {
                return None;
            }
            if let Some(job) = lanes.pop() {
                return Some(job);
            }
            lanes = self.wake.wait(lanes).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn note(&self, bytes: usize, took: Duration) {
        self.embedded.fetch_add(1, Ordering::Relaxed);
        // An average over the last 64 KiB or so: long texts count for more than short ones.
        let before = self.pace.load(Ordering::Relaxed) as f64 * 64.0;
        let pace = (before + took.as_nanos() as f64) / (64.0 * 1_024.0 + bytes as f64) * 1_024.0;
        self.pace.store(pace as u64, Ordering::Relaxed);
    }
}

/// Embeds one text after the other. A panic in a library ends its text, not the
/// thread.
fn work(mut model: Model, shared: &Shared) {
    while let Some(job) = shared.next() {
        shared.room.notify_waiters();
        if job.answers.is_closed() {
            continue;
        }
        let begun = Instant::now();
        let windows = catch_unwind(AssertUnwindSafe(|| model.embed(&job.text, job.role)))
            .unwrap_or_else(|_| Err(ModelError::Run("it panicked".to_owned())));
        if windows.is_ok() {
            shared.note(job.text.len(), begun.elapsed());
        }
        let _ = job.answers.send((job.index, windows));
    }
}
