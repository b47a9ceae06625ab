//! A large corpus, without waiting for a model to embed it:
//!
//!     cargo bench --bench scale -- build DIR [PASSAGES]
//!     cargo bench --bench scale -- ask DIR
//!     cargo bench --bench scale -- halve DIR
//!
//! `build` makes a store and its index in DIR/scale, with 1,000,000 passages if nothing else
//! is asked: each vector is a mixture of those of two paragraphs of Reuters-21578
//! (DIR/a.base.npy, from `cargo bench --bench corpora -- DIR`), and each text one of these
//! paragraphs with a number. `ask` serves it, opens it and asks it, idle and while more comes
//! in; `halve` deletes every second passage and compacts the rest.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::made::{Mixtures, all_new, model};
use common::{Resident, numbers, resident_bytes, reuters, vectors, write_nearest, write_vectors};
use copydesk::article::{Body, Incoming, Metadata, read};
use copydesk::corpus::open_index;
use copydesk::embed::{UnitVector, Windows};
use copydesk::index::{ContentId, ContentSet, Options, Scope, SegmentedIndex, VectorIndex};
use copydesk::store::{ModelIdentity, NewDocument, Store};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use simsimd::SpatialSimilarity;

const PASSAGES: usize = 1_000_000;
const QUERIES: usize = 1_000;
const K: usize = 10;

/// Paragraphs of a document, and documents that are stored in one transaction.
const PARAGRAPHS: usize = 5;
const TOGETHER: usize = 1_000;

/// Cosine from which on a vector joins a family.
const FAMILY: f64 = 0.93;

/// What a model embeds in a second on two cores, about: how fast texts come in.
const PACE: u32 = 240;

/// How long each load is kept up.
const LOAD: Duration = Duration::from_secs(15);

fn main() {
    tracing_subscriber::fmt().with_env_filter("copydesk=info").with_writer(std::io::stderr).init();
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["build", folder] => build(Path::new(folder), PASSAGES),
        ["build", folder, passages] => build(Path::new(folder), passages.parse().unwrap()),
        ["ask", folder] => ask(Path::new(folder)),
        ["halve", folder] => halve(Path::new(folder)),
        _ => println!(
            "usage: cargo bench --bench scale -- build DIR [PASSAGES] | ask DIR | halve DIR"
        ),
    }
}

fn build(folder: &Path, passages: usize) {
    let data = folder.join("scale");
    let _ = std::fs::remove_dir_all(&data);
    let model = model();
    let identity = ModelIdentity::from(model.as_ref());
    let store = Store::open(&data, &identity).unwrap();
    let index = open_index(&store, &model, Options::default()).unwrap();
    let mut mixtures = Mixtures::of(&folder.join("a.base.npy"));
    let queries: Vec<UnitVector> = (0..QUERIES).map(|_| mixtures.next()).collect();

    let texts = reuters();
    let mut base = Vec::new();
    let mut inserting = Duration::ZERO;
    let begun = Instant::now();
    while base.len() < passages {
        let added = store_some(&store, &texts, &mut mixtures, base.len());
        let now = Instant::now();
        for (content, check, windows) in &added {
            index.add(*content, *check, windows);
        }
        inserting += now.elapsed();
        base.extend(added.into_iter().map(|(_, _, windows)| windows.vectors()[0].clone()));
    }
    let stored = begun.elapsed();
    index.settle();
    let settled = begun.elapsed();
    let rate = |time: Duration| base.len() as f64 / time.as_secs_f64();
    println!("{} passages in documents of {PARAGRAPHS} paragraphs", base.len());
    println!("the index took in {:.0} a second, linking behind", rate(inserting));
    println!("the store took in {:.0} a second, with the index", rate(stored));
    println!("linked and merged {:.0} a second, all in all", rate(settled));
    let status = index.status();
    println!("segments: {}; sampled coverage: {}", status.segments, status.coverage);
    say_memory("after building, with its vectors in the memory of this process", "self");
    drop(index);
    drop(store);

    similarity("real paragraphs", &mixtures.real);
    similarity("mixtures", &base);
    write_vectors(&folder.join("scale.queries.npy"), &queries);
    write_nearest(&folder.join("scale.truth.npy"), &base, &queries);
}

