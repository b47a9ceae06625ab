//! Our side of `bench/compare.py`: builds an index over the vectors of a corpus that
//! `bench/corpora.rs` made, and prints a line of JSON for each pool size (ef):
//! `cargo bench --bench search -- build|ask DIR CORPUS`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::path::Path;
use std::time::Instant;

use common::{Count, Resident, numbers, resident_bytes, vectors};
use copydesk::embed::Windows;
use copydesk::index::{
    ContentId, Identity, Options, Scope, SegmentedIndex, Truth, TruthError, VectorIndex,
};
use serde_json::json;

const K: usize = 10;
const DIMENSION: usize = 384;

/// The best of so many rounds counts, or of those that fit into so many seconds: as in
/// `compare.py`.
const ROUNDS: usize = 3;
const SECONDS: f64 = 1.0;

const EFS: [usize; 11] = [12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512];

/// The vectors of a corpus, as an index sees the store.
struct Base(Vec<Windows>);

impl Truth for Base {
    fn texts(&self, each: &mut dyn FnMut(ContentId, u32)) -> Result<(), TruthError> {
        (1..=self.0.len() as i64).for_each(|id| each(ContentId(id), 0));
        Ok(())
    }

    fn vectors(
        &self,
        contents: &[ContentId],
        each: &mut dyn FnMut(ContentId, Windows),
    ) -> Result<(), TruthError> {
        contents.iter().for_each(|&id| each(id, self.0[id.0 as usize - 1].clone()));
        Ok(())
    }
}

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    match arguments.as_slice() {
        [step, folder, corpus] if step == "build" => build(Path::new(folder), corpus),
        [step, folder, corpus] if step == "ask" => ask(Path::new(folder), corpus),
        _ => println!("usage: cargo bench --bench search -- build|ask DIR CORPUS"),
    }
}

fn open(folder: &Path, corpus: &str, truth: &dyn Truth) -> SegmentedIndex {
    let identity = Identity { corpus: 1, model: [0; 32] };
    let options = Options { segment_rows: 1 << 24, ..Options::default() };
    let files = folder.join(format!("{corpus}.ours"));
    SegmentedIndex::open(&files, identity, DIMENSION, options, truth).unwrap()
}

/// Builds an index, unless it is there, and says at what rate, and what is not found.
fn build(folder: &Path, corpus: &str) {
    let said = folder.join(format!("{corpus}.ours.json"));
    if !said.is_file() {
        let _ = std::fs::remove_dir_all(folder.join(format!("{corpus}.ours")));
        let base = Base(vectors(&folder.join(format!("{corpus}.base.npy"))));
        let begun = Instant::now();
        let index = open(folder, corpus, &base);
        index.compact().unwrap();
        let rate = base.0.len() as f64 / begun.elapsed().as_secs_f64();
        let finds = |(windows, id): &(&Windows, i64)| {
            let hits = index.search(windows, K, Scope::All);
            hits.iter().any(|hit| hit.content == ContentId(*id))
        };
        let found = base.0.iter().zip(1..).filter(finds).count();
        let count = base.0.len();
        let measured = json!({ "vectors": count, "built_per_second": rate, "found_by_own": found });
        std::fs::write(&said, measured.to_string()).unwrap();
    }
    println!("{}", std::fs::read_to_string(said).unwrap());
}

/// Asks an index that was built.
fn ask(folder: &Path, corpus: &str) {
    let queries = vectors(&folder.join(format!("{corpus}.queries.npy")));
    let truth = numbers(&folder.join(format!("{corpus}.truth.npy")));
    let said = std::fs::read_to_string(folder.join(format!("{corpus}.ours.json"))).unwrap();
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    let index = open(folder, corpus, &Count(said["vectors"].as_i64().unwrap()));
    // From disk to memory first.
    for query in &queries {
        index.search(query, K, Scope::All);
    }
    for ef in EFS {
        let mut answers = Vec::new();
        let mut times: Vec<f64> = Vec::new();
        while times.len() < ROUNDS && times.iter().sum::<f64>() < SECONDS {
            let begun = Instant::now();
            answers =
                queries.iter().map(|query| index.search_with(query, K, ef, Scope::All)).collect();
            times.push(begun.elapsed().as_secs_f64());
        }
        let rate = queries.len() as f64 / times.into_iter().fold(f64::MAX, f64::min);
        let right: usize = answers
            .iter()
            .zip(truth.chunks(K))
            .map(|(hits, truth)| {
                hits.iter().filter(|hit| truth.contains(&(hit.content.0 as i32 - 1))).count()
            })
            .sum();
        let recall = right as f64 / (K * queries.len()) as f64;
        println!("{}", json!({ "ef": ef, "recall": recall, "queries_per_second": rate }));
    }
    let Resident { own, walked, full } = resident_bytes("self");
    let resident = json!({ "own": own, "walked": walked, "full": full });
    println!("{}", json!({ "resident": resident }));
}
