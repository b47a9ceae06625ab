//! Against a stand-in for the hub: a real HTTP server that answers as the hub does.

use std::cell::Cell;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::super::known::{Known, lookup};
use super::super::manifest::{Manifest, Pooling};
use super::{Hub, Record};
use crate::embed::SetupError;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// Small files are given out as they are; these are kept elsewhere, as the hub does.
const LARGE: [&str; 2] = [".onnx", ".onnx_data"];

/// A server that gives out the files in a folder until it is dropped.
struct StandIn {
    address: SocketAddr,
    files: TempDir,
    asked: Arc<Mutex<Vec<String>>>,
    ends: Arc<AtomicBool>,
    server: Option<JoinHandle<()>>,
}

/// What the server needs to answer.
struct Desk {
    address: SocketAddr,
    files: PathBuf,
    asked: Arc<Mutex<Vec<String>>>,
    fault: Fault,
}

/// What is wrong with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// It tells a wrong hash of large files.
    WrongHash,
    /// It breaks off in the middle of whatever does not start in the middle.
    BreaksOff,
}

impl StandIn {
    /// With the files of a small model, under `repo`.
    fn with_model(repo: &str) -> Self {
        Self::start(repo, Fault::None)
    }

    fn start(repo: &str, fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let files = tempfile::tempdir().unwrap();
        let (asked, ends) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let desk =
            Desk { address, files: files.path().to_owned(), asked: Arc::clone(&asked), fault };
        let ended = Arc::clone(&ends);
        let server = thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    break;
                }
                desk.answer(stream.unwrap());
            }
        });
        let hub = Self { address, files, asked, ends, server: Some(server) };
        for (name, content) in [
            ("onnx/model.onnx", &b"weights"[..]),
            ("tokenizer.json", br#"{"model": {}}"#),
            ("config.json", b"{}"),
            ("tokenizer_config.json", br#"{"model_max_length": 512}"#),
            ("special_tokens_map.json", br#"{"pad_token": "[PAD]"}"#),
        ] {
            hub.put(repo, name, content);
        }
        hub
    }

    fn put(&self, repo: &str, name: &str, content: &[u8]) {
        let path = self.files.path().join(repo).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn drop_file(&self, repo: &str, name: &str) {
        fs::remove_file(self.files.path().join(repo).join(name)).unwrap();
    }

    fn hub(&self) -> Hub {
        Hub::new(&format!("http://{}/", self.address), None)
    }

    /// The paths that were asked for.
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }
}

impl Desk {
    fn answer(&self, mut stream: TcpStream) {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let Some(Ok(request)) = lines.next() else { return };
        let headers: Vec<String> =
            lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        let path = request.split(' ').nth(1).unwrap().to_owned();
        self.asked.lock().unwrap().push(path.clone());
        let header = |name: &str| {
            let of = |line: &String| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            };
            headers.iter().find_map(of)
        };
        let mut answer = match path.strip_prefix("/elsewhere/") {
            Some(file) => content(&fs::read(self.files.join(file)).unwrap(), header("range"), ""),
            None => self.resolve(&path, header("range")),
        };
        if self.fault == Fault::BreaksOff && header("range").as_deref() == Some("bytes=0-") {
            answer.truncate(answer.len() - 1);
        }
        // The client may have gone.
        let _ = stream.write_all(&answer);
    }

    /// Answers for `/{owner}/{model}/resolve/{revision}/{file}`.
    fn resolve(&self, path: &str, range: Option<String>) -> Vec<u8> {
        let (repo, rest) = path.trim_start_matches('/').split_once("/resolve/").unwrap();
        let (revision, file) = rest.split_once('/').unwrap();
        assert!([COMMIT, "main"].contains(&revision), "{path}");
        let Ok(bytes) = fs::read(self.files.join(repo).join(file)) else {
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                .to_vec();
        };
        let commit = format!("X-Repo-Commit: {COMMIT}\r\n");
        if LARGE.iter().any(|ending| file.ends_with(ending)) {
            let etag = match self.fault {
                Fault::WrongHash => sha256(b"something else"),
                _ => sha256(&bytes),
            };
            let location = format!("http://{}/elsewhere/{repo}/{file}", self.address);
            return format!(
                "HTTP/1.1 302 Found\r\n{commit}X-Linked-Etag: \"{etag}\"\r\nLocation: {location}\r\n\
                 Content-Length: 0\r\nConnection: close\r\n\r\n"
            )
            .into_bytes();
        }
        let etag = &sha256(&bytes)[..40];
        content(&bytes, range, &format!("{commit}ETag: \"{etag}\"\r\n"))
    }
}

