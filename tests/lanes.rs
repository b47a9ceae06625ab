//! The workers are shared: questions overtake what comes in, what nobody waits for is
//! not embedded, what is known is not embedded again, and too much is refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::time::Duration;

use common::{Desk, LEAD, OTHER, SECOND, document, ingest};
use copydesk::proto::v1 as pb;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tonic::{Code, Request};
use tonic_types::StatusExt;

/// A document of so many paragraphs that nobody has seen.
fn unseen(name: &str, paragraphs: usize) -> pb::Document {
    let paragraphs: Vec<String> = (0..paragraphs)
        .map(|index| format!("{name} {index}, item {}: {OTHER}", index * 31))
        .collect();
    document(name, &paragraphs.iter().map(String::as_str).collect::<Vec<_>>())
}

async fn embedded(desk: &mut Desk) -> i64 {
    desk.info().await.embedding.unwrap().embedded_text_count
}

#[tokio::test]
async fn questions_overtake_what_comes_in() {
    let mut desk = Desk::open().await;
    desk.put("a", &[LEAD, SECOND]).await;
    let mut client = desk.client.clone();
    let ingesting =
        tokio::spawn(
            async move { client.corpus.ingest_document(ingest(unseen("bulk", 3_000))).await },
        );
    while desk.info().await.embedding.unwrap().waiting_bytes == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for index in 0..20 {
        assert_eq!(desk.copies_of(LEAD).await, ["a#0"]);
        desk.related_to(&format!("bank rates, question {index}")).await;
    }
    assert!(!ingesting.is_finished(), "the questions waited for the document");
    let waiting = desk.info().await.embedding.unwrap().waiting_bytes;
    assert!(waiting > 0);
    ingesting.await.unwrap().unwrap();
    assert_eq!(desk.info().await.embedding.unwrap().waiting_bytes, 0);
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_the_queue() {
    let mut desk = Desk::open().await;
    desk.put("a", &[LEAD]).await;
    let before = embedded(&mut desk).await;
    // Expired, and cancelled by the client.
    let mut expiring = Request::new(ingest(unseen("expired", 3_000)));
    expiring.set_timeout(Duration::from_millis(300));
    let status = desk.client.corpus.ingest_document(expiring).await.unwrap_err();
    // The server says the first, the client's own clock the second, whichever comes first.
    let codes = [Code::DeadlineExceeded, Code::Cancelled];
    assert!(codes.contains(&status.code()), "{status:?}");
    let mut client = desk.client.clone();
    let cancelled =
        tokio::spawn(
            async move { client.corpus.ingest_document(ingest(unseen("left", 3_000))).await },
        );
    while desk.info().await.embedding.unwrap().waiting_bytes == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    cancelled.abort();
    while desk.info().await.embedding.unwrap().waiting_bytes > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    desk.put("b", &[SECOND]).await;
    let after = embedded(&mut desk).await;
    assert!(after - before < 3_000, "{} texts were embedded", after - before);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(embedded(&mut desk).await, after);
}

#[tokio::test]
async fn what_is_known_is_not_embedded_again() {
    let mut desk = Desk::open().await;
    desk.put("a", &[LEAD, SECOND]).await;
    let counts = |info: pb::GetServerInfoResponse| {
        let embedding = info.embedding.unwrap();
        (embedding.embedded_text_count, embedding.known_text_count, embedding.recent_text_count)
    };
    assert_eq!(counts(desk.info().await), (2, 0, 0));
    // Stored: in a question and in another document.
    desk.copies_of(LEAD).await;
    desk.put("b", &[SECOND]).await;
    assert_eq!(counts(desk.info().await), (2, 2, 0));
    // Asked before, and then taken in.
    desk.copies_of(OTHER).await;
    desk.related_to(OTHER).await;
    assert_eq!(counts(desk.info().await), (3, 2, 1));
    desk.put("c", &[OTHER]).await;
    assert_eq!(counts(desk.info().await), (3, 2, 2));
}

#[tokio::test]
async fn more_than_the_queue_holds_is_refused_with_a_delay_and_streams_wait() {
    let mut desk = Desk::open().await;
    let before = desk.info().await.corpus.unwrap();
    // About 1.2 MB each: the queue has room for six of them, and not many more are let in to it.
    let documents: Vec<_> = (0..12).map(|index| unseen(&format!("large-{index}"), 7_000)).collect();
    let mut calls: FuturesUnordered<_> = documents
        .into_iter()
        .map(|document| {
            let mut client = desk.client.clone();
            async move { client.corpus.ingest_document(ingest(document)).await }
        })
        .collect();
    // Those that got in take longer than those that are refused.
    let mut refused = Vec::new();
    while refused.len() < 4 {
        refused.push(calls.next().await.unwrap().unwrap_err());
    }
    drop(calls);
    for status in &refused {
        assert_eq!(status.code(), Code::ResourceExhausted);
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "OVERLOADED");
        let delay = details.retry_info().unwrap().retry_delay.unwrap();
        assert!(delay >= Duration::from_secs(1), "{delay:?}");
    }
    assert_eq!(desk.info().await.corpus.unwrap().document_count, before.document_count);

    // A stream is slowed instead.
    let requests: Vec<_> = (0..8)
        .map(|index| pb::IngestDocumentsRequest {
            ingest: Some(pb::IngestDocumentRequest {
                validate_only: true,
                ..ingest(unseen(&format!("streamed-{index}"), 100))
            }),
            ..Default::default()
        })
        .collect();
    let stream = desk.client.corpus.ingest_documents(tokio_stream::iter(requests)).await.unwrap();
    let mut stream = stream.into_inner();
    let mut results = 0;
    while let Some(response) = stream.message().await.unwrap() {
        let outcome = response.outcome.unwrap();
        assert!(matches!(outcome, pb::ingest_documents_response::Outcome::Result(_)));
        results += 1;
    }
    assert_eq!(results, 8);
}
