//! Feeds: RSS, Atom and JSON Feed, from bytes to entries with what they say of themselves.
//!
//! A pure function of its input, which may be hostile: what is read is bounded, and nothing
//! in it ends the process. The formats are feed-rs's to know; which of an entry's texts,
//! links and ids are used is decided here.

mod entry;

use std::panic::{AssertUnwindSafe, catch_unwind};

use feed_rs::model;
use feed_rs::parser::{self, ParseFeedError};
use url::Url;

use crate::page::decode_any;

pub use entry::Entry;

/// A feed that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Feed {
    /// What it is called, or empty.
    pub title: String,
    /// What its entries are written in, as it says, or empty.
    pub language: String,
    /// The address that it gives as its own.
    pub address: Option<Url>,
    /// In the order of the feed, at most [`MOST_ENTRIES`].
    pub entries: Vec<Entry>,
}

/// Entries that are read of one feed.
pub const MOST_ENTRIES: usize = 10_000;

/// Bytes of address that may be copied while one feed is read. The parser copies `xml:base`
/// for every element.
const MOST_COPIED: usize = 4 << 30;

/// Why bytes are no feed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// They are a page.
    #[error("is a page, not a feed; give the address of its RSS, Atom or JSON feed")]
    Page,
    /// They are something else.
    #[error("is neither RSS, Atom nor JSON Feed")]
    NotAFeed,
    /// They begin like a feed, and break off or go wrong.
    #[error("cannot be read as a feed: {0}")]
    Broken(String),
}

/// Reads a feed as it came, with the Content-Type that came with it, if any, and the address
/// that it came from, which links in it are relative to.
///
/// # Errors
///
/// If it is no feed, or a broken one.
pub fn read(bytes: &[u8], content_type: &str, address: Option<&Url>) -> Result<Feed, FeedError> {
    let text = decode_any(bytes, content_type);
    let text = without_declaration(&text);
    if is_page(text) {
        return Err(FeedError::Page);
    }
    let copied = bytes_of_bases(text).saturating_mul(text.matches('<').count());
    if copied > MOST_COPIED {
        return Err(FeedError::Broken("its addresses (xml:base) are too long".to_owned()));
    }
    // The parser is a library that works on what anybody wrote.
    let parsed = catch_unwind(AssertUnwindSafe(|| parse(text, address)));
    let feed = parsed.unwrap_or_else(|_| {
        tracing::warn!("a feed made the parser panic");
        Err(FeedError::Broken("the parser gave up on it".to_owned()))
    })?;
    Ok(Feed::of(feed, address))
}

/// Whether bytes begin as a feed does, whatever comes after.
pub fn looks_like_one(bytes: &[u8], content_type: &str) -> bool {
    let head = decode_any(bytes.get(..HEAD).unwrap_or(bytes), content_type);
    let head = without_declaration(&head);
    match head.starts_with('{') {
        true => head.contains("jsonfeed.org/version/"),
        false => !is_page(head) && ROOTS.iter().any(|root| head.contains(root)),
    }
}

/// Bytes in which a feed shows what it is.
const HEAD: usize = 4_096;

/// What the elements begin with that hold a feed.
const ROOTS: [&str; 3] = ["<rss", "<feed", "<rdf:RDF"];

/// The text without the XML declaration, which may name a character set that it is not in any
/// more.
fn without_declaration(text: &str) -> &str {
    let text = text.trim_start_matches('\u{FEFF}').trim_start();
    let declaration = text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>"));
    declaration.map_or(text, |(_, rest)| rest.trim_start())
}

