use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use metrics::counter;

use crate::embed::Windows;

use super::background;
use super::growing::Growing;
use super::manifest::Manifest;
use super::segment::{Asked, Identity, Segment};
use super::{Compacted, ContentId, Hit, IndexStatus, Mark, Scope, VectorIndex};

/// Vectors that the growing segment takes in before it is frozen, if nothing else is asked.
pub const SEGMENT_ROWS: usize = 32_768;

/// Nodes in the pool of a walk.
const EF: usize = 128;

/// Texts that [`VectorIndex::status`] searches for themselves.
const SAMPLE: usize = 64;

/// What an index is a cache of.
pub trait Truth {
    /// Calls with every text that there is and the start of its hash, in ascending order.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    fn texts(&self, each: &mut dyn FnMut(ContentId, u32)) -> Result<(), TruthError>;

    /// Calls with the vectors of these texts, in the order of `contents`, which ascends.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    fn vectors(
        &self,
        contents: &[ContentId],
        each: &mut dyn FnMut(ContentId, Windows),
    ) -> Result<(), TruthError>;
}

/// Why what an index is a cache of could not be read.
pub type TruthError = Box<dyn Error + Send + Sync>;

/// Why an index could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// Files could not be read or written.
    #[error("the index files in {folder} cannot be used: {source}")]
    Io {
        /// Where they are.
        folder: String,
        /// Why.
        source: io::Error,
    },
    /// What it is a cache of could not be read.
    #[error("{0}")]
    Truth(TruthError),
    /// The index is being closed.
    #[error("the index is being closed")]
    Closing,
}

/// An index in segments. See the module's documentation and `docs/segment.md`.
pub struct SegmentedIndex {
    core: Arc<Core>,
    threads: Vec<JoinHandle<()>>,
}

/// How an index is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Vectors that the growing segment takes in before it is frozen.
    pub segment_rows: usize,
    /// Compare all full vectors, always: nothing is missed.
    pub is_exact: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_rows: SEGMENT_ROWS, is_exact: false }
    }
}

/// What the index and its threads share.
pub(super) struct Core {
    pub folder: PathBuf,
    pub identity: Identity,
    pub dimension: usize,
    pub options: Options,
    /// What answers. It is exchanged as a whole; a search keeps the one that it began with.
    state: RwLock<Arc<State>>,
    /// Held while the state is exchanged and while texts are added or taken out, so that none
    /// is lost or comes back by an exchange; never while anything is written to disk.
    change: Mutex<()>,
    /// Held while the manifest and then the state are exchanged.
    exchanging: Mutex<()>,
    /// Held while a segment that has no graph gets one; before `merging` where both are.
    pub linking: Mutex<()>,
    /// Held while segments are merged.
    pub merging: Mutex<()>,
    pub next_file: AtomicU64,
    /// The key of the last text that was added.
    pub last: AtomicI64,
    /// Work under way, and how much of it failed so far.
    work: Mutex<Work>,
    worked: Condvar,
    pub is_closing: AtomicBool,
    /// How often somebody asked for work to be done now.
    calls: AtomicU64,
    linker: background::Waker,
    merger: background::Waker,
}

/// Segments that answer.
#[derive(Clone)]
pub(super) struct State {
    pub segments: Vec<Arc<Segment>>,
    /// The last one takes in, the others wait to be frozen.
    pub growing: Vec<Arc<Growing>>,
}

