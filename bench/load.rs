//! More load than a server can carry. `cargo bench --bench load` finds out how many documents a
//! second a server takes in when 32 callers each wait for their answers, sends ten times as many
//! for five minutes, whatever becomes of them, with questions beside, and prints
//!
//! - what was answered and refused, and how long that took from when a call was due;
//! - memory, highest and after;
//! - how many documents a second it takes in right after that;
//! - and how many documents that it acknowledged are not there.
//!
//! `cargo bench --bench load -- --help` tells what can be set.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "common/open_loop.rs"]
mod open_loop;

use std::future::Future;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clap::Parser;
use copydesk::client::Client;
use copydesk::proto::v1 as pb;
use fastrand::Rng;
use futures::future::join_all;
use open_loop::at_rate;
use tempfile::TempDir;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

/// Paragraphs of a document, and words of a paragraph.
const PARAGRAPHS: usize = 5;
const WORDS: usize = 30;

/// Callers that wait for their answers, and how long they do so.
const CALLERS: usize = 32;
const UNLOADED: Duration = Duration::from_secs(15);

/// Documents that are looked up at once.
const BATCH: usize = 500;

#[derive(Parser)]
struct Arguments {
    /// A server that is there already; without it, one is started over an empty corpus
    #[arg(long)]
    server: Option<String>,
    /// Documents a second; without it, ten times what the server can carry
    #[arg(long)]
    documents: Option<f64>,
    /// Questions a second
    #[arg(long, default_value_t = 10.0)]
    questions: f64,
    /// For how long
    #[arg(long, default_value_t = 300.0)]
    seconds: f64,
    /// Connections that the calls are spread over
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Connections that are opened besides and never used
    #[arg(long, default_value_t = 0)]
    idle: usize,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    let server = arguments.server.is_none().then(Server::start);
    let own = server.as_ref().map(|server| server.address.clone());
    let address = own.or(arguments.server).unwrap();
    let connecting = (0..arguments.connections.max(1)).map(|_| Client::connect(&address));
    let clients: Vec<Client> =
        join_all(connecting).await.into_iter().collect::<Result<_, _>>().unwrap();
    let idle = idle(&address, arguments.idle).await;
    let load = Load { clients, words: words(), taken: Arc::default() };

    let before = load.carried("before").await;
    let rate = arguments.documents.unwrap_or(10.0 * before);
    let time = Duration::from_secs_f64(arguments.seconds);
    let (documents, questions) = tokio::join!(
        at_rate(rate, time, |number| load.ingest(format!("load-{number}"))),
        at_rate(arguments.questions, time, |number| load.ask(number)),
    );
    println!("\n{:>21}{:>10}{:>10}{:>10}{:>10}{:>10} ms", "", "p50", "p90", "p99", "p99.9", "max");
    println!("documents, {rate:.0} a second\n{documents}");
    println!("questions, {:.0} a second\n{questions}", arguments.questions);
    if let Some(server) = &server {
        let [highest, now] = ["VmHWM:", "VmRSS:"].map(|name| server.memory(name));
        println!("memory of the server: {highest:.0} MB at most, {now:.0} MB after");
    }
    load.carried("after").await;
    println!("{} documents were acknowledged, {} are lost", load.taken().len(), load.lost().await);
    println!("{} connections were idle", idle.len());
}

/// What is sent, and what was taken.
struct Load {
    clients: Vec<Client>,
    words: Vec<String>,
    /// Ids of documents that were acknowledged.
    taken: Arc<Mutex<Vec<String>>>,
}

impl Load {
    fn client(&self, number: usize) -> Client {
        self.clients[number % self.clients.len()].clone()
    }

    fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }

    /// Words in an order of their own for each seed.
    fn text(&self, seed: u64) -> String {
        let mut rng = Rng::with_seed(seed);
        let words = (0..WORDS).map(|_| self.words[rng.usize(0..self.words.len())].as_str());
        words.collect::<Vec<_>>().join(" ")
    }

    /// Takes in a document that is like no other.
    fn ingest(&self, id: String) -> impl Future<Output = Result<(), Status>> + Send + use<> {
        let seed = fastrand::u64(..);
        let paragraphs = (0..PARAGRAPHS).map(|part| self.text(seed ^ part as u64)).collect();
        let document = pb::Document {
            document_id: id.clone(),
            paragraphs: Some(pb::ParagraphList { paragraphs }),
            ..Default::default()
        };
        let request = pb::IngestDocumentRequest { document: Some(document), ..Default::default() };
        let (mut client, taken) = (self.client(seed as usize), Arc::clone(&self.taken));
        async move {
            client.corpus.ingest_document(request).await?;
            taken.lock().unwrap().push(id);
            Ok(())
        }
    }

    fn ask(&self, number: usize) -> impl Future<Output = Result<(), Status>> + Send + use<> {
        let query = pb::find_duplicates_request::Query::Text(self.text(number as u64));
        let request = pb::FindDuplicatesRequest { query: Some(query), ..Default::default() };
        let mut client = self.client(number);
        async move { client.similarity.find_duplicates(request).await.map(|_| ()) }
    }

    /// Documents a second that are taken in for callers who wait.
    async fn carried(&self, when: &str) -> f64 {
        let (begun, before) = (Instant::now(), self.taken().len());
        let callers = (0..CALLERS).map(|caller| async move {
            let mut next = 0;
            while begun.elapsed() < UNLOADED {
                self.ingest(format!("{when}-{caller}-{next}")).await.unwrap();
                next += 1;
            }
        });
        join_all(callers).await;
        let rate = (self.taken().len() - before) as f64 / begun.elapsed().as_secs_f64();
        println!("{when}: {rate:.0} documents a second for {CALLERS} callers");
        rate
    }

    /// How many of the documents that were taken are not there.
    async fn lost(&self) -> usize {
        let mut lost = 0;
        for document_ids in self.taken().chunks(BATCH).map(<[String]>::to_vec) {
            let request = pb::BatchGetDocumentsRequest { document_ids };
            let found = self.client(0).corpus.batch_get_documents(request).await.unwrap();
            lost += found.into_inner().unknown_document_ids.len();
        }
        lost
    }
}

/// Words of the seeds.
fn words() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let texts: String = files.map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let words = texts.split(|letter: char| !letter.is_alphabetic());
    words.filter(|word| word.len() > 2).map(str::to_owned).collect()
}

/// Connections on which nothing is ever asked. They are there when the server asks whether they
/// are, as it lets go who is not.
async fn idle(address: &str, count: usize) -> Vec<Channel> {
    let address = format!("http://{}", address.trim_start_matches("http://"));
    let endpoint = Endpoint::from_shared(address).unwrap();
    let mut open = Vec::new();
    for _ in 0..count {
        open.push(endpoint.connect().await.unwrap());
    }
    open
}

/// A server over an empty corpus, which ends with this.
struct Server {
    child: Child,
    address: String,
    _folder: TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_copydesk"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let ready = lines.find_map(|line| Some(line.strip_prefix("ready on ")?.to_owned()));
        let address = ready.expect("the server ended before it was ready");
        Self { child, address, _folder: folder }
    }

    /// Megabytes, as the kernel counts them.
    fn memory(&self, name: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        kilobytes * 1_024.0 / 1e6
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
