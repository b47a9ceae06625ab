//! The index beside a plain oracle: random work, in random order, with closing and damage in
//! between. `COPYDESK_OPERATIONS` says how much, `COPYDESK_SEED` repeats a run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use copydesk::embed::{UnitVector, Windows};
use copydesk::index::{
    ContentId, ContentSet, Identity, Manifest, Options, Scope, Segment, SegmentedIndex, Truth,
    TruthError, VectorIndex,
};
use fastrand::Rng;

const DIMENSION: usize = 24;
const IDENTITY: Identity = Identity { corpus: 7, model: [3; 32] };
const SEGMENT_ROWS: usize = 256;

/// A pool small enough that even a few thousand rows are walked through and not compared.
const EF: usize = 48;

/// What a store would hold.
#[derive(Default)]
struct Oracle {
    texts: RefCell<BTreeMap<ContentId, (u32, Windows)>>,
    last: i64,
}

impl Truth for Oracle {
    fn texts(&self, each: &mut dyn FnMut(ContentId, u32)) -> Result<(), TruthError> {
        self.texts.borrow().iter().for_each(|(&content, (check, _))| each(content, *check));
        Ok(())
    }

    fn vectors(
        &self,
        contents: &[ContentId],
        each: &mut dyn FnMut(ContentId, Windows),
    ) -> Result<(), TruthError> {
        let texts = self.texts.borrow();
        contents.iter().for_each(|content| each(*content, texts[content].1.clone()));
        Ok(())
    }
}

impl Oracle {
    /// A text of one to three windows; one in three is a near-copy of another one.
    fn text(&self, rng: &mut Rng) -> Windows {
        let texts = self.texts.borrow();
        if !texts.is_empty() && rng.u8(0..3) == 0 {
            let (_, (_, windows)) = texts.iter().nth(rng.usize(0..texts.len())).unwrap();
            let vectors = windows.vectors().iter().map(|vector| {
                let moved: Vec<f32> =
                    vector.as_slice().iter().map(|x| x + 0.02 * (rng.f32() - 0.5)).collect();
                UnitVector::normalized(&moved).unwrap()
            });
            return Windows::new(vectors.collect()).unwrap();
        }
        let windows = if rng.u8(0..8) == 0 { rng.usize(2..4) } else { 1 };
        let vector = |_| {
            let components: Vec<f32> = (0..DIMENSION).map(|_| rng.f32() - 0.5).collect();
            UnitVector::normalized(&components).unwrap()
        };
        Windows::new((0..windows).map(vector).collect()).unwrap()
    }

    fn add(&mut self, index: &SegmentedIndex, rng: &mut Rng) {
        self.last += rng.i64(1..3);
        let (content, check, windows) = (ContentId(self.last), rng.u32(..), self.text(rng));
        index.add(content, check, &windows);
        self.texts.borrow_mut().insert(content, (check, windows));
    }

    fn remove(&mut self, index: &SegmentedIndex, contents: &[ContentId]) {
        for content in contents {
            self.texts.borrow_mut().remove(content);
        }
        index.remove(contents);
    }

    /// The best texts, by comparing with all.
    fn nearest(
        &self,
        query: &Windows,
        limit: usize,
        allows: impl Fn(ContentId) -> bool,
    ) -> Vec<(ContentId, f32)> {
        let texts = self.texts.borrow();
        let texts = texts.iter().filter(|(content, _)| allows(**content));
        let mut scored: Vec<(ContentId, f32)> =
            texts.map(|(&content, (_, windows))| (content, query.cosine(windows))).collect();
        scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        scored.truncate(limit);
        scored
    }
}