/// An answer with the bytes in `range` (`bytes=0-0`, `bytes=7-`).
fn content(bytes: &[u8], range: Option<String>, headers: &str) -> Vec<u8> {
    let range = range.expect("hf-hub asks for ranges");
    let (from, to) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
    let from: usize = from.parse().unwrap();
    let to = to.parse().map_or(bytes.len(), |to: usize| to + 1);
    let part = &bytes[from..to];
    let mut answer = format!(
        "HTTP/1.1 206 Partial Content\r\n{headers}Content-Range: bytes {from}-{}/{}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        to - 1,
        bytes.len(),
        part.len()
    )
    .into_bytes();
    answer.extend_from_slice(part);
    answer
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bge() -> Known {
    lookup("BGESmallENV15").unwrap()
}

fn ensure(hub: &Hub, cache: &Path) -> Result<PathBuf, SetupError> {
    hub.ensure(&bge(), cache, &|_, _| {})
}

/// The names in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| name(entry.unwrap())).collect();
    names.sort();
    names
}

const BGE: &str = "Xenova/bge-small-en-v1.5";

#[test]
fn a_model_is_fetched_into_a_folder_of_the_cache() {
    let (hub, cache) = (StandIn::with_model(BGE), tempfile::tempdir().unwrap());
    let last = Cell::new((0, 0));
    let folder = hub.hub().ensure(&bge(), cache.path(), &|here, total| last.set((here, total)));
    let folder = folder.unwrap();

    assert_eq!(folder, cache.path().join("models/Xenova--bge-small-en-v1.5"));
    let expected = [
        "config.json",
        "copydesk.toml",
        "files.json",
        "model.onnx",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ];
    assert_eq!(names(&folder), expected);
    assert_eq!(fs::read(folder.join("model.onnx")).unwrap(), b"weights");
    // Neither links nor what the download needed are left.
    assert!(names(&folder).iter().all(|name| !folder.join(name).is_symlink()));
    assert_eq!(
        names(&cache.path().join("models")),
        [".Xenova--bge-small-en-v1.5.lock", "Xenova--bge-small-en-v1.5"]
    );

    let manifest = Manifest::read(&folder).unwrap();
    assert_eq!(manifest, bge().manifest().unwrap());
    assert_eq!((manifest.pooling, manifest.dimension), (Pooling::Cls, Some(384)));
    let record = Record::of(&folder).unwrap();
    assert_eq!((record.model.as_str(), record.commit.as_str()), (BGE, COMMIT));
    assert_eq!(record.files["model.onnx"], sha256(b"weights"));
    assert_eq!(record.files.len(), 5);

    let (here, total) = last.get();
    assert_eq!(here, total, "progress ends where it said it would");
    assert_eq!(total, 7 + 13 + 2 + 25 + 22);
}

#[test]
fn external_weights_keep_the_name_by_which_the_graph_knows_them() {
    let repo = "Qdrant/multilingual-e5-large-onnx";
    let (hub, cache) = (StandIn::with_model(repo), tempfile::tempdir().unwrap());
    hub.put(repo, "model.onnx", b"graph");
    hub.put(repo, "model.onnx_data", b"external");
    let known = lookup("MultilingualE5Large").unwrap();
    let folder = hub.hub().ensure(&known, cache.path(), &|_, _| {}).unwrap();
    assert_eq!(fs::read(folder.join("model.onnx")).unwrap(), b"graph");
    assert_eq!(fs::read(folder.join("model.onnx_data")).unwrap(), b"external");
}

#[test]
fn files_may_have_the_same_content() {
    let (hub, cache) = (StandIn::with_model(BGE), tempfile::tempdir().unwrap());
    hub.put(BGE, "special_tokens_map.json", b"{}");
    let folder = ensure(&hub.hub(), cache.path()).unwrap();
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    assert_eq!(read("special_tokens_map.json"), read("config.json"));
}

#[test]
fn all_files_are_of_one_commit() {
    let (hub, cache) = (StandIn::with_model(BGE), tempfile::tempdir().unwrap());
    ensure(&hub.hub(), cache.path()).unwrap();
    let newest = |path: &&String| path.contains("/resolve/main/");
    assert_eq!(hub.asked().iter().filter(newest).count(), 1, "{:?}", hub.asked());
}

#[test]
fn what_is_there_needs_no_network() {
    let (hub, cache) = (StandIn::with_model(BGE), tempfile::tempdir().unwrap());
    let first = ensure(&hub.hub(), cache.path()).unwrap();
    let gone = hub.hub();
    drop(hub);
    assert_eq!(ensure(&gone, cache.path()).unwrap(), first);
}

#[test]
fn of_several_at_once_one_fetches() {
    let (hub, cache) = (StandIn::with_model(BGE), tempfile::tempdir().unwrap());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| ensure(&hub.hub(), cache.path()).unwrap());
        }
    });
    let newest = |path: &&String| path.contains("/resolve/main/");
    assert_eq!(hub.asked().iter().filter(newest).count(), 1);
}

