//! What is done to segments behind the questions: linking and freezing what grows, on one
//! thread, merging and compacting what is frozen, on another. Both give way to all others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::build::Sources;
use super::growing::Growing;
use super::segment::{Segment, SegmentWriter};
use super::segments::{Core, IndexError, State, lock};

/// Segments of about one size that are merged.
const TOGETHER: usize = 4;

/// How much larger the next size is.
const TIER: usize = 4;

/// Share of dead rows from which on a segment is written anew.
const DEAD: f32 = 0.25;

/// Rows that are merged into one segment at most: what a merge needs in memory is bounded
/// by it (some 600 bytes a row), and so is what is written again.
const MOST_ROWS: usize = 1 << 20;

/// Full growing segments that wait for their graph. Where more come in than can be linked,
/// the rest waits in files: what waits in memory is bounded.
const WAITING: usize = 2;

/// How long a thread sleeps if nobody wakes it, and after a failure.
const SLEEP: Duration = Duration::from_secs(5);

/// How long it rests at most after failures.
const MOST_REST: Duration = Duration::from_secs(300);

/// How low the threads' priority is, as `nice` counts.
const NICE: i32 = 10;

/// Wakes a thread, once for each time that it was told to since it last slept.
#[derive(Default)]
pub struct Waker {
    is_due: Mutex<bool>,
    told: Condvar,
}

impl Waker {
    pub fn wake(&self) {
        *lock(&self.is_due) = true;
        self.told.notify_one();
    }

    /// Sleeps until it is woken, or for a while.
    fn sleep(&self) {
        let mut is_due = lock(&self.is_due);
        if !*is_due {
            is_due = match self.told.wait_timeout(is_due, SLEEP) {
                Ok((is_due, _)) => is_due,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        *is_due = false;
    }
}

/// Starts the threads. They end when the index is dropped.
pub fn start(core: &Arc<Core>) -> Vec<JoinHandle<()>> {
    let mut threads = Vec::new();
    for (name, work, waker) in [
        ("index-linker", link as fn(&Core) -> Worked, Core::linker as fn(&Core) -> &Waker),
        ("index-merger", merge, Core::merger),
    ] {
        let weak = Arc::downgrade(core);
        let started =
            thread::Builder::new().name(name.to_owned()).spawn(move || run(&weak, work, waker));
        match started {
            Ok(thread) => threads.push(thread),
            Err(error) => tracing::error!(%error, name, "no thread for the index; scans answer"),
        }
    }
    threads
}

fn run(core: &Weak<Core>, work: fn(&Core) -> Worked, waker: fn(&Core) -> &Waker) {
    // Only what is left over: questions and ingests come first.
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE);
    let mut rest = SLEEP;
    while let Some(core) = core.upgrade() {
        if core.is_closing.load(Ordering::Acquire) {
            return;
        }
        let worked = work(&core);
        match worked {
            Worked::Done => {}
            Worked::Nothing => waker(&core).sleep(),
            // However often it is woken: what failed is likely to fail again.
            Worked::Failed => core.rest(rest),
        }
        rest = if worked == Worked::Failed { MOST_REST.min(2 * rest) } else { SLEEP };
    }
}

/// What came of a round.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Worked {
    Done,
    Nothing,
    Failed,
}

impl Worked {
    fn of(is_done: bool) -> Self {
        if is_done { Self::Done } else { Self::Failed }
    }
}

/// Links some rows of what grows, or freezes what is full.
fn link(core: &Core) -> Worked {
    let state = core.state();
    let sealed = state.growing.len().saturating_sub(1);
    if let Some(late) = state.growing.get(WAITING).filter(|_| sealed > WAITING) {
        let outcome = unpanicked(core, || {
            let texts = late.texts();
            let flat = if texts.is_empty() { None } else { Some(core.write_flat(&texts)?) };
            core.exchange(flat, &[], Some(late))
        });
        return Worked::of(core.ended("freeze", outcome));
    }
    for (at, growing) in state.growing.iter().enumerate() {
        if growing.is_due(at < sealed) {
            let outcome = catch_unwind(AssertUnwindSafe(|| growing.link_some()));
            if outcome.is_err() {
                tracing::error!("a graph is in doubt after a panic; exact scans answer");
                growing.give_up();
            }
            return Worked::Done;
        }
    }
    match state.growing.first().filter(|_| sealed > 0) {
        Some(full) => Worked::of(core.ended("freeze", unpanicked(core, || freeze(core, full)))),
        None => link_flat(core),
    }
}

