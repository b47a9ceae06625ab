//! Standing questions: what comes in and is related is sent, once, in the order of storing.

use std::time::Duration;

use crate::common::reports::{FERRY, MILL, QUAKE};
use crate::common::{Desk, document, ingest, violations};
use copydesk::proto::v1 as pb;
use copydesk::proto::v1::similarity_service_client::SimilarityServiceClient;
use copydesk::proto::v1::watch_related_documents_request::Query;
use tonic::transport::Endpoint;
use tonic::{Code, Status, Streaming};

type Answers = Streaming<pb::WatchRelatedDocumentsResponse>;

/// What nothing here takes, unless it never ends.
const LONG: Duration = Duration::from_secs(120);

fn about_mill() -> pb::WatchRelatedDocumentsRequest {
    pb::WatchRelatedDocumentsRequest {
        query: Some(Query::Text(MILL[0].paragraphs.join("\n"))),
        ..Default::default()
    }
}

async fn watch(desk: &Desk, request: pb::WatchRelatedDocumentsRequest) -> Result<Answers, Status> {
    let mut client = desk.client.similarity.clone();
    let headers = tokio::time::timeout(LONG, client.watch_related_documents(request)).await;
    Ok(headers.expect("no headers come")?.into_inner())
}

async fn message(
    answers: &mut Answers,
) -> Result<Option<pb::WatchRelatedDocumentsResponse>, Status> {
    tokio::time::timeout(LONG, answers.message()).await.expect("no answer comes")
}

/// The next answer, which must come.
async fn next(answers: &mut Answers) -> pb::WatchRelatedDocumentsResponse {
    message(answers).await.unwrap().expect("the stream has ended")
}

fn id(answer: &pb::WatchRelatedDocumentsResponse) -> &str {
    &answer.document.as_ref().unwrap().document.as_ref().unwrap().document_id
}

/// Answers until that document answers, with it.
async fn until(answers: &mut Answers, last: &str) -> Vec<pb::WatchRelatedDocumentsResponse> {
    let mut found = vec![next(answers).await];
    while id(&found[found.len() - 1]) != last {
        found.push(next(answers).await);
    }
    assert!(found.windows(2).all(|pair| pair[0].sequence < pair[1].sequence));
    found
}

fn ids(answers: &[pb::WatchRelatedDocumentsResponse]) -> Vec<&str> {
    answers.iter().map(id).collect()
}

async fn file(desk: &mut Desk, document: pb::Document) {
    desk.ingest(ingest(document)).await.unwrap();
}

/// A short report of its own on the mill, for each number.
fn note(number: usize) -> pb::Document {
    const WHO: [&str; 7] = [
        "welders",
        "crane operators",
        "furnace hands",
        "truckers",
        "clerks",
        "electricians",
        "inspectors",
    ];
    const WHAT: [&str; 5] = [
        "will be laid off when the rolling mill closes",
        "met to talk about the end of the steel mill",
        "asked Harper Steel for new jobs elsewhere",
        "marched against the closing of the plant",
        "were offered training by the state",
    ];
    let text = format!(
        "Some {} {} of the Harper Steel mill in Duluth {}, the steelworkers' local {} said.",
        number * 3 + 11,
        WHO[number % 7],
        WHAT[number % 5],
        number * 17 + 101,
    );
    pb::Document { source: "notes".to_owned(), ..document(&format!("note-{number:04}"), &[&text]) }
}

/// Answers with all notes and with nothing else.
fn about_notes() -> pb::WatchRelatedDocumentsRequest {
    let sources = vec!["notes".to_owned()];
    pb::WatchRelatedDocumentsRequest {
        filter: Some(pb::Filter { sources, ..Default::default() }),
        min_score: Some(0.0),
        ..about_mill()
    }
}

fn notes(numbers: impl Iterator<Item = usize>) -> Vec<String> {
    numbers.map(|number| note(number).document_id).collect()
}

