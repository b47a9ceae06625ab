//! A disk that fails, does not keep what it was told to, or is full: whatever happens, what was
//! acknowledged is there when the store is opened again, and nothing else is half there.
//!
//! `disk/disk.c` is that disk, between the real program and its files. `COPYDESK_FAULTS` says
//! how often, `COPYDESK_SEED` repeats the choices of a run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use common::ledger::{Ledger, check, work};
use common::operators::{ask, free_address, value_of};
use common::{Desk, LEAD, OTHER, THIRD, document, ingest, program};
use copydesk::proto::v1 as pb;
use fastrand::Rng;
use tempfile::TempDir;
use tonic::transport::Endpoint;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

/// Small segments, so that a few documents are enough to freeze and merge.
const OPTIONS: [&str; 2] = ["--segment-rows", "64"];

/// What every client does at most in a round.
const WORK: usize = 30;

/// A folder on a disk that fails.
struct Disk {
    folder: TempDir,
    shim: PathBuf,
}

impl Disk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shim = folder.path().join("disk.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/disk/disk.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread", "-o"]);
        assert!(compiler.arg(&shim).arg(source).status().unwrap().success());
        for name in ["data", "stash"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder, shim }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// The program on this disk, which fails in that way.
    fn program(&self, fault: &str, seed: u64) -> Command {
        let mut program = program();
        program
            .env("LD_PRELOAD", &self.shim)
            .env("DISK_FOLDER", self.data())
            .env("DISK_STASH", self.path("stash"))
            .env("DISK_REPORT", self.path("report"))
            .env("DISK_SEED", seed.to_string())
            .env("DISK_FAULT", fault);
        program
    }

    /// What came to pass since this was last asked.
    fn faults(&self) -> String {
        let report = self.path("report");
        let faults = fs::read_to_string(&report).unwrap_or_default();
        let _ = fs::remove_file(report);
        faults
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

async fn health(desk: &Desk) -> ServingStatus {
    let channel = Endpoint::from_shared(format!("http://{}", desk.address)).unwrap();
    let mut health = HealthClient::new(channel.connect().await.unwrap());
    health.check(HealthCheckRequest::default()).await.unwrap().into_inner().status()
}

async fn until_not_serving(desk: &Desk) {
    let started = Instant::now();
    while health(desk).await == ServingStatus::Serving {
        assert!(started.elapsed() < Duration::from_secs(30), "health does not tell");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Takes documents in until one is refused, at most so many. Returns the refusal, and what was
/// taken.
async fn fill(desk: &mut Desk, most: usize) -> (Option<Status>, Vec<String>) {
    let mut taken = Vec::new();
    for number in 0..most {
        let id = format!("d{number}");
        let text = format!("Report {number} of {most}. {OTHER}");
        match desk.ingest(ingest(document(&id, &[&text]))).await {
            Ok(_) => taken.push(id),
            Err(refused) => return (Some(refused), taken),
        }
    }
    (None, taken)
}

async fn assert_holds(desk: &mut Desk, ids: &[String]) {
    for id in ids {
        let found = desk.get(id, pb::VerdictView::Unspecified).await;
        assert!(found.is_ok(), "{id} was acknowledged and is not there");
    }
}

#[tokio::test]
async fn after_a_failed_sync_nothing_is_acknowledged_until_the_server_is_started_again() {
    let disk = Disk::new();
    // It fails once: what comes after would seem to work.
    let program = disk.program("sync:-wal:12:1:eio", 1);
    let admin = free_address();
    let options = [&OPTIONS[..], &["--admin", &admin]].concat();
    let mut desk = Desk::run(program, &disk.data(), &options).await;
    let failed = || value_of(&ask(&admin, "/metrics").1, "copydesk_disk_failed");
    assert_eq!((ask(&admin, "/readyz").0, failed()), (200, Some(0.0)));
    let (refused, taken) = fill(&mut desk, 100).await;
    let refused = refused.unwrap();
    assert_eq!(disk.faults(), "eio sync corpus.sqlite-wal\n");
    assert_eq!((refused.code(), reason(&refused)), (Code::Unavailable, "DISK_FAILED".to_owned()));

    // Nor anything else that would have to be stored; and health says so.
    until_not_serving(&desk).await;
    assert_eq!(ask(&admin, "/readyz"), (503, "the disk failed".to_owned()));
    assert_eq!((ask(&admin, "/livez").0, failed()), (200, Some(1.0)));
    for refused in [
        desk.ingest(ingest(document("other", &[LEAD]))).await.unwrap_err(),
        desk.delete(&taken[0]).await.unwrap_err(),
    ] {
        assert_eq!(reason(&refused), "DISK_FAILED", "{refused}");
    }
    // Questions are answered from what was acknowledged.
    assert_holds(&mut desk, &taken).await;
    let missing = format!("d{}", taken.len());
    let status = desk.get(&missing, pb::VerdictView::Unspecified).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);

    // An end in good order is none that a disk like this can be trusted with.
    desk.signal("-USR1");
    desk.wait().await;
    let mut desk = Desk::with(&disk.data(), &OPTIONS).await;
    assert_holds(&mut desk, &taken).await;
    desk.put("other", &[LEAD]).await;
    assert_eq!(health(&desk).await, ServingStatus::Serving);
}

/// Where the log was brought into the file but the disk did not keep that, the log must not
/// go: neither with the next commits nor with an end in good order.
#[tokio::test]
async fn what_a_checkpoint_did_not_get_to_the_disk_is_still_in_the_log() {
    for seed in 0..4 {
        let disk = Disk::new();
        let mut program = disk.program("sync:.sqlite:3:1:eio", seed);
        program.env("DISK_CUT_AT_END", "1");
        let mut desk = Desk::run(program, &disk.data(), &OPTIONS).await;
        let (refused, taken) = fill(&mut desk, 400).await;
        assert_eq!(reason(&refused.unwrap()), "DISK_FAILED");
        assert_eq!(disk.faults(), "eio sync corpus.sqlite\n");
        desk.terminate();
        desk.wait().await;
        let mut desk = Desk::with(&disk.data(), &OPTIONS).await;
        assert_holds(&mut desk, &taken).await;
    }
}

#[tokio::test]
async fn questions_do_not_wait_for_a_slow_disk() {
    let disk = Disk::new();
    let mut desk = Desk::with(&disk.data(), &OPTIONS).await;
    desk.put("known", &[LEAD]).await;
    desk.kill();
    let program = disk.program("sync:-wal:4:1000000:slow:3000", 1);
    let mut desk = Desk::run(program, &disk.data(), &OPTIONS).await;
    let mut client = desk.client.clone();
    let ingesting = tokio::spawn(async move {
        loop {
            let id = format!("d{}", fastrand::u64(..));
            client.corpus.ingest_document(ingest(document(&id, &[OTHER]))).await.unwrap();
        }
    });
    while disk.faults().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // As many as would take half an hour if each had to wait for a commit.
    for _ in 0..600 {
        assert_eq!(desk.copies_of(LEAD).await, ["known#0"]);
    }
    assert!(!ingesting.is_finished());
    ingesting.abort();
}

#[tokio::test]
async fn what_comes_in_while_the_clock_is_wrong_is_found_in_its_order() {
    const TEN_YEARS: i64 = 10 * 365 * 86_400;
    let disk = Disk::new();
    for (id, text, ahead) in [("a", LEAD, 0), ("b", OTHER, -TEN_YEARS), ("c", THIRD, TEN_YEARS)] {
        let mut program = disk.program("", 1);
        program.env("DISK_CLOCK", ahead.to_string());
        let mut desk = Desk::run(program, &disk.data(), &OPTIONS).await;
        let ingested = desk.put(id, &[text]).await;
        assert_eq!(ingested.outcome(), pb::IngestOutcome::Created);
        let document = desk.get(id, pb::VerdictView::Unspecified).await.unwrap();
        let year = document.document.unwrap().ingested_at.unwrap().seconds / 31_556_952 + 1_970;
        assert_eq!(year < 2_020, ahead < 0, "the clock says {year}");
        desk.signal("-USR1");
        desk.wait().await;
    }
    let mut desk = Desk::with(&disk.data(), &OPTIONS).await;
    for (id, text) in [("a", LEAD), ("b", OTHER), ("c", THIRD)] {
        assert_eq!(desk.copies_of(text).await, [format!("{id}#0")]);
    }
    let request = pb::ListDocumentsRequest::default();
    let listed = desk.client.corpus.list_documents(request).await.unwrap().into_inner().documents;
    let listed: Vec<&str> = listed.iter().map(|document| document.document_id.as_str()).collect();
    assert_eq!(listed, ["c", "b", "a"]);
}

/// A fault at a random place.
fn any_fault(rng: &mut Rng) -> String {
    let file = ["-wal", ".sqlite", ".segment", "manifest", "corpus.sqlite", ""];
    let file = rng.choice(file).unwrap();
    let whats = ["eio", "eio", "enospc", "short", "power", "power", "kill"];
    let call = rng.choice(["write", "write", "sync", "sync", "cut", "name", "any"]).unwrap();
    let what = rng.choice(whats).unwrap();
    let times = rng.choice([1, 1, 2, 10, 1_000]).unwrap();
    // Calls that are rare must fail early to fail at all.
    let nth = match (call, file) {
        ("write", "-wal" | "corpus.sqlite" | "") => rng.u32(1..300),
        ("sync", "-wal" | "corpus.sqlite" | "") | ("any", _) => rng.u32(1..60),
        ("write", _) => rng.u32(1..20),
        _ => rng.u32(1..5),
    };
    format!("{call}:{file}:{nth}:{times}:{what}")
}

/// How a round ends for a server that its disk has not ended.
async fn end(mut desk: Desk, rng: &mut Rng) {
    match rng.u8(0..4) {
        0 => desk.kill(),
        1 => {
            desk.terminate();
            desk.wait().await;
        }
        _ => {
            // It may be gone already.
            desk.signal("-USR1");
            desk.wait().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_whatever_the_disk_does() {
    let seed = setting("COPYDESK_SEED").unwrap_or_else(|| fastrand::u64(..));
    let rounds = setting("COPYDESK_FAULTS").unwrap_or(24);
    println!("COPYDESK_SEED={seed} COPYDESK_FAULTS={rounds}");
    let mut rng = Rng::with_seed(seed);
    let disk = Disk::new();
    let mut ledgers = ['a', 'b', 'c'].map(|name| Ledger::new(name, seed));
    let mut came_to_pass = 0;
    for round in 0..rounds {
        let fault = any_fault(&mut rng);
        println!("{round}: {fault}");
        let program = disk.program(&fault, rng.u64(..));
        if let Some(desk) = Desk::try_run(program, &disk.data(), &OPTIONS).await {
            work(&mut ledgers, &desk.client, WORK).await;
            end(desk, &mut rng).await;
        }
        let faults = disk.faults();
        came_to_pass += usize::from(!faults.is_empty());
        // On a disk that works.
        let mut desk = Desk::with(&disk.data(), &OPTIONS).await;
        check(&mut ledgers, &mut desk, round % 10 == 9 || round + 1 == rounds).await;
        desk.kill();
    }
    println!("{came_to_pass} of {rounds} faults came to pass");
    assert!(came_to_pass * 4 > rounds as usize);
}
