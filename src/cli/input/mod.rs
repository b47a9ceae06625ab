//! What `ingest` reads: files of all kinds, folders of them, standard input, and addresses.

mod entries;
mod json_lines;
mod opened;

use std::fs;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use url::Url;

use super::args::{IngestArgs, InputFormat};
use crate::article::DocumentId;
use crate::feed::{self, FeedError};
use crate::fetch::{FetchError, Found};
use crate::proto::v1 as pb;
use crate::warc::{Archive, ArchiveError, ArchivedPage};

use opened::whole;

pub use entries::{document, take_page};

/// Endings of files that are taken from a folder, without `.gz`.
const FORMATS: [(&str, InputFormat); 14] = [
    ("txt", InputFormat::Text),
    ("text", InputFormat::Text),
    ("jsonl", InputFormat::Jsonl),
    ("ndjson", InputFormat::Jsonl),
    ("html", InputFormat::Html),
    ("htm", InputFormat::Html),
    ("xhtml", InputFormat::Html),
    ("xht", InputFormat::Html),
    ("rss", InputFormat::Feed),
    ("atom", InputFormat::Feed),
    ("rdf", InputFormat::Feed),
    ("xml", InputFormat::Feed),
    ("json", InputFormat::Feed),
    ("warc", InputFormat::Warc),
];

/// Bytes of a file that is one article, or a feed, where the server does not say what it takes.
const LARGEST: usize = 32 << 20;

/// Why an input cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    #[error("{name}: {source}")]
    Unreadable { name: String, source: io::Error },
    #[error("{name} is not UTF-8 at byte {offset}; convert it first")]
    NotUtf8 { name: String, offset: u64 },
    #[error("{name} is not an article in JSON: {cause}")]
    NotAnArticle { name: String, cause: String },
    #[error("{name} holds no article or several; give a file with one")]
    NotOneArticle { name: String },
    #[error("{name} has more than {largest} bytes")]
    TooLarge { name: String, largest: usize },
    #[error("{name} {source}")]
    NotAFeed { name: String, source: FeedError },
    #[error("{name} has no text in its feed; follow its link (--follow-links)")]
    NoText { name: String },
    #[error("{name} {source}")]
    Archive { name: String, source: ArchiveError },
    #[error("{name} {source}")]
    NotFetched { name: String, source: FetchError },
    #[error("{name} is not an address; give one such as https://news.example/rss")]
    Address { name: String },
}

/// An article that was read, or why it was not, and how far that takes the input.
pub struct Item {
    /// File and, in JSON Lines, line; in a feed or archive, address.
    pub name: String,
    pub article: Result<Article, InputError>,
    /// Bytes of input.
    pub bytes: u64,
}

/// An article, perhaps without its text yet.
pub struct Article {
    pub document: Box<pb::Document>,
    /// The page that it stands for, to be taken in its place.
    pub page: Option<Url>,
    /// Whether it has a text without that page.
    pub has_text: bool,
    /// The feed that names that page, if it has an address.
    pub feed: Option<Url>,
    /// Whether a document with its id need not be sent again. So it is where the id stands for
    /// one text, or where having the text takes a request to somebody's server.
    pub is_known_by_id: bool,
}

impl From<pb::Document> for Article {
    fn from(document: pb::Document) -> Self {
        Self {
            document: Box::new(document),
            page: None,
            has_text: true,
            feed: None,
            is_known_by_id: false,
        }
    }
}

/// How an input is read, and who takes what is in it.
pub struct Reading<'a> {
    /// Bytes of one article, as it stands in the input.
    pub largest: usize,
    /// Whether the articles of feeds are the pages that they link to.
    pub follow_links: bool,
    /// Bytes that were read since the last article.
    consumed: Arc<AtomicU64>,
    /// Returns whether more is wanted.
    take: &'a mut dyn FnMut(Item) -> bool,
}

impl<'a> Reading<'a> {
    pub fn new(largest: usize, take: &'a mut dyn FnMut(Item) -> bool) -> Self {
        Self { largest, follow_links: false, consumed: Arc::default(), take }
    }

    /// Passes an article on. Returns whether more is wanted.
    pub fn pass(&mut self, name: String, article: Result<Article, InputError>) -> bool {
        let bytes = self.consumed.swap(0, Ordering::Relaxed);
        (self.take)(Item { name, article, bytes })
    }
}

