//! A caller that does not wait any longer gets DEADLINE_EXCEEDED, and nothing of its
//! document is stored.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::time::{Duration, Instant};

use common::{Desk, LEAD, OTHER, document, ingest};
use copydesk::proto::v1 as pb;

fn slow_document() -> pb::Document {
    let paragraphs: Vec<String> =
        (0..400).map(|index| format!("Report {index}: {OTHER} {index}")).collect();
    let paragraphs: Vec<&str> = paragraphs.iter().map(String::as_str).collect();
    document("slow", &paragraphs)
}

/// The deadline as a header alone, so that it is the server that keeps it.
fn within<T>(message: T, timeout: &'static str) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("grpc-timeout", timeout.parse().unwrap());
    request
}

#[tokio::test]
async fn a_call_ends_at_its_deadline_and_stores_nothing() {
    let mut desk = Desk::open().await;
    let started = Instant::now();
    let request = within(ingest(slow_document()), "300m");
    let refused = desk.client.corpus.ingest_document(request).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::DeadlineExceeded, "{refused:?}");
    assert!(started.elapsed() < Duration::from_secs(2));
    // What was queued for it is gone too: the next call does not wait for it.
    desk.put("a", &[LEAD]).await;
    assert!(started.elapsed() < Duration::from_secs(4));
    let slow = desk.get("slow", pb::VerdictView::Unspecified).await.unwrap_err();
    assert_eq!(slow.code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn a_stream_ends_at_its_deadline() {
    let mut desk = Desk::open().await;
    let request =
        pb::IngestDocumentsRequest { ingest: Some(ingest(slow_document())), ..Default::default() };
    let requests = within(tokio_stream::iter([request]), "300m");
    let ended = match desk.client.corpus.ingest_documents(requests).await {
        Ok(stream) => stream.into_inner().message().await.unwrap_err(),
        Err(status) => status,
    };
    assert_eq!(ended.code(), tonic::Code::DeadlineExceeded, "{ended:?}");
}