/// Stores documents of texts that are new, and returns what they have in the index.
fn store_some(
    store: &Store,
    texts: &[String],
    mixtures: &mut Mixtures,
    first: usize,
) -> Vec<(ContentId, u32, Windows)> {
    let mut added = Vec::new();
    let mut number = first;
    store
        .write(|writer| {
            for _ in 0..TOGETHER {
                let paragraphs = (number + 1..=number + PARAGRAPHS)
                    .map(|number| format!("{} Report {number}.", texts[number % texts.len()]))
                    .collect();
                number += PARAGRAPHS;
                let published_at = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(number as i64);
                let incoming = Incoming {
                    id: None,
                    metadata: Metadata {
                        source: format!("outlet {}", number / PARAGRAPHS % 50),
                        published_at: Some(published_at),
                        ..Metadata::default()
                    },
                    body: Body::Paragraphs(paragraphs),
                };
                let article = read(incoming).unwrap();
                let vectors: HashMap<_, _> = article
                    .reporting()
                    .map(|p| (p.hash, Windows::new(vec![mixtures.next()]).unwrap()))
                    .collect();
                let written = writer.insert(&NewDocument {
                    article: &article,
                    vectors: &vectors,
                    words: 100,
                    published_at,
                    ingested_at: published_at,
                    verdict: &all_new(&article),
                    family: None,
                })?;
                added.extend(
                    written
                        .added
                        .into_iter()
                        .map(|(content, hash)| (content, hash.check(), vectors[&hash].clone())),
                );
            }
            Ok::<_, copydesk::store::StoreError>(())
        })
        .unwrap();
    added
}

/// How near the nearest other vectors are.
fn similarity(name: &str, vectors: &[UnitVector]) {
    const SAMPLE: usize = 300;
    let step = vectors.len() / SAMPLE;
    let mut nearest: Vec<f64> = (0..SAMPLE)
        .map(|at| {
            let own = at * step;
            let others = vectors.iter().enumerate().filter(|(other, _)| *other != own);
            let cosine =
                |(_, v): (_, &UnitVector)| f32::dot(vectors[own].as_slice(), v.as_slice()).unwrap();
            others.map(cosine).fold(-1.0, f64::max)
        })
        .collect();
    nearest.sort_by(f64::total_cmp);
    let at = |share: f64| nearest[(share * (SAMPLE - 1) as f64) as usize];
    let families = nearest.iter().filter(|&&cosine| cosine >= FAMILY).count();
    println!(
        "cosine to the nearest other, {name}: p10 {:.2}, p50 {:.2}, p90 {:.2}; {:.1}% from {FAMILY} on",
        at(0.1),
        at(0.5),
        at(0.9),
        100.0 * families as f64 / SAMPLE as f64
    );
}

fn ask(folder: &Path) {
    let data = folder.join("scale");
    serve(&data);
    let queries = vectors(&folder.join("scale.queries.npy"));
    let truth = numbers(&folder.join("scale.truth.npy"));
    let (index, ids) = open(&data);
    recall(&index, &ids, &queries, &truth);
    load("idle", &index, &queries, &ids, None);
    say_memory("after that", "self");
    filters(&index, &ids, &queries);
    load("while 240 a second come in", &index, &queries, &ids, Some(PACE));
    load("while 1,000 a second come in", &index, &queries, &ids, Some(1_000));
}

