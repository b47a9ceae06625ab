//! What was acknowledged is there after a restart, an orderly one or not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use common::{Desk, LEAD, OTHER, SECOND, THIRD};
use copydesk::proto::v1 as pb;

#[tokio::test]
async fn what_was_acknowledged_is_found_by_the_first_question_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let paragraphs = [LEAD, SECOND, THIRD, OTHER];
    for (round, paragraph) in paragraphs.iter().enumerate() {
        let mut desk = Desk::over(folder.path()).await;
        for (known, paragraph) in paragraphs.iter().enumerate().take(round) {
            assert_eq!(desk.copies_of(paragraph).await, [format!("d{known}#0")]);
        }
        desk.put(&format!("d{round}"), &[paragraph]).await;
        desk.kill();
    }
    let mut desk = Desk::over(folder.path()).await;
    for (known, paragraph) in paragraphs.iter().enumerate() {
        assert_eq!(desk.copies_of(paragraph).await, [format!("d{known}#0")]);
    }
}

#[tokio::test]
async fn a_kill_in_the_middle_of_a_stream_loses_nothing_that_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::over(folder.path()).await;
    let requests: Vec<_> = (0..200)
        .map(|index| pb::IngestDocumentsRequest {
            ingest: Some(common::ingest(common::document(
                &format!("d{index}"),
                &[&format!("Report {index} from town {}: {OTHER}", index * 7_919)],
            ))),
            request_id: index.to_string(),
        })
        .collect();
    let stream = desk.client.corpus.ingest_documents(tokio_stream::iter(requests)).await.unwrap();
    let mut stream = stream.into_inner();
    let mut answered = 0;
    while answered < 50 && stream.message().await.unwrap().is_some() {
        answered += 1;
    }
    desk.kill();
    let mut desk = Desk::over(folder.path()).await;
    for index in 0..answered {
        let document = desk.get(&format!("d{index}"), pb::VerdictView::Passages).await.unwrap();
        assert_eq!(document.passages.len(), 1);
        assert!(document.verdict.is_some());
    }
    let info =
        desk.client.admin.get_server_info(pb::GetServerInfoRequest {}).await.unwrap().into_inner();
    let corpus = info.corpus.unwrap();
    assert_eq!(corpus.document_count, corpus.passage_count);
    assert_eq!(corpus.index_coverage, 1.0);
}

#[tokio::test]
async fn vectors_and_verdicts_are_the_same_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::over(folder.path()).await;
    desk.put("a", &[LEAD, SECOND]).await;
    desk.put("b", &[LEAD, THIRD]).await;
    let question = || pb::FindRelatedPassagesRequest {
        query: Some(pb::find_related_passages_request::Query::Text("markets and rates".to_owned())),
        ..Default::default()
    };
    let related = desk.related(question()).await.unwrap();
    let stored = desk.get("b", pb::VerdictView::Evidence).await.unwrap();
    desk.terminate();
    assert!(desk.wait().await.success());
    let mut desk = Desk::over(folder.path()).await;
    assert_eq!(desk.related(question()).await.unwrap(), related);
    assert_eq!(desk.get("b", pb::VerdictView::Evidence).await.unwrap(), stored);
}
