//! What standing questions cost those who ingest: `cargo bench --bench watchers` takes in stories
//! of Reuters-21578, by turns without any question and with 1,000 of them, about other stories,
//! and prints the rates and their ratio.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use copydesk::article::{Body, DocumentId, Incoming, Metadata};
use copydesk::corpus::{Corpus, Detail, DocumentQuery, Ingest, Options, WatchQuestion};
use copydesk::embed::{Setup, SetupOptions};
use copydesk::store::Filter;
use copydesk::text::LanguageTag;
use fastrand::Rng;
use futures::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

const WATCHERS: usize = 1_000;
const TURNS: usize = 5;
const OF_A_TURN: usize = 250;
const LEAST_PARAGRAPHS: usize = 3;
const AT_ONCE: usize = 8;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::ensure(&SetupOptions::default(), &|_, _| {}).unwrap();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let options = Options { workers, ..Options::default() };
    let corpus = Corpus::open(folder.path(), &setup, options).unwrap();
    let mut stories = common::stories();
    stories.retain(|paragraphs| paragraphs.len() >= LEAST_PARAGRAPHS);
    Rng::with_seed(11).shuffle(&mut stories);
    let mut documents = stories.into_iter();
    let mut number = 0;
    let mut next = |count: usize| -> Vec<Incoming> {
        let some = documents.by_ref().take(count);
        some.map(|paragraphs| {
            number += 1;
            Incoming {
                id: Some(DocumentId::parse(&format!("d{number}")).unwrap()),
                metadata: Metadata { language: LanguageTag::parse("en"), ..Metadata::default() },
                body: Body::Paragraphs(paragraphs),
            }
        })
        .collect()
    };
    // Warm, and something to be related to.
    take_in(&corpus, next(OF_A_TURN)).await;
    let questions = next(WATCHERS);
    let (mut without, mut with) = (Vec::new(), Vec::new());
    let answers = Arc::new(AtomicUsize::new(0));
    for _ in 0..TURNS {
        without.push(take_in(&corpus, next(OF_A_TURN)).await);
        let mut standing = Vec::new();
        for question in &questions {
            let question = WatchQuestion {
                query: DocumentQuery::Incoming(Box::new(question.clone())),
                filter: Filter::default(),
                min_score: None,
                after: None,
            };
            let stream = ReceiverStream::new(corpus.watch(question).await.unwrap().answers);
            let answers = Arc::clone(&answers);
            standing.push(tokio::spawn(stream.for_each(move |_| {
                answers.fetch_add(1, Ordering::Relaxed);
                std::future::ready(())
            })));
        }
        with.push(take_in(&corpus, next(OF_A_TURN)).await);
        for watcher in &standing {
            watcher.abort();
        }
    }
    let median = |rates: &mut Vec<f64>| {
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    };
    let (without, with) = (median(&mut without), median(&mut with));
    println!("documents/s without standing questions: {without:.1}");
    println!("documents/s with {WATCHERS} of them:       {with:.1}  ");
    println!("ratio: {:.3}", with / without);
    let came = TURNS * OF_A_TURN;
    println!("{} answers to {came} documents", answers.load(Ordering::Relaxed));
}

/// Documents a second.
async fn take_in(corpus: &Corpus, documents: Vec<Incoming>) -> f64 {
    let count = documents.len();
    let started = Instant::now();
    let taken = documents.into_iter().map(|document| {
        let corpus = corpus.clone();
        let ingest = Ingest {
            document,
            validate_only: false,
            skip_duplicates: false,
            detail: Detail::Summary,
        };
        async move { tokio::spawn(async move { corpus.ingest(ingest).await.unwrap() }).await }
    });
    futures::stream::iter(taken).buffer_unordered(AT_ONCE).count().await;
    count as f64 / started.elapsed().as_secs_f64()
}
