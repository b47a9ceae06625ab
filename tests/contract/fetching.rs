//! Pages that the server fetches for a client: from where, how much, and what is said otherwise.

use std::io::Write;
use std::time::Duration;

use crate::common::web::{Answer, Web, page};
use crate::common::{Desk, LEAD, OTHER, SECOND, THIRD, ingest, verdict_of, violations};
use copydesk::client::Client;
use copydesk::proto::v1 as pb;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tempfile::TempDir;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// A server that fetches from this machine, too.
async fn fetching(options: &[&str]) -> (Desk, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let all = ["--fetch", "--fetch-network", "127.0.0.1", "--fetch-delay", "0s"];
    let options: Vec<&str> = all.iter().chain(options).copied().collect();
    (Desk::with(folder.path(), &options).await, folder)
}

async fn fetch(client: &Client, url: &str) -> Result<pb::Document, Status> {
    let request = pb::FetchPageRequest { url: url.to_owned() };
    let answer = client.corpus.clone().fetch_page(request).await?.into_inner();
    Ok(answer.document.unwrap())
}

async fn refusal(desk: &Desk, url: &str) -> (Code, String, Status) {
    let status = fetch(&desk.client, url).await.expect_err(url);
    let reason = status.get_error_details().error_info().unwrap().reason.clone();
    (status.code(), reason, status)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_fetched_can_be_asked_about_and_is_not_stored() {
    let (mut desk, _folder) = fetching(&[]).await;
    let web = Web::start();
    web.put("/short", Answer::redirect("302 Found", "/rates"));
    web.put("/rates", Answer::page(page("Rates rise", &[LEAD, SECOND, THIRD])));
    desk.put("known", &[LEAD, SECOND, THIRD]).await;

    let document = fetch(&desk.client, &web.url("/short")).await.unwrap();
    assert_eq!(document.url, web.url("/rates"));
    assert_eq!(document.content_type, "text/html; charset=utf-8");
    assert_eq!(desk.info().await.corpus.unwrap().document_count, 1);
    assert_eq!(web.requests("/robots.txt").len(), 1);

    let query = Some(pb::find_duplicates_request::Query::Document(document.clone()));
    let asked = pb::FindDuplicatesRequest { query, ..Default::default() };
    assert_eq!(desk.duplicates(asked).await.unwrap().matches.len(), 3);
    let judged = pb::IngestDocumentRequest { validate_only: true, ..ingest(document) };
    let judged = desk.ingest(judged).await.unwrap();
    assert_eq!(verdict_of(&judged), pb::Verdict::ExactDuplicate);
    assert_eq!(judged.verdict.unwrap().canonical_document_id, "known");
    assert_eq!(desk.info().await.limits.unwrap().max_fetches, 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_not_told_to_fetches_nothing() {
    let mut desk = Desk::open().await;
    let web = Web::start();
    let (code, reason, status) = refusal(&desk, &web.url("/rates")).await;
    assert_eq!((code, reason.as_str()), (Code::Unimplemented, "FETCHES_NOTHING"));
    assert!(status.message().contains("--fetch"), "{}", status.message());
    assert!(web.requests("/rates").is_empty());
    assert_eq!(desk.info().await.limits.unwrap().max_fetches, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leads_into_a_network_that_is_not_allowed() {
    // Of this machine's addresses, the first one only.
    let (desk, _folder) = fetching(&[]).await;
    let web = Web::start();
    let port = web.address.rsplit(':').next().unwrap();
    web.put("/secret", Answer::page(page("Secret", &[LEAD])));
    let other = format!("http://127.0.0.2:{port}/secret");
    web.put("/inward", Answer::redirect("302 Found", &other));
    web.put("/metadata", Answer::redirect("301 Moved", "http://169.254.169.254/latest"));
    let mapped = format!("http://[::ffff:127.0.0.2]:{port}/secret");
    let private = [
        other.as_str(),
        &mapped,
        "http://10.0.0.1/",
        "http://[fd00::1]/",
        "http://[fe80::1]/",
        "http://100.64.0.1/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        &web.url("/inward"),
        &web.url("/metadata"),
    ];
    for url in private {
        let (code, reason, status) = refusal(&desk, url).await;
        assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "PRIVATE_NETWORK"), "{url}");
        assert_eq!(violations(&status), ["url"]);
        assert!(status.message().contains("--fetch-network"), "{}", status.message());
    }
    assert!(web.requests("/secret").is_empty());
    assert_eq!(web.requests("/inward").len(), 1);
    // The same in other spellings of the address that is allowed.
    for host in ["127.0.0.1", "2130706433", "localhost", "[::ffff:127.0.0.1]"] {
        let url = format!("http://{host}:{port}/secret");
        assert!(fetch(&desk.client, &url).await.is_ok(), "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_a_page_from_being_fetched_is_told_apart() {
    let (desk, _folder) = fetching(&["--fetch-timeout", "2s"]).await;
    let (web, busy) = (Web::start(), Web::start());
    let mut bomb = GzEncoder::new(Vec::new(), Compression::default());
    bomb.write_all(&vec![b' '; 64 << 20]).unwrap();
    let head = "200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip".to_owned();
    web.put("/bomb", Answer::Whole { head, body: bomb.finish().unwrap() });
    web.put("/endless", Answer::Endless { head: "200 OK\r\nContent-Type: text/html".to_owned() });
    web.put("/slow", Answer::Slow);
    web.put("/circle", Answer::redirect("302 Found", "/circle"));
    web.put("/outside", Answer::redirect("302 Found", "ftp://127.0.0.1/x"));
    web.put("/mail", Answer::redirect("302 Found", "http://127.0.0.1:25/"));
    web.put("/403", Answer::status("403 Forbidden"));
    web.put("/500", Answer::status("500 Internal Server Error"));
    web.put("/picture", Answer::ok("image/png", "\u{89}PNG"));
    web.put("/cut", Answer::Cut { content_type: "text/html", body: b"<p>".to_vec() });
    web.put("/robots.txt", Answer::ok("text/plain", "User-agent: copydesk\nDisallow: /private/"));
    web.put("/private/page", Answer::page(page("Strike", &[OTHER])));
    busy.put("/429", Answer::status("429 Too Many Requests\r\nRetry-After: 7"));
    let closed = "http://127.0.0.1:1024/";
    let long = format!("https://news.example/{}", "x".repeat(5_000));
    let cases = [
        ("gazette.example", Code::InvalidArgument, "INVALID_FIELD", "give one such as https://"),
        ("", Code::InvalidArgument, "INVALID_FIELD", "is no address"),
        ("file:///etc/passwd", Code::InvalidArgument, "INVALID_FIELD", "only http and https"),
        ("http://a:b@news.example/", Code::InvalidArgument, "INVALID_FIELD", "a name or a pass"),
        ("http://127.0.0.1:22/", Code::InvalidArgument, "INVALID_FIELD", "from 1024 on"),
        (&long, Code::InvalidArgument, "INVALID_FIELD", "at most 4096"),
        (&web.url("/outside"), Code::InvalidArgument, "INVALID_FIELD", "only http and https"),
        (&web.url("/mail"), Code::InvalidArgument, "INVALID_FIELD", "and not 25"),
        (&web.url("/picture"), Code::InvalidArgument, "NOT_A_PAGE", "image/png"),
        (&web.url("/bomb"), Code::InvalidArgument, "DOCUMENT_TOO_LARGE", "more than 4177920"),
        (&web.url("/endless"), Code::InvalidArgument, "DOCUMENT_TOO_LARGE", "more than"),
        (&web.url("/private/page"), Code::FailedPrecondition, "ROBOTS", "open the page yourself"),
        (&web.url("/none"), Code::NotFound, "PAGE_NOT_FOUND", "answered 404"),
        (&web.url("/403"), Code::FailedPrecondition, "HOST_REFUSED", "answered 403"),
        (&web.url("/circle"), Code::FailedPrecondition, "HOST_REFUSED", "in a circle"),
        (&web.url("/500"), Code::Unavailable, "HOST_BUSY", "answered 500"),
        (&web.url("/cut"), Code::Unavailable, "HOST_UNREACHABLE", "cannot be reached"),
        (closed, Code::Unavailable, "HOST_UNREACHABLE", "cannot be reached"),
        (&web.url("/slow"), Code::DeadlineExceeded, "HOST_SLOW", "within 2 s"),
        (&busy.url("/429"), Code::Unavailable, "HOST_BUSY", "left alone for 7 s"),
    ];
    for (url, expected, reason, says) in cases {
        let (code, told, status) = refusal(&desk, url).await;
        assert_eq!((code, told.as_str()), (expected, reason), "{url}: {}", status.message());
        assert_eq!(violations(&status), ["url"], "{url}");
        assert!(status.message().contains(says), "{url}: {}", status.message());
        let delay = status.get_details_retry_info().and_then(|info| info.retry_delay);
        let wanted = url.ends_with("429").then(|| Duration::from_secs(7));
        assert_eq!(delay, wanted, "{url}");
    }
    assert!(web.requests("/private/page").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_do_not_come_keep_neither_questions_nor_other_pages_out() {
    let (mut desk, _folder) = fetching(&[]).await;
    let (slow, web) = (Web::start(), Web::start());
    slow.put("/slow", Answer::Slow);
    web.put("/rates", Answer::page(page("Rates rise", &[LEAD, SECOND])));
    let others = Client::connect(&desk.address).await.unwrap();
    let url = slow.url("/slow");
    let clients = [&desk.client, &others].into_iter().cycle().take(18);
    let mut calls: FuturesUnordered<_> = clients.map(|client| fetch(client, &url)).collect();
    let refused = calls.next().await.unwrap().unwrap_err();
    let details = refused.get_error_details();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{}", refused.message());
    assert_eq!(details.error_info().unwrap().reason, "OVERLOADED");
    assert!(details.retry_info().unwrap().retry_delay.is_some());
    drop(calls);
    desk.put("known", &[LEAD, SECOND]).await;
    // Who does not wait any longer takes no place.
    loop {
        match fetch(&others, &web.url("/rates")).await {
            Ok(_) => return,
            Err(status) => assert_eq!(status.code(), Code::ResourceExhausted),
        }
    }
}
