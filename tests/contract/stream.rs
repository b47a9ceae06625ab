//! A feed: answers in the order of the requests, and a bad document fails alone.

use crate::common::{Desk, LEAD, OTHER, SECOND, document, ingest, verdict_of};
use copydesk::proto::v1 as pb;
use copydesk::proto::v1::ingest_documents_response::Outcome;
use tonic_types::StatusExt;

fn request(request_id: &str, document: pb::Document) -> pb::IngestDocumentsRequest {
    pb::IngestDocumentsRequest { ingest: Some(ingest(document)), request_id: request_id.to_owned() }
}

#[tokio::test]
async fn a_bad_document_in_the_middle_fails_alone() {
    let mut desk = Desk::open().await;
    let requests = [
        request("1", document("a", &[LEAD, SECOND])),
        request("2", document("bad", &[" \t"])),
        request("3", pb::Document { html: Some(b"<br>".to_vec()), ..Default::default() }),
        pb::IngestDocumentsRequest { request_id: "4".to_owned(), ..Default::default() },
        request("5", document("b", &[LEAD, SECOND])),
        request("6", document("a", &[LEAD, SECOND])),
        request("7", document("c", &[OTHER])),
    ];
    let stream = desk.client.corpus.ingest_documents(tokio_stream::iter(requests)).await.unwrap();
    let mut stream = stream.into_inner();
    let mut answers = Vec::new();
    while let Some(answer) = stream.message().await.unwrap() {
        answers.push(answer);
    }
    let ids: Vec<&str> = answers.iter().map(|answer| answer.request_id.as_str()).collect();
    assert_eq!(ids, ["1", "2", "3", "4", "5", "6", "7"]);
    let errors: Vec<(usize, tonic::Code, Vec<String>)> = answers
        .iter()
        .enumerate()
        .filter_map(|(index, answer)| match answer.outcome.as_ref().unwrap() {
            Outcome::Error(error) => {
                let fields = error.violations.iter().map(|violation| violation.field.clone());
                Some((index, tonic::Code::from(error.code), fields.collect()))
            }
            Outcome::Result(_) => None,
        })
        .collect();
    assert_eq!(
        errors,
        [
            (1, tonic::Code::InvalidArgument, vec!["document.paragraphs".to_owned()]),
            (2, tonic::Code::InvalidArgument, vec!["document.html".to_owned()]),
            (3, tonic::Code::InvalidArgument, vec!["document".to_owned()]),
        ]
    );
    let result = |index: usize| match answers[index].outcome.clone().unwrap() {
        Outcome::Result(result) => result,
        Outcome::Error(error) => panic!("{error:?}"),
    };
    assert_eq!(verdict_of(&result(0)), pb::Verdict::New);
    assert_eq!(verdict_of(&result(4)), pb::Verdict::ExactDuplicate);
    assert_eq!(result(5).outcome(), pb::IngestOutcome::Unchanged);
    assert_eq!(verdict_of(&result(6)), pb::Verdict::New);
}

#[tokio::test]
async fn documents_of_a_stream_are_judged_in_its_order() {
    let mut desk = Desk::open().await;
    let requests: Vec<_> = (0..40)
        .map(|index| {
            let story =
                format!("Story number {} is about the town of X{}.", index / 2, index / 2 * 7_919);
            request(
                &index.to_string(),
                document(&format!("d{index}"), &[&story, &format!("{OTHER} {}", index / 2)]),
            )
        })
        .collect();
    let stream = desk.client.corpus.ingest_documents(tokio_stream::iter(requests)).await.unwrap();
    let mut stream = stream.into_inner();
    let mut index = 0;
    while let Some(answer) = stream.message().await.unwrap() {
        let Some(Outcome::Result(result)) = answer.outcome else { panic!("refused") };
        assert_eq!(answer.request_id, index.to_string());
        if index % 2 == 1 {
            assert_eq!(verdict_of(&result), pb::Verdict::ExactDuplicate, "{index}");
            let canonical = result.verdict.unwrap().canonical_document_id;
            assert!(!canonical.is_empty());
        }
        index += 1;
    }
    assert_eq!(index, 40);
}

#[tokio::test]
async fn a_document_of_known_paragraphs_is_seen_by_the_next_one() {
    let mut desk = Desk::open().await;
    desk.put("x", &[LEAD]).await;
    desk.put("y", &[SECOND]).await;
    let slow: Vec<String> =
        (0..30).map(|index| format!("Report {index}: {OTHER} {index}")).collect();
    let slow: Vec<&str> = slow.iter().map(String::as_str).collect();
    let edited = SECOND.replace("when it met", "as it met");
    let requests = [
        request("1", document("slow", &slow)),
        request("2", document("both", &[LEAD, SECOND])),
        request("3", document("copy", &[LEAD, &edited])),
    ];
    let stream = desk.client.corpus.ingest_documents(tokio_stream::iter(requests)).await.unwrap();
    let mut stream = stream.into_inner();
    let mut last = None;
    while let Some(answer) = stream.message().await.unwrap() {
        last = answer.outcome;
    }
    let Some(Outcome::Result(copy)) = last else { panic!("refused") };
    assert_eq!(verdict_of(&copy), pb::Verdict::NearDuplicate);
}

