use std::sync::LazyLock;

use dom_query::Document;
use feed_rs::model;
use jiff::Timestamp;
use regex::Regex;
use url::Url;
use xxhash_rust::xxh3::Xxh3;

use crate::text::{ContentHash, LanguageTag, YEAR_1, pattern};

/// Characters of a headline that are kept.
const LONGEST_TITLE: usize = 1_000;

/// Bytes of an address, and of what names an author, that are kept.
const LONGEST_FIELD: usize = 4_000;

/// What one entry of a feed says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// Its own id; where it has none its link, else its headline.
    pub id: String,
    /// Headline, or empty.
    pub title: String,
    /// The page that it stands for.
    pub link: Option<Url>,
    /// Authors, with commas between them, or empty.
    pub author: String,
    /// BCP-47 tag, or empty.
    pub language: String,
    /// When it was published; where it does not say so, when it was last changed.
    pub published_at: Option<Timestamp>,
    /// Its full text as HTML; where the feed does not have it, its summary; else empty.
    pub html: String,
}

impl Entry {
    pub(super) fn of(entry: model::Entry, language: &str, address: Option<&Url>) -> Self {
        let title = entry.title.map(|title| plain(&title.content)).unwrap_or_default();
        let link = entry.links.iter().find(|link| is_page(link));
        let link = link.and_then(|link| match address {
            Some(base) => base.join(link.href.trim()).ok(),
            None => Url::parse(link.href.trim()).ok(),
        });
        let link = link.filter(|link| {
            link.as_str().len() <= LONGEST_FIELD && ["http", "https"].contains(&link.scheme())
        });
        let own_id = entry.id.trim();
        let id = match own_id.is_empty() {
            false => own_id.to_owned(),
            true => link.as_ref().map_or_else(|| title.clone(), Url::to_string),
        };
        let language = entry.language.as_deref().unwrap_or(language);
        let published_at = entry.published.or(entry.updated).and_then(|time| {
            Timestamp::new(time.timestamp(), time.timestamp_subsec_micros() as i32 * 1_000).ok()
        });
        let published_at = published_at.filter(|time| *time >= YEAR_1);
        Self {
            id,
            title,
            link,
            author: authors(&entry.authors),
            language: LanguageTag::parse(language).map_or_else(String::new, |tag| tag.to_string()),
            published_at,
            html: body(entry.content, entry.summary),
        }
    }

    /// Names the document that the entry is, whatever it comes to say, for a feed at `feed`.
    ///
    /// An id that is an address (`https:`, `tag:`, `urn:`) means the same entry in all feeds of
    /// one host, whose sections share articles. It does not in those of others: nobody can
    /// replace what another outlet published. Any other id is one within its feed.
    pub fn document_id(&self, feed: &str) -> String {
        let host = Url::parse(feed).ok().and_then(|url| Some(url.host_str()?.to_owned()));
        let scope = match host {
            Some(host) if Url::parse(&self.id).is_ok() => host,
            _ => feed.to_owned(),
        };
        let mut hex = ContentHash::of_parts([scope.as_bytes(), self.id.as_bytes()]).to_hex();
        hex.truncate(32);
        hex
    }

    /// Tells whether the entry says something else than before.
    pub fn fingerprint(&self) -> u64 {
        let link = self.link.as_ref().map_or("", Url::as_str);
        let mut hash = Xxh3::new();
        for part in [&self.title, link, &self.author, &self.html] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.digest()
    }

    /// A page that holds the entry, for the reader of pages.
    pub fn page(&self) -> String {
        let title = escaped(&self.title);
        format!(
            "<!doctype html><html><head><meta charset=\"utf-8\"><title>{title}</title></head>\
             <body><article><h1>{title}</h1>{}</article></body></html>",
            self.html
        )
    }
}

/// Whether a link leads to the article, not to a sound, a picture or its comments.
fn is_page(link: &model::Link) -> bool {
    link.target.is_none()
        && link.rel.as_deref().is_none_or(|rel| rel == "alternate")
        && link.media_type.as_deref().is_none_or(|media_type| media_type.contains("html"))
}

fn authors(persons: &[model::Person]) -> String {
    let names = persons.iter().filter_map(|person| person.name.as_deref());
    let mut names: Vec<String> = names.map(plain).filter(|name| !name.is_empty()).collect();
    names.dedup();
    let names = names.join(", ");
    if names.len() <= LONGEST_FIELD { names } else { String::new() }
}

fn body(content: Option<model::Content>, summary: Option<model::Text>) -> String {
    let content = content
        .and_then(|content| Some((content.body?, content.content_type.to_string())))
        .filter(|(text, _)| !text.trim().is_empty());
    let summary = || summary.map(|text| (text.content, text.content_type.to_string()));
    match content.or_else(summary) {
        Some((text, media_type)) if media_type.starts_with("text/plain") => {
            paragraphs(&escaped(&text))
        }
        // What is called HTML, and is text.
        Some((text, _)) if !text.contains('<') => paragraphs(&text),
        Some((text, _)) => text,
        None => String::new(),
    }
}

/// Lines as paragraphs.
fn paragraphs(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| format!("<p>{line}</p>")).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Elements and character references in what should be text.
static MARKUP: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)</?(?:a|b|br|em|i|p|q|span|strong|sub|sup|u)(?:\s[^<>]*)?/?>|&(?:\w+|#\w+);")
});

/// A headline or name on one line. Feeds put markup in them, although they should not; what
/// only looks like it stays.
pub(super) fn plain(text: &str) -> String {
    let start: String = text.chars().take(LONGEST_TITLE * 4).collect();
    let start = match MARKUP.is_match(&start) {
        true => Document::fragment(start).text().to_string(),
        false => start,
    };
    let line = start.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(LONGEST_TITLE).collect()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn headlines_lose_markup_and_keep_what_looks_like_it() {
        assert_eq!(plain(" Rates <em>rise</em>\n &ndash; again "), "Rates rise \u{2013} again");
        for kept in ["Sun <SUN> rose", "AT&T", "a < b > c"] {
            assert_eq!(plain(kept), kept);
        }
    }
}
