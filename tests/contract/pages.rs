//! Pages of the web as bodies of documents: over the wire, wherever a document can be given,
//! and pages that nobody wrote.

#[path = "../../fuzz/harness/page.rs"]
mod read;

use std::fs;
use std::path::Path;

use crate::common::{Desk, LEAD, OTHER, SECOND, THIRD, ingest, verdict_of, violations};
use copydesk::proto::v1 as pb;
use copydesk::proto::v1::{
    find_duplicates_request, find_related_documents_request, find_related_passages_request,
};
use encoding_rs::WINDOWS_1251;
use fastrand::Rng;
use tonic_types::StatusExt;

/// A page as an outlet makes it, around three paragraphs.
fn page() -> pb::Document {
    let html = format!(
        r#"<!doctype html><html lang="en-GB"><head><title>Rates rise again | The Gazette</title>
        <link rel="canonical" href="https://gazette.example/2021/05/03/rates">
        <meta property="og:site_name" content="The Gazette">
        <script type="application/ld+json">{{"@context": "https://schema.org",
            "@type": "NewsArticle", "headline": "Rates rise again",
            "datePublished": "2021-05-03T10:00:00+02:00", "author": {{"name": "Jane Roe"}}}}</script>
        </head><body><nav><ul><li><a href="/">Home</a><li><a href="/sport">Sport</a></ul></nav>
        <article><h1>Rates rise again</h1><p>{LEAD}</p>
        <figure><img src="a.jpg"><figcaption>The governor on Monday</figcaption></figure>
        <p>{SECOND}</p><p><a href="/other">Five things to know about rates</a></p><p>{THIRD}</p>
        <p>Subscribe to our newsletter</p></article>
        <footer>Terms of use</footer></body></html>"#
    );
    pb::Document { html: Some(html.into_bytes()), ..Default::default() }
}

fn reporting(stored: &pb::GetDocumentResponse) -> Vec<&str> {
    let passages = stored.passages.iter();
    let reporting = passages.filter(|passage| passage.kind() == pb::PassageKind::Body);
    reporting.map(|passage| passage.text.as_str()).collect()
}

#[tokio::test]
async fn a_page_is_stored_as_the_article_that_it_holds() {
    let mut desk = Desk::open().await;
    let id = desk.ingest(ingest(page())).await.unwrap().document_id;
    let stored = desk.get(&id, pb::VerdictView::Unspecified).await.unwrap();
    assert_eq!(reporting(&stored), [LEAD, SECOND, THIRD]);
    assert!(stored.passages.iter().any(|passage| passage.text.contains("The governor")));
    assert!(!stored.passages.iter().any(|passage| passage.text.contains("Terms of use")));
    let document = stored.document.unwrap();
    assert_eq!(document.title, "Rates rise again");
    assert_eq!(document.source, "The Gazette");
    assert_eq!(document.url, "https://gazette.example/2021/05/03/rates");
    assert_eq!(document.language, "en-GB");
    assert_eq!(document.published_at.unwrap().seconds, 1_620_028_800);
    assert_eq!(document.labels["author"], "Jane Roe");

    let again = desk.ingest(ingest(page())).await.unwrap();
    assert_eq!((again.document_id.as_str(), again.outcome()), (&*id, pb::IngestOutcome::Unchanged));
    let text = desk.put("text", &[LEAD, SECOND, THIRD]).await;
    assert_eq!(verdict_of(&text), pb::Verdict::ExactDuplicate);
}

#[tokio::test]
async fn what_the_caller_gives_wins_over_what_the_page_says() {
    let mut desk = Desk::open().await;
    let given = pb::Document {
        document_id: "given".to_owned(),
        title: "Our headline".to_owned(),
        source: "feed".to_owned(),
        url: "https://feed.example/1".to_owned(),
        language: "en-US".to_owned(),
        published_at: crate::common::day("1999-01-01"),
        labels: [("author".to_owned(), "desk".to_owned())].into(),
        ..page()
    };
    desk.ingest(ingest(given.clone())).await.unwrap();
    let stored = desk.get("given", pb::VerdictView::Unspecified).await.unwrap().document.unwrap();
    assert_eq!(stored.title, given.title);
    assert_eq!(stored.source, given.source);
    assert_eq!(stored.url, given.url);
    assert_eq!(stored.language, given.language);
    assert_eq!(stored.published_at, given.published_at);
    assert_eq!(stored.labels, given.labels);
}

