//! Corpora of every released format open, with all that is in them. Those of a newer one are
//! refused.
//!
//! `tests/data/format_6.zip` is a data folder as the program left it. Formats before that were
//! never released; they are made of it, by the steps of the schema.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use common::{Desk, LEAD, OTHER, SECOND, THIRD, program};
use copydesk::proto::v1 as pb;
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

/// The steps that lead from each format to the next.
const STEPS: [&str; 6] = [
    include_str!("../src/store/schema_1.sql"),
    include_str!("../src/store/schema_2.sql"),
    include_str!("../src/store/schema_3.sql"),
    include_str!("../src/store/schema_4.sql"),
    include_str!("../src/store/schema_5.sql"),
    include_str!("../src/store/schema_6.sql"),
];

/// Passages of documents in the fixture.
const PASSAGES: [(&str, &[&str]); 3] =
    [("a", &[LEAD, SECOND]), ("copy", &[LEAD, SECOND]), ("other", &[OTHER, THIRD])];

/// The data folder of the fixture.
fn fixture() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/format_6.zip");
    let mut archive = zip::ZipArchive::new(File::open(file).unwrap()).unwrap();
    archive.extract(folder.path()).unwrap();
    folder
}

fn check(folder: &Path) -> Value {
    let output = program().args(["--json", "check", "--data"]).arg(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// All that was put into the fixture is there.
async fn expect_all(folder: &Path) {
    let mut desk = Desk::over(folder).await;
    for (id, paragraphs) in PASSAGES {
        let shown = desk.get(id, pb::VerdictView::Passages).await.unwrap();
        let texts: Vec<&str> = shown.passages.iter().map(|passage| passage.text.as_str()).collect();
        assert_eq!(texts, paragraphs);
    }
    assert_eq!(desk.copies_of(LEAD).await, ["a#0", "copy#0"]);
    assert!(desk.related_to("talks on catch quotas").await.contains(&"other#0".to_owned()));
    let copy = desk.get("copy", pb::VerdictView::Unspecified).await.unwrap();
    let (document, verdict) = (copy.document.unwrap(), copy.verdict.unwrap());
    assert_eq!(document.canonical_document_id, "a");
    assert!(!document.story_id.is_empty());
    assert_eq!(verdict.verdict(), pb::Verdict::ExactDuplicate);
    // And it takes more in.
    let again = desk.put("again", &[LEAD, SECOND]).await;
    assert_eq!(common::verdict_of(&again), pb::Verdict::ExactDuplicate);
    assert_eq!(desk.info().await.corpus.unwrap().index_coverage, 1.0);
}

#[tokio::test]
async fn a_folder_of_the_present_format_is_opened_as_it_is() {
    let folder = fixture();
    let said = check(folder.path());
    assert_eq!((said["documents"].as_i64(), said["segments"].as_i64()), (Some(3), Some(1)));
    let made_anew = said["made_anew"].to_string();
    assert!(!made_anew.contains("segment") && !made_anew.contains("format 6"), "{made_anew}");
    let segment = |folder: &Path| -> PathBuf {
        let files = fs::read_dir(folder.join("index/1")).unwrap();
        let mut files = files.map(|file| file.unwrap().path());
        files.find(|file| file.extension().is_some()).unwrap()
    };
    let before = fs::read(segment(folder.path())).unwrap();
    expect_all(folder.path()).await;
    assert!(fs::read(segment(folder.path())).unwrap() == before, "the segment was made anew");
}

#[tokio::test]
async fn folders_of_all_formats_before_are_taken_over() {
    for format in 1..STEPS.len() {
        let folder = former(format);
        let said = check(folder.path());
        let expected = format!("from format {format} to format {}", STEPS.len());
        assert!(said["made_anew"].to_string().contains(&expected), "{said}");
        expect_all(folder.path()).await;
        let said = check(folder.path());
        assert!(!said["made_anew"].to_string().contains("from format"), "{said}");
    }
}

/// The rows of the fixture in a store of a former format.
fn former(format: usize) -> TempDir {
    let (present, folder) = (fixture(), tempfile::tempdir().unwrap());
    let store = Connection::open(folder.path().join("corpus.sqlite")).unwrap();
    store.pragma_update(None, "auto_vacuum", "INCREMENTAL").unwrap();
    store.pragma_update(None, "journal_mode", "WAL").unwrap();
    store.pragma_update(None, "foreign_keys", false).unwrap();
    STEPS[..format].iter().for_each(|step| store.execute_batch(step).unwrap());
    let present = present.path().join("corpus.sqlite");
    store.execute("ATTACH ? AS present", [present.to_str().unwrap()]).unwrap();
    let all = |sql: &str| -> Vec<String> {
        let mut statement = store.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let tables =
        all("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name <> 'counters'");
    for table in tables {
        let columns =
            all(&format!("SELECT name FROM pragma_table_info('{table}', 'main')")).join(", ");
        let copy = format!(
            "DELETE FROM main.{table}; \
             INSERT INTO main.{table} ({columns}) SELECT {columns} FROM present.{table}"
        );
        store.execute_batch(&copy).unwrap();
    }
    // Each format has counters of its own.
    store
        .execute_batch(
            "UPDATE main.counters SET value = (SELECT value FROM present.counters p \
             WHERE p.name = counters.name)",
        )
        .unwrap();
    if format == 1 {
        let name = "UPDATE main.models SET model_id = replace(model_id, '/f32', '')";
        store.execute_batch(name).unwrap();
    }
    store.execute_batch("DETACH present").unwrap();
    store.pragma_update(None, "application_id", 0x4344_534B).unwrap();
    store.pragma_update(None, "user_version", format as i64).unwrap();
    folder
}

#[tokio::test]
async fn a_newer_store_is_refused_and_newer_derived_files_are_made_anew() {
    let folder = fixture();
    let store = Connection::open(folder.path().join("corpus.sqlite")).unwrap();
    store.pragma_update(None, "user_version", 7).unwrap();
    drop(store);
    let output = program()
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), b"".as_slice()));
    let expected = "has format 7, this copydesk knows formats up to 6; use a newer copydesk";
    assert!(said.trim().ends_with(expected) && said.trim().lines().count() == 1, "{said}");

    let folder = fixture();
    for file in
        fs::read_dir(folder.path().join("index/1")).unwrap().map(|file| file.unwrap().path())
    {
        let mut bytes = fs::read(&file).unwrap();
        match file.extension() {
            // The version of the head, and the checksum of what is before its last four bytes.
            Some(_) => {
                bytes[8] = 2;
                let checksum = crc32fast::hash(&bytes[..4_092]);
                bytes[4_092..4_096].copy_from_slice(&checksum.to_le_bytes());
            }
            None => continue,
        }
        fs::write(file, bytes).unwrap();
    }
    let made_anew = check(folder.path())["made_anew"].to_string();
    assert!(
        made_anew.contains("it has format 2, which this copydesk does not know"),
        "{made_anew}"
    );
    expect_all(folder.path()).await;
}