/// What the threads do.
#[derive(Default)]
pub(super) struct Work {
    under_way: Vec<(&'static str, f32)>,
    pub failures: u64,
    pub last_failure: String,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SegmentedIndex {
    /// Opens the index in `folder`, or makes one: takes what is sound in its files, leaves
    /// out what `truth` does not hold any more, and reads from it what is missing.
    ///
    /// # Errors
    ///
    /// If the folder cannot be made or `truth` cannot be read. Damaged files are no error.
    pub fn open(
        folder: &Path,
        identity: Identity,
        dimension: usize,
        options: Options,
        truth: &dyn Truth,
    ) -> Result<Self, IndexError> {
        let failed = |source| IndexError::Io { folder: folder.display().to_string(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        let (linker, merger) = (background::Waker::default(), background::Waker::default());
        let core = Core {
            folder: folder.to_owned(),
            identity,
            dimension,
            options: Options { segment_rows: options.segment_rows.max(1), ..options },
            state: RwLock::new(Arc::new(State {
                segments: Vec::new(),
                growing: vec![Arc::new(Growing::new(dimension))],
            })),
            change: Mutex::new(()),
            exchanging: Mutex::new(()),
            linking: Mutex::new(()),
            merging: Mutex::new(()),
            next_file: AtomicU64::new(1),
            last: AtomicI64::new(0),
            work: Mutex::default(),
            worked: Condvar::new(),
            is_closing: AtomicBool::new(false),
            calls: AtomicU64::new(0),
            linker,
            merger,
        };
        core.fill(truth)?;
        let core = Arc::new(core);
        let threads = background::start(&core);
        Ok(Self { core, threads })
    }

    /// Waits until nothing is left to be done in the background.
    pub fn settle(&self) {
        while !self.core.is_settled() {
            self.core.wait_for_work();
        }
    }

    /// The nearest texts in `scope`, best first, each once, at most `limit`.
    pub fn search(&self, query: &Windows, limit: usize, scope: Scope<'_>) -> Vec<Hit> {
        self.search_with(query, limit, EF, scope)
    }

    /// Answers as [`Self::search`] does, with so many nodes in the pool of a walk.
    pub fn search_with(
        &self,
        query: &Windows,
        limit: usize,
        ef: usize,
        scope: Scope<'_>,
    ) -> Vec<Hit> {
        let asked = Asked { limit, ef, is_exact: self.core.options.is_exact };
        self.core.search(query, asked, scope)
    }

    /// Answers by comparing all full vectors: nothing is missed.
    pub fn search_exactly(&self, query: &Windows, limit: usize, scope: Scope<'_>) -> Vec<Hit> {
        self.core.search(query, Asked { limit, ef: 0, is_exact: true }, scope)
    }
}

impl Drop for SegmentedIndex {
    fn drop(&mut self) {
        self.core.is_closing.store(true, Ordering::Release);
        self.core.linker.wake();
        self.core.merger.wake();
        // Nobody writes to the folder any more once this is gone.
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Core {
    pub fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn set_state(&self, state: State) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
    }

    /// Writes a segment under a new name and opens it. Nothing of it stays if that fails.
    pub fn write_segment(
        &self,
        write: impl FnOnce(&Path) -> io::Result<()>,
    ) -> Result<Segment, IndexError> {
        let number = self.next_file.fetch_add(1, Ordering::AcqRel);
        let path = self.folder.join(format!("{number:08}.segment"));
        let written = write(&path).and_then(|()| {
            Segment::open(&path, self.identity, self.dimension).map_err(io::Error::other)
        });
        written.map_err(|source| {
            let _ = fs::remove_file(&path);
            IndexError::Io { folder: self.folder.display().to_string(), source }
        })
    }

    pub fn save_manifest(&self, segments: &[Arc<Segment>]) -> Result<(), IndexError> {
        let names = segments.iter().map(|segment| name_of(segment)).collect();
        Manifest::new(self.identity, names)
            .replace(&self.folder)
            .map_err(|source| IndexError::Io { folder: self.folder.display().to_string(), source })
    }

    pub fn add(&self, content: ContentId, check: u32, windows: &Windows) {
        // So that it does not go to a segment that is being sealed.
        let change = lock(&self.change);
        let state = self.state();
        let Some(growing) = state.growing.last() else { return };
        if state.segments.iter().any(|segment| segment.holds(content)) {
            return;
        }
        let rows = growing.add(content, check, windows);
        self.last.fetch_max(content.0, Ordering::AcqRel);
        if rows >= self.options.segment_rows {
            self.seal(&change);
        } else if growing.is_due(false) {
            self.linker.wake();
        }
    }

    /// Begins another growing segment, if there is anything in this one.
    fn seal(&self, _change: &MutexGuard<'_, ()>) {
        let mut state = State::clone(&self.state());
        if state.growing.last().is_some_and(|growing| growing.len() > 0) {
            state.growing.push(Arc::new(Growing::new(self.dimension)));
            self.set_state(state);
        }
        self.linker.wake();
    }

    fn remove(&self, contents: &[ContentId]) {
        let _change = lock(&self.change);
        let state = self.state();
        for &content in contents {
            let is_found = state.growing.iter().any(|growing| growing.kill(content))
                || state.segments.iter().any(|segment| segment.kill(content));
            if !is_found {
                tracing::debug!(
                    content = content.0,
                    "a text that was removed was not in the index"
                );
            }
        }
        drop(state);
        self.merger.wake();
    }

    /// Puts `new` in the place of what it was made of, in the manifest and in what answers.
    pub fn exchange(
        &self,
        new: Option<Segment>,
        of_segments: &[Arc<Segment>],
        of_growing: Option<&Arc<Growing>>,
    ) -> Result<(), IndexError> {
        let new = new.map(Arc::new);
        let _exchanging = lock(&self.exchanging);
        let mut segments = self.state().segments.clone();
        segments.retain(|segment| !of_segments.iter().any(|old| Arc::ptr_eq(segment, old)));
        segments.extend(new.clone());
        if let Err(error) = self.end_if_closing().and_then(|()| self.save_manifest(&segments)) {
            if let Some(new) = new {
                let _ = fs::remove_file(new.path());
            }
            return Err(error);
        }
        // What was removed since its rows were read: once before anybody has to wait, and
        // again if more was meanwhile.
        let lives = |content| {
            of_segments.iter().any(|old| old.holds(content))
                || of_growing.is_some_and(|old| old.holds(content))
        };
        let remove = |new: &Segment| {
            let ids = new.ids();
            new.keep(&mut |place| ids.get(place).is_some_and(|&id| lives(ContentId(id))));
        };
        let living = || {
            let segments: usize = of_segments.iter().map(|old| old.live()).sum();
            segments + of_growing.map_or(0, |old| old.live())
        };
        let known = living();
        new.iter().for_each(|new| remove(new));
        let change = lock(&self.change);
        let mut state = State { segments, ..State::clone(&self.state()) };
        state.growing.retain(|growing| !of_growing.is_some_and(|old| Arc::ptr_eq(growing, old)));
        if living() != known {
            new.iter().for_each(|new| remove(new));
        }
        self.set_state(state);
        drop(change);
        for old in of_segments {
            // Those who still search it have it open.
            let _ = fs::remove_file(old.path());
        }
        self.merger.wake();
        Ok(())
    }

    /// Notes how far a piece of work is. False if it should end.
    pub fn go_on(&self, what: &'static str, share: f32) -> bool {
        let mut work = lock(&self.work);
        match work.under_way.iter_mut().find(|(name, _)| *name == what) {
            Some(known) => known.1 = share,
            None => work.under_way.push((what, share)),
        }
        !self.is_closing.load(Ordering::Acquire)
    }

    /// Notes the end of a piece of work.
    pub fn ended(&self, what: &'static str, outcome: Result<(), IndexError>) -> bool {
        let mut work = lock(&self.work);
        work.under_way.retain(|(name, _)| *name != what);
        let is_done = outcome.is_ok();
        if let Err(error) = outcome {
            if !matches!(error, IndexError::Closing) {
                tracing::warn!(what, %error, "work on the index failed; it will be tried again");
                counter!("copydesk_index_failures_total", "work" => what).increment(1);
            }
            work.failures += 1;
            work.last_failure = error.to_string();
        }
        drop(work);
        self.worked.notify_all();
        is_done
    }

    fn is_settled(&self) -> bool {
        let state = self.state();
        let is_linked =
            state.growing.len() == 1 && state.growing.iter().all(|growing| !growing.is_due(false));
        is_linked
            && lock(&self.work).under_way.is_empty()
            && background::flat(&state).is_none()
            && background::due(&state).is_none()
    }

    /// Waits so long, or until it is being closed or somebody asks for work to be done now.
    pub fn rest(&self, time: Duration) {
        let until = Instant::now() + time;
        let calls = self.calls.load(Ordering::Acquire);
        while Instant::now() < until
            && !self.is_closing.load(Ordering::Acquire)
            && self.calls.load(Ordering::Acquire) == calls
        {
            self.wait_for_work();
        }
    }

    /// Waits a while, or until some work ended.
    fn wait_for_work(&self) {
        let work = lock(&self.work);
        let _ = self.worked.wait_timeout(work, Duration::from_millis(50));
    }

    fn compact(&self) -> Result<Compacted, IndexError> {
        let before = self.state();
        let bytes = |state: &State| state.segments.iter().map(|s| s.file_bytes()).sum::<u64>();
        let segments = |state: &State| {
            state.segments.len() + state.growing.iter().filter(|g| g.live() > 0).count()
        };
        let failures = lock(&self.work).failures;
        self.calls.fetch_add(1, Ordering::AcqRel);
        self.seal(&lock(&self.change));
        while self.state().growing.len() > 1 {
            self.wait_for_work();
            self.end_if_closing()?;
            let work = lock(&self.work);
            if work.failures > failures {
                let source = io::Error::other(work.last_failure.clone());
                return Err(IndexError::Io { folder: self.folder.display().to_string(), source });
            }
        }
        background::merge_all(self)?;
        let after = self.state();
        Ok(Compacted {
            segments_before: segments(&before),
            segments_after: segments(&after),
            reclaimed_bytes: bytes(&before) as i64 - bytes(&after) as i64,
        })
    }

    fn end_if_closing(&self) -> Result<(), IndexError> {
        match self.is_closing.load(Ordering::Acquire) {
            true => Err(IndexError::Closing),
            false => Ok(()),
        }
    }

    pub fn linker(&self) -> &background::Waker {
        &self.linker
    }

    pub fn merger(&self) -> &background::Waker {
        &self.merger
    }

    fn status(&self) -> IndexStatus {
        let state = self.state();
        let sample = state.sample(SAMPLE);
        let finds_itself = |content: &&ContentId| {
            let Some(windows) = state.windows(**content) else { return true };
            let asked = Asked { limit: 10, ef: EF, is_exact: self.options.is_exact };
            let hits = self.search(&windows, asked, Scope::All);
            // A text may have many twins, all of them as near.
            hits.iter().any(|hit| hit.content == **content)
                || hits.last().is_some_and(|last| last.cosine > 1.0 - 1e-5)
        };
        let found = sample.iter().filter(finds_itself).count();
        let live =
            state.segments.iter().map(|s| s.live()).chain(state.growing.iter().map(|g| g.live()));
        let live: Vec<usize> = live.collect();
        let frozen: usize = state.segments.iter().map(|segment| segment.row_count()).sum();
        let rows = frozen + state.growing.iter().map(|growing| growing.len()).sum::<usize>();
        let work = lock(&self.work);
        let say = |(what, share): &(&str, f32)| format!("{what} {:.0}%", 100.0 * share);
        IndexStatus {
            vectors: live.iter().sum(),
            dead_vectors: rows.saturating_sub(live.iter().sum()),
            segments: live.iter().filter(|&&live| live > 0).count(),
            coverage: if sample.is_empty() { 1.0 } else { found as f32 / sample.len() as f32 },
            background: work.under_way.iter().map(say).collect(),
            disk_bytes: state.segments.iter().map(|segment| segment.file_bytes()).sum(),
        }
    }
}

impl State {
    fn windows(&self, content: ContentId) -> Option<Windows> {
        let growing = self.growing.iter().find_map(|growing| growing.windows(content));
        growing.or_else(|| self.segments.iter().find_map(|segment| segment.windows(content)))
    }

    fn sample(&self, count: usize) -> Vec<ContentId> {
        let parts = self.segments.len() + self.growing.len();
        let each = count.div_ceil(parts.max(1));
        let mut sample: Vec<ContentId> =
            self.growing.iter().flat_map(|growing| growing.sample(each)).collect();
        for segment in &self.segments {
            let step = segment.ids().len().div_ceil(each).max(1);
            sample.extend(segment.ids().iter().step_by(step).map(|&id| ContentId(id)));
        }
        sample
    }
}

impl VectorIndex for SegmentedIndex {
    fn add(&self, content: ContentId, check: u32, windows: &Windows) {
        self.core.add(content, check, windows);
    }

    fn remove(&self, contents: &[ContentId]) {
        self.core.remove(contents);
    }

    fn nearest(
        &self,
        queries: &[&Windows],
        limit: usize,
        scope: Scope<'_>,
    ) -> Result<Vec<Vec<Hit>>, IndexError> {
        let asked = Asked { limit, ef: EF, is_exact: self.core.options.is_exact };
        Ok(self.core.nearest(queries, asked, scope))
    }

    fn windows(&self, content: ContentId) -> Result<Option<Windows>, IndexError> {
        Ok(self.core.state().windows(content))
    }

    fn mark(&self) -> Mark {
        Mark(ContentId(self.core.last.load(Ordering::Acquire)))
    }

    fn status(&self) -> IndexStatus {
        self.core.status()
    }

    fn compact(&self) -> Result<Compacted, IndexError> {
        self.core.compact()
    }
}

/// The name of a segment's file.
pub(super) fn name_of(segment: &Segment) -> String {
    segment.path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
