//! A server under load, through its own interface. `cargo bench --bench server` prints
//!
//! - how long a question takes on an idle server and while a bulk ingest runs at full
//!   speed, and what ten questions a second cost the ingest;
//! - the server's memory while 50,000 different paragraphs go through it.
//!
//! The paragraphs are those of Reuters-21578; without it, those of the seeds, varied.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use copydesk::client::Client;
use copydesk::proto::v1 as pb;
use futures::StreamExt;
use tokio::time::{interval, sleep};

/// Paragraphs of one document.
const PARAGRAPHS: usize = 10;

/// How long a load is kept up, and how long the queues fill before anything counts.
const LOAD: Duration = Duration::from_secs(30);
const WARM_UP: Duration = Duration::from_secs(3);

/// Paragraphs that the memory is measured over, and between two readings.
const MANY: usize = 50_000;
const READING: usize = 5_000;

/// Every so many paragraphs, one fills a whole window of the model.
const LONG: usize = 20;

#[tokio::main]
async fn main() {
    let texts = Arc::new(Texts::load());
    latency(&texts).await;
    memory(&texts).await;
}

async fn latency(texts: &Arc<Texts>) {
    let (mut server, address) = start();
    let mut client = Client::connect(&address).await.unwrap();
    let mut questions = Questions { client: client.clone(), asked: 0 };
    for _ in 0..20 {
        questions.ask(&short(questions.asked)).await;
    }
    let mut idle = Vec::new();
    let mut ticks = interval(Duration::from_millis(100));
    for _ in 0..200 {
        ticks.tick().await;
        idle.push(questions.ask(&short(questions.asked)).await);
    }
    let mut window = Vec::new();
    for index in 0..50 {
        window.push(questions.ask(&texts.long(index)).await);
    }
    let alone = load(&address, texts, None).await;
    let mut busy = Vec::new();
    let with_questions = load(&address, texts, Some((&mut questions, &mut busy))).await;
    let info = client.admin.get_server_info(pb::GetServerInfoRequest {}).await.unwrap();
    let workers = info.into_inner().embedding.unwrap().worker_count;
    server.kill().unwrap();

    println!("a question (FindDuplicates on a short text), {workers} workers");
    println!("{:44}{:>10}{:>10}{:>10}", "", "p50 ms", "p99 ms", "max ms");
    for (name, times) in [
        ("idle", &mut idle),
        ("idle, a text of 256 tokens instead", &mut window),
        ("while an ingest runs at full speed", &mut busy),
    ] {
        times.sort();
        let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        println!("{name:44}{:10.1}{:10.1}{:10.1}", ms(at(0.5)), ms(at(0.99)), ms(at(1.0)));
    }
    println!(
        "\nan ingest, paragraphs/s: {alone:.0} alone, {with_questions:.0} beside ten questions a second ({:.1}% fewer)\n",
        100.0 * (1.0 - with_questions / alone)
    );
}

/// Ingests as fast as the server takes it, and asks ten questions a second meanwhile.
/// Returns the paragraphs that were answered in a second.
async fn load(
    address: &str,
    texts: &Arc<Texts>,
    questions: Option<(&mut Questions, &mut Vec<Duration>)>,
) -> f64 {
    let stop = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicUsize::new(0));
    let (until, counting, texts, at) =
        (Arc::clone(&stop), Arc::clone(&done), Arc::clone(texts), address.to_owned());
    let ingest = tokio::spawn(async move {
        let stopped = move || until.load(Ordering::Relaxed);
        let client = Client::connect(&at).await.unwrap();
        stream(client, texts, usize::MAX, stopped, |paragraphs| {
            counting.fetch_add(paragraphs, Ordering::Relaxed);
        })
        .await;
    });
    sleep(WARM_UP).await;
    let (before, begun) = (done.load(Ordering::Relaxed), Instant::now());
    match questions {
        None => sleep(LOAD).await,
        Some((questions, times)) => {
            let mut ticks = interval(Duration::from_millis(100));
            while begun.elapsed() < LOAD {
                ticks.tick().await;
                times.push(questions.ask(&short(questions.asked)).await);
            }
        }
    }
    let rate = (done.load(Ordering::Relaxed) - before) as f64 / begun.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    ingest.await.unwrap();
    rate
}

