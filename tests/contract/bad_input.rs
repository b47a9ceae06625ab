//! Bad input is refused with the field and the remedy, and stores nothing; strange
//! input is taken.

use crate::common::{Desk, LEAD, document, ingest, violations};
use copydesk::proto::v1 as pb;
use copydesk::proto::v1::{find_duplicates_request, find_related_passages_request};
use prost::Message;
use tonic::{Code, Status};
use tonic_types::StatusExt;

fn page(html: &[u8], content_type: &str) -> pb::Document {
    pb::Document {
        html: Some(html.to_vec()),
        content_type: content_type.to_owned(),
        ..pb::Document::default()
    }
}

fn of_text(text: &str) -> pb::Document {
    pb::Document { text: Some(text.to_owned()), ..Default::default() }
}

fn assert_invalid(status: &Status, field: &str) {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    assert_eq!(violations(status), [field], "{status:?}");
    assert!(status.get_error_details().error_info().is_some());
    assert!(status.message().contains(field), "{status:?}");
}

#[tokio::test]
async fn bad_documents_are_refused_by_field_and_nothing_is_stored() {
    let mut desk = Desk::open().await;
    let good = || document("a", &[LEAD]);
    let time = |seconds, nanos| Some(prost_types::Timestamp { seconds, nanos });
    let limits = desk.client.admin.get_server_info(pb::GetServerInfoRequest {}).await.unwrap();
    let limits = limits.into_inner().limits.unwrap();
    let most_bytes = usize::try_from(limits.max_document_bytes).unwrap();
    let most_paragraphs = usize::try_from(limits.max_paragraphs_per_document).unwrap();
    let long = "x".repeat(usize::try_from(limits.max_field_bytes).unwrap() + 1);
    let labels =
        |count: i32| (0..count).map(|index| (format!("k{index}"), String::new())).collect();
    for (wrong, field) in [
        (of_text(""), "document.text"),
        (of_text(" \n\u{200B}\t\u{A0}"), "document.text"),
        (document("", &[]), "document.paragraphs"),
        (document("", &["", "\n"]), "document.paragraphs"),
        (pb::Document::default(), "document"),
        (pb::Document { text: Some("two".to_owned()), ..good() }, "document"),
        (pb::Document { html: Some(vec![60]), ..good() }, "document"),
        (page(b"", ""), "document.html"),
        (page(b"<script>no text</script>", ""), "document.html"),
        (page("<div>".repeat(9_000).as_bytes(), ""), "document.html"),
        (page("<p>".repeat(200_000).as_bytes(), ""), "document.html"),
        (page("<p>A paragraph.</p>".repeat(11_000).as_bytes(), ""), "document.html"),
        (page(format!("<p>{}", "word ".repeat(500_000)).as_bytes(), ""), "document.html"),
        (page(b"%PDF", "application/pdf"), "document.content_type"),
        (page(b"<p>page", &long), "document.content_type"),
        (pb::Document { document_id: "x".repeat(257), ..good() }, "document.document_id"),
        (pb::Document { document_id: "caf\u{E9}".to_owned(), ..good() }, "document.document_id"),
        (pb::Document { document_id: "a\nb".to_owned(), ..good() }, "document.document_id"),
        (pb::Document { title: long.clone(), ..good() }, "document.title"),
        (pb::Document { source: long.clone(), ..good() }, "document.source"),
        (pb::Document { url: long.clone(), ..good() }, "document.url"),
        (pb::Document { language: "not a tag".to_owned(), ..good() }, "document.language"),
        (pb::Document { published_at: time(i64::MAX, 0), ..good() }, "document.published_at"),
        (
            pb::Document { published_at: time(-62_135_596_801, 0), ..good() },
            "document.published_at",
        ),
        (
            pb::Document { published_at: time(253_402_300_800, 0), ..good() },
            "document.published_at",
        ),
        (pb::Document { published_at: time(0, -1), ..good() }, "document.published_at"),
        (pb::Document { labels: labels(limits.max_labels + 1), ..good() }, "document.labels"),
        (
            pb::Document { labels: [(String::new(), String::new())].into(), ..good() },
            "document.labels",
        ),
        (of_text(&"word ".repeat(most_bytes / 5 + 1)), "document.text"),
        (of_text(&"a\n".repeat(most_paragraphs + 1)), "document.text"),
        (document("", &vec!["a"; most_paragraphs + 1]), "document.paragraphs"),
        (document("", &["a", &"b".repeat(most_bytes + 1)]), "document.paragraphs[1]"),
    ] {
        let refused = desk.ingest(ingest(wrong)).await.unwrap_err();
        assert_invalid(&refused, field);
    }
    let request = pb::IngestDocumentRequest { duplicate_policy: 9, ..ingest(good()) };
    assert_invalid(&desk.ingest(request).await.unwrap_err(), "duplicate_policy");
    let request = pb::IngestDocumentRequest { view: 9, ..ingest(good()) };
    assert_invalid(&desk.ingest(request).await.unwrap_err(), "view");
    let refused = desk.ingest(pb::IngestDocumentRequest::default()).await.unwrap_err();
    assert_invalid(&refused, "document");

    let info = desk.client.admin.get_server_info(pb::GetServerInfoRequest {}).await.unwrap();
    let corpus = info.into_inner().corpus.unwrap();
    assert_eq!((corpus.document_count, corpus.passage_count), (0, 0));
}

