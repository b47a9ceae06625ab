//! `copydesk check`: what is damaged is told, and whether it is lost or only made anew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{Desk, LEAD, OTHER, program};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

/// Small segments, so that a few documents make one.
const OPTIONS: [&str; 2] = ["--segment-rows", "64"];
const DOCUMENTS: usize = 30;
const PARAGRAPHS: usize = 3;

fn text(number: usize) -> String {
    format!(
        "Report {number}: the council of town {} voted {} to {} on its {}.",
        number * 7_919 % 10_007,
        number % 31,
        number % 17,
        ["harbour", "school", "railway", "market", "museum"][number % 5],
    )
}

/// A way to do damage, and what is said of it.
type Way<'a> = (&'a dyn Fn(&Path), &'a str);

/// A corpus with a frozen segment, that nobody has open.
async fn corpus() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::with(folder.path(), &OPTIONS).await;
    desk.put("lead", &[LEAD, OTHER]).await;
    for document in 0..DOCUMENTS {
        let texts: Vec<String> =
            (0..PARAGRAPHS).map(|part| text(PARAGRAPHS * document + part)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        desk.put(&format!("d{document}"), &texts).await;
    }
    while !index(folder.path()).join("manifest").exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    desk.terminate();
    assert!(desk.wait().await.success());
    folder
}

fn index(folder: &Path) -> PathBuf {
    folder.join("index/1")
}

/// What is said of a folder, and the exit code.
fn check(folder: &Path) -> (Value, Option<i32>) {
    let output = program().args(["--json", "check", "--data"]).arg(folder).output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&output.stderr).into_owned()));
    (said, output.status.code())
}

fn copy_of(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_into(folder, copy.path());
    copy
}

fn copy_into(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy_into(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Every file and its bytes.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match entry.is_dir() {
            true => files.extend(self::files(&entry)),
            false => files.push((entry.clone(), fs::read(&entry).unwrap())),
        }
    }
    files.sort();
    files
}

fn sql(folder: &Path, statements: &str) {
    let connection = Connection::open(folder.join("corpus.sqlite")).unwrap();
    connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    connection.execute_batch(statements).unwrap();
}

/// Changes bytes of a file, wherever they stand in it.
fn replace(file: &Path, old: &[u8], new: &[u8]) {
    let mut bytes = fs::read(file).unwrap();
    let places: Vec<usize> =
        (0..bytes.len() - old.len()).filter(|&at| bytes[at..].starts_with(old)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + new.len()].copy_from_slice(new);
    }
    fs::write(file, bytes).unwrap();
}

#[tokio::test]
async fn a_sound_folder_is_whole_and_stays_as_it_is() {
    let folder = corpus().await;
    // Whoever reads the store leaves an empty log beside it.
    let is_kept = |path: &Path, bytes: &[u8]| {
        let path = path.to_string_lossy();
        !path.contains("sqlite-") || path.ends_with("-wal") && !bytes.is_empty()
    };
    let kept = || {
        let mut files = files(folder.path());
        files.retain(|(path, bytes)| is_kept(path, bytes));
        files
    };
    let before = kept();
    let (said, code) = check(folder.path());
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said["documents"], DOCUMENTS as i64 + 1);
    assert_eq!(said["texts"], (DOCUMENTS * PARAGRAPHS + 2) as i64);
    assert_eq!(said["segments"], 1);
    assert_eq!(said["lost"].as_array().unwrap().len(), 0, "{said}");
    assert!(before == kept());
}

#[tokio::test]
async fn what_a_kill_left_in_the_log_counts() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::over(folder.path()).await;
    desk.put("a", &[LEAD, OTHER]).await;
    let (said, code) = check(folder.path());
    assert_eq!(code, Some(1));
    assert!(said.as_str().unwrap().contains("in use"), "{said}");
    desk.kill();
    let (said, code) = check(folder.path());
    assert_eq!(
        (code, said["documents"].as_i64(), said["texts"].as_i64()),
        (Some(0), Some(1), Some(2))
    );
    assert_eq!(Desk::over(folder.path()).await.copies_of(LEAD).await, ["a#0"]);
}