#[tokio::test]
async fn every_question_that_takes_a_document_takes_a_page() {
    let mut desk = Desk::open().await;
    desk.put("same", &[LEAD, SECOND, THIRD]).await;
    desk.put("other", &[OTHER]).await;

    let query = Some(find_duplicates_request::Query::Document(page()));
    let request = pb::FindDuplicatesRequest { query, ..Default::default() };
    assert_eq!(desk.duplicates(request).await.unwrap().matches.len(), 3);

    let query = Some(find_related_passages_request::Query::Document(page()));
    let request = pb::FindRelatedPassagesRequest { query, ..Default::default() };
    let copies = desk.related(request).await.unwrap().query_duplicate_ids;
    assert_eq!(copies, ["same#0", "same#1", "same#2"]);

    let query = Some(find_related_documents_request::Query::Document(page()));
    let request = pb::FindRelatedDocumentsRequest { query, ..Default::default() };
    let answer = desk.client.similarity.find_related_documents(request).await.unwrap();
    assert_eq!(answer.into_inner().query_duplicate_ids, ["same"]);

    use pb::compare_documents_request::{Left, Right};
    for (left, right) in [
        (Left::LeftDocument(page()), Right::RightDocumentId("same".to_owned())),
        (Left::LeftDocumentId("same".to_owned()), Right::RightDocument(page())),
        (Left::LeftDocument(page()), Right::RightDocument(page())),
    ] {
        let request = pb::CompareDocumentsRequest {
            left: Some(left),
            right: Some(right),
            ..Default::default()
        };
        let answer = desk.client.similarity.compare_documents(request).await.unwrap();
        let verdict = answer.into_inner().verdict.unwrap();
        assert_eq!(verdict.verdict(), pb::Verdict::ExactDuplicate);
    }
}

#[tokio::test]
async fn a_page_without_an_article_is_refused_by_the_name_of_its_field() {
    use pb::compare_documents_request::{Left, Right};
    let mut desk = Desk::open().await;
    let empty = || pb::Document { html: Some(b"<br>".to_vec()), ..Default::default() };
    for (left, right, field) in [
        (empty(), page(), "left_document.html"),
        (page(), empty(), "right_document.html"),
        (
            page(),
            pb::Document { content_type: "image/png".to_owned(), ..page() },
            "right_document.content_type",
        ),
    ] {
        let request = pb::CompareDocumentsRequest {
            left: Some(Left::LeftDocument(left)),
            right: Some(Right::RightDocument(right)),
            ..Default::default()
        };
        let refused = desk.client.similarity.compare_documents(request).await.unwrap_err();
        assert_eq!(violations(&refused), [field], "{refused:?}");
        assert!(refused.get_error_details().error_info().is_some());
    }
    let query = Some(find_duplicates_request::Query::Document(empty()));
    let request = pb::FindDuplicatesRequest { query, ..Default::default() };
    assert_eq!(violations(&desk.duplicates(request).await.unwrap_err()), ["document.html"]);
}

#[tokio::test]
async fn the_character_set_is_that_of_the_content_type() {
    let mut desk = Desk::open().await;
    let text = "\u{41C}\u{438}\u{43D}\u{438}\u{441}\u{442}\u{440} \u{43F}\u{440}\u{438}\u{431}\u{44B}\u{43B} \u{432} \u{441}\u{442}\u{43E}\u{43B}\u{438}\u{446}\u{443}.";
    let html = format!("<meta charset=iso-8859-1><title>x</title><p>{text}</p>");
    let document = pb::Document {
        document_id: "a".to_owned(),
        html: Some(WINDOWS_1251.encode(&html).0.into_owned()),
        content_type: "text/html; charset=windows-1251".to_owned(),
        ..Default::default()
    };
    desk.ingest(ingest(document)).await.unwrap();
    let stored = desk.get("a", pb::VerdictView::Unspecified).await.unwrap();
    assert_eq!(reporting(&stored), [text]);
}

#[test]
fn pages_that_nobody_wrote_harm_nobody() {
    let seed = std::env::var("COPYDESK_SEED").ok().map(|seed| seed.parse().unwrap());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("COPYDESK_SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/page");
    let pages: Vec<Vec<u8>> =
        fs::read_dir(folder).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    pages.iter().for_each(|page| read::read_page(page));
    for _ in 0..1_000 {
        read::read_page(&changed(&pages, &mut rng));
    }
}

/// One of the pages, with parts of all of them put elsewhere, again and again.
fn changed(pages: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let mut page = pages[rng.usize(0..pages.len())].clone();
    for _ in 0..rng.usize(1..8) {
        let from = &pages[rng.usize(0..pages.len())];
        let start = rng.usize(0..from.len());
        let part = &from[start..(start + rng.usize(0..60)).min(from.len())];
        let times = if rng.u8(..) < 16 { rng.usize(0..3_000) } else { 1 };
        let at = rng.usize(0..=page.len());
        let end = (at + rng.usize(0..30)).min(page.len());
        page.splice(at..end, part.repeat(times));
        if rng.bool() && !page.is_empty() {
            let at = rng.usize(0..page.len());
            page[at] = rng.u8(..);
        }
    }
    page
}