#[tokio::test]
async fn all_that_is_wrong_is_named_at_once() {
    let mut desk = Desk::open().await;
    let wrong =
        pb::Document { document_id: "\u{7}".to_owned(), language: "?".to_owned(), ..of_text("t") };
    let request = pb::IngestDocumentRequest { view: -1, ..ingest(wrong) };
    let refused = desk.ingest(request).await.unwrap_err();
    assert_eq!(violations(&refused), ["document.document_id", "document.language", "view"]);
}

#[tokio::test]
async fn bad_questions_are_refused_by_field() {
    use find_duplicates_request::Query;
    let mut desk = Desk::open().await;
    let text = || Some(Query::Text(LEAD.to_owned()));
    let filter = |filter| Some(filter);
    let time = Some(prost_types::Timestamp { seconds: 0, nanos: 2_000_000_000 });
    let base = || pb::FindDuplicatesRequest { query: text(), ..Default::default() };
    for (wrong, field) in [
        (pb::FindDuplicatesRequest::default(), "query"),
        (pb::FindDuplicatesRequest { query: Some(Query::Text(" ".to_owned())), ..base() }, "text"),
        (
            pb::FindDuplicatesRequest { query: Some(Query::PassageId("a".to_owned())), ..base() },
            "passage_id",
        ),
        (
            pb::FindDuplicatesRequest {
                query: Some(Query::PassageId("a#-1".to_owned())),
                ..base()
            },
            "passage_id",
        ),
        (
            pb::FindDuplicatesRequest { query: Some(Query::DocumentId(String::new())), ..base() },
            "document_id",
        ),
        (
            pb::FindDuplicatesRequest { query: Some(Query::Document(of_text(""))), ..base() },
            "document.text",
        ),
        (pb::FindDuplicatesRequest { limit: -1, ..base() }, "limit"),
        (pb::FindDuplicatesRequest { min_probability: Some(1.5), ..base() }, "min_probability"),
        (
            pb::FindDuplicatesRequest { min_probability: Some(f32::NAN), ..base() },
            "min_probability",
        ),
        (pb::FindDuplicatesRequest { view: 77, ..base() }, "view"),
        (
            pb::FindDuplicatesRequest {
                filter: filter(pb::Filter {
                    languages: vec!["e n".to_owned()],
                    ..Default::default()
                }),
                ..base()
            },
            "filter.languages[0]",
        ),
        (
            pb::FindDuplicatesRequest {
                filter: filter(pb::Filter { published_after: time, ..Default::default() }),
                ..base()
            },
            "filter.published_after",
        ),
        (
            pb::FindDuplicatesRequest {
                filter: filter(pb::Filter {
                    sources: vec![String::new(); 1_001],
                    ..Default::default()
                }),
                ..base()
            },
            "filter.sources",
        ),
    ] {
        assert_invalid(&desk.duplicates(wrong).await.unwrap_err(), field);
    }
    let base = || pb::FindRelatedPassagesRequest {
        query: Some(find_related_passages_request::Query::Text(LEAD.to_owned())),
        ..Default::default()
    };
    let ranking = |ranking| Some(ranking);
    for (wrong, field) in [
        (pb::FindRelatedPassagesRequest { limit: -5, ..base() }, "limit"),
        (pb::FindRelatedPassagesRequest { max_per_document: -5, ..base() }, "max_per_document"),
        (pb::FindRelatedPassagesRequest { min_score: Some(-0.1), ..base() }, "min_score"),
        (
            pb::FindRelatedPassagesRequest {
                ranking: ranking(pb::RankingOptions { mode: 12, ..Default::default() }),
                ..base()
            },
            "ranking.mode",
        ),
        (
            pb::FindRelatedPassagesRequest {
                ranking: ranking(pb::RankingOptions {
                    as_of: Some(prost_types::Timestamp { seconds: i64::MIN, nanos: 0 }),
                    ..Default::default()
                }),
                ..base()
            },
            "ranking.as_of",
        ),
        (
            pb::FindRelatedPassagesRequest {
                ranking: ranking(pb::RankingOptions { diversity: 1.5, ..Default::default() }),
                ..base()
            },
            "ranking.diversity",
        ),
    ] {
        assert_invalid(&desk.related(wrong).await.unwrap_err(), field);
    }
    let page = pb::ListDocumentsRequest { page_size: -1, ..Default::default() };
    assert_invalid(&desk.client.corpus.list_documents(page).await.unwrap_err(), "page_size");
    let batch = pb::BatchGetDocumentsRequest { document_ids: vec!["a".to_owned(); 1_001] };
    assert_invalid(
        &desk.client.corpus.batch_get_documents(batch).await.unwrap_err(),
        "document_ids",
    );
}

