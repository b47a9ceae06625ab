//! The two ways through the system: what comes in is read, embedded, judged and
//! stored; what is asked is embedded, searched and ranked. The only module that sees
//! all others.

mod answers;
mod candidates;
mod duplicates;
mod error;
mod families;
mod ingest;
mod limits;
mod manage;
mod matches;
mod query;
mod related;
mod settle;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};
use tokio_util::task::AbortOnDropHandle;

use crate::embed::{Embedder, ModelInfo, Setup};
use crate::index::{ContentId, GrowingIndex, VectorIndex};
use crate::store::{ModelIdentity, Store};

pub use answers::{Detail, Evidence, MatchAnswer, PassageAnswer, VerdictAnswer};
pub use duplicates::{DuplicateAnswers, DuplicateQuestion};
pub use error::{CorpusError, OpenError};
pub use ingest::{Ingest, Ingested, Outcome, Prepared};
pub use limits::Limits;
pub use manage::{CorpusInfo, DocumentAnswer, Exported, Page};
pub use query::{PassageName, Query};
pub use related::{RelatedAnswer, RelatedAnswers, RelatedQuestion};

/// Requests whose blocking part runs at once, for each worker that embeds. More wait.
const WORK_PER_WORKER: usize = 4;

/// A corpus of documents and all that is needed to ask about it. Clones share it.
#[derive(Clone)]
pub struct Corpus(Arc<Parts>);

struct Parts {
    store: Store,
    index: Arc<dyn VectorIndex>,
    embedder: Embedder,
    limits: Limits,
    /// Held while a verdict is settled, from the last comparison until the index knows
    /// the document: of two copies that arrive at once, one is new.
    turn: Arc<Mutex<()>>,
    /// Places for work that blocks. One that was begun is finished even if its caller has
    /// left, and keeps its place until then.
    work: Arc<Semaphore>,
    /// Counts deletions and replacements: while it stands still, every passage that was
    /// found is still there.
    removals: AtomicU64,
}

impl Parts {
    /// Takes texts that no passage says any more out of the index, after a deletion or
    /// replacement was committed.
    fn passages_gone(&self, contents: &[ContentId]) {
        self.removals.fetch_add(1, Ordering::AcqRel);
        self.index.remove(contents);
    }
}

impl Corpus {
    /// Opens the corpus in `folder`, or makes one, and fills the index from its
    /// vectors. Blocks.
    ///
    /// # Errors
    ///
    /// If the model cannot be loaded or the store cannot be opened.
    pub fn open(folder: &Path, setup: &Setup, workers: usize) -> Result<Self, OpenError> {
        let embedder = Embedder::start(setup, workers)?;
        let store = Store::open(folder, &ModelIdentity::from(embedder.model()))?;
        let dimension = embedder.model().dimension;
        let index = GrowingIndex::new(dimension);
        store
            .reader()?
            .view()
            .vectors(dimension, |content, windows| index.add(content, windows))?;
        Ok(Self(Arc::new(Parts {
            store,
            index,
            embedder,
            limits: Limits::default(),
            turn: Arc::new(Mutex::new(())),
            work: Arc::new(Semaphore::new(workers.max(1) * WORK_PER_WORKER)),
            removals: AtomicU64::new(0),
        })))
    }

    /// The model in use.
    pub fn model(&self) -> &ModelInfo {
        self.0.embedder.model()
    }

    /// What a request may hold.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Runs `work`, which may block, on a thread for that.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Parts) -> Result<T, CorpusError> + Send + 'static,
    ) -> Result<T, CorpusError> {
        let parts = Arc::clone(&self.0);
        // It is only ever closed with the corpus.
        let place = Arc::clone(&self.0.work).acquire_owned().await;
        let working = tokio::task::spawn_blocking(move || {
            let _place = place;
            work(&parts)
        });
        working.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a request ended in a panic");
            Err(CorpusError::Panicked)
        })
    }

    /// Runs `work` when its turn to change the corpus has come.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Parts) -> Result<T, CorpusError> + Send + 'static,
    ) -> Result<T, CorpusError> {
        // A task of its own: a turn that came must be taken, even while its caller is not
        // polled. A caller that leaves before gives it up.
        let corpus = self.clone();
        let taking = AbortOnDropHandle::new(tokio::spawn(async move {
            let turn: OwnedMutexGuard<()> = Arc::clone(&corpus.0.turn).lock_owned().await;
            let work = move |parts: &Parts| {
                let _turn = turn;
                work(parts)
            };
            corpus.blocking(work).await
        }));
        taking.await.unwrap_or(Err(CorpusError::Panicked))
    }
}