async fn memory(texts: &Arc<Texts>) {
    let (mut server, address) = start();
    let client = Client::connect(&address).await.unwrap();
    let pid = server.id();
    println!("memory of the server, MB resident\n{:>12}{:>8.0}", "ready", resident(pid));
    let mut done = 0;
    let begun = Instant::now();
    stream(
        client,
        Arc::clone(texts),
        MANY,
        || false,
        |paragraphs| {
            let next = done + paragraphs;
            if next / READING > done / READING {
                println!("{:>12}{:>8.0}", next / READING * READING, resident(pid));
            }
            done = next;
        },
    )
    .await;
    println!("{done} paragraphs in {:.0} s\n", begun.elapsed().as_secs_f64());
    server.kill().unwrap();
}

/// Sends documents of different paragraphs, to be judged and not stored.
async fn stream(
    mut client: Client,
    texts: Arc<Texts>,
    most: usize,
    stop: impl Fn() -> bool + Send + 'static,
    mut answered: impl FnMut(usize),
) {
    let mut next = 0;
    let documents = std::iter::from_fn(move || {
        let paragraphs: Vec<String> =
            (next..(next + PARAGRAPHS).min(most)).map(|index| texts.at(index)).collect();
        next += PARAGRAPHS;
        (!paragraphs.is_empty() && !stop()).then_some(paragraphs)
    });
    let requests = documents.map(|paragraphs| pb::IngestDocumentsRequest {
        ingest: Some(pb::IngestDocumentRequest {
            document: Some(pb::Document {
                paragraphs: Some(pb::ParagraphList { paragraphs }),
                ..Default::default()
            }),
            validate_only: true,
            ..Default::default()
        }),
        ..Default::default()
    });
    let responses = client.corpus.ingest_documents(tokio_stream::iter(requests)).await.unwrap();
    let mut responses = responses.into_inner();
    while let Some(response) = responses.next().await {
        let response = response.unwrap();
        assert!(
            matches!(response.outcome, Some(pb::ingest_documents_response::Outcome::Result(_))),
            "{response:?}"
        );
        answered(PARAGRAPHS);
    }
}

struct Questions {
    client: Client,
    asked: usize,
}

impl Questions {
    async fn ask(&mut self, text: &str) -> Duration {
        self.asked += 1;
        let query = pb::find_duplicates_request::Query::Text(text.to_owned());
        let request = pb::FindDuplicatesRequest { query: Some(query), ..Default::default() };
        let begun = Instant::now();
        self.client.similarity.find_duplicates(request).await.unwrap();
        begun.elapsed()
    }
}

/// A short text, another one for each number.
fn short(number: usize) -> String {
    format!("The board of company {number} proposed a dividend of {} cents a share.", number * 7)
}

struct Texts(Vec<String>);

impl Texts {
    fn load() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let file = std::fs::File::open(root.join("../shared/data/reuters21578/docs.jsonl.gz"));
        let Ok(file) = file else {
            let texts = std::fs::read_dir(root.join("seeds")).unwrap();
            let texts = texts.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
            let lines: Vec<String> = texts
                .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
                .collect();
            return Self(lines.into_iter().filter(|line| line.len() >= 80).collect());
        };
        let lines = BufReader::new(flate2::read::GzDecoder::new(file)).lines();
        let documents = lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap());
        let texts = documents.flat_map(|document: serde_json::Value| {
            document["paragraphs"].as_array().cloned().unwrap_or_default()
        });
        let texts = texts.filter_map(|text| Some(text.as_str()?.to_owned()));
        Self(texts.filter(|text| text.len() >= 40).collect())
    }

    /// A paragraph, another one for each number.
    fn at(&self, number: usize) -> String {
        if number % LONG == LONG - 1 {
            return self.long(number);
        }
        format!("{} ({number})", self.0[number % self.0.len()])
    }

    /// One that fills a window.
    fn long(&self, number: usize) -> String {
        let mut text = format!("Report {number}:");
        let mut next = number * 7_919;
        while text.len() < 1_400 {
            text = format!("{text} {}", self.0[next % self.0.len()]);
            next += 1;
        }
        text.chars().take(1_400).collect()
    }
}

fn start() -> (Child, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_copydesk"))
        .args(["serve", "--listen", "127.0.0.1:0", "--workers", "2", "--data"])
        .arg(folder.keep())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let ready = lines.find_map(|line| Some(line.strip_prefix("ready on ")?.to_owned()));
    (child, ready.expect("the server ended before it was ready"))
}

fn resident(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok());
    kilobytes.unwrap_or(0.0) * 1_024.0 / 1e6
}