#[tokio::test]
async fn strange_text_is_taken_and_comes_back_as_it_was() {
    let mut desk = Desk::open().await;
    let million = "x".repeat(1_000_000);
    for (id, text) in [
        ("nul", "The bank\0 raised\u{1} its rate\u{7F} on Monday."),
        ("marks", "\u{202E}The bank raised\u{200F} its rate\u{2066} on Monday.\u{FEFF}"),
        ("emoji", "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467} \u{1F389}"),
        ("punctuation", "?!"),
        (
            "arabic",
            "\u{627}\u{644}\u{628}\u{646}\u{643} \u{627}\u{644}\u{645}\u{631}\u{643}\u{632}\u{64A}",
        ),
        ("quotes", "it's a \"quoted\" \\ % _ text; DROP TABLE documents"),
        ("special", "[CLS] [SEP] [MASK] [PAD] [UNK]"),
        ("million", million.as_str()),
    ] {
        let document = pb::Document { document_id: id.to_owned(), ..of_text(text) };
        desk.ingest(ingest(document)).await.unwrap_or_else(|status| panic!("{id}: {status:?}"));
        let stored = desk.get(id, pb::VerdictView::Unspecified).await.unwrap();
        let passages: String =
            stored.passages.iter().map(|passage| passage.text.as_str()).collect();
        assert_eq!(passages, text.trim_start_matches('\u{FEFF}'), "{id}");
        let query = Some(find_duplicates_request::Query::PassageId(format!("{id}#0")));
        desk.duplicates(pb::FindDuplicatesRequest { query, ..Default::default() }).await.unwrap();
    }
    assert_eq!(desk.copies_of("The bank raised its rate on Monday.").await, ["nul#0", "marks#0"]);
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_with_a_reason() {
    let mut desk = Desk::open().await;
    for (words, code) in [(1 << 20, Code::InvalidArgument), (4 << 20, Code::ResourceExhausted)] {
        let document = of_text(&"word ".repeat(words));
        assert!(document.encoded_len() > 4 << 20);
        let refused = desk.ingest(ingest(document)).await.unwrap_err();
        assert_eq!(refused.code(), code, "{refused:?}");
        assert!(refused.get_error_details().error_info().is_some());
    }
    desk.put("a", &[LEAD]).await;
}

#[tokio::test]
async fn of_very_many_violations_the_first_few_are_told() {
    let mut desk = Desk::open().await;
    let batch = pb::BatchGetDocumentsRequest { document_ids: vec!["\u{E9}".repeat(99); 500] };
    let refused = desk.client.corpus.batch_get_documents(batch).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(violations(&refused).len(), 10);
    let labels = [("k".repeat(20_000), "v".repeat(20_000))].into();
    let refused =
        desk.ingest(ingest(pb::Document { labels, ..document("a", &[LEAD]) })).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn documents_made_to_be_slow_are_taken_like_others() {
    let mut desk = Desk::open().await;
    let lines = |from: i32| -> String {
        (from..from + 1_000).map(|n| format!("Item {n} rose\n")).collect()
    };
    let closing = format!("He left.{}", ")".repeat(400_000));
    let back: String = (0..5_000).map(|n| format!("Back to a{n}\n")).collect();
    for (id, text) in
        [("items", lines(0)), ("more", lines(500)), ("closing", closing), ("back", back)]
    {
        let document = pb::Document { document_id: id.to_owned(), ..of_text(&text) };
        desk.ingest(ingest(document)).await.unwrap();
    }
    let same = "The same line, again and again.\n".repeat(5_000);
    for (id, text) in [("same", same.clone()), ("same, and one", format!("{same}{LEAD}"))] {
        let document = pb::Document { document_id: id.to_owned(), ..of_text(&text) };
        desk.ingest(ingest(document)).await.unwrap();
    }
    // Published before what it shares a family with, so that the two are compared whole.
    let earlier = pb::Document {
        document_id: "earlier".to_owned(),
        published_at: crate::common::day("2001-01-01"),
        ..of_text(&lines(0))
    };
    let copy = desk.ingest(ingest(earlier)).await.unwrap();
    assert_eq!(crate::common::verdict_of(&copy), pb::Verdict::ExactDuplicate);
}
