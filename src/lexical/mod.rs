//! Which texts have rare words in common: an inverted index, ranked by BM25.
//!
//! What comes in is kept in memory, with postings of its own, until there is enough of it to
//! become a segment of tantivy's; so it is found at once, and nothing is written for each text
//! that comes in. The index is a cache of the store: it knows numbers and words, nothing of
//! documents.

mod batch;
mod bm25;
mod counts;
mod frozen;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::JoinHandle;

use crate::text::Bag;
use batch::{Batch, Entry};
use counts::Counts;
use frozen::Frozen;

pub use frozen::LexicalError;

/// Texts that are kept in memory before they become a segment.
const TOGETHER: usize = 4_096;

/// What the index is a cache of.
pub trait Texts {
    /// Calls `each` with every text's number and a stamp that changes with its words.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    fn all(&self, each: &mut dyn FnMut(u64, u64)) -> Result<(), LexicalError>;

    /// The words of a text, as often as they stand in it; `None` if it is not there any more.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    fn words(&self, id: u64) -> Result<Option<Bag>, LexicalError>;
}

/// Texts by their words. What was added is found by every later search, what was removed by
/// none.
pub struct LexicalIndex {
    shared: Arc<Shared>,
    freezing: RwLock<Option<JoinHandle<()>>>,
}

/// A text that was found, with its BM25 score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LexicalHit {
    /// Its number.
    pub id: u64,
    /// Its score.
    pub score: f32,
}

/// How much of a long query is looked for: the words that tell most.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// So many words at most.
    pub words: usize,
    /// Those that stand in so many texts together: a word that is in many texts takes long and
    /// tells little.
    pub postings: u64,
}

impl Effort {
    /// Words that are looked for wherever they stand.
    const LEAST_WORDS: usize = 8;
}

struct Shared {
    state: RwLock<State>,
    frozen: Frozen,
}

struct State {
    fresh: Batch,
    /// What is becoming a segment.
    freezing: Option<Batch>,
    /// What the segments hold and must not answer.
    hidden: Arc<HashSet<u64>>,
    /// The same, since before the last batch began to become a segment.
    hiding: Arc<HashSet<u64>>,
    counts: Counts,
    searcher: tantivy::Searcher,
}

impl State {
    fn remove(&mut self, id: u64) {
        self.fresh.remove(id);
        if let Some(freezing) = &mut self.freezing {
            freezing.remove(id);
        }
        Arc::make_mut(&mut self.hidden).insert(id);
    }

    fn add(&mut self, id: u64, stamp: u64, terms: Bag) {
        self.counts.add(&terms);
        self.fresh.add(id, stamp, terms);
    }

    /// The terms of a query that tell most, each with how much it counts.
    fn telling(&self, query: &Bag, effort: Effort) -> Vec<(u32, f32)> {
        let mut terms: Vec<(u32, f32, f32)> = query
            .weights()
            .map(|(term, count)| (term, count, count * self.counts.rarity(term)))
            .collect();
        terms.sort_unstable_by(|(a, _, x), (b, _, y)| y.total_cmp(x).then(a.cmp(b)));
        terms.truncate(effort.words);
        let mut left = effort.postings;
        let affordable = terms.into_iter().enumerate().filter(|(place, (term, ..))| {
            let postings = self.counts.with(*term);
            let is_looked_for = *place < Effort::LEAST_WORDS || postings <= left;
            left = if is_looked_for { left.saturating_sub(postings) } else { left };
            is_looked_for
        });
        affordable.map(|(_, (term, count, _))| (term, count)).collect()
    }
}