#[test]
fn a_damaged_file_is_noticed_and_a_deleted_one_fetched_again() {
    let (hub, cache) = (StandIn::with_model(BGE), tempfile::tempdir().unwrap());
    let folder = ensure(&hub.hub(), cache.path()).unwrap();
    let weights = folder.join("model.onnx");
    fs::write(&weights, b"weighty").unwrap();

    let error = ensure(&hub.hub(), cache.path()).unwrap_err();
    assert!(matches!(error, SetupError::WrongHash { .. }), "{error}");
    assert!(error.to_string().contains("model.onnx is damaged"), "{error}");

    // As the sentence says.
    fs::remove_file(&weights).unwrap();
    ensure(&hub.hub(), cache.path()).unwrap();
    assert_eq!(fs::read(&weights).unwrap(), b"weights");
}

#[test]
fn a_manifest_may_be_edited() {
    let (hub, cache) = (StandIn::with_model(BGE), tempfile::tempdir().unwrap());
    let folder = ensure(&hub.hub(), cache.path()).unwrap();
    let edited = Manifest { max_tokens: 512, ..Manifest::read(&folder).unwrap() };
    fs::write(folder.join("copydesk.toml"), toml::to_string(&edited).unwrap()).unwrap();
    ensure(&hub.hub(), cache.path()).unwrap();
    assert_eq!(Manifest::read(&folder).unwrap(), edited);
}

#[test]
fn weights_that_do_not_arrive_as_the_hub_has_them_are_refused() {
    let (hub, cache) = (StandIn::start(BGE, Fault::WrongHash), tempfile::tempdir().unwrap());
    let said = ensure(&hub.hub(), cache.path()).unwrap_err().to_string();
    assert!(said.contains("onnx/model.onnx arrived damaged"), "{said}");
    assert_eq!(names(&cache.path().join("models")), [".Xenova--bge-small-en-v1.5.lock"]);
}

#[test]
fn a_download_that_breaks_off_is_taken_up_again() {
    let (hub, cache) = (StandIn::start(BGE, Fault::BreaksOff), tempfile::tempdir().unwrap());
    let folder = ensure(&hub.hub(), cache.path()).unwrap();
    assert_eq!(fs::read(folder.join("model.onnx")).unwrap(), b"weights");
    assert_eq!(fs::read(folder.join("tokenizer.json")).unwrap(), br#"{"model": {}}"#);
}

#[test]
fn a_file_that_the_hub_does_not_have_is_named() {
    let (hub, cache) = (StandIn::with_model(BGE), tempfile::tempdir().unwrap());
    hub.drop_file(BGE, "onnx/model.onnx");
    let error = ensure(&hub.hub(), cache.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "http://{} does not give out onnx/model.onnx of {BGE} (HTTP status 404); check \
             HF_ENDPOINT and HF_TOKEN, or give a folder with --model",
            hub.address
        )
    );
    // Nothing large was downloaded before that was noticed.
    assert!(hub.asked().iter().all(|path| !path.starts_with("/elsewhere/")));
}

#[test]
fn a_model_may_do_without_its_special_tokens() {
    let (hub, cache) = (StandIn::with_model(BGE), tempfile::tempdir().unwrap());
    hub.drop_file(BGE, "special_tokens_map.json");
    let folder = ensure(&hub.hub(), cache.path()).unwrap();
    assert!(!folder.join("special_tokens_map.json").exists());
    assert_eq!(ensure(&hub.hub(), cache.path()).unwrap(), folder);
}

#[test]
fn a_hub_that_cannot_be_reached_is_named_at_once() {
    let cache = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let started = Instant::now();
    let error = ensure(&Hub::new(&format!("http://{free}"), None), cache.path()).unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    let said = error.to_string();
    assert!(said.starts_with(&format!("cannot fetch {BGE} from http://{free} (")), "{said}");
    assert!(said.contains("HF_ENDPOINT") && said.contains("--model"), "{said}");
    assert!(!said.contains('\n'), "{said}");
}

#[test]
fn a_hub_that_says_nothing_is_not_waited_for_for_ever() {
    let cache = tempfile::tempdir().unwrap();
    // Connections are taken, by the operating system, and never answered.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let hub = Hub::new(&format!("http://{}", silent.local_addr().unwrap()), None);
    let hub = Hub { patience: Duration::from_millis(200), ..hub };
    let said = ensure(&hub, cache.path()).unwrap_err().to_string();
    assert!(said.contains("no word from it in 0.2 s"), "{said}");
}

#[test]
fn an_endpoint_that_is_no_address_is_an_error() {
    let cache = tempfile::tempdir().unwrap();
    let said = ensure(&Hub::new("not an address", None), cache.path()).unwrap_err().to_string();
    assert!(said.contains("cannot fetch") && said.contains("not an address"), "{said}");
}