/// Gives a segment that has no graph one, if there is such a segment.
fn link_flat(core: &Core) -> Worked {
    // Not waited for: what grows must not wait behind a compaction.
    let Ok(_linking) = core.linking.try_lock() else { return Worked::Nothing };
    match flat(&core.state()) {
        Some(flat) => Worked::of(core.ended("link", unpanicked(core, || relink(core, &flat)))),
        None => Worked::Nothing,
    }
}

/// A segment that has no graph.
pub fn flat(state: &State) -> Option<Arc<Segment>> {
    state.segments.iter().find(|segment| !segment.is_linked()).cloned()
}

/// An error in the place of a panic: the thread goes on.
fn unpanicked(
    core: &Core,
    work: impl FnOnce() -> Result<(), IndexError>,
) -> Result<(), IndexError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let source = std::io::Error::other("a panic; see the log");
        Err(IndexError::Io { folder: core.folder.display().to_string(), source })
    })
}

/// Makes a frozen segment of a growing one.
fn freeze(core: &Core, growing: &Arc<Growing>) -> Result<(), IndexError> {
    let sealed = match growing.is_broken() {
        true => &linked_anew(core, "freeze", |again| {
            for (content, check, windows) in growing.texts() {
                again.add(content, check, &windows);
            }
        })?,
        false => growing,
    };
    let new = frozen(core, sealed, "freeze")?;
    core.exchange(new, &[], Some(growing))
}

/// The segment that a growing one becomes, or none if nothing in it lives.
fn frozen(
    core: &Core,
    growing: &Growing,
    what: &'static str,
) -> Result<Option<Segment>, IndexError> {
    let Some((draft, vectors)) = growing.draft().filter(|(draft, _)| !draft.owners.is_empty())
    else {
        return Ok(None);
    };
    let begun = Instant::now();
    let finished =
        draft.finish(&vectors, &|share| core.go_on(what, share)).ok_or(IndexError::Closing)?;
    let write = |path: &Path| SegmentWriter::write_linked(path, core.identity, &finished, &vectors);
    let new = core.write_segment(write)?;
    note(what, &new, begun);
    Ok(Some(new))
}

fn note(what: &str, new: &Segment, begun: Instant) {
    let (rows, seconds) = (new.row_count(), begun.elapsed().as_secs_f32());
    tracing::info!(what, rows, seconds, "a segment was written");
}

/// Links what `fill` puts in, from the beginning.
fn linked_anew(
    core: &Core,
    what: &'static str,
    fill: impl FnOnce(&Growing),
) -> Result<Arc<Growing>, IndexError> {
    let growing = Growing::new(core.dimension);
    fill(&growing);
    while growing.is_due(true) {
        let linked = growing.linked() as f32 / growing.len().max(1) as f32;
        if !core.go_on(what, linked) {
            return Err(IndexError::Closing);
        }
        growing.link_some();
    }
    Ok(Arc::new(growing))
}

/// What should be done to frozen segments.
pub enum Due {
    /// All of it is dead.
    Drop(Arc<Segment>),
    /// One with many dead rows, or several small ones.
    Merge(Vec<Arc<Segment>>),
}

/// What should be done next, if anything.
pub fn due(state: &State) -> Option<Due> {
    // Those without a graph get one first, from the other thread.
    let segments = || state.segments.iter().filter(|segment| segment.is_linked());
    if let Some(dead) = segments().find(|segment| segment.live() == 0) {
        return Some(Due::Drop(Arc::clone(dead)));
    }
    let is_dying = |segment: &&Arc<Segment>| {
        (segment.live() as f32) < (1.0 - DEAD) * segment.row_count() as f32
    };
    if let Some(dying) = segments().find(is_dying) {
        return Some(Due::Merge(vec![Arc::clone(dying)]));
    }
    let mut by_size: Vec<&Arc<Segment>> = segments().collect();
    by_size.sort_by_key(|segment| segment.live());
    let alike = by_size.windows(TOGETHER).find(|window| match window {
        [first, .., last] => last.live() < TIER * first.live().max(1) && rows(window) <= MOST_ROWS,
        _ => false,
    });
    alike.map(|window| Due::Merge(window.iter().map(|segment| Arc::clone(segment)).collect()))
}