/// Reads JSON Lines and passes each article on, as it is sent, or why it is none, until `take`
/// returns false: one article a line, empty lines are none. An error names `file` and the line.
///
/// # Errors
///
/// If `input` cannot be read.
pub fn json_lines(
    file: &str,
    input: impl BufRead,
    mut take: impl FnMut(Result<Box<pb::Document>, String>) -> bool,
) -> io::Result<()> {
    let mut take = |item: Item| {
        let document = item.article.map(|article| article.document);
        take(document.map_err(|error| error.to_string()))
    };
    json_lines::read(file, input, &mut Reading::new(LARGEST, &mut take))
}

/// Where articles come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Stdin(InputFormat),
    File(PathBuf, InputFormat),
    Address(Url),
}

/// What `args` name, folders opened, in a fixed order; and what cannot be used of it.
pub fn sources(args: &IngestArgs) -> (Vec<Source>, Vec<InputError>) {
    let (mut sources, mut failed) = (Vec::new(), Vec::new());
    for path in &args.paths {
        match Source::of(path, args.format) {
            Ok(Source::File(path, _)) if path.is_dir() => folder(&path, &mut sources, &mut failed),
            Ok(source) => sources.push(source),
            Err(error) => failed.push(error),
        }
    }
    (sources, failed)
}

/// The one article in the file at `path`, or in standard input.
pub fn one_article(path: &Path) -> Result<Box<pb::Document>, InputError> {
    let (mut only, mut is_one) = (None, false);
    let mut take = |item: Item| {
        is_one = only.is_none();
        only.get_or_insert(item.article);
        is_one
    };
    Source::of(path, InputFormat::Text)?.read(&mut Reading::new(LARGEST, &mut take));
    let none = || InputError::NotOneArticle { name: path.display().to_string() };
    Ok(only.filter(|_| is_one).ok_or_else(none)??.document)
}

/// Adds the articles in a folder and the folders in it. Hidden files and files of
/// other kinds are left alone.
fn folder(path: &Path, sources: &mut Vec<Source>, failed: &mut Vec<InputError>) {
    let unreadable = |source| InputError::Unreadable { name: path.display().to_string(), source };
    let entries = fs::read_dir(path).and_then(|entries| {
        entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>()
    });
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => return failed.push(unreadable(error)),
    };
    entries.sort();
    let is_hidden = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
    };
    entries.retain(|entry| !is_hidden(entry));
    for entry in entries {
        if entry.is_dir() && !entry.is_symlink() {
            folder(&entry, sources, failed);
        } else if let Some(format) = format_of(&entry).filter(|_| !is_something_else(&entry)) {
            sources.push(Source::File(entry, format));
        }
    }
}

/// Whether a file is called like a feed, and like much else, and does not begin like one.
fn is_something_else(path: &Path) -> bool {
    let name = path.to_string_lossy().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let is_general = name.ends_with(".xml") || name.ends_with(".json");
    // One that cannot be read is taken, so that it is said.
    is_general && opened::head(path).is_ok_and(|head| !feed::looks_like_one(&head, ""))
}

/// The format that a file's name tells, packed or not.
fn format_of(path: &Path) -> Option<InputFormat> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let (_, ending) = name.strip_suffix(".gz").unwrap_or(&name).rsplit_once('.')?;
    FORMATS.iter().find(|(known, _)| *known == ending).map(|(_, format)| *format)
}

