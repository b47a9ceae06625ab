//! Questions that only some texts may answer: `cargo bench --bench filters -- DIR`, after
//! `cargo bench --bench search -- build DIR a`, which makes the index.
//!
//! For each share of the texts that may answer, and three ways in which they can be spread:
//! at random; in one run of time; and those nearest to some vector, asked about by the
//! questions nearest to it and by those farthest from it. Beside each: comparing the full
//! vectors of all that match, which are listed and in memory already. At the end, every second
//! vector is deleted.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use common::{Count, resident_bytes, vectors};
use copydesk::embed::Windows;
use copydesk::index::{
    ContentId, ContentSet, Identity, Options, Scope, SegmentedIndex, VectorIndex,
};
use fastrand::Rng;
use simsimd::SpatialSimilarity;

const K: usize = 10;

/// Questions for each filter, and filters of each kind.
const ASKED: usize = 100;
const FILTERS: usize = 5;

/// Times that everything is measured; the best counts.
const ROUNDS: usize = 3;

fn main() {
    let folder = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let Some(folder) = folder else {
        return println!("usage: cargo bench --bench filters -- DIR");
    };
    let folder = Path::new(&folder);
    let base = vectors(&folder.join("a.base.npy"));
    let queries = vectors(&folder.join("a.queries.npy"));
    let identity = Identity { corpus: 1, model: [0; 32] };
    let options = Options { segment_rows: 1 << 24, ..Options::default() };
    let dimension = base[0].vectors()[0].as_slice().len();
    let count = Count(base.len() as i64);
    // What is deleted at the end must not be missing from the next run.
    let files = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(folder.join("a.ours")).unwrap().flatten() {
        std::fs::copy(file.path(), files.path().join(file.file_name())).unwrap();
    }
    let index = SegmentedIndex::open(files.path(), identity, dimension, options, &count).unwrap();
    bandwidth(&index, &base, &queries);
    println!(
        "{:>7} {:<24} {:>8} {:>8} {:>9} {:>6} {:>7}",
        "share", "spread", "p50 µs", "p99 µs", "scan µs", "ratio", "recall"
    );
    let mut rng = Rng::with_seed(50);
    for share in [0.5, 0.1, 0.01, 0.001] {
        for spread in ["at random", "a run of time", "near the question", "far from the question"] {
            let mut all = Measured::default();
            for _ in 0..FILTERS {
                let (allowed, asked) = filter(&mut rng, spread, share, &base, &queries);
                all.measure(&index, &base, &allowed, &asked);
            }
            all.print(share, spread);
        }
    }
    half_deleted(index, &base, &queries);
}

/// Deletes every second vector, and asks before that is compacted.
fn half_deleted(index: SegmentedIndex, base: &[Windows], queries: &[Windows]) {
    let (dead, living): (Vec<usize>, Vec<usize>) = (0..base.len()).partition(|at| at % 2 == 0);
    let dead: Vec<ContentId> = dead.iter().map(|&at| ContentId(at as i64 + 1)).collect();
    let block: Vec<f32> =
        living.iter().flat_map(|&at| base[at].vectors()[0].as_slice()).copied().collect();
    let asked = &queries[..FILTERS * ASKED];
    let before = (index.status(), resident_bytes("self").walked);
    index.remove(&dead);
    let found: Vec<_> = asked.iter().map(|query| index.search(query, K, Scope::All)).collect();
    let is_compacted = index.status().disk_bytes < (block.len() * 6) as u64;
    let right: usize = asked
        .iter()
        .zip(&found)
        .map(|(query, found)| {
            let exact = scan(&block, query);
            let is_right = |content: ContentId| {
                exact.iter().any(|&(_, at)| living[at] as i64 + 1 == content.0)
            };
            found.iter().filter(|hit| is_right(hit.content)).count()
        })
        .sum();
    println!(
        "\nevery second vector deleted, {}: recall {:.4}",
        if is_compacted { "compacted already" } else { "not compacted yet" },
        right as f64 / (K * asked.len()) as f64
    );
    index.compact().unwrap();
    for query in queries {
        index.search(query, K, Scope::All);
    }
    let after = (index.status(), resident_bytes("self").walked);
    println!(
        "compacted: {:.1}% of the bytes on disk, {:.1}% of codes and links in memory",
        100.0 * after.0.disk_bytes as f64 / before.0.disk_bytes as f64,
        100.0 * after.1 as f64 / before.1 as f64
    );
}