#[tokio::test]
async fn related_documents_are_sent_in_order_and_once_and_others_are_not() {
    let mut desk = Desk::open().await;
    file(&mut desk, MILL[0].document()).await;
    file(&mut desk, QUAKE[1].document()).await;
    for query in [Query::Text(MILL[0].paragraphs.join("\n")), Query::DocumentId("mill-1".into())] {
        for id in ["mill-2", "mill-3", "copy"] {
            let _ = desk.delete(id).await;
        }
        let by_text = matches!(query, Query::Text(_));
        let request = pb::WatchRelatedDocumentsRequest { query: Some(query), ..Default::default() };
        // Headers come although nothing was stored since.
        let mut answers = watch(&desk, request).await.unwrap();
        let validate_only = true;
        let asked = pb::IngestDocumentRequest { validate_only, ..ingest(MILL[2].document()) };
        desk.ingest(asked).await.unwrap();
        file(&mut desk, FERRY[0].document()).await;
        file(&mut desk, MILL[1].document()).await;
        file(&mut desk, QUAKE[0].document()).await;
        file(&mut desk, MILL[2].document()).await;
        // What is known already does not come in again.
        file(&mut desk, MILL[1].document()).await;
        file(&mut desk, FERRY[1].document()).await;
        file(&mut desk, MILL[0].reprint("copy", "Valley News", "2024-03-09")).await;
        let found = until(&mut answers, "copy").await;
        assert_eq!(ids(&found), ["mill-2", "mill-3", "copy"]);
        for answer in &found {
            let found = answer.document.as_ref().unwrap();
            let verdict = match id(answer) {
                "copy" => pb::Verdict::ExactDuplicate,
                _ => pb::Verdict::New,
            };
            assert_eq!(found.verdict(), verdict, "{}, by text: {by_text}", id(answer));
            assert!((0.0..=1.0).contains(&found.score));
            assert!((1..=5).contains(&found.evidence.len()));
            let passages = found.evidence.iter().map(|pair| pair.passage.as_ref().unwrap());
            assert!(passages.into_iter().all(|passage| passage.document_id == id(answer)));
        }
        for report in [&FERRY[0], &FERRY[1], &QUAKE[0]] {
            desk.delete(report.id).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_filter_and_a_least_score_say_what_is_sent() {
    let mut desk = Desk::open().await;
    let from =
        |source: &str| Some(pb::Filter { sources: vec![source.to_owned()], ..Default::default() });
    let least =
        |min_score| pb::WatchRelatedDocumentsRequest { min_score: Some(min_score), ..about_mill() };
    const ENOUGH: f32 = 0.6;
    let filtered = pb::WatchRelatedDocumentsRequest { filter: from("Labor Daily"), ..least(0.0) };
    let mut filtered = watch(&desk, filtered).await.unwrap();
    let mut all = watch(&desk, least(0.0)).await.unwrap();
    let mut best = watch(&desk, least(ENOUGH)).await.unwrap();
    let elsewhere = document(
        "elsewhere",
        &[
            "Borden Wire Works of Gary, Indiana, will idle one of its two furnaces in August and \
             send 90 steelworkers home because builders are buying less.",
            "It made the last such cut nine years ago.",
        ],
    );
    for report in [MILL[1].document(), elsewhere, QUAKE[0].document(), MILL[2].document()] {
        file(&mut desk, report).await;
    }
    file(&mut desk, MILL[0].reprint("copy", "Labor Daily", "2024-03-09")).await;
    assert_eq!(ids(&until(&mut filtered, "copy").await), ["mill-3", "copy"]);
    let all = until(&mut all, "copy").await;
    let score = |answer: &&pb::WatchRelatedDocumentsResponse| {
        answer.document.as_ref().unwrap().score >= ENOUGH
    };
    let expected: Vec<&str> = all.iter().filter(score).map(id).collect();
    assert!(ids(&all).contains(&"elsewhere"), "{:?}", ids(&all));
    assert!(!expected.contains(&"elsewhere"), "{expected:?}");
    assert_eq!(ids(&until(&mut best, "copy").await), expected);
}

#[tokio::test]
async fn going_on_misses_nothing_and_sees_nothing_twice() {
    let mut desk = Desk::open().await;
    let mut answers = watch(&desk, about_notes()).await.unwrap();
    for number in 0..3 {
        file(&mut desk, note(number)).await;
    }
    let found = until(&mut answers, "note-0001").await;
    drop(answers);
    for number in 3..6 {
        file(&mut desk, note(number)).await;
        file(&mut desk, pb::Document { source: "others".to_owned(), ..note(number + 900) }).await;
    }
    let after_sequence = Some(found[1].sequence);
    let go_on = pb::WatchRelatedDocumentsRequest { after_sequence, ..about_notes() };
    let mut answers = watch(&desk, go_on.clone()).await.unwrap();
    file(&mut desk, note(6)).await;
    let found = until(&mut answers, "note-0006").await;
    assert_eq!(ids(&found), notes(2..7));
    // What was deleted since is not there any more.
    desk.delete("note-0004").await.unwrap();
    let mut again = watch(&desk, go_on).await.unwrap();
    let again = until(&mut again, "note-0006").await;
    assert_eq!(ids(&again), ["note-0002", "note-0003", "note-0005", "note-0006"]);
    assert_eq!(again[0].sequence, found[0].sequence);
}

#[tokio::test]
async fn going_on_while_documents_come_in_misses_nothing() {
    const NOTES: usize = 240;
    let mut desk = Desk::open().await;
    let mut client = desk.client.clone();
    let coming = tokio::spawn(async move {
        let requests = (0..NOTES).flat_map(|number| {
            let other = pb::Document { source: "others".to_owned(), ..note(number + 5_000) };
            [note(number), other].map(|document| pb::IngestDocumentsRequest {
                ingest: Some(ingest(document)),
                ..Default::default()
            })
        });
        let requests: Vec<_> = requests.collect();
        let stream = client.corpus.ingest_documents(tokio_stream::iter(requests)).await.unwrap();
        let mut stream = stream.into_inner();
        let mut answered = 0;
        while let Some(answer) = stream.message().await.unwrap() {
            assert!(matches!(
                answer.outcome,
                Some(pb::ingest_documents_response::Outcome::Result(_))
            ));
            answered += 1;
        }
        answered
    });
    let mut found: Vec<pb::WatchRelatedDocumentsResponse> = Vec::new();
    let mut connections = 0;
    while found.len() < NOTES {
        let after_sequence = Some(found.last().map_or(0, |last| last.sequence));
        let request = pb::WatchRelatedDocumentsRequest { after_sequence, ..about_notes() };
        let mut answers = watch(&desk, request).await.unwrap();
        // Once right away, once after a few, once after many.
        let few = [1, 5, 23][connections % 3].min(NOTES - found.len());
        for _ in 0..few {
            found.push(next(&mut answers).await);
        }
        connections += 1;
    }
    assert_eq!(coming.await.unwrap(), 2 * NOTES);
    assert_eq!(ids(&found), notes(0..NOTES));
    assert!(found.windows(2).all(|pair| pair[0].sequence < pair[1].sequence));
    // That was all.
    let after_sequence = Some(found[NOTES - 1].sequence);
    let request = pb::WatchRelatedDocumentsRequest { after_sequence, ..about_notes() };
    let mut answers = watch(&desk, request).await.unwrap();
    file(&mut desk, note(9_000)).await;
    assert_eq!(id(&next(&mut answers).await), "note-9000");
}

#[tokio::test]
async fn going_on_after_what_never_was_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::over(folder.path()).await;
    let mut answers = watch(&desk, about_notes()).await.unwrap();
    file(&mut desk, note(0)).await;
    let last = next(&mut answers).await.sequence;
    desk.terminate();
    assert!(desk.wait().await.success());
    let mut desk = Desk::over(folder.path()).await;
    let after =
        |after| pb::WatchRelatedDocumentsRequest { after_sequence: Some(after), ..about_notes() };
    for future in [last + 1, i64::MAX] {
        let status = watch(&desk, after(future)).await.unwrap_err();
        assert_eq!(status.code(), Code::OutOfRange, "{future}: {status:?}");
    }
    let status = watch(&desk, after(-1)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(violations(&status), ["after_sequence"]);
    // The last answer is not of the future, and is good after a restart.
    let mut answers = watch(&desk, after(last)).await.unwrap();
    file(&mut desk, note(1)).await;
    let answer = next(&mut answers).await;
    assert_eq!(id(&answer), "note-0001");
    assert!(answer.sequence > last);
}

#[tokio::test]
async fn questions_that_make_no_sense_are_refused_by_their_field() {
    let desk = Desk::open().await;
    let default = pb::WatchRelatedDocumentsRequest::default;
    let exotic = pb::Filter { languages: vec!["not a language".to_owned()], ..Default::default() };
    for (request, field) in [
        (default(), "query"),
        (
            pb::WatchRelatedDocumentsRequest { query: Some(Query::Text(" ".into())), ..default() },
            "text",
        ),
        (pb::WatchRelatedDocumentsRequest { min_score: Some(1.1), ..about_mill() }, "min_score"),
        (
            pb::WatchRelatedDocumentsRequest { filter: Some(exotic), ..about_mill() },
            "filter.languages[0]",
        ),
    ] {
        let status = watch(&desk, request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{field}");
        assert_eq!(violations(&status), [field]);
    }
    let query = Some(Query::DocumentId("nobody".to_owned()));
    let status = watch(&desk, pb::WatchRelatedDocumentsRequest { query, ..default() }).await;
    assert_eq!(status.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_cut_off_and_can_go_on() {
    const NOTES: usize = 1_500;
    let desk = Desk::open().await;
    // A connection of its own, which holds few answers on their way.
    let address = match desk.address.contains("://") {
        true => desk.address.clone(),
        false => format!("http://{}", desk.address),
    };
    let endpoint = Endpoint::from_shared(address).unwrap();
    let endpoint =
        endpoint.initial_stream_window_size(65_535).initial_connection_window_size(65_535);
    let mut slow = SimilarityServiceClient::new(endpoint.connect().await.unwrap());
    let mut answers = slow.watch_related_documents(about_notes()).await.unwrap().into_inner();
    // Answers are large, so that few of them fit on the way.
    let requests: Vec<_> = (0..NOTES)
        .map(|number| {
            let labels = [("note".to_owned(), "x".repeat(4_000))].into();
            pb::IngestDocumentsRequest {
                ingest: Some(ingest(pb::Document { labels, ..note(number) })),
                ..Default::default()
            }
        })
        .collect();
    let mut client = desk.client.clone();
    let stream = client.corpus.ingest_documents(tokio_stream::iter(requests)).await.unwrap();
    let mut stream = stream.into_inner();
    let mut answered = 0;
    // It does not hold up who brings documents.
    while let Some(answer) = stream.message().await.unwrap() {
        assert!(matches!(answer.outcome, Some(pb::ingest_documents_response::Outcome::Result(_))));
        answered += 1;
    }
    assert_eq!(answered, NOTES);
    let mut found = Vec::new();
    let status = loop {
        match message(&mut answers).await {
            Ok(answer) => found.push(answer.expect("the stream has ended without a word")),
            Err(status) => break status,
        }
    };
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    assert!(found.len() < NOTES);
    // What it got has no gaps, and what it missed is still to be had.
    assert_eq!(ids(&found), notes(0..found.len()));
    let after_sequence = found.last().map(|last| last.sequence);
    let request = pb::WatchRelatedDocumentsRequest { after_sequence, ..about_notes() };
    let mut answers = watch(&desk, request).await.unwrap();
    let rest = until(&mut answers, &note(NOTES - 1).document_id).await;
    assert_eq!(ids(&rest), notes(found.len()..NOTES));
}

#[tokio::test]
async fn draining_ends_the_stream() {
    let mut desk = Desk::open().await;
    let mut quiet = watch(&desk, about_mill()).await.unwrap();
    let mut answers = watch(&desk, about_notes()).await.unwrap();
    file(&mut desk, note(0)).await;
    assert_eq!(id(&next(&mut answers).await), "note-0000");
    desk.terminate();
    let end = message(&mut answers).await.unwrap_err();
    assert_eq!(end.code(), Code::Unavailable);
    // A note may have been related enough for this one too.
    let end = loop {
        match message(&mut quiet).await {
            Ok(answer) => assert_eq!(id(&answer.expect("no reason is given")), "note-0000"),
            Err(end) => break end,
        }
    };
    assert_eq!(end.code(), Code::Unavailable);
    assert!(desk.wait().await.success());
}
