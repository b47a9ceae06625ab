//! Feeds, pages and archives that are given to `copydesk ingest`, as files and as addresses.

#[path = "../../fuzz/harness/feed.rs"]
mod feed;
#[path = "../../fuzz/harness/warc.rs"]
mod warc;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::common::web::{Answer, Web, all, page, rss};
use crate::common::{Desk, LEAD, OTHER, SECOND, THIRD, program};
use copydesk::proto::v1 as pb;
use fastrand::Rng;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

fn run(desk: &Desk, arguments: &[&str]) -> Output {
    program()
        .args(["--server", &desk.address, "ingest", "--fetch-delay", "0s"])
        .args(arguments)
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn results(output: &Output) -> Vec<Value> {
    let lines = out(output);
    let values = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    values.map(|mut value| value["result"].take()).collect()
}

async fn stored(desk: &mut Desk, id: &str) -> (pb::DocumentSummary, Vec<String>) {
    let stored = desk.get(id, pb::VerdictView::Unspecified).await.unwrap();
    let body = pb::PassageKind::Body;
    let texts = stored.passages.into_iter().filter(|passage| passage.kind() == body);
    (stored.document.unwrap(), texts.map(|passage| passage.text).collect())
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_entries_of_a_feed_in_a_file_are_articles() {
    let mut desk = Desk::open().await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let text = format!("<p>{LEAD}</p><p>{SECOND}</p>");
    let feed = rss(&[
        ("1", "Rates rise again", "https://gazette.example/rates", &text),
        ("2", "Strike goes on", "https://gazette.example/strike", OTHER),
        ("3", "In pictures", "https://gazette.example/pictures", ""),
    ]);
    fs::write(path("news.rss"), &feed).unwrap();
    fs::write(path("other.xml"), "<nitf><body>Not a feed.</body></nitf>").unwrap();
    fs::write(path("settings.json"), "{}").unwrap();

    let output = run(&desk, &["--json", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert!(err(&output).contains("pictures has no text in its feed"), "{}", err(&output));
    assert!(err(&output).contains("1 of 3 articles failed"), "{}", err(&output));
    let results = results(&output);
    let (document, texts) = stored(&mut desk, results[0]["document_id"].as_str().unwrap()).await;
    assert_eq!(document.title, "Rates rise again");
    assert_eq!(document.source, "The Gazette");
    assert_eq!(document.url, "https://gazette.example/rates");
    assert_eq!(texts, [LEAD, SECOND]);

    // The same, packed and on standard input: known. One that changed is replaced.
    let changed = feed.replace("<p>The central", &format!("<p>{THIRD}</p><p>The central"));
    fs::write(path("news.rss"), changed).unwrap();
    fs::write(path("again.rss.gz"), packed(feed.as_bytes())).unwrap();
    let output = run(&desk, &["--json", &path("again.rss.gz")]);
    assert_eq!(results_of(&output), ["UNCHANGED", "UNCHANGED", ""]);
    let output = run(&desk, &["--json", &path("news.rss")]);
    assert_eq!(results_of(&output), ["REPLACED", "UNCHANGED", ""]);
    let output = program()
        .args(["--server", &desk.address, "--json", "ingest", "-", "--format", "feed"])
        .stdin(fs::File::open(path("news.rss")).unwrap())
        .output()
        .unwrap();
    assert_eq!(results_of(&output), ["UNCHANGED", "UNCHANGED", ""]);

    let output = run(&desk, &[&path("other.xml")]);
    assert!(err(&output).contains("is neither RSS, Atom nor JSON Feed"), "{}", err(&output));
}

/// What was done, without what all of it begins with.
fn results_of(output: &Output) -> Vec<String> {
    let outcome = |result: Value| {
        let outcome = result["outcome"].as_str().unwrap_or_default().to_owned();
        outcome.trim_start_matches("INGEST_OUTCOME_").to_owned()
    };
    results(output).into_iter().map(outcome).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_feeds_and_pages_are_fetched_and_links_followed() {
    let mut desk = Desk::open().await;
    let web = Web::start();
    let feed = rss(&[
        ("1", "Rates rise again", &web.url("/rates"), "In short."),
        ("2", "Forbidden", &web.url("/private/strike"), OTHER),
        ("3", "Gone", &web.url("/gone"), "Gone."),
        ("4", "Gone, and nothing left", &web.url("/gone"), ""),
    ]);
    web.put("/rss", Answer::rss(feed));
    web.put("/rates", Answer::page(page("Rates: a long headline", &[LEAD, SECOND, THIRD])));
    web.put("/robots.txt", Answer::ok("text/plain", "User-agent: copydesk\nDisallow: /private/"));
    web.put("/direct", Answer::page(page("Strike", &[OTHER])));
    web.put("/private/direct", Answer::page(page("Strike", &[OTHER, LEAD])));

    let output = run(&desk, &["--json", "--follow-links", &web.url("/rss")]);
    assert_eq!(output.status.code(), Some(1));
    let said = err(&output);
    assert!(said.contains("/private/strike robots.txt of its host does not allow it"), "{said}");
    assert_eq!(said.matches("/gone its host answered 404").count(), 2, "{said}");
    // Where the feed has the text, that is taken.
    assert_eq!(results_of(&output), ["CREATED", "CREATED", "CREATED", ""]);
    let kept = "2 articles were taken in with the text of the feed, without their pages";
    assert!(said.contains(kept) && said.contains("1 of 4 articles failed"), "{said}");
    let id = results(&output)[1]["document_id"].as_str().unwrap().to_owned();
    assert_eq!(stored(&mut desk, &id).await.1, [OTHER]);
    let result = &results(&output)[0];
    let (document, texts) = stored(&mut desk, result["document_id"].as_str().unwrap()).await;
    assert_eq!(
        (document.title.as_str(), document.url.as_str()),
        ("Rates rise again", &*web.url("/rates"))
    );
    assert_eq!(texts, [LEAD, SECOND, THIRD]);
    assert!(web.requests("/private/strike").is_empty());
    let request = &web.requests("/rates")[0];
    assert!(request.fields["user-agent"].starts_with("copydesk/"), "{request:?}");

    // What is there is not fetched again.
    let output = run(&desk, &["--json", "--follow-links", &web.url("/rss")]);
    assert_eq!(results_of(&output)[0], "UNCHANGED");
    assert_eq!(web.requests("/rates").len(), 1);
    assert_eq!(web.requests("/robots.txt").len(), 2);

    // What somebody names himself is not for robots.txt to forbid.
    let output = run(&desk, &["--json", &web.url("/direct"), &web.url("/private/direct")]);
    assert_eq!(results_of(&output), ["CREATED", "CREATED"], "{}", err(&output));
    assert_eq!(web.requests("/robots.txt").len(), 2);
    assert_eq!(web.most_at_once(), 1);
    let output = run(&desk, &["http://"]);
    assert!(err(&output).contains("http:// is not an address"), "{}", err(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn links_lead_neither_inward_nor_out_of_the_web() {
    let desk = Desk::open().await;
    let (web, inside) = (Web::start(), Web::start());
    inside.put("/secret", Answer::page(page("Secret", &[LEAD])));
    let port = inside.address.rsplit(':').next().unwrap();
    let named = format!("http://localhost:{port}/secret");
    let feed = rss(&[
        ("1", "Inward", &inside.url("/secret"), ""),
        ("2", "By its name", &named, ""),
        ("3", "By redirect", &web.url("/inward"), ""),
        ("4", "A file", "file:///etc/passwd", OTHER),
    ]);
    web.put("/rss", Answer::rss(feed));
    web.put("/inward", Answer::redirect("302 Found", &inside.url("/secret")));
    let output = run(&desk, &["--follow-links", &web.url("/rss")]);
    assert_eq!(
        err(&output).matches("its address is in a private network").count(),
        3,
        "{}",
        err(&output)
    );
    assert!(inside.requests("/secret").is_empty());
    // The entry without a link that could be followed has its own text.
    assert!(out(&output).contains("1 article in"), "{}", out(&output));

    let output = run(&desk, &["--follow-links", "--allow-private", &web.url("/rss")]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_eq!(inside.requests("/secret").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_misbehave_are_told_apart_and_bounded() {
    let desk = Desk::open().await;
    let web = Web::start();
    let bomb = packed(&vec![b' '; 64 << 20]);
    let head = "200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip".to_owned();
    web.put("/bomb", Answer::Whole { head, body: bomb });
    web.put("/endless", Answer::Endless { head: "200 OK\r\nContent-Type: text/html".to_owned() });
    web.put("/slow", Answer::Slow);
    web.put("/circle", Answer::redirect("302 Found", "/circle2"));
    web.put("/circle2", Answer::redirect("301 Moved Permanently", "/circle"));
    for hop in 0..9 {
        let to = format!("/hop{}", hop + 1);
        web.put(&format!("/hop{hop}"), Answer::redirect("307 Temporary Redirect", &to));
    }
    web.put("/nowhere", Answer::status("302 Found"));
    web.put("/outside", Answer::redirect("302 Found", "ftp://127.0.0.1/x"));
    web.put("/500", Answer::status("500 Internal Server Error"));
    web.put("/429", Answer::status("429 Too Many Requests\r\nRetry-After: 7"));
    web.put("/picture", Answer::ok("image/png", "\u{89}PNG"));
    web.put("/brotli", Answer::status("200 OK\r\nContent-Encoding: br"));
    web.put("/broken.rss", Answer::rss("<rss version=\"2.0\"><channel><item><title>x</wrong>"));
    web.put("/cut.rss", Answer::Cut { content_type: "text/xml", body: rss(&[]).into_bytes() });
    web.put("/head", Answer::status(&format!("200 OK\r\nX: {}", "x".repeat(1 << 20))));
    web.put("/fine", Answer::page(page("Strike", &[OTHER])));
    let cases = [
        ("/bomb", "has more than"),
        ("/endless", "has more than"),
        ("/slow", "did not come within 2 s"),
        ("/circle", "redirects in a circle"),
        ("/hop0", "redirects more than 5 times"),
        ("/nowhere", "answered 302 without saying where to"),
        ("/outside", "only http and https are fetched"),
        ("/500", "its host answered 500"),
        ("/picture", "is \"image/png\", which is not a page"),
        ("/brotli", "packs it in a way that was not asked for (br)"),
        ("/broken.rss", "cannot be read as a feed"),
        ("/cut.rss", "cannot be reached"),
        ("/head", "cannot be reached"),
        // The host wants to be left alone from here on, so they wait for it.
        ("/429", "its host answered 429, and is left alone for 7 s"),
    ];
    let addresses: Vec<String> = cases.iter().map(|(path, _)| web.url(path)).collect();
    let mut arguments = vec!["--fetch-timeout", "2s"];
    arguments.extend(addresses.iter().map(String::as_str));
    let output = run(&desk, &arguments);
    let said = err(&output);
    for (path, expected) in cases {
        let address = web.url(path);
        let lines: Vec<&str> = said.lines().filter(|line| line.contains(&address)).collect();
        assert!(lines.len() == 1 && lines[0].contains(expected), "{path} {expected}: {said}");
    }
    let output = run(&desk, &[&web.url("/fine")]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
}

fn record(id: &str, url: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    let http = format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\n");
    let content = [http.as_bytes(), body].concat();
    let head = format!(
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{id}>\r\n\
         WARC-Target-URI: {url}\r\nContent-Type: application/http; msgtype=response\r\n\
         Content-Length: {}\r\n\r\n",
        content.len()
    );
    [head.as_bytes(), &content, b"\r\n\r\n"].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn archives_are_taken_in_record_by_record_and_not_twice() {
    let mut desk = Desk::open().await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let first = page("Rates rise", &[LEAD, SECOND]);
    let later = page("Rates rise", &[LEAD, SECOND, THIRD]);
    let records = [
        record("1", "https://gazette.example/rates", "text/html", first.as_bytes()),
        record("2", "https://gazette.example/logo", "image/png", &[0; 99]),
        record("3", "https://gazette.example/empty", "text/html", b"<br>"),
        // Another day's crawl.
        record("4", "https://gazette.example/rates", "text/html", later.as_bytes()),
        record(
            "5",
            "https://gazette.example/strike",
            "text/html",
            page("Strike", &[OTHER]).as_bytes(),
        ),
    ];
    let archive: Vec<u8> = records.iter().flat_map(|record| packed(record)).collect();
    fs::write(path("news.warc.gz"), &archive[..archive.len() - 20]).unwrap();
    let output = run(&desk, &["--json", &path("news.warc.gz")]);
    let said = err(&output);
    assert!(said.contains("news.warc.gz cannot be read further"), "{said}");
    assert!(said.contains("empty: document.html"), "{said}");
    assert!(said.contains("2 of 4 articles failed"), "{said}");

    fs::write(path("news.warc.gz"), &archive).unwrap();
    let output = run(&desk, &["--json", &path("news.warc.gz")]);
    assert_eq!(results_of(&output), ["UNCHANGED", "", "UNCHANGED", "CREATED"], "{}", err(&output));
    fs::write(path("news.warc"), records.concat()).unwrap();
    let output = run(&desk, &["--json", &path("news.warc")]);
    assert_eq!(
        results_of(&output),
        ["UNCHANGED", "", "UNCHANGED", "UNCHANGED"],
        "{}",
        err(&output)
    );
    let (document, texts) = stored(&mut desk, "urn:uuid:4").await;
    assert_eq!(document.url, "https://gazette.example/rates");
    assert_eq!(document.verdict(), pb::Verdict::Update);
    assert_eq!(document.canonical_document_id, "urn:uuid:1");
    assert_eq!(texts, [LEAD, SECOND, THIRD]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_ingest_says_what_was_done_and_goes_on_the_next_time() {
    let mut desk = Desk::open().await;
    let row =
        |id: usize| serde_json::json!({"id": id.to_string(), "text": LEAD}).to_string() + "\n";
    let mut child = program()
        .args(["--server", &desk.address, "--json", "ingest", "-", "--format", "jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    input.write_all((row(1) + &row(2)).as_bytes()).unwrap();
    for _ in 0..2 {
        answers.next().unwrap().unwrap();
    }
    // Nothing more comes, and the input does not end.
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.unwrap().success());
    let said = all(child.stderr.take().unwrap());
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    assert!(said.contains("interrupted; run the same again to go on"), "{said}");
    assert!(answers.next().is_none());
    drop(input);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.jsonl");
    fs::write(&file, row(1) + &row(2) + &row(3)).unwrap();
    let output = run(&desk, &["--json", file.to_str().unwrap()]);
    assert_eq!(results_of(&output), ["UNCHANGED", "UNCHANGED", "CREATED"]);
    assert_eq!(desk.info().await.corpus.unwrap().document_count, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_and_password_go_to_their_host_and_nowhere_else() {
    let mut desk = Desk::open().await;
    let (web, other) = (Web::start(), Web::start());
    let secret = web.address.replace("http://", "http://desk:pa%20ss@");
    web.put("/rss", Answer::redirect("302 Found", "/feed"));
    web.put("/feed", Answer::rss(rss(&[("1", "Strike", &web.url("/x"), OTHER)])));
    web.put("/away", Answer::redirect("302 Found", &other.url("/page")));
    other.put("/page", Answer::page(page("Rates", &[LEAD])));
    let addresses = [format!("{secret}/rss"), format!("{secret}/away"), format!("{secret}/none")];
    let mut arguments = vec!["--json", "--allow-private"];
    arguments.extend(addresses.iter().map(String::as_str));
    let output = run(&desk, &arguments);
    assert_eq!(results_of(&output), ["CREATED", "CREATED", ""], "{}", err(&output));
    // "desk:pa ss".
    assert_eq!(web.requests("/feed")[0].fields["authorization"], "Basic ZGVzazpwYSBzcw==");
    assert!(!other.requests("/page")[0].fields.contains_key("authorization"));
    assert!(!err(&output).contains("pa%20ss") && !out(&output).contains("pa%20ss"));
    for result in &results(&output)[..2] {
        let (document, _) = stored(&mut desk, result["document_id"].as_str().unwrap()).await;
        assert!(!document.url.contains("desk"), "{}", document.url);
    }
}

#[test]
fn feeds_and_archives_that_nobody_wrote_harm_nobody() {
    let seed = std::env::var("COPYDESK_SEED").ok().map(|seed| seed.parse().unwrap());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("COPYDESK_SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    let files = ["feed", "warc"].map(|kind| fs::read_dir(folder.join(kind)).unwrap());
    let seeds: Vec<Vec<u8>> =
        files.into_iter().flatten().map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    for seed in &seeds {
        feed::read_feed(seed);
        warc::read_archive(seed);
    }
    for _ in 0..2_000 {
        let bytes = changed(&seeds, &mut rng);
        feed::read_feed(&bytes);
        warc::read_archive(&bytes);
    }
}

/// One of the seeds, with parts of all of them put elsewhere, again and again.
fn changed(seeds: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = seeds[rng.usize(0..seeds.len())].clone();
    for _ in 0..rng.usize(1..8) {
        let from = &seeds[rng.usize(0..seeds.len())];
        let start = rng.usize(0..from.len());
        let part = &from[start..(start + rng.usize(0..60)).min(from.len())];
        let times = if rng.u8(..) < 16 { rng.usize(0..2_000) } else { 1 };
        let at = rng.usize(0..=bytes.len());
        let end = (at + rng.usize(0..30)).min(bytes.len());
        bytes.splice(at..end, part.repeat(times));
        if rng.bool() && !bytes.is_empty() {
            let at = rng.usize(0..bytes.len());
            bytes[at] = rng.u8(..);
        }
    }
    bytes
}
