//! Clients that ask and do not read keep nobody else from being answered.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::operators::{ask, free_address, value_of};
use common::{Desk, LEAD, OTHER, SECOND, document, ingest};
use copydesk::proto::v1 as pb;
use copydesk::proto::v1::corpus_service_client::CorpusServiceClient;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Streaming};
use tonic_types::StatusExt;

/// Bytes that a client takes without reading.
const WINDOW: u32 = 65_535;

/// Documents, and bytes of each: more than windows and the server's queue take.
const DOCUMENTS: usize = 24;
const BYTES: usize = 20_000;

type Export = (CorpusServiceClient<Channel>, Streaming<pb::ExportDocumentsResponse>);

/// An export that nobody reads, on a connection of its own.
async fn unread(desk: &Desk) -> Result<Export, tonic::Status> {
    let endpoint = Endpoint::from_shared(format!("http://{}", desk.address)).unwrap();
    let endpoint = endpoint.initial_stream_window_size(WINDOW);
    let mut client = CorpusServiceClient::new(endpoint.connect().await.unwrap());
    let answers = client.export_documents(pb::ExportDocumentsRequest::default()).await?;
    Ok((client, answers.into_inner()))
}

#[tokio::test]
async fn exports_that_nobody_reads_give_their_places_back() {
    let mut desk = Desk::open().await;
    desk.put("known", &[LEAD]).await;
    // One paragraph again and again, so that there is little to embed.
    let paragraphs = vec![OTHER; BYTES / OTHER.len()];
    for number in 0..DOCUMENTS {
        desk.put(&format!("d{number}"), &paragraphs).await;
    }
    // As many as there are places.
    let mut exports = Vec::new();
    let refused = loop {
        match unread(&desk).await {
            Ok(export) => exports.push(export),
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    // Nobody takes an answer, and still there is a place before long.
    let query = pb::find_duplicates_request::Query::Text(LEAD.to_owned());
    let request = pb::FindDuplicatesRequest { query: Some(query), ..Default::default() };
    while desk.duplicates(request.clone()).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    // Who reads on is told.
    let (_client, answers) = &mut exports[0];
    let ended = loop {
        match answers.message().await {
            Ok(answer) => assert!(answer.is_some(), "the export ended as if it were whole"),
            Err(status) => break status,
        }
    };
    assert_eq!(ended.get_error_details().error_info().unwrap().reason, "FELL_BEHIND");
}

/// Streams, documents that each of them sends, and paragraphs of these: once prepared, more than
/// may be held for one connection (`src/server/held`).
const STREAMS: usize = 40;
const AHEAD: usize = 8;
const PARAGRAPHS: usize = 240;

#[tokio::test(flavor = "multi_thread")]
async fn ingests_whose_answers_nobody_reads_are_held_up_to_a_bound() {
    let folder = tempfile::tempdir().unwrap();
    let admin = free_address();
    let mut desk = Desk::with(folder.path(), &["--admin", &admin]).await;
    let held = || value_of(&ask(&admin, "/metrics").1, "copydesk_client_bytes").unwrap();
    desk.put("known", &[SECOND]).await;
    // A byte of answers is taken, and no more.
    let endpoint = Endpoint::from_shared(format!("http://{}", desk.address)).unwrap();
    let channel = endpoint.initial_stream_window_size(1).connect().await.unwrap();
    let mut streams = Vec::new();
    for stream in 0..STREAMS {
        let requests = (0..AHEAD).map(move |number| {
            let document = document(&format!("{stream}-{number}"), &[SECOND; PARAGRAPHS]);
            pb::IngestDocumentsRequest { ingest: Some(ingest(document)), ..Default::default() }
        });
        let mut client = CorpusServiceClient::new(channel.clone());
        let answers = client.ingest_documents(tokio_stream::iter(requests)).await.unwrap();
        streams.push(answers);
    }
    // A fifth of what there is for all.
    let limits = desk.info().await.limits.unwrap();
    let most = limits.max_held_bytes as f64 / 5.0;
    while held() < most * 0.9 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(held() <= most, "{}", held());
    // While the last of them are worked on, another client may have to come again.
    while let Err(refused) = desk.ingest(ingest(document("other", &[LEAD]))).await {
        assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    assert_eq!(desk.copies_of(LEAD).await, ["other#0"]);
    assert!(held() <= most, "{}", held());
    drop((streams, channel));
    while held() > 0.0 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