/// Does what is due to frozen segments.
fn merge(core: &Core) -> Worked {
    let _merging = lock(&core.merging);
    let Some(due) = due(&core.state()) else { return Worked::Nothing };
    let outcome = unpanicked(core, || match &due {
        Due::Drop(dead) => core.exchange(None, std::slice::from_ref(dead), None),
        Due::Merge(segments) => merge_segments(core, segments),
    });
    Worked::of(core.ended("merge", outcome))
}

/// Live rows of segments.
fn rows(segments: &[&Arc<Segment>]) -> usize {
    segments.iter().map(|segment| segment.live()).sum()
}

/// Makes one segment of all that there are now, or as few as may be, and of those rows that
/// live in them.
pub fn merge_all(core: &Core) -> Result<(), IndexError> {
    let _linking = lock(&core.linking);
    while let Some(flat) = flat(&core.state()) {
        done(core, "link", unpanicked(core, || relink(core, &flat)))?;
    }
    let _merging = lock(&core.merging);
    let state = core.state();
    let linked = state.segments.iter().filter(|segment| segment.is_linked());
    let mut by_size: Vec<&Arc<Segment>> = linked.collect();
    by_size.sort_by_key(|segment| segment.live());
    let mut left = by_size.as_slice();
    while !left.is_empty() {
        let fits =
            (1..=left.len()).take_while(|&n| rows(left.get(..n).unwrap_or_default()) <= MOST_ROWS);
        let (together, rest) = left.split_at(fits.last().unwrap_or(1));
        left = rest;
        let is_whole = |segment: &&Arc<Segment>| segment.live() == segment.row_count();
        if together.len() > 1 || !together.iter().all(is_whole) {
            let together: Vec<Arc<Segment>> = together.iter().map(|one| Arc::clone(one)).collect();
            done(core, "merge", unpanicked(core, || merge_segments(core, &together)))?;
        }
    }
    Ok(())
}

/// Notes the end of a piece of work, and passes its failure on.
fn done(
    core: &Core,
    what: &'static str,
    outcome: Result<(), IndexError>,
) -> Result<(), IndexError> {
    let failure = outcome.as_ref().err().map(ToString::to_string);
    match core.ended(what, outcome) {
        true => Ok(()),
        false => {
            let source = std::io::Error::other(failure.unwrap_or_default());
            Err(IndexError::Io { folder: core.folder.display().to_string(), source })
        }
    }
}

/// Gives a segment a graph.
fn relink(core: &Core, flat: &Arc<Segment>) -> Result<(), IndexError> {
    let growing = linked_anew(core, "link", |growing| {
        for (&id, &check) in flat.ids().iter().zip(flat.checks()) {
            let content = super::ContentId(id);
            if let Some(windows) = flat.windows(content) {
                growing.add(content, check, &windows);
            }
        }
    })?;
    let new = frozen(core, &growing, "link")?;
    core.exchange(new, std::slice::from_ref(flat), None)
}

fn merge_segments(core: &Core, segments: &[Arc<Segment>]) -> Result<(), IndexError> {
    let begun = Instant::now();
    let sources = Sources::new(segments.to_vec());
    let draft = sources.draft(core.dimension);
    let new = match draft.owners.is_empty() {
        true => None,
        false => {
            let go_on = |share| core.go_on("merge", share);
            let finished = draft.finish(&sources, &go_on).ok_or(IndexError::Closing)?;
            let write =
                |path: &Path| SegmentWriter::write_linked(path, core.identity, &finished, &sources);
            let new = core.write_segment(write)?;
            note("merge", &new, begun);
            Some(new)
        }
    };
    core.exchange(new, segments, None)
}
