//! SIGTERM: what was accepted is finished, nothing else is accepted, the process
//! exits with 0.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::time::Duration;

use common::operators::{ask, free_address, value_of};
use common::{Desk, LEAD, OTHER, document, ingest};
use copydesk::proto::v1 as pb;
use copydesk::proto::v1::ingest_documents_response::Outcome;
use tokio_stream::wrappers::ReceiverStream;

/// Ingests that are being worked on.
fn under_way(admin: &str) -> f64 {
    value_of(&ask(admin, "/metrics").1, r#"copydesk_places_taken{for="ingest"}"#).unwrap()
}

#[tokio::test]
async fn an_accepted_call_finishes_and_the_server_exits_with_0() {
    let folder = tempfile::tempdir().unwrap();
    let admin = free_address();
    let mut desk = Desk::with(folder.path(), &["--admin", &admin]).await;
    // Long enough to be under way when the signal comes.
    let paragraphs: Vec<String> =
        (0..150).map(|index| format!("Report {index}: {OTHER} {index}")).collect();
    let paragraphs: Vec<&str> = paragraphs.iter().map(String::as_str).collect();
    let mut client = desk.client.clone();
    let request = ingest(document("long", &paragraphs));
    let accepted = tokio::spawn(async move { client.corpus.ingest_document(request).await });
    while under_way(&admin) == 0.0 {
        assert!(!accepted.is_finished());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    desk.terminate();
    let answer = accepted.await.unwrap().unwrap().into_inner();
    assert_eq!(answer.outcome(), pb::IngestOutcome::Created);
    assert!(desk.wait().await.success());
}

#[tokio::test]
async fn an_open_stream_is_answered_as_far_as_it_was_read_and_then_ended() {
    let mut desk = Desk::open().await;
    let (sender, requests) = tokio::sync::mpsc::channel(4);
    let request = pb::IngestDocumentsRequest {
        ingest: Some(ingest(document("a", &[LEAD]))),
        ..Default::default()
    };
    sender.send(request).await.unwrap();
    let stream = desk.client.corpus.ingest_documents(ReceiverStream::new(requests)).await.unwrap();
    let mut stream = stream.into_inner();
    let first = stream.message().await.unwrap().unwrap();
    assert!(matches!(first.outcome, Some(Outcome::Result(_))));
    desk.terminate();
    let end = stream.message().await.unwrap_err();
    assert_eq!(end.code(), tonic::Code::Unavailable);
    assert!(desk.wait().await.success());
    drop(sender);
}

#[tokio::test]
async fn new_calls_are_refused_while_draining() {
    let mut desk = Desk::open().await;
    desk.put("a", &[LEAD]).await;
    desk.terminate();
    // The signal takes a moment to arrive.
    let refused = loop {
        match desk.get("a", pb::VerdictView::Unspecified).await {
            Ok(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused.code(), tonic::Code::Unavailable);
    assert!(desk.wait().await.success());
}