#[tokio::test]
async fn damage_to_the_store_is_lost_and_named() {
    let sound = corpus().await;
    type Damage = fn(&Path);
    let ways: [(Damage, &str); 9] = [
        (
            |folder| replace(&folder.join("corpus.sqlite"), b"raised its key", b"halved its key"),
            "1 documents do not hold what came in: lead",
        ),
        (|folder| sql(folder, "DELETE FROM paragraphs WHERE doc = 3"), "d1"),
        (
            |folder| sql(folder, "DELETE FROM contents WHERE content = 5"),
            "rows of passages name rows of contents",
        ),
        (
            |folder| {
                sql(folder, "DELETE FROM stories WHERE story = (SELECT min(story) FROM documents)")
            },
            "stories",
        ),
        (|folder| sql(folder, "DELETE FROM verdicts WHERE doc = 2"), "none of the verdicts"),
        (|folder| sql(folder, "DELETE FROM vectors WHERE content < 4"), "3 texts have no vectors"),
        (
            |folder| sql(folder, "UPDATE vectors SET vector = x'00' WHERE content = 9"),
            "vectors cannot be read",
        ),
        (
            |folder| {
                let file = folder.join("corpus.sqlite");
                let mut bytes = fs::read(&file).unwrap();
                let pages = bytes.len() / 4_096;
                for page in (2..pages).step_by(3) {
                    bytes[page * 4_096..page * 4_096 + 64].fill(0xA5);
                }
                fs::write(file, bytes).unwrap();
            },
            "",
        ),
        (
            |folder| {
                let file = fs::File::options().write(true).open(folder.join("corpus.sqlite"));
                let file = file.unwrap();
                file.set_len(file.metadata().unwrap().len() / 2 / 4_096 * 4_096).unwrap();
            },
            "",
        ),
    ];
    for (damage, expected) in ways {
        let folder = copy_of(sound.path());
        damage(folder.path());
        let (said, code) = check(folder.path());
        assert_eq!(code, Some(1), "{expected}: {said}");
        assert!(said["lost"].to_string().contains(expected), "{expected}: {said}");
    }
    for (statement, expected) in [
        ("PRAGMA user_version = 99", "use a newer copydesk"),
        ("PRAGMA application_id = 7", "is not a copydesk corpus"),
    ] {
        let folder = copy_of(sound.path());
        sql(folder.path(), statement);
        let (said, code) = check(folder.path());
        assert_eq!(code, Some(1));
        assert!(said.as_str().unwrap().contains(expected), "{said}");
    }
    let nothing = tempfile::tempdir().unwrap();
    assert_eq!(check(nothing.path()).1, Some(1));
    assert_eq!(fs::read_dir(nothing.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn damage_to_what_is_derived_is_made_anew() {
    let sound = corpus().await;
    let segment = |folder: &Path| {
        let files = files(&index(folder)).into_iter().map(|(path, _)| path);
        files.into_iter().find(|path| path.extension().is_some()).unwrap()
    };
    let changed = |file: &Path| {
        let mut bytes = fs::read(file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        fs::write(file, bytes).unwrap();
    };
    let ways: [Way<'_>; 4] = [
        (&|folder| changed(&segment(folder)), ".segment is of no use"),
        (&|folder| changed(&index(folder).join("manifest")), "manifest of the index is of no use"),
        (&|folder| fs::remove_dir_all(index(folder)).unwrap(), "92 texts are in no segment"),
        (
            &|folder| sql(folder, "DELETE FROM fingerprints WHERE doc < 3"),
            "2 documents have no fingerprints",
        ),
    ];
    for (damage, expected) in ways {
        let folder = copy_of(sound.path());
        damage(folder.path());
        let (said, code) = check(folder.path());
        assert_eq!((code, said["lost"].as_array().unwrap().len()), (Some(0), 0), "{said}");
        assert!(said["made_anew"].to_string().contains(expected), "{expected}: {said}");
        // And so it is.
        let mut desk = Desk::with(folder.path(), &OPTIONS).await;
        assert_eq!(desk.copies_of(LEAD).await, ["lead#0"]);
        assert_eq!(desk.info().await.corpus.unwrap().index_coverage, 1.0);
    }
}

#[tokio::test]
async fn lost_vectors_come_back_with_the_model_of_the_corpus() {
    let folder = corpus().await;
    sql(folder.path(), "DELETE FROM vectors WHERE content < 4");
    assert_eq!(check(folder.path()).1, Some(1));
    let output = program().args(["reembed", "--data"]).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (said, code) = check(folder.path());
    assert_eq!(code, Some(0), "{said}");
}
