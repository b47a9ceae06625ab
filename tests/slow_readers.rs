//! Clients that ask and do not read keep nobody else from being answered.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{Desk, LEAD, OTHER};
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
