//! A server that is killed at any instant opens again with all that it acknowledged.
//!
//! `COPYDESK_KILLS` says how often, `COPYDESK_SEED` repeats the choices of a run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use common::ledger::{Ledger, check, work};
use common::{Desk, program};
use copydesk::proto::v1 as pb;
use fastrand::Rng;

/// Small segments, so that a few documents are enough to freeze and merge; and old
/// documents, so that retention has something to do.
const OPTIONS: [&str; 4] = ["--segment-rows", "64", "--retention", "400d"];

/// Clients that work at once.
const CLIENTS: [char; 3] = ['a', 'b', 'c'];

/// Kills after which a new corpus is begun: checking should not outgrow killing.
const KILLS_PER_CORPUS: u64 = 100;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
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

/// Kills servers over one corpus so often.
async fn kill_often(kills: u64, rng: &mut Rng) {
    let folder = tempfile::tempdir().unwrap();
    let seed = rng.u64(..);
    let mut ledgers = CLIENTS.map(|name| Ledger::new(name, seed));
    let mut done = 0;
    while done < kills {
        while rng.bool() && done < kills {
            kill_at_start(folder.path(), Duration::from_millis(rng.u64(0..700))).await;
            done += 1;
        }
        let mut desk = Desk::with(folder.path(), &OPTIONS).await;
        check(&mut ledgers, &mut desk, false).await;
        let client = desk.client.clone();
        if rng.u8(0..3) == 0 {
            let mut admin = client.admin.clone();
            tokio::spawn(async move { admin.compact_index(pb::CompactIndexRequest {}).await });
        }
        let until = Duration::from_millis(rng.u64(20..1_200));
        let killing = tokio::spawn(async move {
            tokio::time::sleep(until).await;
            desk.kill();
        });
        work(&mut ledgers, &client, usize::MAX).await;
        killing.await.unwrap();
        done += 1;
    }
    let mut desk = Desk::with(folder.path(), &OPTIONS).await;
    check(&mut ledgers, &mut desk, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_kills_at_any_instant() {
    let seed = setting("COPYDESK_SEED").unwrap_or_else(|| fastrand::u64(..));
    let kills = setting("COPYDESK_KILLS").unwrap_or(24);
    println!("COPYDESK_SEED={seed} COPYDESK_KILLS={kills}");
    let mut rng = Rng::with_seed(seed);
    let mut left = kills;
    while left > 0 {
        let some = left.min(KILLS_PER_CORPUS);
        kill_often(some, &mut rng).await;
        left -= some;
        println!("{} kills, nothing lost", kills - left);
    }
}
