//! `copydesk follow` against web servers that behave and that do not, and a real server.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use crate::common::web::{Answer, Web, all, page, rss};
use crate::common::{Desk, LEAD, OTHER, SECOND, THIRD, program};
use copydesk::proto::v1 as pb;
use serde_json::Value;
use tempfile::TempDir;

/// A file of feeds in a folder of its own.
struct Feeds {
    folder: TempDir,
}

impl Feeds {
    fn new(text: &str) -> Self {
        let feeds = Self { folder: tempfile::tempdir().unwrap() };
        feeds.write(text);
        feeds
    }

    /// One feed, asked every second.
    fn of(url: &str, more: &str) -> Self {
        Self::new(&format!("[[feed]]\nname = 'gazette'\nurl = '{url}'\ninterval = '1s'\n{more}"))
    }

    fn write(&self, text: &str) {
        fs::write(self.file(), text).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("feeds.toml")
    }

    fn command(&self, desk: &Desk) -> Command {
        let mut command = program();
        command.args(["--server", &desk.address, "--json", "follow", "--fetch-delay", "0s"]);
        command.arg(self.file());
        command
    }

    /// Polls once.
    fn once(&self, desk: &Desk) -> Output {
        self.command(desk).args(["--once", "--fetch-timeout", "2s"]).output().unwrap()
    }

    /// Follows until it is told to end.
    fn follow(&self, desk: &Desk) -> Following {
        let mut command = self.command(desk);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Following { child, lines }
    }
}

struct Following {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Following {
    fn next(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }

