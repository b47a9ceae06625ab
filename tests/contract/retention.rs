//! What is deleted or too old is gone: from answers at once, from the disk soon after, and
//! its space comes back.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::common::{Desk, LEAD, OTHER, SECOND, THIRD, document, ingest};
use copydesk::proto::v1 as pb;
use tonic::Code;
use tonic_types::StatusExt;

fn published(id: &str, source: &str, days_ago: i64, paragraph: &str) -> pb::Document {
    let then = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days_ago);
    pb::Document {
        source: source.to_owned(),
        published_at: Some(prost_types::Timestamp { seconds: then.as_second(), nanos: 0 }),
        ..document(id, &[paragraph])
    }
}

/// All bytes of the files that hold text.
fn bytes_of(folder: &Path) -> Vec<u8> {
    let names = ["corpus.sqlite", "corpus.sqlite-wal"];
    names.iter().flat_map(|name| fs::read(folder.join(name)).unwrap_or_default()).collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn what_is_too_old_is_refused_and_what_becomes_too_old_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::over(folder.path()).await;
    for (id, source, days_ago, text) in [
        ("fresh", "Wire", 2, LEAD),
        ("old", "Wire", 40, SECOND),
        ("kept", "Archive", 40, THIRD),
        ("short", "Flash", 2, OTHER),
    ] {
        desk.ingest(ingest(published(id, source, days_ago, text))).await.unwrap();
    }
    drop(desk);
    let options =
        ["--retention", "30d", "--retention-of", "Archive=1000d", "--retention-of", "Flash=12h"];
    let mut desk = Desk::with(folder.path(), &options).await;
    for _ in 0..100 {
        if desk.info().await.corpus.unwrap().document_count == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for (id, is_there) in [("fresh", true), ("old", false), ("kept", true), ("short", false)] {
        let found = desk.get(id, pb::VerdictView::Unspecified).await;
        assert_eq!(found.is_ok(), is_there, "{id}");
    }
    assert!(desk.copies_of(SECOND).await.is_empty());
    assert_eq!(desk.copies_of(LEAD).await, ["fresh#0"]);

    let refused = desk.ingest(ingest(published("late", "Wire", 31, OTHER))).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let details = refused.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "PAST_RETENTION");
    assert!(desk.get("late", pb::VerdictView::Unspecified).await.is_err());
    desk.ingest(ingest(published("late", "Archive", 31, OTHER))).await.unwrap();
}

#[tokio::test]
async fn deleted_text_is_overwritten_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::over(folder.path()).await;
    desk.put("stays", &[LEAD]).await;
    desk.put("goes", &[SECOND]).await;
    desk.put("changes", &[THIRD]).await;
    assert!(holds(&bytes_of(folder.path()), SECOND));
    desk.delete("goes").await.unwrap();
    desk.put("changes", &[OTHER]).await;
    assert!(desk.copies_of(SECOND).await.is_empty());
    let is_gone = |text| !holds(&bytes_of(folder.path()), text);
    for _ in 0..200 {
        if is_gone(SECOND) && is_gone(THIRD) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(is_gone(SECOND) && is_gone(THIRD));
    let bytes = bytes_of(folder.path());
    assert!(holds(&bytes, LEAD) && holds(&bytes, OTHER));
}

#[tokio::test]
async fn the_space_of_what_was_deleted_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::with(folder.path(), &["--segment-rows", "256"]).await;
    for number in 0..600 {
        let paragraph = format!(
            "Minutes of meeting {number}: the council of town {} voted on motion {} by {} votes.",
            number * 7 % 101,
            number * 31 % 997,
            number % 40
        );
        let labels = [("half".to_owned(), (number % 2).to_string())].into();
        let document = pb::Document { labels, ..document(&number.to_string(), &[&paragraph]) };
        desk.ingest(ingest(document)).await.unwrap();
    }
    let compact = async |desk: &mut Desk| {
        desk.client.admin.compact_index(pb::CompactIndexRequest {}).await.unwrap().into_inner()
    };
    let compacted = compact(&mut desk).await;
    assert!(compacted.segments_before > 1, "{compacted:?}");
    assert_eq!(compacted.segments_after, 1);
    let before = desk.info().await.corpus.unwrap();
    let labels = [("half".to_owned(), "1".to_owned())].into();
    let filter = Some(pb::Filter { labels, ..Default::default() });
    let request = pb::DeleteDocumentsRequest { filter, validate_only: false };
    let deleted = desk.client.corpus.delete_documents(request).await.unwrap().into_inner();
    assert_eq!(deleted.deleted_count, 300);
    compact(&mut desk).await;
    let after = desk.info().await.corpus.unwrap();
    let share = after.disk_bytes as f64 / before.disk_bytes as f64;
    assert!(share <= 0.6, "{} of {} bytes are left", after.disk_bytes, before.disk_bytes);
    assert_eq!(after.distinct_passage_count, 300);
    assert_eq!(after.index_coverage, 1.0);
}
