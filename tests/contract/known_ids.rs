//! What the contract says of ids that are known: the same content, other metadata,
//! another body; and of verdicts that are only asked for.

use crate::common::{Desk, LEAD, OTHER, SECOND, THIRD, day, document, ingest, verdict_of};
use copydesk::proto::v1 as pb;

#[tokio::test]
async fn the_same_content_again_changes_nothing() {
    let mut desk = Desk::open().await;
    let first = desk.put("a", &[LEAD, SECOND]).await;
    desk.put("b", &[LEAD, SECOND]).await;
    let again = desk.put("a", &[LEAD, SECOND]).await;
    assert_eq!(again.outcome(), pb::IngestOutcome::Unchanged);
    assert_eq!(again.verdict, first.verdict);
    assert_eq!(again.revision, 1);
    let summary = desk.get("a", pb::VerdictView::Unspecified).await.unwrap().document.unwrap();
    assert_eq!(summary.revision, 1);
}

#[tokio::test]
async fn other_metadata_replaces_metadata_and_keeps_the_verdict() {
    let mut desk = Desk::open().await;
    desk.put("a", &[LEAD, SECOND]).await;
    let copy = pb::Document { title: "Rates up".to_owned(), ..document("b", &[LEAD, SECOND]) };
    let first = desk.ingest(ingest(copy.clone())).await.unwrap();
    assert_eq!(verdict_of(&first), pb::Verdict::ExactDuplicate);
    let labels = [("desk".to_owned(), "economy".to_owned())].into();
    let changed = pb::Document {
        title: "Rates up again".to_owned(),
        published_at: day("2024-05-01"),
        labels,
        ..copy
    };
    let second = desk.ingest(ingest(changed)).await.unwrap();
    assert_eq!(second.outcome(), pb::IngestOutcome::MetadataUpdated);
    assert_eq!((second.revision, &second.verdict), (1, &first.verdict));
    let stored = desk.get("b", pb::VerdictView::Unspecified).await.unwrap().document.unwrap();
    assert_eq!((stored.title.as_str(), stored.published_at), ("Rates up again", day("2024-05-01")));
    assert_eq!(stored.labels["desk"], "economy");
    // It is published before the other one now, so it leads.
    assert_eq!(stored.canonical_document_id, "b");
    let other = desk.get("a", pb::VerdictView::Unspecified).await.unwrap().document.unwrap();
    assert_eq!(other.canonical_document_id, "b");
}

#[tokio::test]
async fn another_body_replaces_the_former_one_and_is_judged_beside_it() {
    let mut desk = Desk::open().await;
    desk.put("a", &[LEAD, SECOND]).await;
    let longer = desk.put("a", &[LEAD, SECOND, THIRD]).await;
    assert_eq!((longer.outcome(), longer.revision), (pb::IngestOutcome::Replaced, 2));
    assert_eq!(verdict_of(&longer), pb::Verdict::Update);
    assert_eq!(longer.verdict.unwrap().canonical_document_id, "a");
    assert_eq!(desk.copies_of(THIRD).await, ["a#2"]);

    let cut = desk.put("a", &[LEAD, SECOND]).await;
    assert_eq!((verdict_of(&cut), cut.revision), (pb::Verdict::NearDuplicate, 3));
    assert!(desk.copies_of(THIRD).await.is_empty());

    let other = desk.put("a", &[OTHER]).await;
    assert_eq!((verdict_of(&other), other.revision), (pb::Verdict::New, 4));
    assert!(desk.copies_of(LEAD).await.is_empty());
    let stored = desk.get("a", pb::VerdictView::Passages).await.unwrap();
    assert_eq!(stored.passages.len(), 1);
    assert_eq!(stored.verdict.unwrap().verdict(), pb::Verdict::New);
}

#[tokio::test]
async fn an_id_that_is_left_empty_is_derived_from_the_content() {
    let mut desk = Desk::open().await;
    let first = desk.put("", &[LEAD]).await;
    assert!(!first.document_id.is_empty());
    let again = desk.put("", &[LEAD]).await;
    assert_eq!(
        (again.document_id.clone(), again.outcome()),
        (first.document_id.clone(), pb::IngestOutcome::Unchanged)
    );
    let elsewhere = pb::Document { source: "Elsewhere".to_owned(), ..document("", &[LEAD]) };
    let elsewhere = desk.ingest(ingest(elsewhere)).await.unwrap();
    assert_ne!(elsewhere.document_id, first.document_id);
    assert_eq!(verdict_of(&elsewhere), pb::Verdict::ExactDuplicate);
}

