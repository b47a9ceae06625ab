//! Snapshots of a corpus that is in use, and what comes of them when they are restored.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::fs;
use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Desk, LEAD, OTHER, SECOND, THIRD, document, ingest, program, violations};
use copydesk::client::Client;
use copydesk::proto::v1 as pb;
use tonic::{Code, Status};

const CLIENTS: usize = 4;
const PARAGRAPHS: usize = 3;

async fn snapshot(desk: &mut Desk, name: &str) -> Result<pb::CreateSnapshotResponse, Status> {
    let request = pb::CreateSnapshotRequest { snapshot_name: name.to_owned() };
    Ok(desk.client.admin.create_snapshot(request).await?.into_inner())
}

fn restore(snapshot: &Path, data: &Path) -> Output {
    program().arg("restore").arg(snapshot).arg("--data").arg(data).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text(id: &str, part: usize) -> String {
    format!("Part {part} of {id}: the council of {id} voted on its harbour, school and market.")
}

/// Takes documents in, again and again, and notes each that was acknowledged.
async fn load(
    client: usize,
    mut to: Client,
    done: Arc<AtomicBool>,
    noted: Arc<Mutex<Vec<String>>>,
) {
    for number in 0.. {
        if done.load(Ordering::Relaxed) {
            return;
        }
        let id = format!("c{client}-{number}");
        let texts: Vec<String> = (0..PARAGRAPHS).map(|part| text(&id, part)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        to.corpus.ingest_document(ingest(document(&id, &texts))).await.unwrap();
        noted.lock().unwrap().push(id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_under_load_holds_whole_what_was_acknowledged_before() {
    let (folder, empty) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut desk = Desk::over(folder.path()).await;
    let (done, noted) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
    let mut loads = Vec::new();
    for client in 0..CLIENTS {
        // A connection each.
        let to = Client::connect(&desk.address).await.unwrap();
        loads.push(tokio::spawn(load(client, to, Arc::clone(&done), Arc::clone(&noted))));
    }
    while noted.lock().unwrap().len() < 60 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let before = noted.lock().unwrap().clone();
    let made = snapshot(&mut desk, "under-load").await.unwrap();
    let after = noted.lock().unwrap().len();
    while noted.lock().unwrap().len() < after + 20 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    done.store(true, Ordering::Relaxed);
    for load in loads {
        load.await.unwrap();
    }
    let all = noted.lock().unwrap().len() as i64;

    let output = restore(&folder.path().join("snapshots/under-load"), empty.path());
    assert!(output.status.success(), "{}", said(&output));
    let size = fs::metadata(empty.path().join("corpus.sqlite")).unwrap().len();
    assert_eq!(made.size_bytes, size as i64);
    let mut restored = Desk::over(empty.path()).await;
    for id in &before {
        let was = desk.get(id, pb::VerdictView::Passages).await.unwrap();
        let is = restored.get(id, pb::VerdictView::Passages).await.unwrap();
        assert_eq!(is.passages, was.passages);
        // Its story may have grown since.
        let no_story = |verdict: Option<pb::DocumentVerdict>| {
            verdict.map(|verdict| pb::DocumentVerdict { story_id: String::new(), ..verdict })
        };
        assert_eq!(no_story(is.verdict), no_story(was.verdict));
        assert!(restored.copies_of(&text(id, 1)).await.contains(&format!("{id}#1")));
    }
    let corpus = restored.info().await.corpus.unwrap();
    assert!((before.len() as i64..all).contains(&corpus.document_count), "{corpus:?} of {all}");
    assert_eq!(corpus.passage_count, corpus.document_count * PARAGRAPHS as i64);
    assert_eq!(corpus.index_coverage, 1.0);
    println!(
        "{} acknowledged, {} in the snapshot, {all} in all",
        before.len(),
        corpus.document_count
    );
}

/// What a server answers to questions of all kinds.
async fn answers(desk: &mut Desk, ids: &[&str]) -> Vec<String> {
    let mut answers = Vec::new();
    for id in ids {
        let shown = desk.get(id, pb::VerdictView::Evidence).await.unwrap();
        answers.push(format!("{shown:?}"));
        let query = pb::find_related_documents_request::Query::DocumentId((*id).to_owned());
        let related =
            desk.client.similarity.find_related_documents(pb::FindRelatedDocumentsRequest {
                query: Some(query),
                ..Default::default()
            });
        answers.push(format!("{:?}", related.await.unwrap().into_inner()));
    }
    for text in [LEAD, SECOND, "what the central bank does next"] {
        let query = pb::find_duplicates_request::Query::Text(text.to_owned());
        let request = pb::FindDuplicatesRequest { query: Some(query), ..Default::default() };
        answers.push(format!("{:?}", desk.duplicates(request).await.unwrap()));
        let query = pb::find_related_passages_request::Query::Text(text.to_owned());
        let request = pb::FindRelatedPassagesRequest { query: Some(query), ..Default::default() };
        answers.push(format!("{:?}", desk.related(request).await.unwrap()));
    }
    let stories = desk.client.story.list_stories(pb::ListStoriesRequest::default());
    answers.push(format!("{:?}", stories.await.unwrap().into_inner()));
    answers
}

#[tokio::test]
async fn a_restored_corpus_answers_as_the_one_it_was_made_of() {
    let (folder, empty) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut desk = Desk::over(folder.path()).await;
    desk.put("a", &[LEAD, SECOND, THIRD]).await;
    desk.put("copy", &[LEAD, SECOND, THIRD]).await;
    desk.put("other", &[OTHER]).await;
    desk.put("judged", &[LEAD, SECOND]).await;
    desk.put("gone", &[THIRD, OTHER]).await;
    let word = pb::SetVerdictRequest {
        document_id: "judged".to_owned(),
        other_document_id: "a".to_owned(),
        verdict: pb::Verdict::New.into(),
        same_story: Some(false),
    };
    let stands = desk.client.corpus.set_verdict(word).await.unwrap().into_inner();
    assert_eq!(stands.document.unwrap().verdict(), pb::Verdict::New);
    desk.delete("gone").await.unwrap();
    // How rare words are is counted anew at each start.
    desk.kill();
    let mut desk = Desk::over(folder.path()).await;
    let ids = ["a", "copy", "other", "judged"];
    let expected = answers(&mut desk, &ids).await;
    snapshot(&mut desk, "s").await.unwrap();
    desk.delete("a").await.unwrap();

    let output = restore(&folder.path().join("snapshots/s"), empty.path());
    assert!(output.status.success(), "{}", said(&output));
    let mut restored = Desk::over(empty.path()).await;
    for (is, was) in answers(&mut restored, &ids).await.iter().zip(&expected) {
        assert_eq!(is, was);
    }
    assert_eq!(
        restored.get("gone", pb::VerdictView::Unspecified).await.unwrap_err().code(),
        Code::NotFound
    );
    // What the editor said holds for what comes later, too.
    desk.kill();
    restored.put("later", &[LEAD, SECOND]).await;
    let later = restored.get("later", pb::VerdictView::Unspecified).await.unwrap();
    let judged = restored.get("judged", pb::VerdictView::Unspecified).await.unwrap();
    assert_eq!(judged.document.unwrap().canonical_document_id, "judged");
    assert!(!later.document.unwrap().canonical_document_id.is_empty());
}

#[tokio::test]
async fn names_stay_in_their_folder_and_are_taken_once() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let snapshots = elsewhere.path().join("snapshots");
    let options = ["--snapshots", snapshots.to_str().unwrap()];
    let mut desk = Desk::with(folder.path(), &options).await;
    desk.put("a", &[LEAD]).await;
    for name in ["", ".", "..", "../up", "/tmp/x", "A", "a b", "lock.", &"a".repeat(65)] {
        let status = snapshot(&mut desk, name).await.unwrap_err();
        assert_eq!(
            (status.code(), violations(&status)),
            (Code::InvalidArgument, vec!["snapshot_name".to_owned()])
        );
    }
    assert!(!snapshots.exists());
    // What was left by one that broke off does not stay.
    fs::create_dir_all(snapshots.join(".unfinished-x")).unwrap();
    let made = snapshot(&mut desk, "a-1").await.unwrap();
    assert!(made.size_bytes > 0 && made.created_at.is_some());
    assert_eq!(snapshot(&mut desk, "a-1").await.unwrap_err().code(), Code::AlreadyExists);
    let mut names: Vec<_> =
        fs::read_dir(&snapshots).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".lock", "a-1"]);

    let output = program().args(["--server", &desk.address, "snapshot"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(fs::read_dir(&snapshots).unwrap().count(), 3);
}

#[tokio::test]
async fn what_is_damaged_or_in_the_way_is_named_and_nothing_is_put_in_place() {
    let (folder, work) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut desk = Desk::over(folder.path()).await;
    desk.put("a", &[LEAD, SECOND]).await;
    snapshot(&mut desk, "s").await.unwrap();
    let sound = folder.path().join("snapshots/s");
    let data = work.path().join("data");

    let output = restore(&sound, folder.path());
    assert!(said(&output).contains("in use"), "{}", said(&output));
    desk.kill();
    let output = restore(&sound, folder.path());
    assert!(said(&output).contains("is not empty"), "{}", said(&output));
    let output = restore(folder.path(), &data);
    assert!(said(&output).contains("is not a snapshot"), "{}", said(&output));

    let damaged = work.path().join("damaged");
    type Damage = fn(&Path);
    let ways: [(Damage, &str); 4] = [
        (|folder| flip(&folder.join("corpus.sqlite"), 3 * 4_096 + 100), "checksum"),
        (
            |folder| {
                fs::File::options()
                    .write(true)
                    .open(folder.join("corpus.sqlite"))
                    .unwrap()
                    .set_len(8_192)
                    .unwrap()
            },
            "checksum",
        ),
        (
            |folder| {
                fs::write(folder.join("snapshot.json"), r#"{"format": 2, "parts": []}"#).unwrap()
            },
            "has format 2",
        ),
        (|folder| fs::remove_file(folder.join("corpus.sqlite")).unwrap(), "corpus.sqlite"),
    ];
    for (damage, expected) in ways {
        let _ = fs::remove_dir_all(&damaged);
        fs::create_dir(&damaged).unwrap();
        for name in ["corpus.sqlite", "snapshot.json"] {
            fs::copy(sound.join(name), damaged.join(name)).unwrap();
        }
        damage(&damaged);
        let output = restore(&damaged, &data);
        assert_eq!(output.status.code(), Some(1));
        assert!(said(&output).contains(expected), "{expected}: {}", said(&output));
        assert!(!data.join("corpus.sqlite").exists());
    }
    let output = restore(&sound, &data);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(Desk::over(&data).await.copies_of(LEAD).await, ["a#0"]);
}

fn flip(file: &Path, at: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[at] ^= 4;
    fs::write(file, bytes).unwrap();
}