/// Opens it again without what `ask` put in, and deletes half.
fn halve(folder: &Path) {
    let data = folder.join("scale");
    let queries = vectors(&folder.join("scale.queries.npy"));
    let (index, ids) = open(&data);
    index.settle();
    load("all of it", &index, &queries, &ids, None);
    say_memory("after that", "self");
    println!("{:.2} GB of index on disk", bytes_of(&data.join("index/1")) as f64 / 1e9);
    let dead: Vec<ContentId> = ids.iter().copied().step_by(2).collect();
    index.remove(&dead);
    println!("every second passage deleted");
    recall_of_the_living(&index, &queries);
    compact(&index, &data);
    load("half as many", &index, &queries, &ids, None);
    say_memory("after that", "self");
}

/// The index, and the texts in it.
fn open(data: &Path) -> (SegmentedIndex, Vec<ContentId>) {
    let model = model();
    let store = Store::open(data, &ModelIdentity::from(model.as_ref())).unwrap();
    let mut ids = Vec::new();
    store.reader().unwrap().view().texts(|content, _| ids.push(content)).unwrap();
    let begun = Instant::now();
    let index = open_index(&store, &model, Options::default()).unwrap();
    println!("the index opens in {:.2} s", begun.elapsed().as_secs_f64());
    (index, ids)
}

fn compact(index: &SegmentedIndex, data: &Path) {
    let begun = Instant::now();
    index.compact().unwrap();
    println!(
        "compacting takes {:.0} s; {} segments, {:.2} GB of index on disk",
        begun.elapsed().as_secs_f64(),
        index.status().segments,
        bytes_of(&data.join("index/1")) as f64 / 1e9
    );
}

/// Where the truth that was written down does not hold any more.
fn recall_of_the_living(index: &SegmentedIndex, queries: &[Windows]) {
    let some = &queries[..100];
    let right: usize = some
        .iter()
        .map(|query| {
            let exact = index.search_exactly(query, K, Scope::All);
            let is_right = |content| exact.iter().any(|exact| exact.content == content);
            let hits = index.search(query, K, Scope::All);
            hits.iter().filter(|hit| is_right(hit.content)).count()
        })
        .sum();
    println!("recall@{K} among the rest: {:.4}", right as f64 / (K * some.len()) as f64);
}

fn recall(index: &SegmentedIndex, ids: &[ContentId], queries: &[Windows], truth: &[i32]) {
    let right: usize = queries
        .iter()
        .zip(truth.chunks(K))
        .map(|(query, truth)| {
            let hits = index.search(query, K, Scope::All);
            let is_right = |content| truth.iter().any(|&at| ids[at as usize] == content);
            hits.iter().filter(|hit| is_right(hit.content)).count()
        })
        .sum();
    println!("recall@{K}: {:.4}", right as f64 / (K * queries.len()) as f64);
}

