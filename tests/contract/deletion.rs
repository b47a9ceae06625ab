//! What was deleted is gone: from the answers at once, and from the disk.

use crate::common::{Desk, LEAD, OTHER, SECOND, document, ingest, violations};
use copydesk::proto::v1 as pb;

#[tokio::test]
async fn a_deleted_document_answers_nothing_any_more() {
    let mut desk = Desk::open().await;
    desk.put("a", &[LEAD, SECOND]).await;
    desk.put("b", &[LEAD, OTHER]).await;
    assert!(desk.delete("a").await.unwrap().deleted_at.is_some());
    assert_eq!(desk.copies_of(LEAD).await, ["b#0"]);
    assert!(desk.copies_of(SECOND).await.is_empty());
    assert!(
        desk.related_to("central bank governor on inflation")
            .await
            .iter()
            .all(|id| id.starts_with("b#"))
    );
    assert_eq!(
        desk.get("a", pb::VerdictView::Unspecified).await.unwrap_err().code(),
        tonic::Code::NotFound
    );
    assert_eq!(desk.delete("a").await.unwrap_err().code(), tonic::Code::NotFound);
    // The verdict on what is left names nothing that is gone.
    let b = desk.get("b", pb::VerdictView::Evidence).await.unwrap().verdict.unwrap();
    assert!(b.passages.iter().all(|passage| passage.r#match.is_none()));
    // The text may come again.
    let again = desk.put("a", &[SECOND]).await;
    assert_eq!((again.outcome(), again.revision), (pb::IngestOutcome::Created, 1));
    assert_eq!(desk.copies_of(SECOND).await, ["a#0"]);
}

#[tokio::test]
async fn a_filter_deletes_all_that_it_matches_and_must_name_something() {
    let mut desk = Desk::open().await;
    for id in ["a", "b", "c"] {
        let source = if id == "c" { "Beta" } else { "Alpha" };
        let document = pb::Document { source: source.to_owned(), ..document(id, &[LEAD, id]) };
        desk.ingest(ingest(document)).await.unwrap();
    }
    let request =
        |filter, validate_only| pb::DeleteDocumentsRequest { filter: Some(filter), validate_only };
    let alpha = pb::Filter { sources: vec!["Alpha".to_owned()], ..Default::default() };
    for (validate_only, expected) in [(true, 2), (false, 2), (false, 0)] {
        let response = desk
            .client
            .corpus
            .delete_documents(request(alpha.clone(), validate_only))
            .await
            .unwrap();
        assert_eq!(response.into_inner().deleted_count, expected);
    }
    assert_eq!(desk.copies_of(LEAD).await, ["c#0"]);
    let exclusions = pb::Filter { exclude_sources: vec!["Alpha".to_owned()], ..Default::default() };
    for filter in [pb::Filter::default(), exclusions] {
        let refused =
            desk.client.corpus.delete_documents(request(filter, false)).await.unwrap_err();
        assert_eq!(
            (refused.code(), violations(&refused)),
            (tonic::Code::InvalidArgument, vec!["filter".to_owned()])
        );
    }
    assert_eq!(desk.copies_of(LEAD).await, ["c#0"]);
}

#[tokio::test]
async fn deleted_text_is_overwritten_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::over(folder.path()).await;
    let secret = "The takedown concerns Zanzibarquux and nobody else, the court said on Monday.";
    desk.put("a", &[secret]).await;
    desk.put("b", &[LEAD]).await;
    desk.delete("a").await.unwrap();
    desk.terminate();
    assert!(desk.wait().await.success());
    let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
    for file in files.filter(|file| file.is_file()) {
        let bytes = std::fs::read(file).unwrap();
        assert!(!bytes.windows(12).any(|window| window == b"Zanzibarquux"));
    }
}