/// Ordinals of the vectors that may answer, and questions.
fn filter<'a>(
    rng: &mut Rng,
    spread: &str,
    share: f64,
    base: &[Windows],
    queries: &'a [Windows],
) -> (Vec<usize>, Vec<&'a Windows>) {
    let wanted = (share * base.len() as f64) as usize;
    let mut ordinals: Vec<usize> = (0..base.len()).collect();
    let mut asked: Vec<&Windows> = queries.iter().collect();
    rng.shuffle(&mut asked);
    match spread {
        "at random" => rng.shuffle(&mut ordinals),
        "a run of time" => ordinals.rotate_left(rng.usize(0..base.len())),
        _ => {
            let about = &queries[rng.usize(0..queries.len())];
            let mut far: Vec<(f32, usize)> =
                ordinals.iter().map(|&at| (-base[at].cosine(about), at)).collect();
            far.sort_by(|a, b| a.0.total_cmp(&b.0));
            ordinals = far.into_iter().map(|(_, at)| at).collect();
            asked.sort_by(|a, b| b.cosine(about).total_cmp(&a.cosine(about)));
            if spread == "far from the question" {
                asked.reverse();
            }
        }
    }
    ordinals.truncate(wanted);
    ordinals.sort_unstable();
    asked.truncate(ASKED);
    (ordinals, asked)
}

#[derive(Default)]
struct Measured {
    times: Vec<Duration>,
    scans: Vec<Duration>,
    right: usize,
    wanted: usize,
}

impl Measured {
    fn measure(
        &mut self,
        index: &SegmentedIndex,
        base: &[Windows],
        allowed: &[usize],
        asked: &[&Windows],
    ) {
        let only: ContentSet = allowed.iter().map(|&at| ContentId(at as i64 + 1)).collect();
        // One after the other in memory, as a scan would like it best.
        let matching: Vec<f32> =
            allowed.iter().flat_map(|&at| base[at].vectors()[0].as_slice()).copied().collect();
        let best = |ask: &mut dyn FnMut(&Windows)| -> Vec<Duration> {
            let round = |ask: &mut dyn FnMut(&Windows)| -> Vec<Duration> {
                asked
                    .iter()
                    .map(|query| {
                        let begun = Instant::now();
                        ask(query);
                        begun.elapsed()
                    })
                    .collect()
            };
            let rounds: Vec<Vec<Duration>> = (0..ROUNDS).map(|_| round(ask)).collect();
            (0..asked.len()).map(|at| rounds.iter().map(|times| times[at]).min().unwrap()).collect()
        };
        self.times.extend(best(&mut |query| {
            let found = index.search(query, K, Scope::Only(&only));
            assert_eq!(found.len(), K.min(allowed.len()));
        }));
        self.scans.extend(best(&mut |query| {
            scan(&matching, query);
        }));
        for query in asked {
            let found = index.search(query, K, Scope::Only(&only));
            let exact = scan(&matching, query);
            let is_right = |content: ContentId| {
                exact.iter().any(|&(_, at)| allowed[at] as i64 + 1 == content.0)
            };
            self.right += found.iter().filter(|hit| is_right(hit.content)).count();
            self.wanted += exact.len();
        }
    }

    fn print(&mut self, share: f64, spread: &str) {
        let mean = |times: &[Duration]| {
            1e6 * times.iter().sum::<Duration>().as_secs_f64() / times.len() as f64
        };
        let scan = mean(&self.scans);
        self.times.sort();
        let at = |share: f64| {
            1e6 * self.times[(share * (self.times.len() - 1) as f64) as usize].as_secs_f64()
        };
        println!(
            "{:>6}% {:<24} {:>8.0} {:>8.0} {:>9.0} {:>6.2} {:>7.4}",
            100.0 * share,
            spread,
            at(0.5),
            at(0.99),
            scan,
            mean(&self.times) / scan,
            self.right as f64 / self.wanted as f64
        );
    }
}

/// The nearest of the vectors in a block, by comparing all: cosine and ordinal.
fn scan(block: &[f32], query: &Windows) -> Vec<(f64, usize)> {
    let query = query.vectors()[0].as_slice();
    let mut scored: Vec<(f64, usize)> = block
        .chunks(query.len())
        .map(|row| f32::dot(query, row).unwrap())
        .enumerate()
        .map(|(at, cosine)| (cosine, at))
        .collect();
    let count = K.min(scored.len());
    scored.select_nth_unstable_by(count - 1, |a, b| b.0.total_cmp(&a.0));
    scored.truncate(count);
    scored
}

/// How fast a scan reads, beside nothing but reading.
fn bandwidth(index: &SegmentedIndex, base: &[Windows], queries: &[Windows]) {
    let bytes = base.len() * base[0].vectors()[0].as_slice().len();
    let block = vec![1_u64; bytes / 8];
    let best = |work: &mut dyn FnMut()| {
        let time = |work: &mut dyn FnMut()| {
            let begun = Instant::now();
            work();
            begun.elapsed()
        };
        let least = (0..50).map(|_| time(work)).min().unwrap();
        bytes as f64 / least.as_secs_f64() / 1e9
    };
    let reading = best(&mut || {
        std::hint::black_box(block.iter().fold(0_u64, |sum, x| sum.wrapping_add(*x)));
    });
    // So large a pool that comparing everything is faster.
    let scanning = best(&mut || {
        index.search_with(&queries[0], K, base.len(), Scope::All);
    });
    println!(
        "a scan of all codes reads {scanning:.1} GB/s; a sum over as many bytes {reading:.1} GB/s\n"
    );
}