/// Questions a second and how long the slowest take, on one and on two threads, while
/// texts come in at a pace.
fn load(
    when: &str,
    index: &SegmentedIndex,
    queries: &[Windows],
    ids: &[ContentId],
    pace: Option<u32>,
) {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    for threads in [1, 2] {
        let is_over = AtomicBool::new(false);
        let inserted = AtomicUsize::new(0);
        let begun = Instant::now();
        let mut times: Vec<Duration> = std::thread::scope(|scope| {
            let is_over = &is_over;
            if let Some(pace) = pace {
                let inserted = &inserted;
                scope.spawn(move || {
                    let last = ids.last().unwrap().0;
                    let mut rng = Rng::new();
                    while !is_over.load(Ordering::Relaxed) {
                        let due = begun.elapsed().as_secs_f64() * f64::from(pace);
                        if (inserted.load(Ordering::Relaxed) as f64) < due {
                            let near = &queries[rng.usize(0..queries.len())].vectors()[0];
                            let new: Vec<f32> = near
                                .as_slice()
                                .iter()
                                .map(|x| x + 0.05 * (rng.f32() - 0.5))
                                .collect();
                            let windows = Windows::new(vec![UnitVector::normalized(&new).unwrap()]);
                            let number = NEXT.fetch_add(1, Ordering::Relaxed) as i64;
                            index.add(ContentId(last + 1 + number), 0, &windows.unwrap());
                            inserted.fetch_add(1, Ordering::Relaxed);
                        } else {
                            std::thread::sleep(Duration::from_millis(1));
                        }
                    }
                });
            }
            let asking: Vec<_> = (0..threads)
                .map(|_| {
                    scope.spawn(|| {
                        let mut times = Vec::new();
                        for query in queries.iter().cycle() {
                            if begun.elapsed() > LOAD {
                                break;
                            }
                            let now = Instant::now();
                            index.search(query, K, Scope::All);
                            times.push(now.elapsed());
                        }
                        times
                    })
                })
                .collect();
            let times = asking.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
            is_over.store(true, Ordering::Relaxed);
            times
        });
        times.sort();
        let at = |share: f64| times[(share * (times.len() - 1) as f64) as usize];
        println!(
            "{when}, {threads} threads: {:.0} questions/s, p50 {:.2} ms, p99 {:.2} ms; {:.0} inserted/s",
            times.len() as f64 / LOAD.as_secs_f64(),
            at(0.5).as_secs_f64() * 1e3,
            at(0.99).as_secs_f64() * 1e3,
            inserted.load(Ordering::Relaxed) as f64 / LOAD.as_secs_f64(),
        );
    }
}

/// Questions about a share of the texts, taken at random.
fn filters(index: &SegmentedIndex, ids: &[ContentId], queries: &[Windows]) {
    let mut rng = Rng::with_seed(7);
    for share in [0.5, 0.1, 0.01, 0.001] {
        let only: ContentSet = ids.iter().copied().filter(|_| rng.f64() < share).collect();
        let begun = Instant::now();
        let mut right = 0;
        let some = &queries[..50];
        let found: Vec<_> =
            some.iter().map(|query| index.search(query, K, Scope::Only(&only))).collect();
        let asked = begun.elapsed();
        let begun = Instant::now();
        for (query, found) in some.iter().zip(&found) {
            let exact = index.search_exactly(query, K, Scope::Only(&only));
            right += found
                .iter()
                .filter(|hit| exact.iter().any(|exact| exact.content == hit.content))
                .count();
        }
        let compared = begun.elapsed();
        println!(
            "{:.1}% may answer: {:.2} ms a question, {:.2} ms for comparing all that match; recall {:.3}",
            100.0 * share,
            asked.as_secs_f64() * 1e3 / some.len() as f64,
            compared.as_secs_f64() * 1e3 / some.len() as f64,
            right as f64 / (K * some.len()) as f64
        );
    }
}

/// Starts a server and says when it is ready.
fn serve(data: &Path) {
    let begun = Instant::now();
    let mut server = Command::new(env!("CARGO_BIN_EXE_copydesk"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(server.stdout.take().unwrap()).lines().map_while(Result::ok);
    for line in lines {
        if line.starts_with("ready on ") {
            break;
        }
    }
    println!("a server is ready after {:.2} s", begun.elapsed().as_secs_f64());
    say_memory("a server that is ready", &server.id().to_string());
    server.kill().unwrap();
    server.wait().unwrap();
    println!(
        "on disk: {:.2} GB of store, {:.2} GB of index",
        bytes_of(data) as f64 / 1e9,
        bytes_of(&data.join("index/1")) as f64 / 1e9
    );
}

/// Bytes of the files in a folder.
fn bytes_of(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter_map(|entry| entry.metadata().ok()).filter(|it| it.is_file());
    files.map(|file| file.len()).sum()
}

fn say_memory(when: &str, process: &str) {
    let Resident { own, walked, full } = resident_bytes(process);
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    println!(
        "resident, {when}: {:.0} MB of its own, {:.0} MB of codes and links, {:.0} MB of full vectors",
        megabytes(own),
        megabytes(walked),
        megabytes(full)
    );
}