impl Source {
    /// What `path` names; standard input, which is `-`, is in the format `stdin`.
    fn of(path: &Path, stdin: InputFormat) -> Result<Self, InputError> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stdin(stdin));
        }
        let name = path.to_str().filter(|name| {
            let start = name.get(..8).unwrap_or(name).to_ascii_lowercase();
            start.starts_with("http://") || start.starts_with("https://")
        });
        match name.map(Url::parse) {
            Some(Ok(url)) => Ok(Self::Address(url)),
            Some(Err(_)) => Err(InputError::Address { name: path.display().to_string() }),
            None => Ok(Self::File(path.to_owned(), format_of(path).unwrap_or(InputFormat::Text))),
        }
    }

    pub fn is_address(&self) -> bool {
        matches!(self, Self::Address(_))
    }

    /// Bytes in it, where that is known.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Stdin(_) | Self::Address(_) => 0,
            Self::File(path, _) => fs::metadata(path).map_or(0, |metadata| metadata.len()),
        }
    }

    /// Reads a file or standard input and passes each article on, until no more is wanted. An
    /// address is for others to fetch: see [`read_found`].
    pub fn read(&self, reading: &mut Reading<'_>) {
        let consumed = &reading.consumed;
        let (name, format, input) = match self {
            Self::Stdin(format) => ("standard input".to_owned(), *format, opened::stdin(consumed)),
            Self::File(path, format) => {
                (path.display().to_string(), *format, opened::file(path, consumed))
            }
            Self::Address(_) => return,
        };
        let read = input.and_then(|input| match format {
            InputFormat::Text => text(&name, input, reading),
            InputFormat::Jsonl => json_lines::read(&name, input, reading),
            InputFormat::Html => page(&name, input, reading),
            InputFormat::Feed => feed(&name, input, reading),
            InputFormat::Warc => archive(&name, input, reading),
        });
        if let Err(source) = read {
            reading.pass(name.clone(), Err(InputError::Unreadable { name, source }));
        }
    }
}

/// One article.
fn text(name: &str, input: impl BufRead, reading: &mut Reading<'_>) -> io::Result<()> {
    let article = contents(name, input, reading.largest)?.and_then(|contents| {
        let text = Some(utf8(name, &contents, 0)?.to_owned());
        Ok(Article::from(pb::Document { text, ..pb::Document::default() }))
    });
    reading.pass(name.to_owned(), article);
    Ok(())
}

/// A page as it is: the server finds its character set and the article in it.
fn page(name: &str, input: impl BufRead, reading: &mut Reading<'_>) -> io::Result<()> {
    let article = contents(name, input, reading.largest)?.map(|contents| {
        Article::from(pb::Document { html: Some(contents), ..pb::Document::default() })
    });
    reading.pass(name.to_owned(), article);
    Ok(())
}

/// The entries of a feed.
fn feed(name: &str, input: impl BufRead, reading: &mut Reading<'_>) -> io::Result<()> {
    match contents(name, input, LARGEST)? {
        Ok(contents) => entries::read(name, &contents, "", None, reading),
        Err(error) => {
            reading.pass(name.to_owned(), Err(error));
        }
    }
    Ok(())
}

/// The pages of a web archive.
fn archive(name: &str, input: impl BufRead, reading: &mut Reading<'_>) -> io::Result<()> {
    for page in Archive::new(input, reading.largest) {
        let (name, article) = match page {
            Ok(page) => (format!("{name}: {}", page.url), Ok(archived(page))),
            Err(source) => {
                (name.to_owned(), Err(InputError::Archive { name: name.to_owned(), source }))
            }
        };
        if !reading.pass(name, article) {
            break;
        }
    }
    Ok(())
}

/// A record of an archive is a document of its own, so that the same page on two days is two
/// versions of it.
fn archived(page: ArchivedPage) -> Article {
    let is_id = DocumentId::parse(&page.id).is_ok();
    let document = pb::Document {
        document_id: if is_id { page.id } else { String::new() },
        url: page.url,
        content_type: page.content_type,
        html: Some(page.body),
        ..pb::Document::default()
    };
    Article { is_known_by_id: is_id, ..Article::from(document) }
}

/// Reads what was fetched for the operator from `address`: a feed, or else a page.
pub fn read_found(address: &Url, found: Found, reading: &mut Reading<'_>) {
    let name = found.url.to_string();
    if feed::looks_like_one(&found.body, &found.content_type) {
        let Found { body, content_type, .. } = found;
        return entries::read(&name, &body, &content_type, Some(address), reading);
    }
    let mut document = pb::Document::default();
    take_page(&mut document, found);
    reading.pass(name, Ok(Article::from(document)));
}

fn contents(
    name: &str,
    input: impl BufRead,
    largest: usize,
) -> io::Result<Result<Vec<u8>, InputError>> {
    let too_large = || InputError::TooLarge { name: name.to_owned(), largest };
    Ok(whole(input, largest)?.ok_or_else(too_large))
}

fn utf8<'a>(name: &str, bytes: &'a [u8], start: u64) -> Result<&'a str, InputError> {
    std::str::from_utf8(bytes).map_err(|error| InputError::NotUtf8 {
        name: name.to_owned(),
        offset: start + error.valid_up_to() as u64,
    })
}
