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

/// Whether the server kept the deadline. The transport of this client keeps it too, and
/// may be the first to notice on a busy machine.
fn by_the_server(status: &tonic::Status) -> bool {
    let by_us = std::error::Error::source(status).is_some();
    assert!(by_us || status.code() == tonic::Code::DeadlineExceeded, "{status:?}");
    !by_us
}

/// Calls that are made at most until one is ended by the server.
const ATTEMPTS: usize = 60;

fn within<T>(message: T, timeout: &'static str) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("grpc-timeout", timeout.parse().unwrap());
    request
}

#[tokio::test]
async fn a_call_ends_at_its_deadline_and_stores_nothing() {
    let mut desk = Desk::open().await;
    let mut kept = false;
    for _ in 0..ATTEMPTS {
        let request = within(ingest(slow_document()), "300m");
        let refused = desk.client.corpus.ingest_document(request).await.unwrap_err();
        kept = by_the_server(&refused);
        if kept {
            break;
        }
    }
    assert!(kept);
    // What was queued for them is gone too: the next call does not wait for it.
    let started = Instant::now();
    desk.put("a", &[LEAD]).await;
    assert!(started.elapsed() < Duration::from_secs(20));
    let slow = desk.get("slow", pb::VerdictView::Unspecified).await.unwrap_err();
    assert_eq!(slow.code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn a_stream_ends_at_its_deadline() {
    let mut desk = Desk::open().await;
    let request = || pb::IngestDocumentsRequest {
        ingest: Some(ingest(slow_document())),
        ..Default::default()
    };
    let mut kept = false;
    for _ in 0..ATTEMPTS {
        let requests = within(tokio_stream::iter([request()]), "300m");
        let ended = match desk.client.corpus.ingest_documents(requests).await {
            Ok(stream) => stream.into_inner().message().await.unwrap_err(),
            Err(status) => status,
        };
        kept = by_the_server(&ended);
        if kept {
            break;
        }
    }
    assert!(kept);
}
