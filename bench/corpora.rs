//! Makes the vectors that `bench/compare.py` compares searchers on:
//! `cargo bench --bench corpora -- DIR` writes NumPy files into DIR, unless they are there.
//!
//! (a) all distinct paragraphs of Reuters-21578 but 2,000, which are the queries;
//! (b) 60,000 of them and 40 families of 500: a vector plus isotropic noise of length .15;
//! (c) the same with families of text: 40 paragraphs, each damaged in 500 ways.
//!
//! The families come last, one after the other, as the copies of a story do. On (b) and (c), 2,000 further members of the families are queries as well.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{reuters, write_nearest, write_vectors};
use copydesk::embed::{Embedder, Purpose, Setup, SetupOptions, UnitVector};
use fastrand::Rng;

const QUERIES: usize = 2_000;
const SPARSE: usize = 60_000;
const FAMILIES: usize = 40;
const MEMBERS: usize = 500;
const NOISE: f32 = 0.15;

/// Words that a paragraph must have to be damaged in hundreds of ways.
const WORDS: usize = 60;

type Vectors = Vec<UnitVector>;

fn main() {
    let folder = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let Some(folder) = folder.map(PathBuf::from) else {
        return println!("usage: cargo bench --bench corpora -- DIR");
    };
    std::fs::create_dir_all(&folder).unwrap();
    if folder.join("c.truth.npy").is_file() {
        return;
    }
    let mut rng = Rng::with_seed(1987);
    let mut texts = reuters();
    rng.shuffle(&mut texts);
    let embed = embedder();
    eprintln!("embedding {} paragraphs", texts.len());
    let vectors = embed(&texts);
    let (queries, base) = vectors.split_at(QUERIES);
    write_corpus(&folder, "a", base, queries);

    let leaders = &base[SPARSE..SPARSE + FAMILIES];
    let fresh = QUERIES / FAMILIES;
    let noisy = |rng: &mut Rng, count| -> Vectors {
        leaders.iter().flat_map(|v| (0..count).map(|_| moved(rng, v)).collect::<Vec<_>>()).collect()
    };
    let members = noisy(&mut rng, MEMBERS);
    let asked = noisy(&mut rng, fresh);
    write_corpus(&folder, "b", &[&base[..SPARSE], &members].concat(), &[queries, &asked].concat());

    let long = texts[QUERIES + SPARSE..].iter().filter(|text| text.split(' ').count() >= WORDS);
    let damaged: Vec<Vec<String>> =
        long.take(FAMILIES).map(|text| variants(&mut rng, text, MEMBERS + fresh)).collect();
    let of = |range: std::ops::Range<usize>| -> Vec<String> {
        damaged.iter().flat_map(|variants| variants[range.clone()].to_vec()).collect()
    };
    eprintln!("embedding {} damaged paragraphs", FAMILIES * (MEMBERS + fresh));
    let members = embed(&of(0..MEMBERS));
    let asked = embed(&of(MEMBERS..MEMBERS + fresh));
    write_corpus(&folder, "c", &[&base[..SPARSE], &members].concat(), &[queries, &asked].concat());
}

/// Embeds with the default model; of a text of several windows, the first counts.
fn embedder() -> impl Fn(&[String]) -> Vectors {
    let setup = Setup::ensure(&SetupOptions::default(), &|_, _| {}).unwrap();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let embedder = Embedder::start(&setup, workers).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    move |texts| {
        let mut vectors = Vec::new();
        for some in texts.chunks(1_000) {
            let some: Vec<Arc<str>> = some.iter().map(|text| text.as_str().into()).collect();
            let windows = runtime.block_on(embedder.embed(Purpose::ALONE, some)).unwrap();
            vectors.extend(windows.iter().map(|windows| windows.vectors()[0].clone()));
        }
        vectors
    }
}

/// A vector with isotropic noise of length [`NOISE`].
fn moved(rng: &mut Rng, vector: &UnitVector) -> UnitVector {
    let noise: Vec<f32> = vector.as_slice().iter().map(|_| normal(rng)).collect();
    let length = noise.iter().map(|x| x * x).sum::<f32>().sqrt();
    let sum: Vec<f32> =
        vector.as_slice().iter().zip(&noise).map(|(x, n)| x + n * NOISE / length).collect();
    UnitVector::normalized(&sum).unwrap()
}

/// Box and Muller, "A note on the generation of random normal deviates", 1958.
fn normal(rng: &mut Rng) -> f32 {
    let (a, b) = (1.0 - rng.f32(), rng.f32());
    (-2.0 * a.ln()).sqrt() * (std::f32::consts::TAU * b).cos()
}

/// Different texts made of one: characters, words or sentences are left out or moved.
fn variants(rng: &mut Rng, text: &str, count: usize) -> Vec<String> {
    let mut variants = HashSet::new();
    let mut ordered = Vec::new();
    while ordered.len() < count {
        let variant = damaged(rng, text);
        if variant != text && variants.insert(variant.clone()) {
            ordered.push(variant);
        }
    }
    ordered
}

fn damaged(rng: &mut Rng, text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..rng.usize(1..=3) {
        let (separator, at_most) = match rng.usize(0..3) {
            0 => ("", 6),
            1 => (" ", 4),
            _ => (". ", 1),
        };
        let mut units: Vec<String> = match separator {
            "" => text.chars().map(String::from).collect(),
            separator => text.split(separator).map(str::to_owned).collect(),
        };
        for _ in 0..rng.usize(1..=at_most) {
            if units.len() > 2 {
                let unit = units.remove(rng.usize(0..units.len()));
                if rng.bool() {
                    units.insert(rng.usize(0..=units.len()), unit);
                }
            }
        }
        text = units.join(separator);
    }
    text
}

fn write_corpus(folder: &Path, name: &str, base: &[UnitVector], queries: &[UnitVector]) {
    eprintln!("corpus {name}: {} vectors, {} queries", base.len(), queries.len());
    write_vectors(&folder.join(format!("{name}.base.npy")), base);
    write_vectors(&folder.join(format!("{name}.queries.npy")), queries);
    write_nearest(&folder.join(format!("{name}.truth.npy")), base, queries);
}
