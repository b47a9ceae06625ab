//! The two ways through the system: what comes in is read, embedded, judged and
//! stored; what is asked is embedded, searched and ranked. The only module that sees
//! all others.

mod answers;
mod candidates;
mod check;
mod compare;
mod coverage;
mod duplicates;
mod error;
mod families;
mod indexing;
mod ingest;
mod lexicon;
mod limits;
mod manage;
mod map;
mod map_file;
mod query;
mod reading;
mod reembed;
mod related;
mod related_documents;
mod reports;
mod retention;
mod search;
mod settle;
mod shelf;
mod steps;
mod stories;
mod subjects;
mod watch;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument, Span};

use crate::embed::{ClientId, Embedder, Lane, ModelInfo, Precision, Setup};
use crate::index::{self, ContentId, Fingerprints, VectorIndex};
use crate::related::{Prior, Scale};
use crate::store::{ModelIdentity, Store};
use crate::verdict::Judge;

pub use answers::{Detail, Evidence, MatchAnswer, PassageAnswer, VerdictAnswer};
pub use check::{Health, check_folder, preview};
pub use compare::{CandidateIds, Compared};
pub use coverage::{CoveragePage, StoryAnswer, StoryPage};
pub use duplicates::{DuplicateAnswers, DuplicateQuestion};
pub use error::{CorpusError, OpenError, Which};
pub use indexing::open as open_index;
pub use ingest::{Ingest, Ingested, Outcome, Prepared};
use lexicon::Lexicon;
pub use limits::Limits;
pub use manage::{CorpusInfo, DocumentAnswer, Exported, LaneLoad, Load, Page};
pub use map::{MapPage, MappedDocument};
pub use query::{PassageName, Query};
use reembed::Change;
pub use reembed::{NextModel, reembed_folder};
pub use related::{RelatedAnswer, RelatedAnswers, RelatedQuestion};
pub use related_documents::{
    DocumentQuery, RelatedDocument, RelatedDocuments, RelatedDocumentsQuestion, Tie,
};
use reports::Texts;
pub use retention::Retention;
use shelf::Shelf;
use steps::timed_wait;
use subjects::{Gists, Subjects};
use watch::Watchers;
pub use watch::{Answers, WatchQuestion, Watched, Watching};

/// Questions whose blocking part runs at once, for each worker that embeds. More wait.
const QUESTIONS_PER_WORKER: usize = 4;

/// A corpus of documents and all that is needed to ask about it, in the name of a
/// caller. Clones share it.
#[derive(Clone)]
pub struct Corpus {
    desk: Arc<Desk>,
    caller: Caller,
}

/// How a corpus is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Threads that embed.
    pub workers: usize,
    /// How its index is kept.
    pub index: index::Options,
    /// How long documents are kept.
    pub retention: Retention,
    /// The folder of its snapshots; `None` for `snapshots` in the data folder.
    pub snapshots: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            workers: 1,
            index: index::Options::default(),
            retention: Retention::default(),
            snapshots: None,
        }
    }
}

/// Who asks, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Caller {
    /// Clients share the workers in equal parts.
    pub client: ClientId,
    /// It is slowed and never refused for load.
    pub is_patient: bool,
}

/// What stays the same when the model changes.
struct Desk {
    /// What answers now. It is changed by whoever has the turn.
    current: RwLock<Arc<Parts>>,
    limits: Limits,
    options: Options,
    /// Held while a verdict is settled, from the last comparison until the index knows
    /// the document: of two copies that arrive at once, one is new.
    turn: Arc<Mutex<()>>,
    /// Places for work that blocks. One that was begun is finished even if its caller has
    /// left, and keeps its place until then. What comes in has one for each worker, so that
    /// it leaves room on the processor; questions have places of their own.
    work: Arc<Semaphore>,
    questions: Arc<Semaphore>,
    /// Standing questions.
    watchers: Watchers,
    /// Where documents stand, once somebody asked.
    map: Arc<Mutex<Option<map::Map>>>,
    /// The change of model that is under way, or how the last one failed.
    change: std::sync::Mutex<Change>,
    /// How far the snapshot is that is being made.
    copying: Arc<std::sync::Mutex<Option<f32>>>,
}

/// What answers with one model.
struct Parts {
    store: Store,
    index: Arc<dyn VectorIndex>,
    shelf: Shelf,
    texts: Texts,
    subjects: Subjects,
    gists: Gists,
    fingerprints: Fingerprints,
    lexicon: Arc<Lexicon>,
    embedder: Embedder,
    /// How verdicts are reached with its vectors.
    judge: Judge,
    /// How probabilities of being related are.
    scale: Scale,
    /// How rare words are before there is a corpus.
    prior: Prior,
    /// Tells them apart from those before and after a change of model.
    generation: u64,
    /// Counts deletions and replacements: while it stands still, there is nothing new to
    /// overwrite.
    removals: AtomicU64,
    /// Texts that came again: their vectors were in the index already.
    known: AtomicU64,
}

impl Parts {
    /// Opens the index of a store, or makes it anew. Blocks.
    fn new(
        store: Store,
        lexicon: Arc<Lexicon>,
        embedder: Embedder,
        options: index::Options,
    ) -> Result<Self, OpenError> {
        static GENERATIONS: AtomicU64 = AtomicU64::new(0);
        let index = indexing::open(&store, embedder.model(), options)?;
        Ok(Self {
            shelf: Shelf::read(store.reader()?.view())?,
            texts: Texts::new(),
            subjects: Subjects::new(),
            gists: Gists::new(),
            fingerprints: indexing::fingerprints(&store)?,
            lexicon,
            store,
            index: Arc::new(index),
            judge: Judge::of(&embedder.model().id),
            scale: Scale::of(&embedder.model().id),
            prior: Prior::of(embedder.words().iter().map(String::as_str)),
            embedder,
            generation: GENERATIONS.fetch_add(1, Ordering::Relaxed),
            removals: AtomicU64::new(0),
            known: AtomicU64::new(0),
        })
    }