fn open(folder: &Path, truth: &dyn Truth) -> SegmentedIndex {
    let options = Options { segment_rows: SEGMENT_ROWS, ..Options::default() };
    SegmentedIndex::open(folder, IDENTITY, DIMENSION, options, truth).unwrap()
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

/// How many of the best were found, and how many there are.
#[derive(Default)]
struct Recall(usize, usize);

impl Recall {
    /// Compares an answer with the oracle's. Scores are exact, whatever is missed; nothing
    /// that is dead or not allowed answers; nobody is short of answers.
    fn check(
        &mut self,
        found: &[copydesk::index::Hit],
        expected: &[(ContentId, f32)],
        truth: &[(ContentId, f32)],
    ) {
        assert_eq!(found.len(), expected.len(), "answers are missing");
        let scores: BTreeMap<ContentId, f32> = truth.iter().copied().collect();
        for hit in found {
            let score =
                scores.get(&hit.content).expect("a dead text, or one not asked for, answered");
            assert!((score - hit.cosine).abs() < 1e-5, "{score} is said to be {}", hit.cosine);
        }
        // One that is as near as the last is as good.
        let least = expected.last().map_or(0.0, |last| last.1) - 1e-6;
        self.0 += found.iter().filter(|hit| hit.cosine >= least).count();
        self.1 += expected.len();
    }

    fn share(&self) -> f64 {
        if self.1 == 0 { 1.0 } else { self.0 as f64 / self.1 as f64 }
    }
}

fn ask(oracle: &Oracle, index: &SegmentedIndex, rng: &mut Rng, recall: &mut Recall) {
    let query = oracle.text(rng);
    let limit = rng.usize(1..20);
    let all = oracle.nearest(&query, usize::MAX, |_| true);
    match rng.u8(0..4) {
        0 => {
            let share = [0.5, 0.1, 0.01, 0.001][rng.usize(0..4)];
            let allowed: ContentSet =
                all.iter().map(|(content, _)| *content).filter(|_| rng.f64() < share).collect();
            let expected = oracle.nearest(&query, limit, |content| allowed.contains(content));
            let truth = oracle.nearest(&query, usize::MAX, |content| allowed.contains(content));
            let found = index.search_with(&query, limit, EF, Scope::Only(&allowed));
            recall.check(&found, &expected, &truth);
        }
        1 => {
            let expected: Vec<_> = all.iter().take(limit).copied().collect();
            let mut exact = Recall::default();
            exact.check(&index.search_exactly(&query, limit, Scope::All), &expected, &all);
            assert_eq!(exact.share(), 1.0);
        }
        _ => {
            let expected: Vec<_> = all.iter().take(limit).copied().collect();
            recall.check(&index.search_with(&query, limit, EF, Scope::All), &expected, &all);
        }
    }
}

/// Damages a file of the index: cuts it short, flips a bit, deletes it, or puts another in
/// its place.
fn damage(folder: &Path, rng: &mut Rng) {
    let files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    if files.is_empty() {
        return;
    }
    let file = &files[rng.usize(0..files.len())];
    let mut bytes = fs::read(file).unwrap();
    match rng.u8(0..4) {
        0 => bytes.truncate(rng.usize(0..=bytes.len())),
        1 if !bytes.is_empty() => {
            let at = rng.usize(0..bytes.len());
            bytes[at] ^= 1 << rng.u8(0..8);
        }
        2 => bytes = fs::read(&files[rng.usize(0..files.len())]).unwrap(),
        _ => {
            fs::remove_file(file).unwrap();
            return;
        }
    }
    fs::write(file, bytes).unwrap();
}

#[test]
fn random_work_is_answered_as_an_oracle_answers() {
    let seed = setting("COPYDESK_SEED").unwrap_or_else(|| fastrand::u64(..));
    let operations = setting("COPYDESK_OPERATIONS").unwrap_or(6_000);
    println!("COPYDESK_SEED={seed} COPYDESK_OPERATIONS={operations}");
    let mut rng = Rng::with_seed(seed);
    let folder = tempfile::tempdir().unwrap();
    let mut oracle = Oracle::default();
    let mut index = open(folder.path(), &oracle);
    let mut recall = Recall::default();
    for _ in 0..operations {
        match rng.u32(0..2_000) {
            0..1_100 => oracle.add(&index, &mut rng),
            1_100..1_400 => {
                let texts: Vec<ContentId> = oracle.texts.borrow().keys().copied().collect();
                if let Some(&content) = rng.choice(&texts) {
                    oracle.remove(&index, &[content]);
                }
            }
            1_400..1_402 => {
                // What came before a moment, as retention deletes it.
                let texts: Vec<ContentId> = oracle.texts.borrow().keys().copied().collect();
                let expired = texts.len() * rng.usize(0..60) / 100;
                oracle.remove(&index, &texts[..expired]);
            }
            1_402..1_404 => {
                index.compact().unwrap();
                assert!(index.status().segments <= 1);
            }
            1_404..1_408 => {
                // As if killed: nothing is waited for.
                drop(index);
                if rng.bool() {
                    damage(folder.path(), &mut rng);
                }
                index = open(folder.path(), &oracle);
            }
            1_408..1_410 => index.settle(),
            _ => ask(&oracle, &index, &mut rng, &mut recall),
        }
    }
    println!("recall {:.4} of {} neighbours", recall.share(), recall.1);
    assert!(recall.share() > 0.985, "recall {}", recall.share());
    index.settle();
    for (&content, (_, windows)) in oracle.texts.borrow().iter() {
        let hits = index.search(windows, 10, Scope::All);
        let is_found = hits.iter().any(|hit| hit.content == content);
        assert!(is_found || hits[9].cosine > 0.99999, "{content:?} does not find itself");
    }
}

#[test]
fn what_came_since_a_mark_is_found_whole_even_if_it_was_frozen_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = Rng::with_seed(5);
    let mut oracle = Oracle::default();
    let index = open(folder.path(), &oracle);
    for _ in 0..100 {
        oracle.add(&index, &mut rng);
    }
    let mark = index.mark();
    let before: HashSet<ContentId> = oracle.texts.borrow().keys().copied().collect();
    for _ in 0..3 * SEGMENT_ROWS {
        oracle.add(&index, &mut rng);
    }
    index.compact().unwrap();
    let query = oracle.text(&mut rng);
    let found = index.search(&query, 20, Scope::Since(mark));
    let expected = oracle.nearest(&query, 20, |content| !before.contains(&content));
    assert_eq!(
        found.iter().map(|hit| hit.content).collect::<Vec<_>>(),
        expected.iter().map(|(content, _)| *content).collect::<Vec<_>>()
    );
}