#[tokio::test]
async fn validate_only_judges_and_stores_nothing() {
    let mut desk = Desk::open().await;
    desk.put("a", &[LEAD, SECOND]).await;
    let request = |id: &str| pb::IngestDocumentRequest {
        validate_only: true,
        view: pb::VerdictView::Evidence.into(),
        ..ingest(document(id, &[LEAD, SECOND, THIRD]))
    };
    let judged = desk.ingest(request("b")).await.unwrap();
    assert_eq!((judged.outcome(), judged.revision), (pb::IngestOutcome::Validated, 0));
    assert_eq!(verdict_of(&judged), pb::Verdict::Update);
    let verdict = judged.verdict.unwrap();
    assert_eq!((verdict.canonical_document_id.as_str(), verdict.passages.len()), ("a", 3));
    let matched = verdict.passages[0].r#match.clone().unwrap();
    assert_eq!(matched.passage.unwrap().text, LEAD);
    assert_eq!(
        desk.get("b", pb::VerdictView::Unspecified).await.unwrap_err().code(),
        tonic::Code::NotFound
    );
    assert!(desk.copies_of(THIRD).await.is_empty());
    let known = desk.ingest(request("a")).await.unwrap();
    assert_eq!((known.outcome(), known.revision), (pb::IngestOutcome::Validated, 1));
}

#[tokio::test]
async fn skipped_duplicates_stay_unknown_and_updates_are_stored() {
    let mut desk = Desk::open().await;
    desk.put("a", &[LEAD, SECOND]).await;
    let skip = |id: &str, paragraphs: &[&str]| pb::IngestDocumentRequest {
        duplicate_policy: pb::DuplicatePolicy::Skip.into(),
        ..ingest(document(id, paragraphs))
    };
    let copy = desk.ingest(skip("b", &[LEAD, SECOND])).await.unwrap();
    assert_eq!((copy.outcome(), copy.revision), (pb::IngestOutcome::Skipped, 0));
    assert_eq!(copy.verdict.unwrap().canonical_document_id, "a");
    assert_eq!(
        desk.get("b", pb::VerdictView::Unspecified).await.unwrap_err().code(),
        tonic::Code::NotFound
    );
    let earlier =
        pb::Document { published_at: day("2001-01-01"), ..document("e", &[LEAD, SECOND]) };
    let earlier = pb::IngestDocumentRequest { document: Some(earlier), ..skip("e", &[]) };
    let earlier = desk.ingest(earlier).await.unwrap();
    assert_eq!(earlier.outcome(), pb::IngestOutcome::Skipped);
    assert_eq!(earlier.verdict.unwrap().canonical_document_id, "a");
    let update = desk.ingest(skip("c", &[LEAD, SECOND, THIRD])).await.unwrap();
    assert_eq!(update.outcome(), pb::IngestOutcome::Created);
    let known = desk.ingest(skip("c", &[LEAD, SECOND])).await.unwrap();
    assert_eq!(known.outcome(), pb::IngestOutcome::Replaced);
}

#[tokio::test]
async fn views_show_as_much_as_was_asked_for() {
    let mut desk = Desk::open().await;
    desk.put("a", &[LEAD, SECOND]).await;
    let default = desk.put("b", &[LEAD, SECOND]).await;
    assert!(default.verdict.unwrap().passages.is_empty());
    let passages =
        desk.get("b", pb::VerdictView::Passages).await.unwrap().verdict.unwrap().passages;
    let matched = passages[1].r#match.clone().unwrap();
    let passage = matched.passage.unwrap();
    assert_eq!((passage.passage_id.as_str(), passage.text.as_str()), ("a#1", ""));
    assert!(matched.evidence.is_none());
    let evidence =
        desk.get("b", pb::VerdictView::Evidence).await.unwrap().verdict.unwrap().passages;
    let matched = evidence[1].r#match.clone().unwrap();
    assert_eq!(matched.passage.unwrap().text, SECOND);
    assert_eq!(matched.evidence.unwrap().aligned_spans.len(), 1);
}

#[tokio::test]
async fn the_earliest_published_leads_even_if_it_comes_late() {
    let mut desk = Desk::open().await;
    let of = |id: &str, date: &str| pb::Document {
        published_at: day(date),
        ..document(id, &[LEAD, SECOND])
    };
    desk.ingest(ingest(of("second", "2024-02-02"))).await.unwrap();
    let first = desk.ingest(ingest(of("first", "2024-01-01"))).await.unwrap();
    assert_eq!(verdict_of(&first), pb::Verdict::ExactDuplicate);
    let second = desk.get("second", pb::VerdictView::Unspecified).await.unwrap();
    let summary = second.document.unwrap();
    assert_eq!(
        (summary.canonical_document_id.as_str(), summary.verdict()),
        ("first", pb::Verdict::ExactDuplicate)
    );
    // As it was when it came in.
    assert_eq!(second.verdict.unwrap().verdict(), pb::Verdict::New);
    let summary = desk.get("first", pb::VerdictView::Unspecified).await.unwrap().document.unwrap();
    assert_eq!(
        (summary.canonical_document_id.as_str(), summary.verdict()),
        ("first", pb::Verdict::New)
    );
    desk.delete("first").await.unwrap();
    let summary = desk.get("second", pb::VerdictView::Unspecified).await.unwrap().document.unwrap();
    assert_eq!(
        (summary.canonical_document_id.as_str(), summary.verdict()),
        ("second", pb::Verdict::New)
    );
}