impl LexicalIndex {
    /// Opens the index in `folder`, which is made if need be, and brings it up to what `texts`
    /// say. `identity` names what the texts belong to; an index of anything else, or one that is
    /// damaged, is made anew.
    ///
    /// # Errors
    ///
    /// If the texts cannot be read or the folder cannot be used.
    pub fn open(folder: &Path, identity: &str, texts: &dyn Texts) -> Result<Self, LexicalError> {
        let frozen = Frozen::open(folder, identity)?;
        let (mut known, counts) = frozen.contents()?;
        let mut missing = Vec::new();
        let mut hidden = HashSet::new();
        texts.all(&mut |id, stamp| match known.remove(&id) {
            Some(known) if known == stamp => {}
            Some(_) => {
                hidden.insert(id);
                missing.push((id, stamp));
            }
            None => missing.push((id, stamp)),
        })?;
        hidden.extend(known.into_keys());
        let state = State {
            fresh: Batch::default(),
            freezing: None,
            hidden: Arc::new(hidden),
            hiding: Arc::default(),
            counts,
            searcher: frozen.searcher(),
        };
        let index = Self {
            shared: Arc::new(Shared { state: RwLock::new(state), frozen }),
            freezing: RwLock::new(None),
        };
        if missing.len() > TOGETHER {
            tracing::info!(texts = missing.len(), "the index of words is being made");
        }
        for (id, stamp) in missing {
            if let Some(words) = texts.words(id)? {
                index.write().add(id, stamp, words);
            }
            if index.read().fresh.len() >= TOGETHER {
                index.shared.freeze();
            }
        }
        Ok(index)
    }

    /// How many of these texts, each a number and its stamp, the files in `folder` do not hold.
    /// Changes nothing.
    ///
    /// # Errors
    ///
    /// If they are damaged or of something else than `identity`; then all of it is made anew.
    pub fn missing(
        folder: &Path,
        identity: &str,
        texts: &HashMap<u64, u64>,
    ) -> Result<usize, LexicalError> {
        let held = frozen::held(folder, identity)?;
        Ok(texts.iter().filter(|(id, stamp)| held.get(*id) != Some(*stamp)).count())
    }

    /// Adds a text, in place of one of the same number.
    pub fn put(&self, id: u64, stamp: u64, words: Bag) {
        let is_full = {
            let mut state = self.write();
            state.remove(id);
            state.add(id, stamp, words);
            state.fresh.len() >= TOGETHER && state.freezing.is_none()
        };
        if is_full {
            self.freeze();
        }
    }

    /// Takes texts out for good.
    pub fn remove(&self, ids: impl IntoIterator<Item = u64>) {
        let mut state = self.write();
        ids.into_iter().for_each(|id| state.remove(id));
    }

    /// Texts that have words of the query, best first, at most `limit`. `may_answer` says which
    /// texts may; `None` means all.
    ///
    /// # Errors
    ///
    /// If its files cannot be read.
    pub fn search(
        &self,
        query: &Bag,
        effort: Effort,
        limit: usize,
        may_answer: Option<Arc<dyn Fn(u64) -> bool + Send + Sync>>,
    ) -> Result<Vec<LexicalHit>, LexicalError> {
        let state = self.read();
        let terms = state.telling(query, effort);
        let mean_length = state.counts.mean_length();
        let weighed: Vec<(u32, f32)> =
            terms.iter().map(|&(term, count)| (term, count * state.counts.rarity(term))).collect();
        let answers = |id: u64| may_answer.as_ref().is_none_or(|may_answer| may_answer(id));
        let batches = std::iter::once(&state.fresh).chain(&state.freezing);
        let mut found: Vec<(u64, f32)> =
            batches.flat_map(|batch| batch.search(&weighed, mean_length, answers)).collect();
        let question = frozen::Question::new(&terms, &state.counts);
        let hidden = [Arc::clone(&state.hidden), Arc::clone(&state.hiding)];
        let searcher = state.searcher.clone();
        drop(state);
        let is_hidden = |id: u64| hidden.iter().any(|hidden| hidden.contains(&id));
        found
            .extend(self.shared.frozen.search(&searcher, &question, limit, may_answer, is_hidden)?);
        found.sort_unstable_by(|(a, x), (b, y)| y.total_cmp(x).then(a.cmp(b)));
        found.truncate(limit);
        Ok(found.into_iter().map(|(id, score)| LexicalHit { id, score }).collect())
    }