#[tokio::test]
async fn idle_streams_refuse_nobody_but_more_of_them() {
    let mut desk = Desk::open().await;
    let mut streams = Vec::new();
    let mut senders = Vec::new();
    let most = desk.info().await.limits.unwrap().max_ingest_streams as usize;
    for _ in 0..most {
        let (sender, requests) = tokio::sync::mpsc::channel::<pb::IngestDocumentsRequest>(1);
        let requests = tokio_stream::wrappers::ReceiverStream::new(requests);
        // A connection bounds its streams; each has its own.
        if senders.len() % 100 == 0 {
            desk.client = copydesk::client::Client::connect(&desk.address).await.unwrap();
        }
        streams.push(desk.client.corpus.ingest_documents(requests).await.unwrap());
        senders.push(sender);
    }
    desk.put("a", &[LEAD]).await;
    senders[299].send(request("1", document("b", &[LEAD]))).await.unwrap();
    let answer = streams[299].get_mut().message().await.unwrap().unwrap();
    assert!(matches!(answer.outcome, Some(Outcome::Result(_))));

    // One more is refused, until another one ends.
    let one_more = desk.client.corpus.ingest_documents(tokio_stream::empty()).await;
    let refused = one_more.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
    assert!(refused.get_error_details().retry_info().is_some());
    drop(senders.pop());
    assert!(streams[most - 1].get_mut().message().await.unwrap().is_none());
    streams.pop();
    let one_more = desk.client.corpus.ingest_documents(tokio_stream::empty()).await.unwrap();
    assert!(one_more.into_inner().message().await.unwrap().is_none());
}

#[tokio::test]
async fn a_document_over_the_limit_fails_alone() {
    let mut desk = Desk::open().await;
    let huge = pb::Document { text: Some("word ".repeat(1 << 20)), ..Default::default() };
    let requests = [request("1", huge), request("2", document("a", &[LEAD]))];
    let stream = desk.client.corpus.ingest_documents(tokio_stream::iter(requests)).await.unwrap();
    let mut stream = stream.into_inner();
    let Some(Outcome::Error(error)) = stream.message().await.unwrap().unwrap().outcome else {
        panic!("taken")
    };
    assert_eq!(error.code, i32::from(tonic::Code::InvalidArgument));
    assert!(matches!(stream.message().await.unwrap().unwrap().outcome, Some(Outcome::Result(_))));
}

/// Documents of their own words, in number enough to be under way side by side.
fn feed(name: &str, count: usize) -> Vec<pb::IngestDocumentsRequest> {
    let story =
        |index: usize| format!("Feed {name} report {index} from X{}: {OTHER}", index * 7_919);
    (0..count)
        .map(|index| {
            request(&index.to_string(), document(&format!("{name}{index}"), &[&story(index)]))
        })
        .collect()
}

#[tokio::test]
async fn many_streams_at_once_are_all_answered() {
    let desk = Desk::open().await;
    let streams = (0..8).map(|stream| {
        let mut client = desk.client.clone();
        tokio::spawn(async move {
            let requests = tokio_stream::iter(feed(&format!("s{stream}-"), 25));
            let mut answers = client.corpus.ingest_documents(requests).await.unwrap().into_inner();
            let mut count = 0;
            while let Some(answer) = answers.message().await.unwrap() {
                assert!(matches!(answer.outcome, Some(Outcome::Result(_))));
                count += 1;
            }
            count
        })
    });
    let streams: Vec<_> = streams.collect();
    for stream in streams {
        assert_eq!(stream.await.unwrap(), 25);
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_up_nobody() {
    let mut desk = Desk::open().await;
    let mut other = copydesk::client::Client::connect(&desk.address).await.unwrap();
    // Never read, and with answers that fill the windows of its connection.
    let evidence = |mut request: pb::IngestDocumentsRequest| {
        request.request_id = "x".repeat(4_000);
        request
    };
    let requests: Vec<_> = feed("unread", 400).into_iter().map(evidence).collect();
    let unread = other.corpus.ingest_documents(tokio_stream::iter(requests)).await.unwrap();
    for index in 0..20 {
        desk.put(&format!("a{index}"), &[LEAD]).await;
    }
    drop(unread);
}