fn is_page(text: &str) -> bool {
    let start: String = text.chars().take(15).collect();
    let start = start.to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

/// Bytes of all addresses that elements name as the base of theirs.
fn bytes_of_bases(text: &str) -> usize {
    let values = text.split("xml:base").skip(1);
    values.map(|after| after.find('>').unwrap_or(after.len())).sum()
}

fn parse(text: &str, address: Option<&Url>) -> Result<model::Feed, FeedError> {
    let parser = parser::Builder::new()
        .base_uri(address)
        // An entry without an id stays so: see `Entry::id`.
        .id_generator(|_, _, _| String::new())
        .sanitize_content(false)
        .build();
    parser.parse(text.as_bytes()).map_err(|error| match error {
        ParseFeedError::ParseError(parser::ParseErrorKind::NoFeedRoot) => FeedError::NotAFeed,
        ParseFeedError::JsonUnsupportedVersion(_) => FeedError::NotAFeed,
        error => FeedError::Broken(error.to_string()),
    })
}

impl Feed {
    fn of(feed: model::Feed, address: Option<&Url>) -> Self {
        let language = feed.language.unwrap_or_default().trim().to_owned();
        let own = feed.links.iter().find(|link| link.rel.as_deref() == Some("self"));
        let own = own.or(feed.links.first()).and_then(|link| Url::parse(link.href.trim()).ok());
        let entries = feed.entries.into_iter().take(MOST_ENTRIES);
        Self {
            title: feed.title.map(|title| entry::plain(&title.content)).unwrap_or_default(),
            entries: entries.map(|entry| Entry::of(entry, &language, address)).collect(),
            language,
            address: own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FeedError, looks_like_one, read};
    use url::Url;

    const RSS: &str = r#"<?xml version="1.0" encoding="utf-8"?>
        <rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
            xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom">
        <channel><title>The Gazette</title><link>https://gazette.example/</link>
        <atom:link rel="self" href="https://gazette.example/rss"/><language>en-GB</language>
        <item><title>It&amp;#8217;s official: rates rise</title><link>/2021/rates</link>
          <guid isPermaLink="false">42</guid><pubDate>Mon, 03 May 2021 10:00:00 +0200</pubDate>
          <dc:creator>Jane Roe</dc:creator><description>In short.</description>
          <content:encoded><![CDATA[<p>In <b>full</b>.</p>]]></content:encoded></item>
        <item><title>Strike</title><link>https://gazette.example/strike</link>
          <description>&lt;p&gt;Talks broke down.&lt;/p&gt;</description></item>
        </channel></rss>"#;

    const ATOM: &str = r#"<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">
        <title>Wire</title><id>tag:wire.example,2021:feed</id>
        <link rel="self" href="https://wire.example/atom"/><updated>2021-05-03T08:00:00Z</updated>
        <entry><id>tag:wire.example,2021:1</id><title type="html">Rates &amp;amp; prices</title>
          <link rel="enclosure" type="audio/mpeg" href="https://wire.example/1.mp3"/>
          <link href="https://wire.example/1"/><updated>2021-05-03T08:00:00Z</updated>
          <author><name>A</name></author><author><name>B</name></author>
          <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>One.</p><p>Two.</p></div>
          </content></entry></feed>"#;

    const JSON: &str = r#"{"version": "https://jsonfeed.org/version/1.1", "title": "Desk",
        "feed_url": "https://desk.example/feed.json", "language": "de",
        "items": [{"id": "7", "url": "https://desk.example/7", "title": "Zinsen",
            "content_text": "Erste Zeile <fett>.\n\nZweite Zeile.",
            "date_published": "2021-05-03T08:00:00Z"}]}"#;

    #[test]
    fn the_full_text_of_rss_goes_before_its_summary() {
        let address = Url::parse("https://gazette.example/rss").unwrap();
        let feed = read(RSS.as_bytes(), "text/xml", Some(&address)).unwrap();
        assert_eq!((feed.title.as_str(), feed.language.as_str()), ("The Gazette", "en-gb"));
        assert_eq!(feed.address.as_ref(), Some(&address));
        let first = &feed.entries[0];
        assert_eq!(first.title, "It\u{2019}s official: rates rise");
        assert_eq!(first.link.as_ref().unwrap().as_str(), "https://gazette.example/2021/rates");
        assert_eq!(first.html, "<p>In <b>full</b>.</p>");
        assert_eq!(first.published_at.unwrap().as_second(), 1_620_028_800);
        assert_eq!((first.author.as_str(), first.id.as_str()), ("Jane Roe", "42"));
        let second = &feed.entries[1];
        assert_eq!(second.html, "<p>Talks broke down.</p>");
        assert_eq!(second.id, "https://gazette.example/strike");
    }

    #[test]
    fn atom_and_json_feed_say_the_same_in_their_own_ways() {
        let feed = read(ATOM.as_bytes(), "", None).unwrap();
        let entry = &feed.entries[0];
        assert_eq!(entry.title, "Rates & prices");
        assert_eq!(entry.link.as_ref().unwrap().as_str(), "https://wire.example/1");
        assert_eq!(entry.author, "A, B");
        assert!(entry.html.contains("<p>Two.</p>"), "{}", entry.html);
        assert!(entry.published_at.is_some());

        let feed = read(JSON.as_bytes(), "application/feed+json", None).unwrap();
        let entry = &feed.entries[0];
        assert_eq!(entry.html, "<p>Erste Zeile &lt;fett&gt;.</p><p>Zweite Zeile.</p>");
        assert_eq!((entry.language.as_str(), entry.id.as_str()), ("de", "7"));
    }

    #[test]
    fn the_character_set_is_the_one_that_came_with_it_or_that_it_declares() {
        let text =
            "<rss version='2.0'><channel><title>\u{41C}\u{438}\u{440}</title></channel></rss>";
        let (bytes, _, _) = encoding_rs::WINDOWS_1251.encode(text);
        let feed = read(&bytes, "application/rss+xml; charset=windows-1251", None).unwrap();
        assert_eq!(feed.title, "\u{41C}\u{438}\u{440}");
        let declared = [b"<?xml version='1.0' encoding='windows-1251'?>".as_slice(), &bytes];
        assert_eq!(read(&declared.concat(), "text/xml", None).unwrap().title, feed.title);
        let wrong = format!("<?xml version='1.0' encoding='windows-1251'?>{text}");
        assert_eq!(read(wrong.as_bytes(), "", None).unwrap().title, feed.title);
    }

    #[test]
    fn what_is_no_feed_is_told_from_a_broken_one() {
        let error = |bytes: &[u8]| read(bytes, "", None).unwrap_err();
        assert_eq!(error(b" <!DOCTYPE html><title>Home</title>"), FeedError::Page);
        assert_eq!(error(b"\x89PNG\r\n"), FeedError::NotAFeed);
        assert_eq!(
            error(b"{\"version\": \"2\", \"title\": \"\", \"items\": []}"),
            FeedError::NotAFeed
        );
        let cut = &RSS.as_bytes()[..RSS.len() / 2];
        assert!(matches!(error(cut), FeedError::Broken(_)));
        let bases = format!("<feed xml:base='{}'>", "x".repeat(1 << 20)) + &"<a/>".repeat(10_000);
        assert!(matches!(error(bases.as_bytes()), FeedError::Broken(_)));
    }

    #[test]
    fn a_feed_is_known_by_its_beginning() {
        for feed in [RSS, ATOM, JSON] {
            assert!(looks_like_one(feed.as_bytes(), ""), "{feed}");
        }
        let page = "<?xml version='1.0'?><!DOCTYPE html><feedback-form>";
        for other in [page, "<html><body>feed", "{\"title\": \"x\"}", "<sitemapindex>", ""] {
            assert!(!looks_like_one(other.as_bytes(), ""), "{other}");
        }
    }

    #[test]
    fn an_id_is_of_the_entry_and_where_it_was_published() {
        let address = Url::parse("https://gazette.example/rss").unwrap();
        let other = Url::parse("https://gazette.example/world.rss").unwrap();
        let elsewhere = Url::parse("https://copy.example/rss").unwrap();
        let feed = read(RSS.as_bytes(), "", Some(&address)).unwrap();
        let id = |entry: usize, address: &Url| feed.entries[entry].document_id(address.as_str());
        // A number is one within its feed, an address within its outlet.
        assert_ne!(id(0, &address), id(0, &other));
        assert_eq!(id(1, &address), id(1, &other));
        assert_ne!(id(1, &address), id(1, &elsewhere));
        assert_ne!(id(0, &address), id(1, &address));
    }

    #[test]
    fn an_entry_that_changes_has_another_fingerprint() {
        let read = |text: &str| read(text.as_bytes(), "", None).unwrap().entries.remove(0);
        let (first, later) = (read(RSS), read(&RSS.replace("full", "fuller")));
        assert_eq!(first.fingerprint(), read(RSS).fingerprint());
        assert_ne!(first.fingerprint(), later.fingerprint());
        assert_eq!(first.document_id("x"), later.document_id("x"));
    }
}
