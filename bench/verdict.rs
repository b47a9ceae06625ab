//! What a verdict costs on top of embedding and search:
//! `cargo bench --bench verdict -- DIR` fills a corpus in DIR with 200,000 passages, unless
//! it is there, and has 500 documents of 15 passages judged, on one thread: new ones, copies
//! with an edit in each passage, and templates with other numbers.
//!
//! The paragraphs are those of Reuters-21578, and as many again with their words in another
//! order of sentences. The times are those of the ingest's own steps.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use copydesk::article::{Body, DocumentId, Incoming, Metadata};
use copydesk::corpus::{Corpus, Detail, Ingest, Options};
use copydesk::embed::{Setup, SetupOptions};
use copydesk::text::LanguageTag;
use fastrand::Rng;
use futures::StreamExt;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

const PASSAGES: usize = 200_000;
const OF_A_DOCUMENT: usize = 15;
const JUDGED: usize = 500;
const AT_ONCE: usize = 8;

/// Steps of an ingest, and whether they are the verdict's.
const STEPS: [(&str, bool); 4] =
    [("read", true), ("search", false), ("compare", true), ("judge", true)];

fn main() {
    let folder = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let Some(folder) = folder.map(PathBuf::from) else {
        return println!("usage: cargo bench --bench verdict -- DIR");
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(folder));
}

async fn run(folder: PathBuf) {
    let setup = Setup::ensure(&SetupOptions::default(), &|_, _| {}).unwrap();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let corpus = Corpus::open(&folder, &setup, Options { workers, ..Options::default() }).unwrap();
    let mut rng = Rng::with_seed(1987);
    let mut texts = common::reuters();
    rng.shuffle(&mut texts);
    let (fresh, stored) = texts.split_at(JUDGED * OF_A_DOCUMENT);
    let stored: Vec<String> = stored
        .iter()
        .cloned()
        .chain(stored.iter().map(|text| turned(text)))
        .take(PASSAGES)
        .collect();
    let stored: Vec<&[String]> = stored.chunks(OF_A_DOCUMENT).collect();
    let known = corpus.info().await.unwrap().totals.documents as usize;
    if known < stored.len() {
        eprintln!("taking in {} documents", stored.len() - known);
        let taken = stored.iter().enumerate().skip(known).map(|(number, texts)| {
            let corpus = corpus.clone();
            let ingest = ingest(Some(number), texts, false);
            async move { corpus.ingest(ingest).await.unwrap() }
        });
        futures::stream::iter(taken).buffer_unordered(AT_ONCE).count().await;
    }
    let handle = PrometheusBuilder::new().install_recorder().unwrap();

    println!(
        "{:38}{:>9}{:>9}{:>9}{:>9}{:>11}{:>12}{:>10}",
        "500 documents of 15 passages",
        "read ms",
        "search",
        "compare",
        "judge",
        "verdict ms",
        "embed ms",
        "ratio"
    );
    let edited = |rng: &mut Rng, change: fn(&mut Rng, &str) -> String| -> Vec<Vec<String>> {
        (0..JUDGED)
            .map(|_| {
                let texts = stored[rng.usize(0..stored.len() - 1)];
                texts.iter().map(|text| change(rng, text)).collect()
            })
            .collect()
    };
    let new: Vec<Vec<String>> = fresh.chunks(OF_A_DOCUMENT).map(<[String]>::to_vec).collect();
    for (name, documents) in [
        ("new", new),
        ("copies with an edit in each passage", edited(&mut rng, word_left_out)),
        ("templates with other numbers", edited(&mut rng, other_numbers)),
    ] {
        row(&corpus, &handle, name, &documents).await;
    }
}

async fn row(corpus: &Corpus, handle: &PrometheusHandle, name: &str, documents: &[Vec<String>]) {
    let before = STEPS.map(|(step, _)| seconds(handle, step));
    let started = Instant::now();
    for texts in documents {
        corpus.ingest(ingest(None, texts, true)).await.unwrap();
    }
    let all = started.elapsed();
    let times: Vec<f64> = STEPS
        .iter()
        .zip(before)
        .map(|((step, _), before)| (seconds(handle, step) - before) * 1e3 / documents.len() as f64)
        .collect();
    let verdict: f64 =
        STEPS.iter().zip(&times).filter(|((_, counts), _)| *counts).map(|(_, ms)| ms).sum();
    let rest = per_document(all, documents.len()) - times.iter().sum::<f64>();
    println!(
        "{name:38}{:9.2}{:9.2}{:9.2}{:9.2}{verdict:11.2}{rest:12.2}{:10.3}",
        times[0],
        times[1],
        times[2],
        times[3],
        verdict / rest
    );
}

fn per_document(all: Duration, documents: usize) -> f64 {
    all.as_secs_f64() * 1e3 / documents as f64
}

/// Seconds that were spent on a step so far.
fn seconds(handle: &PrometheusHandle, step: &str) -> f64 {
    let name = format!("copydesk_ingest_step_seconds_sum{{step=\"{step}\"}} ");
    let rendered = handle.render();
    let value = rendered.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok());
    value.unwrap_or(0.0)
}

fn ingest(number: Option<usize>, texts: &[String], validate_only: bool) -> Ingest {
    let document = Incoming {
        id: number.map(|number| DocumentId::parse(&format!("d{number}")).unwrap()),
        metadata: Metadata { language: LanguageTag::parse("en"), ..Metadata::default() },
        body: Body::Paragraphs(texts.to_vec()),
    };
    Ingest { document, validate_only, skip_duplicates: false, detail: Detail::Summary }
}

/// The second half of a text before the first one.
fn turned(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let (first, second) = words.split_at(words.len() / 2);
    [second, first].concat().join(" ")
}

fn word_left_out(rng: &mut Rng, text: &str) -> String {
    let mut words: Vec<&str> = text.split(' ').collect();
    words.remove(rng.usize(0..words.len()));
    words.join(" ")
}

fn other_numbers(rng: &mut Rng, text: &str) -> String {
    let other = |c: char| if c.is_ascii_digit() { rng.digit(10) } else { c };
    text.chars().map(other).collect()
}