    /// In how many texts words stand. Nothing is added while this is held.
    pub fn spread(&self) -> Spread<'_> {
        Spread(self.read())
    }

    fn freeze(&self) {
        let mut thread = self.freezing.write().unwrap_or_else(PoisonError::into_inner);
        if thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let named = std::thread::Builder::new().name("words".into());
        match named.spawn(move || shared.freeze()) {
            Ok(started) => *thread = Some(started),
            Err(error) => tracing::warn!(%error, "words are kept in memory"),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.shared.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.shared.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LexicalIndex {
    fn drop(&mut self) {
        let thread = self.freezing.write().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that writes the index of words panicked");
        }
    }
}

impl Shared {
    /// Makes a segment of what is in memory. If that fails it stays there.
    fn freeze(&self) {
        let (entries, gone) = {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            if state.freezing.is_none() {
                state.freezing = Some(std::mem::take(&mut state.fresh));
                let hidden = std::mem::take(&mut state.hidden);
                Arc::make_mut(&mut state.hiding).extend(hidden.iter());
            }
            let entries = state.freezing.iter().flat_map(Batch::entries);
            (entries.cloned().collect::<Vec<Entry>>(), Arc::clone(&state.hiding))
        };
        match self.frozen.write(&entries, &gone) {
            Ok(searcher) => {
                let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
                state.searcher = searcher;
                state.freezing = None;
                state.hiding = Arc::default();
            }
            Err(error) => tracing::warn!(%error, "words are kept in memory"),
        }
    }
}

/// In how many texts words stand, at one moment.
pub struct Spread<'a>(RwLockReadGuard<'a, State>);