    /// Takes texts that no passage says any more out of the index, after a deletion or
    /// replacement was committed.
    fn passages_gone(&self, contents: &[ContentId]) {
        self.removals.fetch_add(1, Ordering::AcqRel);
        self.index.remove(contents);
        self.lexicon.remove_texts(contents);
        self.gists.forget(contents);
    }
}

impl Corpus {
    /// Opens the corpus in `folder`, or makes one, and fills the index from its
    /// vectors. Blocks.
    ///
    /// # Errors
    ///
    /// If the model cannot be loaded or the store cannot be opened.
    pub fn open(folder: &Path, setup: &Setup, options: Options) -> Result<Self, OpenError> {
        let workers = options.workers.max(1);
        let embedder = Embedder::start(&as_recorded(folder, setup), workers)?;
        let store = Store::open(folder, &ModelIdentity::from(embedder.model().as_ref()))?;
        while store.write(|writer| writer.drop_retired())? {}
        indexing::forget_others(&store);
        let lexicon = Arc::new(Lexicon::open(&store)?);
        let parts = Parts::new(store, lexicon, embedder, options.index)?;
        let desk = Desk {
            current: RwLock::new(Arc::new(parts)),
            limits: Limits::default(),
            options: Options { workers, ..options },
            turn: Arc::new(Mutex::new(())),
            work: Arc::new(Semaphore::new(workers)),
            questions: Arc::new(Semaphore::new(workers * QUESTIONS_PER_WORKER)),
            watchers: Watchers::new(),
            map: Arc::default(),
            change: std::sync::Mutex::new(Change::None),
            copying: Arc::default(),
        };
        Ok(Self { desk: Arc::new(desk), caller: Caller::default() })
    }

    /// Deletes what becomes too old, and overwrites what was deleted, for as long as there
    /// is a clone of this.
    pub fn keep_house(&self) {
        tokio::spawn(retention::keep_house(Arc::downgrade(&self.desk)));
    }

    /// Resolves when the disk failed: from then on nothing is stored, and questions are
    /// answered from what was. It does not keep the corpus open.
    pub fn disk_failed(&self) -> impl Future<Output = ()> + Send + use<> {
        self.parts().store.failed()
    }

    /// Whether the disk failed.
    pub fn has_failed_disk(&self) -> bool {
        self.parts().store.has_failed()
    }

    /// The same corpus in the name of a caller.
    pub fn called_by(&self, caller: Caller) -> Self {
        Self { desk: Arc::clone(&self.desk), caller }
    }

    /// The model that answers.
    pub fn model(&self) -> Arc<ModelInfo> {
        Arc::clone(self.parts().embedder.model())
    }

    /// What a request may hold.
    pub fn limits(&self) -> &Limits {
        &self.desk.limits
    }

    /// What answers now. Whatever belongs together is asked of the same parts.
    fn parts(&self) -> Arc<Parts> {
        Arc::clone(&self.desk.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs `work`, which may block, on a thread for that, with what answers now. For those
    /// who wait for an answer.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Parts) -> Result<T, CorpusError> + Send + 'static,
    ) -> Result<T, CorpusError> {
        self.blocking_on(&self.parts(), Lane::Question, work).await
    }

    /// Runs `work`, which may block, in the places of a lane.
    async fn blocking_on<T: Send + 'static>(
        &self,
        parts: &Arc<Parts>,
        lane: Lane,
        work: impl FnOnce(&Parts) -> Result<T, CorpusError> + Send + 'static,
    ) -> Result<T, CorpusError> {
        let parts = Arc::clone(parts);
        let places = match lane {
            Lane::Question => &self.desk.questions,
            Lane::Ingest => &self.desk.work,
        };
        // They are only ever closed with the corpus.
        let place = timed_wait(lane, "wait", Arc::clone(places).acquire_owned()).await;
        let span = Span::current();
        let working = tokio::task::spawn_blocking(move || {
            let (_place, _in_span) = (place, span.entered());
            work(&parts)
        });
        working.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a request ended in a panic");
            Err(CorpusError::Panicked)
        })
    }

    /// Runs `work` when its turn to change the corpus has come, on what answers then.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Parts) -> Result<T, CorpusError> + Send + 'static,
    ) -> Result<T, CorpusError> {
        // A task of its own: a turn that came must be taken, even while its caller is not
        // polled. A caller that leaves before gives it up.
        let corpus = self.clone();
        let taking = async move {
            let turn = Arc::clone(&corpus.desk.turn).lock_owned();
            let turn: OwnedMutexGuard<()> = timed_wait(Lane::Ingest, "turn", turn).await;
            let work = move |parts: &Parts| {
                let _turn = turn;
                work(parts)
            };
            corpus.blocking_on(&corpus.parts(), Lane::Ingest, work).await
        };
        let taking = AbortOnDropHandle::new(tokio::spawn(taking.in_current_span()));
        taking.await.unwrap_or(Err(CorpusError::Panicked))
    }
}

/// A set-up in the precision of the corpus in `folder`, if none was asked for and the
/// weights are the same: a corpus that was opened once opens the same way again.
fn as_recorded(folder: &Path, setup: &Setup) -> Setup {
    let recorded = Store::recorded_model(folder)
        .filter(|recorded| recorded.weights_sha256 == setup.model.weights_sha256)
        .and_then(|recorded| Precision::parse(&recorded.precision));
    Setup { precision: setup.precision.or(recorded), ..setup.clone() }
}