    /// Sends a signal and returns what was said on standard error.
    fn end(mut self, signal: &str) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        let said = all(self.child.stderr.take().unwrap());
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{said}");
        assert!(self.lines.next().is_none());
        said
    }
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn stories(output: &Output) -> Vec<Value> {
    let lines = String::from_utf8(output.stdout.clone()).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What was done with each story, its verdict and its headline.
fn told(output: &Output) -> Vec<(String, String, String)> {
    let part = |value: &Value, prefix: &str| {
        value.as_str().unwrap_or_default().trim_start_matches(prefix).to_owned()
    };
    let story = |story: &Value| {
        let result = &story["result"];
        (
            part(&result["outcome"], "INGEST_OUTCOME_"),
            part(&result["verdict"]["verdict"], "VERDICT_"),
            part(&story["title"], ""),
        )
    };
    stories(output).iter().map(story).collect()
}

fn story(outcome: &str, verdict: &str, title: &str) -> (String, String, String) {
    (outcome.to_owned(), verdict.to_owned(), title.to_owned())
}

async fn documents(desk: &mut Desk) -> Vec<pb::DocumentSummary> {
    let request = pb::ListDocumentsRequest::default();
    desk.client.corpus.list_documents(request).await.unwrap().into_inner().documents
}

/// A text that is long enough to be recognised when it changes.
fn rates() -> String {
    format!("<p>{LEAD}</p><p>{SECOND}</p><p>{OTHER}</p>")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_story_is_told_once_with_its_verdict_and_again_when_it_changes() {
    let mut desk = Desk::open().await;
    let web = Web::start();
    let link = web.url("/x");
    let strike = ("2", "Strike", link.as_str(), THIRD);
    web.put("/rss", Answer::rss(rss(&[strike, ("1", "Rates", &link, &rates())])));
    let feeds = Feeds::of(
        &web.url("/rss"),
        "source = 'Example Wire'\nlanguage = 'en-GB'\nlabels = { desk = 'world' }",
    );
    let output = feeds.once(&desk);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let new = |title| story("CREATED", "NEW", title);
    assert_eq!(told(&output), [new("Rates"), new("Strike")]);
    assert_eq!(stories(&output)[0]["feed"], "gazette");
    let listed = documents(&mut desk).await;
    assert!(listed.iter().all(|document| document.source == "Example Wire"));
    assert!(listed.iter().all(|document| document.language == "en-GB"));
    assert!(listed.iter().all(|document| document.labels["desk"] == "world"));

    assert!(told(&feeds.once(&desk)).is_empty());
    let changed = rates() + "<p>The bank will meet again in June, it said on Tuesday.</p>";
    web.put("/rss", Answer::rss(rss(&[strike, ("1", "Rates", &link, &changed)])));
    let output = feeds.once(&desk);
    assert_eq!(told(&output), [story("REPLACED", "UPDATE", "Rates")]);
    assert!(err(&output).contains("0 new stories, 1 changed"), "{}", err(&output));
    // What is not known any more is on the server, and is not told again.
    fs::remove_dir_all(feeds.folder.path().join("feeds.state")).unwrap();
    assert!(told(&feeds.once(&desk)).is_empty());
    assert_eq!(documents(&mut desk).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_asked_whether_anything_changed() {
    let desk = Desk::open().await;
    let web = Web::start();
    let tagged = |tag: &str, items: &[(&str, &str, &str, &str)]| Answer::Tagged {
        tag: tag.to_owned(),
        content_type: "text/xml",
        body: rss(items).into_bytes(),
    };
    let link = web.url("/x");
    let first = ("1", "Strike", link.as_str(), OTHER);
    web.put("/rss", tagged("\"a\"", &[first]));
    let feeds = Feeds::of(&web.url("/rss"), "");
    assert_eq!(told(&feeds.once(&desk)).len(), 1);
    assert!(told(&feeds.once(&desk)).is_empty());
    assert_eq!(web.requests("/rss")[1].fields["if-none-match"], "\"a\"");
    web.put("/rss", tagged("\"b\"", &[first, ("2", "Rates", &link, LEAD)]));
    assert_eq!(told(&feeds.once(&desk)), [story("CREATED", "NEW", "Rates")]);

    // What the server refused does not come again; where a page may still come, the feed is
    // asked for in full.
    web.put("/rss", tagged("\"c\"", &[first, ("3", "Later", &web.url("/later"), SECOND)]));
    web.put("/later", Answer::status("500 Internal Server Error"));
    feeds.write(&(fs::read_to_string(feeds.file()).unwrap() + "follow_links = true"));
    assert!(told(&feeds.once(&desk)).is_empty());
    web.put("/later", Answer::page(page("Later", &[SECOND, THIRD])));
    assert_eq!(told(&feeds.once(&desk)), [story("CREATED", "NEW", "Later")]);
    assert!(!web.requests("/rss")[4].fields.contains_key("if-none-match"));
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_followed_and_what_feeds_have_of_the_text_stands_in() {
    let mut desk = Desk::open().await;
    let web = Web::start();
    let feed = rss(&[
        ("5", "Never", &web.url("/never"), "Talks went on for hours on Monday and broke down."),
        ("4", "A picture", &web.url("/picture"), "The harbour was quiet on Tuesday morning."),
        ("3", "Forbidden", &web.url("/private"), THIRD),
        ("2", "Empty", &web.url("/gone"), ""),
        ("1", "Rates", &web.url("/rates"), "In short."),
    ]);
    web.put("/rss", Answer::rss(feed));
    web.put("/robots.txt", Answer::ok("text/plain", "User-agent: *\nDisallow: /private"));
    web.put("/rates", Answer::page(page("Rates", &[LEAD, SECOND])));
    web.put("/picture", Answer::ok("image/png", "\u{89}PNG"));
    web.put("/never", Answer::status("500 Internal Server Error"));
    let feeds = Feeds::of(&web.url("/rss"), "follow_links = true");
    let output = feeds.once(&desk);
    let titles = |output: &Output| -> Vec<String> {
        told(output).into_iter().map(|(_, _, title)| title).collect()
    };
    assert_eq!(titles(&output), ["Rates", "Forbidden", "A picture"], "{}", err(&output));
    let said = err(&output);
    for expected in ["robots.txt of its host does not allow it", "it has no text; follow its link"]
    {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(titles(&feeds.once(&desk)).is_empty());
    let third = feeds.once(&desk);
    assert_eq!(titles(&third), ["Never"], "{}", err(&third));
    assert!(titles(&feeds.once(&desk)).is_empty());
    assert_eq!(web.requests("/never").len(), 3);
    assert_eq!(web.requests("/rates").len(), 1);
    assert!(web.requests("/private").is_empty());
    assert_eq!(web.most_at_once(), 1);
    let listed = documents(&mut desk).await;
    let rates = listed.iter().find(|document| document.title == "Rates").unwrap();
    assert_eq!(rates.url, web.url("/rates"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_that_stands_in_two_feeds_of_a_host_is_one() {
    let mut desk = Desk::open().await;
    let web = Web::start();
    let atom = |title: &str| {
        format!(
            "<feed xmlns='http://www.w3.org/2005/Atom'><title>{title}</title><id>{title}</id>\
             <updated>2021-05-03T08:00:00Z</updated><entry><id>tag:x.example,2021:1</id>\
             <title>Strike</title><updated>2021-05-03T08:00:00Z</updated>\
             <content type='html'>{OTHER}</content></entry></feed>"
        )
    };
    web.put("/world", Answer::ok("application/atom+xml", atom("World")));
    web.put("/home", Answer::ok("application/atom+xml", atom("Home")));
    let feeds = Feeds::new(&format!(
        "[[feed]]\nurl = '{}'\n[[feed]]\nurl = '{}'",
        web.url("/world"),
        web.url("/home")
    ));
    feeds.once(&desk);
    feeds.once(&desk);
    assert_eq!(documents(&mut desk).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_that_fail_are_told_and_the_others_go_on() {
    let desk = Desk::open().await;
    let web = Web::start();
    let busy = Web::start();
    busy.put("/rss", Answer::status("429 Too Many Requests\r\nRetry-After: 3600"));
    let cases = [
        ("/page", Answer::page(page("Home", &[OTHER])), "is a page, not a feed"),
        ("/picture", Answer::ok("image/png", "\u{89}PNG"), "neither RSS, Atom nor JSON Feed"),
        ("/broken", Answer::rss("<rss version='2.0'><channel></x>"), "cannot be read as a feed"),
        ("/500", Answer::status("500 Internal Server Error"), "its host answered 500"),
        ("/slow", Answer::Slow, "did not come within 2 s"),
        ("/endless", Answer::Endless { head: "200 OK".to_owned() }, "has more than"),
        ("/circle", Answer::redirect("302 Found", "/circle"), "redirects in a circle"),
        ("/gone", Answer::status("410 Gone"), "gone for good; take it out of the file"),
    ];
    let mut file = format!("[[feed]]\nurl = '{}'\n", busy.url("/rss"));
    for (path, answer, _) in &cases {
        web.put(path, answer.clone());
        file += &format!("[[feed]]\nname = '{path}'\nurl = '{}'\n", web.url(path));
    }
    web.put("/fine", Answer::rss(rss(&[("1", "Strike", &web.url("/x"), OTHER)])));
    web.put("/moved", Answer::redirect("301 Moved Permanently", "/fine"));
    file += &format!("[[feed]]\nname = 'moved'\nurl = '{}'\n", web.url("/moved"));
    let feeds = Feeds::new(&file);
    let output = feeds.once(&desk);
    let said = err(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(told(&output), [story("CREATED", "NEW", "Strike")], "{said}");
    for (path, _, expected) in &cases {
        let told = said.lines().any(|line| line.contains(path) && line.contains(expected));
        assert!(told, "{path} {expected}: {said}");
    }
    assert!(said.contains("a feed has moved for good"), "{said}");
    assert!(said.contains("its host answered 429, and is left alone for 3600 s"), "{said}");
    assert!(said.contains("9 of 10 feeds failed"), "{said}");

    // A host that wants to be left alone is, by the next run, too.
    let said = err(&feeds.once(&desk));
    assert!(said.contains("its host asked to be left alone"), "{said}");
    assert_eq!(busy.requests("/rss").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn following_goes_on_until_it_is_ended_and_then_where_it_was() {
    let mut desk = Desk::open().await;
    let web = Web::start();
    let link = web.url("/x");
    let first = ("1", "Strike", link.as_str(), OTHER);
    web.put("/rss", Answer::rss(rss(&[first])));
    let feeds = Feeds::of(&web.url("/rss"), "");
    let mut following = feeds.follow(&desk);
    assert_eq!(following.next()["title"], "Strike");
    let output = feeds.once(&desk);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("in use by another `copydesk follow`"), "{}", err(&output));
    let second = ("2", "Rates", link.as_str(), LEAD);
    web.put("/rss", Answer::rss(rss(&[second, first])));
    assert_eq!(following.next()["title"], "Rates");
    let said = following.end("-INT");
    assert!(said.contains("following 1 feed; Ctrl-C ends it"), "{said}");
    assert!(said.contains("2 new stories, 0 changed"), "{said}");

    let third = ("3", "Lenders", link.as_str(), THIRD);
    web.put("/rss", Answer::rss(rss(&[third, second, first])));
    let mut following = feeds.follow(&desk);
    assert_eq!(following.next()["title"], "Lenders");
    assert!(following.end("-TERM").contains("1 new story"));
    assert_eq!(documents(&mut desk).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_waited_for() {
    let data = tempfile::tempdir().unwrap();
    let desk = Desk::over(data.path()).await;
    let port = desk.address.rsplit(':').next().unwrap().to_owned();
    let web = Web::start();
    web.put("/rss", Answer::rss(rss(&[])));
    let feeds = Feeds::of(&web.url("/rss"), "");
    let mut following = feeds.follow(&desk);
    while web.requests("/rss").is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    desk.kill();
    web.put("/rss", Answer::rss(rss(&[("1", "Strike", &web.url("/x"), OTHER)])));
    let asked = web.requests("/rss").len();
    while web.requests("/rss").len() < asked + 1 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let _desk = Desk::with(data.path(), &["--listen", &format!("127.0.0.1:{port}")]).await;
    assert_eq!(following.next()["title"], "Strike");
    following.end("-INT");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_file_is_said_before_anything_is_asked_for() {
    let desk = Desk::open().await;
    let web = Web::start();
    let feeds = Feeds::of(&web.url("/rss"), "colour = 'red'");
    let output = feeds.once(&desk);
    assert_eq!(output.status.code(), Some(2));
    let said = err(&output);
    assert!(said.contains("feeds.toml") && said.contains("unknown field `colour`"), "{said}");
    feeds.write("[[feed]]\nurl = 'gazette.example/rss'");
    assert!(err(&feeds.once(&desk)).contains("feed 1 (gazette.example/rss): url is not"));
    fs::remove_file(feeds.file()).unwrap();
    assert!(err(&feeds.once(&desk)).contains("cannot be read"));
    assert!(web.requests("/rss").is_empty());
}