impl Spread<'_> {
    /// Texts that have a word.
    pub fn with(&self, term: u32) -> u64 {
        self.0.counts.with(term)
    }

    /// All texts.
    pub fn texts(&self) -> u64 {
        self.0.counts.texts
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::{BTreeMap, HashMap};
    use std::sync::Arc;

    use super::{Effort, LexicalError, LexicalIndex, TOGETHER, Texts};
    use crate::text::Bag;

    const TEN: Effort = Effort { words: 10, postings: u64::MAX };

    #[derive(Default)]
    struct Stored(RefCell<BTreeMap<u64, (u64, Bag)>>);

    impl Texts for Stored {
        fn all(&self, each: &mut dyn FnMut(u64, u64)) -> Result<(), LexicalError> {
            self.0.borrow().iter().for_each(|(id, (stamp, _))| each(*id, *stamp));
            Ok(())
        }

        fn words(&self, id: u64) -> Result<Option<Bag>, LexicalError> {
            Ok(self.0.borrow().get(&id).map(|(_, words)| words.clone()))
        }
    }

    fn bag(terms: &[u32]) -> Bag {
        Bag::counted(terms.to_vec())
    }

    fn ids(index: &LexicalIndex, query: &[u32]) -> Vec<u64> {
        let hits = index.search(&bag(query), TEN, 10, None).expect("words can be searched");
        hits.into_iter().map(|hit| hit.id).collect()
    }

    #[test]
    fn what_is_added_is_found_and_what_is_removed_is_not_before_and_after_it_is_frozen() {
        let folder = tempfile::tempdir().expect("a folder");
        let stored = Stored::default();
        let index = LexicalIndex::open(folder.path(), "a", &stored).expect("an index");
        let add = |id: u64, stamp: u64, terms: &[u32]| {
            stored.0.borrow_mut().insert(id, (stamp, bag(terms)));
            index.put(id, stamp, bag(terms));
        };
        add(1, 1, &[7, 8, 9]);
        add(2, 1, &[7, 7, 10]);
        assert_eq!(ids(&index, &[7]), [2, 1]);
        for id in 0..TOGETHER as u64 {
            add(100 + id, 1, &[50 + (id % 50) as u32]);
        }
        index.shared.freeze();
        assert_eq!(ids(&index, &[7]), [2, 1]);
        add(2, 2, &[11]);
        index.remove([1]);
        stored.0.borrow_mut().remove(&1);
        assert_eq!(ids(&index, &[7]), [0_u64; 0]);
        assert_eq!(ids(&index, &[11]), [2]);
        index.shared.freeze();
        assert_eq!(ids(&index, &[7, 11]), [2]);
        let even = index
            .search(&bag(&[50, 51]), TEN, 1_000, Some(Arc::new(|id| id % 2 == 0)))
            .expect("words can be searched");
        assert!(!even.is_empty() && even.iter().all(|hit| hit.id % 2 == 0));

        // What came after the last segment is read again, and what went is gone.
        add(3, 1, &[12]);
        drop(index);
        stored.0.borrow_mut().remove(&2);
        let index = LexicalIndex::open(folder.path(), "a", &stored).expect("an index");
        assert_eq!(ids(&index, &[11]), [0_u64; 0]);
        assert_eq!(ids(&index, &[12]), [3]);
        assert_eq!(ids(&index, &[60]).len(), 10);
        drop(index);
        let other = LexicalIndex::open(folder.path(), "b", &Stored::default()).expect("an index");
        assert_eq!(ids(&other, &[60]), [0_u64; 0]);
    }

    #[test]
    fn a_look_at_the_files_tells_what_is_not_in_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let texts: HashMap<u64, u64> = (0..10).map(|id| (id, 1)).collect();
        let missing = |identity: &str, texts: &HashMap<u64, u64>| {
            LexicalIndex::missing(folder.path(), identity, texts)
        };
        assert!(missing("a", &texts).is_err(), "there is nothing");
        let index = LexicalIndex::open(folder.path(), "a", &Stored::default()).expect("an index");
        for id in 0..8 {
            index.put(id, 1, bag(&[7]));
        }
        assert_eq!(missing("a", &texts).ok(), Some(10), "nothing is written yet");
        index.shared.freeze();
        index.put(8, 1, bag(&[7]));
        drop(index);
        assert_eq!(missing("a", &texts).ok(), Some(2), "one never came, one was in memory");
        assert_eq!(missing("a", &[(3, 2)].into()).ok(), Some(1), "it has other words now");
        assert!(missing("b", &texts).is_err(), "it is of another corpus");
        for entry in std::fs::read_dir(folder.path()).expect("files").flatten() {
            if entry.path().extension().is_some_and(|kind| kind == "idx") {
                let mut bytes = std::fs::read(entry.path()).expect("a file");
                bytes[0] ^= 4;
                std::fs::write(entry.path(), bytes).expect("a file");
            }
        }
        assert!(missing("a", &texts).is_err(), "it is damaged");
    }

    #[test]
    fn words_that_are_in_many_texts_are_left_out_of_a_long_query() {
        let folder = tempfile::tempdir().expect("a folder");
        let index = LexicalIndex::open(folder.path(), "a", &Stored::default()).expect("an index");
        let rare: Vec<u32> = (1..=Effort::LEAST_WORDS as u32).collect();
        let (common, seldom) = (100, 101);
        for id in 0..100 {
            index.put(id, 1, bag(&[common, 200 + id as u32]));
        }
        index.put(100, 1, bag(&rare));
        (101..103).for_each(|id| index.put(id, 1, bag(&[seldom])));
        let query = bag(&[rare.as_slice(), &[common, seldom]].concat());
        let found = |postings| {
            let effort = Effort { words: 32, postings };
            index.search(&query, effort, 1_000, None).expect("a search").len()
        };
        assert_eq!(found(u64::MAX), 103);
        assert_eq!(found(50), 3, "what is looked for in any case, and what is left of the rest");
        assert_eq!(found(0), 1, "what is looked for in any case");
        let effort = Effort { words: 32, postings: 0 };
        let hits = index.search(&bag(&[common]), effort, 1_000, None).expect("a search");
        assert_eq!(hits.len(), 100, "a short query is looked for as a whole");
    }

    #[test]
    fn scores_do_not_depend_on_whether_texts_are_frozen() {
        let folder = tempfile::tempdir().expect("a folder");
        let index = LexicalIndex::open(folder.path(), "a", &Stored::default()).expect("an index");
        for id in 0..20_u64 {
            index.put(id, 1, bag(&[(id % 3) as u32, 100 + id as u32, 200]));
        }
        let search = || index.search(&bag(&[1, 104, 200]), TEN, 20, None).expect("a search");
        let before = search();
        index.shared.freeze();
        let after = search();
        assert_eq!(before.len(), 20);
        for (a, b) in before.iter().zip(&after) {
            assert_eq!(a.id, b.id);
            assert!((a.score - b.score).abs() < 1e-4, "{a:?} {b:?}");
        }
    }
}