#[test]
fn what_comes_in_faster_than_it_can_be_linked_is_found_all_the_while() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = Rng::with_seed(9);
    let mut oracle = Oracle::default();
    let index = open(folder.path(), &oracle);
    let finds_all = |oracle: &Oracle, step| {
        for (&content, (_, windows)) in oracle.texts.borrow().iter().step_by(step) {
            let hits = index.search(windows, 10, Scope::All);
            let is_found = hits.iter().any(|hit| hit.content == content);
            assert!(is_found || hits[9].cosine > 0.99999, "{content:?} does not find itself");
        }
    };
    for _ in 0..20 {
        for _ in 0..SEGMENT_ROWS {
            oracle.add(&index, &mut rng);
        }
        finds_all(&oracle, 97);
    }
    index.settle();
    finds_all(&oracle, 1);
    index.compact().unwrap();
    assert_eq!(index.status().segments, 1);
    finds_all(&oracle, 1);
}

#[test]
fn half_of_a_frozen_segment_may_be_dead_and_the_rest_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = Rng::with_seed(6);
    let mut oracle = Oracle::default();
    let options = Options { segment_rows: 8_000, ..Options::default() };
    let index = SegmentedIndex::open(folder.path(), IDENTITY, DIMENSION, options, &oracle).unwrap();
    for _ in 0..6_000 {
        oracle.add(&index, &mut rng);
    }
    index.compact().unwrap();
    let files = |folder: &Path| fs::read_dir(folder).unwrap().count();
    let texts: Vec<ContentId> = oracle.texts.borrow().keys().copied().collect();
    let dead: Vec<ContentId> = texts.into_iter().filter(|_| rng.u8(0..9) < 2).collect();
    oracle.remove(&index, &dead);
    let mut recall = Recall::default();
    for _ in 0..300 {
        let query = oracle.text(&mut rng);
        let all = oracle.nearest(&query, usize::MAX, |_| true);
        recall.check(&index.search_with(&query, 10, EF, Scope::All), &all[..10], &all);
    }
    assert!(recall.share() > 0.98, "recall {}", recall.share());
    assert_eq!(files(folder.path()), 2);
}

#[test]
fn a_segment_of_another_corpus_or_cut_or_changed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = Rng::with_seed(7);
    let mut oracle = Oracle::default();
    let index = open(folder.path(), &oracle);
    for _ in 0..SEGMENT_ROWS {
        oracle.add(&index, &mut rng);
    }
    index.compact().unwrap();
    drop(index);
    let file = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let file = file.into_iter().find(|path| path.extension().is_some()).unwrap();
    assert!(Segment::open(&file, IDENTITY, DIMENSION).is_ok());
    let other = Identity { corpus: 8, ..IDENTITY };
    assert!(Segment::open(&file, other, DIMENSION).is_err());
    let other = Identity { model: [4; 32], ..IDENTITY };
    assert!(Segment::open(&file, other, DIMENSION).is_err());
    assert!(Segment::open(&file, IDENTITY, DIMENSION + 1).is_err());
    let whole = fs::read(&file).unwrap();
    for _ in 0..300 {
        let mut bytes = whole.clone();
        match rng.bool() {
            true => bytes.truncate(rng.usize(0..bytes.len())),
            false => {
                // Not in the gaps between sections, which nobody reads.
                let at = loop {
                    let at = rng.usize(0..bytes.len());
                    if bytes[at] != 0 {
                        break at;
                    }
                };
                bytes[at] ^= 1 << rng.u8(0..8);
            }
        }
        fs::write(&file, &bytes).unwrap();
        assert!(Segment::open(&file, IDENTITY, DIMENSION).is_err());
    }
}

#[test]
fn a_manifest_is_read_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = Manifest::new(IDENTITY, vec!["00000001.segment".to_owned()]);
    manifest.replace(folder.path()).unwrap();
    assert_eq!(Manifest::read(folder.path(), IDENTITY).unwrap(), manifest);
    let other = Identity { corpus: 8, ..IDENTITY };
    assert!(Manifest::read(folder.path(), other).is_err());
    let whole = fs::read(folder.path().join("manifest")).unwrap();
    for length in 0..whole.len() - 1 {
        assert!(Manifest::parse(&whole[..length]).is_err());
    }
    for at in 0..whole.len() - 1 {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        assert!(Manifest::parse(&bytes).is_err(), "a bit of byte {at}");
    }
    // A name that leads elsewhere is none.
    let leads_out = Manifest::new(IDENTITY, vec!["../1.segment".to_owned()]);
    leads_out.replace(folder.path()).unwrap();
    assert!(Manifest::read(folder.path(), IDENTITY).is_err());
}
