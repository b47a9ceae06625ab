//! What questions about related coverage cost, and of what:
//! `cargo bench --bench related -- DIR` opens the corpus in DIR (one that `cargo bench --bench
//! scale -- build DIR` made, of 200,000 or 1,000,000 passages; its index of words is made at the
//! first time) and asks 300 questions of each kind about paragraphs of Reuters-21578, one after
//! the other.
//!
//! Embedding is what the steps that are timed leave of the whole.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use copydesk::article::{Body, Incoming, Metadata};
use copydesk::corpus::{
    Corpus, DocumentQuery, Options, Query, RelatedDocumentsQuestion, RelatedQuestion,
};
use copydesk::embed::{Setup, SetupOptions};
use copydesk::related::{Mode, Ranking};
use copydesk::store::Filter;
use copydesk::text::LanguageTag;
use fastrand::Rng;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

const ASKED: usize = 300;
const WARMING: usize = 50;
const OF_A_DOCUMENT: usize = 5;
const STEPS: [&str; 4] = ["vectors", "words", "fusion", "answer"];

fn main() {
    let folder = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let Some(folder) = folder.map(PathBuf::from) else {
        return println!("usage: cargo bench --bench related -- DIR");
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(folder));
}

async fn run(folder: PathBuf) {
    let setup = Setup::ensure(&SetupOptions::default(), &|_, _| {}).unwrap();
    let opening = Instant::now();
    let corpus = Corpus::open(&folder, &setup, Options::default()).unwrap();
    let totals = corpus.info().await.unwrap().totals;
    println!(
        "{} documents, {} passages, open after {:.1} s",
        totals.documents,
        totals.passages,
        opening.elapsed().as_secs_f64()
    );
    let handle = PrometheusBuilder::new().install_recorder().unwrap();
    let mut texts = common::reuters();
    Rng::with_seed(7).shuffle(&mut texts);
    println!(
        "{:34}{:>10}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}",
        "ms", "median", "99%", "embed", "vectors", "words", "fusion", "answer"
    );
    for (name, mode) in
        [("hybrid", Mode::Hybrid), ("semantic", Mode::Semantic), ("lexical", Mode::Lexical)]
    {
        let ranking = Ranking { mode, ..Ranking::default() };
        let mut times = Vec::new();
        let mut steps = [0.0; STEPS.len()];
        for (number, text) in texts.iter().take(WARMING + ASKED).enumerate() {
            if number == WARMING {
                steps = seconds(&handle);
            }
            let started = Instant::now();
            let question = RelatedQuestion {
                query: Query::Text(format!("{text} Asked.")),
                filter: Filter::default(),
                limit: 10,
                max_per_document: usize::MAX,
                min_score: 0.0,
                ranking,
            };
            corpus.related(question).await.unwrap();
            times.push(started.elapsed());
        }
        row(&format!("passages for a paragraph, {name}"), &times[WARMING..], steps, &handle);
        let mut times = Vec::new();
        for (number, texts) in texts.chunks(OF_A_DOCUMENT).rev().take(WARMING + ASKED).enumerate() {
            if number == WARMING {
                steps = seconds(&handle);
            }
            let paragraphs = texts.iter().map(|text| format!("{text} Asked.")).collect();
            let incoming = Incoming {
                id: None,
                metadata: Metadata { language: LanguageTag::parse("en"), ..Metadata::default() },
                body: Body::Paragraphs(paragraphs),
            };
            let started = Instant::now();
            let question = RelatedDocumentsQuestion {
                query: DocumentQuery::Incoming(Box::new(incoming)),
                filter: Filter::default(),
                limit: 10,
                min_score: 0.0,
                ranking,
            };
            corpus.related_documents(question).await.unwrap();
            times.push(started.elapsed());
        }
        row(&format!("documents for 5 paragraphs, {name}"), &times[WARMING..], steps, &handle);
    }
}

fn row(name: &str, times: &[Duration], before: [f64; STEPS.len()], handle: &PrometheusHandle) {
    let mut ordered = times.to_vec();
    ordered.sort_unstable();
    let at =
        |share: f64| ordered[(share * (ordered.len() - 1) as f64) as usize].as_secs_f64() * 1e3;
    let after = seconds(handle);
    let steps: Vec<f64> = before
        .iter()
        .zip(after)
        .map(|(before, after)| (after - before) * 1e3 / times.len() as f64)
        .collect();
    let mean = times.iter().sum::<Duration>().as_secs_f64() * 1e3 / times.len() as f64;
    let embed = mean - steps.iter().sum::<f64>();
    println!(
        "{name:34}{:10.2}{:9.2}{embed:9.2}{:9.2}{:9.2}{:9.2}{:9.2}",
        at(0.5),
        at(0.99),
        steps[0],
        steps[1],
        steps[2],
        steps[3]
    );
}

/// Seconds that were spent on each step so far.
fn seconds(handle: &PrometheusHandle) -> [f64; STEPS.len()] {
    let rendered = handle.render();
    STEPS.map(|step| {
        let name = format!("copydesk_question_step_seconds_sum{{step=\"{step}\"}} ");
        let value = rendered.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok());
        value.unwrap_or(0.0)
    })
}
