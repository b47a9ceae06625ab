//! A server that is killed at any instant opens again with all that it acknowledged.
//!
//! `COPYDESK_KILLS` says how often, `COPYDESK_SEED` repeats the choices of a run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use common::{Desk, document, ingest, program};
use copydesk::client::Client;
use copydesk::proto::v1 as pb;
use fastrand::Rng;

/// Small segments, so that a few documents are enough to freeze and merge; and old
/// documents, so that retention has something to do.
const OPTIONS: [&str; 4] = ["--segment-rows", "64", "--retention", "400d"];

/// What the server said yes to.
#[derive(Default)]
struct Acknowledged {
    documents: BTreeMap<String, String>,
    deleted: BTreeSet<String>,
    /// Asked for, but not answered: they may be there or not.
    unknown: BTreeSet<String>,
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

fn text(number: u64) -> String {
    format!(
        "In town {} the council voted {} to {} on motion {number} about the {} of {}.",
        number * 7_919 % 1_000_003,
        number % 31,
        number % 17,
        ["harbour", "school", "railway", "market", "museum"][number as usize % 5],
        ["Monday", "June", "the north", "last year", "both rivers"][number as usize / 5 % 5],
    )
}

/// Work of a random kind until the server is gone.
async fn work(mut client: Client, rng: &mut Rng, next: &mut u64, known: &mut Acknowledged) {
    let mut compacting = client.clone();
    if rng.u8(0..3) == 0 {
        tokio::spawn(
            async move { compacting.admin.compact_index(pb::CompactIndexRequest {}).await },
        );
    }
    loop {
        if rng.u8(0..5) == 0 && !known.documents.is_empty() {
            let ids: Vec<String> = known.documents.keys().cloned().collect();
            let id = ids[rng.usize(0..ids.len())].clone();
            known.documents.remove(&id);
            known.unknown.insert(id.clone());
            let request = pb::DeleteDocumentRequest { document_id: id.clone() };
            match client.corpus.delete_document(request).await {
                Ok(_) => known.unknown.remove(&id) && known.deleted.insert(id),
                Err(_) => return,
            };
            continue;
        }
        *next += 1;
        let id = format!("d{next}");
        let text = text(*next);
        known.unknown.insert(id.clone());
        match client.corpus.ingest_document(ingest(document(&id, &[&text]))).await {
            Ok(_) => {
                known.unknown.remove(&id);
                known.documents.insert(id, text);
            }
            Err(_) => return,
        }
    }
}

/// Kills a server that is just starting.
async fn kill_at_start(folder: &Path, after: Duration) {
    let mut child = program()
        .args(["serve", "--listen", "127.0.0.1:0", "--workers", "1", "--data"])
        .arg(folder)
        .args(OPTIONS)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    tokio::time::sleep(after).await;
    child.kill().unwrap();
    child.wait().unwrap();
}

async fn check(desk: &mut Desk, known: &Acknowledged, sample: usize, rng: &mut Rng) {
    let mut documents: Vec<(&String, &String)> = known.documents.iter().collect();
    rng.shuffle(&mut documents);
    for (id, text) in documents.into_iter().take(sample) {
        let copies = desk.copies_of(text).await;
        assert!(copies.contains(&format!("{id}#0")), "{id} was acknowledged, and is not found");
    }
    for id in &known.deleted {
        assert!(desk.get(id, pb::VerdictView::Unspecified).await.is_err(), "{id} was deleted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_kills_at_any_instant() {
    let seed = setting("COPYDESK_SEED").unwrap_or_else(|| fastrand::u64(..));
    let kills = setting("COPYDESK_KILLS").unwrap_or(10);
    println!("COPYDESK_SEED={seed} COPYDESK_KILLS={kills}");
    let mut rng = Rng::with_seed(seed);
    let folder = tempfile::tempdir().unwrap();
    let (mut known, mut next) = (Acknowledged::default(), 0);
    let mut done = 0;
    while done < kills {
        while rng.bool() && done < kills {
            kill_at_start(folder.path(), Duration::from_millis(rng.u64(0..700))).await;
            done += 1;
        }
        let mut desk = Desk::with(folder.path(), &OPTIONS).await;
        check(&mut desk, &known, 20, &mut rng).await;
        let client = desk.client.clone();
        let until = Duration::from_millis(rng.u64(20..1_200));
        let killing = tokio::spawn(async move {
            tokio::time::sleep(until).await;
            desk.kill();
        });
        work(client, &mut rng, &mut next, &mut known).await;
        killing.await.unwrap();
        done += 1;
    }
    let mut desk = Desk::with(folder.path(), &OPTIONS).await;
    check(&mut desk, &known, usize::MAX, &mut rng).await;
    let info = desk.info().await.corpus.unwrap();
    println!("{} documents, {} deleted, {info:?}", known.documents.len(), known.deleted.len());
    assert_eq!(info.index_coverage, 1.0);
    let expected = known.documents.len() as i64;
    let unknown = known.unknown.len() as i64;
    assert!((expected..=expected + unknown).contains(&info.document_count));
}