#[tokio::test]
async fn of_copies_that_arrive_at_once_exactly_one_is_new() {
    let desk = Desk::open().await;
    let copies = (0..24).map(|index| {
        let mut client = desk.client.clone();
        tokio::spawn(async move {
            let edited = format!("{LEAD} Copy {index}.");
            let document = document(&format!("copy-{index}"), &[&edited, SECOND, THIRD]);
            client.corpus.ingest_document(ingest(document)).await.unwrap().into_inner()
        })
    });
    let copies: Vec<_> = copies.collect();
    let mut new = 0;
    for copy in copies {
        new += usize::from(verdict_of(&copy.await.unwrap()) == pb::Verdict::New);
    }
    assert_eq!(new, 1);
}

#[tokio::test]
async fn verdicts_as_of_now_are_beside_the_document_that_leads_now() {
    let mut desk = Desk::open().await;
    desk.put("a", &[LEAD, SECOND]).await;
    desk.put("b", &[LEAD, SECOND]).await;
    // A copy that turns out to have been first.
    let first = pb::Document { published_at: day("2020-01-01"), ..document("b", &[LEAD, SECOND]) };
    desk.ingest(ingest(first)).await.unwrap();
    assert_eq!(now(&mut desk, "a").await, ("b".to_owned(), pb::Verdict::ExactDuplicate));
    assert_eq!(now(&mut desk, "b").await, ("b".to_owned(), pb::Verdict::New));

    // A copy of an update is an update of the original.
    desk.put("c", &[LEAD, SECOND, THIRD]).await;
    let copy = desk.put("d", &[LEAD, SECOND, THIRD]).await;
    assert_eq!(verdict_of(&copy), pb::Verdict::ExactDuplicate);
    assert_eq!(copy.verdict.unwrap().canonical_document_id, "b");
    assert_eq!(now(&mut desk, "d").await, ("b".to_owned(), pb::Verdict::Update));
    // Without the original and its copy, the update leads.
    desk.delete("a").await.unwrap();
    desk.delete("b").await.unwrap();
    assert_eq!(now(&mut desk, "c").await, ("c".to_owned(), pb::Verdict::New));
    assert_eq!(now(&mut desk, "d").await, ("c".to_owned(), pb::Verdict::ExactDuplicate));
}

/// The canonical document and the verdict of a document, as of now.
async fn now(desk: &mut Desk, id: &str) -> (String, pb::Verdict) {
    let stored = desk.get(id, pb::VerdictView::Unspecified).await.unwrap().document.unwrap();
    (stored.canonical_document_id.clone(), stored.verdict())
}

#[tokio::test]
async fn a_date_that_is_withdrawn_gives_way_to_the_first_ingest() {
    let mut desk = Desk::open().await;
    let dated = pb::Document { published_at: day("2020-01-01"), ..document("a", &[LEAD]) };
    desk.ingest(ingest(dated)).await.unwrap();
    let undated = desk.put("a", &[LEAD]).await;
    assert_eq!(undated.outcome(), pb::IngestOutcome::MetadataUpdated);
    let stored = desk.get("a", pb::VerdictView::Unspecified).await.unwrap().document.unwrap();
    assert_eq!(stored.published_at, stored.ingested_at);
}

#[tokio::test]
async fn boilerplate_in_many_documents_does_not_hide_the_one_that_was_copied() {
    let mut desk = Desk::open().await;
    let own = |index: usize| {
        format!(
            "Company number {index} of the town of X{0} hired {0} workers for a mill on the river \
             Y{0}, where it will make paper from the wood of the forests around Z{0} and ship it \
             by rail to the harbour.",
            index * 7_919
        )
    };
    for index in 0..60 {
        let own = own(index);
        desk.put(&format!("p{index}"), &[LEAD, SECOND, &own]).await;
    }
    let edited = own(59).replace("hired", "has hired");
    let copy = desk.put("copy", &[LEAD, SECOND, &edited]).await;
    assert_eq!(verdict_of(&copy), pb::Verdict::NearDuplicate);
    assert_eq!(desk.copies_of(LEAD).await.len(), 61);
}
