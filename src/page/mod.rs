//! Pages as they came from the web: from bytes to an article with its title, paragraphs
//! and what the page states about it.
//!
//! A pure function of its input, which may be hostile: what is read is bounded in size and
//! depth, and nothing in it ends the process. The article itself is found by dom_smoothie, a
//! port of Mozilla's Readability; everything around it is here.

mod charset;
mod content;
mod json_ld;
mod metadata;
mod published;
mod tree;

use std::panic::{AssertUnwindSafe, catch_unwind};

use dom_query::Document;
use dom_smoothie::{Config, Readability};
use jiff::Timestamp;

use crate::text::{LanguageTag, is_visible, without_markup, word_count};

use content::paragraphs;
use json_ld::Stated;
use metadata::Metas;

pub use charset::{check_type, decode, decode_any};

/// An article that was found in a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Headline, or empty.
    pub title: String,
    /// Outlet, or empty.
    pub outlet: String,
    /// Authors, with commas between them, or empty.
    pub author: String,
    /// Canonical address, absolute, or empty.
    pub url: String,
    /// What the page says that it is written in.
    pub language: Option<LanguageTag>,
    /// When the page says that it was published.
    pub published_at: Option<Timestamp>,
    /// The article in reading order.
    pub paragraphs: Vec<PageParagraph>,
}

/// A paragraph of the article, without line breaks or white space around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageParagraph {
    /// What it says.
    pub text: String,
    /// Whether the page marks it up as something else than reporting: a caption, a list of
    /// links, an invitation.
    pub is_furniture: bool,
}

/// Why no article can be read from a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// Its Content-Type is that of something else.
    #[error("is {0:?}, which is not a page; give text/html")]
    NotAPage(String),
    /// It has more elements and texts than are read.
    #[error("has more than {0} elements and texts; give a smaller page, or its paragraphs")]
    TooManyNodes(usize),
    /// Its elements are nested deeper than they are read.
    #[error("has elements that are nested more than {0} deep; give the article's paragraphs")]
    TooDeep(usize),
    /// Parsing it took longer than it may.
    #[error("takes more than {0} s to parse; give the article's paragraphs")]
    TooSlow(u64),
    /// The article in it has more paragraphs than a document may have.
    #[error("holds an article of more than {0} paragraphs; give it in parts")]
    TooManyParagraphs(usize),
    /// The article in it is longer than a document may be.
    #[error("holds an article of more than {0} bytes; give it in parts")]
    TooLong(usize),
    /// There is no article in it.
    #[error("holds no article that could be found; give its paragraphs")]
    NoArticle,
    /// The extractor gave up on it.
    #[error("could not be read as a page; give the article's paragraphs")]
    Unreadable,
}

/// Words of an article that a page's data holds in full, from which on they are looked at.
const STATED_WORDS: usize = 60;

/// Characters of a headline that are kept.
const LONGEST_TITLE: usize = 1_000;

/// Reads a page as it came, with the Content-Type that came with it, if any.
///
/// # Errors
///
/// If it is something else than a page, too large or too deeply nested, or if there is no
/// article in it.
pub fn read(bytes: &[u8], content_type: &str) -> Result<Page, PageError> {
    let html = decode(bytes, content_type)?;
    let document = tree::parse(&html)?;
    // The extractor is a library that works on what anybody wrote.
    catch_unwind(AssertUnwindSafe(|| read_document(document))).unwrap_or_else(|_| {
        tracing::warn!("a page made the extractor panic");
        Err(PageError::Unreadable)
    })
}

fn read_document(document: Document) -> Result<Page, PageError> {
    let stated = Stated::in_page(&document);
    let metas = Metas::in_page(&document);
    let mut page = Page {
        title: String::new(),
        outlet: metadata::outlet(&document, &metas, &stated),
        author: metadata::author(&document, &metas, &stated),
        url: metadata::url(&document, &metas, &stated),
        language: metadata::language(&document, &metas, &stated),
        published_at: published::published_at(&document, &metas, &stated),
        paragraphs: Vec::new(),
    };
    let heading = metadata::heading(&document);
    let plain = content::all_paragraphs(&document);
    let extracted = extract(document);
    if let Some((title, paragraphs)) = extracted {
        page.title = title;
        page.paragraphs = paragraphs;
    } else {
        page.paragraphs = plain;
    }
    if page.title.is_empty() {
        page.title = if stated.headline.is_empty() { heading } else { stated.headline.clone() };
    }
    page.title = page.title.chars().take(LONGEST_TITLE).collect();
    prefer_stated_body(&mut page, &stated.body);
    match page.paragraphs.iter().any(|paragraph| is_visible(&paragraph.text)) {
        true => Ok(page),
        false => Err(PageError::NoArticle),
    }
}

/// Title and paragraphs of the article, by the extractor.
fn extract(document: Document) -> Option<(String, Vec<PageParagraph>)> {
    // Classes tell furniture.
    let config = Config { keep_classes: true, ..Config::default() };
    let mut readability = Readability::with_document(document, None, Some(config)).ok()?;
    let article = readability.parse().ok()?;
    let root = readability.doc.select_single("#readability-page-1");
    let paragraphs = paragraphs(root.nodes().first()?);
    Some((metadata::squeezed(&article.title), paragraphs))
}

/// Takes the text that the page's data holds where the markup shows less than half of it:
/// the rest is behind a button or filled in by a script.
fn prefer_stated_body(page: &mut Page, body: &str) {
    let shown: usize = page.paragraphs.iter().map(|paragraph| word_count(&paragraph.text)).sum();
    let stated = word_count(body);
    if stated < STATED_WORDS || shown * 2 >= stated {
        return;
    }
    let lines = body.lines().map(|line| metadata::squeezed(&without_markup(line)));
    page.paragraphs = lines
        .filter(|line| !line.is_empty())
        .map(|text| PageParagraph { text, is_furniture: false })
        .collect();
}
