use crate::text::{ContentHash, LanguageTag, detect_language, is_visible, normalize};

use super::furniture::classify;
use super::headings::{Headings, read_headings};
use super::{
    Article, Body, DocumentId, Html, Incoming, Metadata, Paragraph, Passage, PassageKind,
    cut_paragraph,
};
use crate::page::{self, Page, PageError};

/// The body holds nothing that a reader could see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("holds no visible text; give the article's paragraphs")]
pub struct EmptyDocument;

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It holds nothing.
    #[error(transparent)]
    Empty(#[from] EmptyDocument),
    /// No article can be read from the page.
    #[error(transparent)]
    Page(#[from] PageError),
}

/// Reads a document as an editor would: paragraphs, furniture told from reporting,
/// passages, and, where a plain text or a page states what the caller did not, headline,
/// outlet and date; of a page also its address, its language and, as the label `author`,
/// who wrote it. The language is detected where it is not given.
///
/// # Errors
///
/// If no paragraph holds visible text, or if there is no article in a page.
pub fn read(incoming: Incoming) -> Result<Article, ReadError> {
    let Incoming { id, mut metadata, body } = incoming;
    let is_plain_text = matches!(body, Body::Text(_));
    let (texts, marked) = match body {
        Body::Text(text) => (paragraphs_of(&text), Vec::new()),
        Body::Paragraphs(paragraphs) => (paragraphs, Vec::new()),
        Body::Html(html) => read_page(&html, &mut metadata)?,
    };
    let id = id.unwrap_or_else(|| {
        DocumentId::derived(&metadata.source, &metadata.url, &metadata.title, &texts)
    });
    let lines: Vec<String> = texts.iter().map(|text| normalize(text)).collect();
    if lines.iter().all(String::is_empty) {
        return Err(EmptyDocument.into());
    }
    let headings = if is_plain_text { read_headings(&lines) } else { Headings::default() };
    let title = given_title(&metadata.title, &lines).or(headings.title);
    let kinds = classify(&lines, title, &marked);
    complete(&mut metadata, headings, &texts);

    let body_hash = ContentHash::of_parts(texts.iter().map(String::as_bytes));
    let paragraphs: Vec<Paragraph> =
        texts.into_iter().zip(kinds).map(|(text, kind)| Paragraph { text, kind }).collect();
    let passages = passages_of(&paragraphs);
    let reporting = passages.iter().filter(|passage| passage.kind == PassageKind::Body);
    let reporting_hash =
        ContentHash::of_parts(reporting.map(|passage| passage.hash.as_bytes().as_slice()));
    metadata.language.get_or_insert_with(|| language_of(&paragraphs));
    Ok(Article { id, metadata, paragraphs, passages, body_hash, reporting_hash })
}

/// The label that names the authors of a page.
const AUTHOR: &str = "author";

/// The paragraphs of a page, and which of them its markup calls furniture. What it states
/// about itself stands in where the caller said nothing.
fn read_page(html: &Html, metadata: &mut Metadata) -> Result<(Vec<String>, Vec<bool>), PageError> {
    let Page { title, outlet, author, url, language, published_at, paragraphs } =
        page::read(&html.bytes, &html.content_type)?;
    let fields = [&mut metadata.title, &mut metadata.source, &mut metadata.url];
    for (given, stated) in fields.into_iter().zip([title, outlet, url]) {
        if given.is_empty() {
            *given = stated;
        }
    }
    metadata.language = metadata.language.take().or(language);
    metadata.published_at = metadata.published_at.or(published_at);
    if !author.is_empty() {
        metadata.labels.entry(AUTHOR.to_owned()).or_insert(author);
    }
    Ok(paragraphs.into_iter().map(|paragraph| (paragraph.text, paragraph.is_furniture)).unzip())
}

/// The passages of a text that is asked about: all of it counts as reporting.
///
/// # Errors
///
/// If it holds no visible text.
pub fn query_passages(text: &str) -> Result<Vec<Passage>, EmptyDocument> {
    let paragraphs: Vec<Paragraph> = paragraphs_of(text)
        .into_iter()
        .map(|text| Paragraph { text, kind: PassageKind::Body })
        .collect();
    let passages = passages_of(&paragraphs);
    if passages.is_empty() { Err(EmptyDocument) } else { Ok(passages) }
}

/// The lines of a plain text that hold visible text, without the white space around
/// them. Every line break that Unicode knows ends a paragraph.
pub fn paragraphs_of(text: &str) -> Vec<String> {
    const BREAKS: [char; 7] =
        ['\n', '\r', '\u{000B}', '\u{000C}', '\u{0085}', '\u{2028}', '\u{2029}'];
    text.trim_start_matches('\u{FEFF}')
        .split(BREAKS)
        .map(str::trim)
        .filter(|line| is_visible(line))
        .map(str::to_owned)
        .collect()
}

/// The line that repeats the title that the caller gave.
fn given_title(title: &str, lines: &[String]) -> Option<usize> {
    let title = normalize(title);
    lines.iter().position(|line| !title.is_empty() && *line == title)
}

fn complete(metadata: &mut Metadata, headings: Headings, texts: &[String]) {
    if metadata.title.is_empty() {
        let line = headings.title.and_then(|index| texts.get(index));
        metadata.title = line.map(|line| line.trim().to_owned()).unwrap_or_default();
    }
    if metadata.source.is_empty() {
        metadata.source = headings.source.unwrap_or_default();
    }
    metadata.published_at = metadata.published_at.or(headings.published_at);
}

fn passages_of(paragraphs: &[Paragraph]) -> Vec<Passage> {
    let mut passages = Vec::new();
    for (index, paragraph) in paragraphs.iter().enumerate() {
        let points: Vec<char> = paragraph.text.chars().collect();
        for span in cut_paragraph(&paragraph.text) {
            let points = points.get(span.start as usize..span.end as usize);
            let text: String = points.unwrap_or_default().iter().collect();
            let normalized = normalize(&text);
            if normalized.is_empty() {
                continue;
            }
            passages.push(Passage {
                ordinal: passages.len() as u32,
                kind: paragraph.kind,
                hash: ContentHash::of_normalized(&normalized),
                text,
                paragraph: index as u32,
                span,
            });
        }
    }
    passages
}

fn language_of(paragraphs: &[Paragraph]) -> LanguageTag {
    let reporting: Vec<&str> = paragraphs
        .iter()
        .filter(|paragraph| paragraph.kind == PassageKind::Body)
        .map(|paragraph| paragraph.text.as_str())
        .collect();
    detect_language(&reporting.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::{paragraphs_of, query_passages, read};
    use crate::article::{Article, Body, Html, Incoming, Metadata, PassageKind};
    use crate::text::LanguageTag;
    use proptest::prelude::*;

    fn read_text(text: &str) -> Article {
        let body = Body::Text(text.to_owned());
        read(Incoming { id: None, metadata: Metadata::default(), body }).unwrap()
    }

    struct Expected {
        title: &'static str,
        source: &'static str,
        date: Option<&'static str>,
        furniture: usize,
    }

    fn check_seed(text: &str, expected: &Expected) {
        let article = read_text(text);
        assert_eq!(article.metadata.title, expected.title);
        assert_eq!(article.metadata.source, expected.source);
        let date = article.metadata.published_at.map(|date| date.to_string());
        assert_eq!(date.as_deref(), expected.date);
        let furniture: Vec<&str> = article
            .paragraphs
            .iter()
            .filter(|paragraph| paragraph.kind == PassageKind::Furniture)
            .map(|paragraph| paragraph.text.as_str())
            .collect();
        assert_eq!(furniture.len(), expected.furniture, "{furniture:#?}");
    }

    #[test]
    fn the_seeds_are_read_as_an_editor_would() {
        check_seed(
            include_str!("../../seeds/eurasia-daily-monitor-2023-lavrov-visit-to-pyongyang.txt"),
            &Expected {
                title: "Lavrov\u{2019}s Visit to Pyongyang Buries Russian Pivot to Asia",
                source: "Eurasia Daily Monitor",
                date: None,
                furniture: 3,
            },
        );
        check_seed(
            include_str!("../../seeds/sputnik-2023-10-20-lavrov-north-korea-trip.txt"),
            &Expected {
                title: "Lavrov\u{2019}s North Korea Trip Designed to \u{2018}Counterbalance\u{2019} US Belligerence in Asian Theater",
                source: "Sputnik",
                date: Some("2023-10-20T14:34:00Z"),
                furniture: 14,
            },
        );
        check_seed(
            include_str!("../../seeds/lowy-interpreter-2023-11-24-closer-but-not-too-close.txt"),
            &Expected {
                title: "Russia-North Korea: Closer, but not too close",
                source: "The Interpreter",
                date: Some("2023-11-24T00:00:00Z"),
                furniture: 8,
            },
        );
        check_seed(
            include_str!("../../seeds/eurasia-daily-monitor-2014-russias-game-in-north-korea.txt"),
            &Expected {
                title: "Russia\u{2019}s Game in North Korea",
                source: "Eurasia Daily Monitor",
                date: None,
                furniture: 3,
            },
        );
        check_seed(
            include_str!("../../seeds/kei-peninsula-2023-12-01-stronger-relationship.txt"),
            &Expected {
                title: "More Evidence of Russia\u{2019}s Stronger Relationship with North Korea",
                source: "The Peninsula",
                date: Some("2023-12-01T00:00:00Z"),
                furniture: 13,
            },
        );
    }

    const PAGE: &str = "<html lang=en-GB><title>Rates rise | The Gazette</title>\
        <meta property=og:title content='Rates rise'><meta property=og:site_name content=Gazette>\
        <meta name=author content='Jane Doe'><meta name=date content='2021-05-03'>\
        <link rel=canonical href='https://example.org/rates'><nav>News Sport</nav><article>\
        <h1>Rates rise</h1><p>The bank raised its rate on Monday, the first time in three years.</p>\
        <figure><figcaption>The bank's building</figcaption></figure>\
        <p>It said that prices, which rose by half in a year, left it no choice.</p>\
        <p>Subscribe to our newsletter</p></article>";

    fn read_page(metadata: Metadata) -> Article {
        let html = Html { bytes: PAGE.into(), content_type: "text/html".to_owned() };
        read(Incoming { id: None, metadata, body: Body::Html(html) }).unwrap()
    }

    #[test]
    fn a_page_states_what_the_caller_does_not() {
        let article = read_page(Metadata::default());
        let metadata = &article.metadata;
        assert_eq!(metadata.title, "Rates rise");
        assert_eq!(metadata.source, "Gazette");
        assert_eq!(metadata.url, "https://example.org/rates");
        assert_eq!(metadata.language, LanguageTag::parse("en-GB"));
        assert_eq!(metadata.published_at.unwrap().to_string(), "2021-05-03T00:00:00Z");
        assert_eq!(metadata.labels["author"], "Jane Doe");
        let reporting: Vec<&str> = article.reporting().map(|p| p.text.as_str()).collect();
        assert_eq!(reporting.len(), 2, "{reporting:?}");
        assert!(article.paragraphs.len() > 2);
    }

    #[test]
    fn what_the_caller_says_wins_over_the_page() {
        let given = Metadata {
            title: "Given".to_owned(),
            source: "given".to_owned(),
            url: "given:1".to_owned(),
            language: LanguageTag::parse("fr"),
            published_at: Some("1999-01-01T00:00:00Z".parse().unwrap()),
            labels: [("author".to_owned(), "A".to_owned())].into(),
        };
        assert_eq!(read_page(given.clone()).metadata, given);
    }

    #[test]
    fn the_same_page_has_the_same_id_and_that_of_another_outlet_another_one() {
        let id = |source: &str| {
            read_page(Metadata { source: source.to_owned(), ..Metadata::default() }).id
        };
        assert_eq!(id(""), id(""));
        assert_eq!(id(""), id("Gazette"));
        assert_ne!(id(""), id("Other"));
    }

    #[test]
    fn a_flash_is_an_article() {
        let article = read_text("FED RAISES RATES");
        assert_eq!(article.metadata.title, "");
        assert_eq!(article.reporting().count(), 1);
    }

    #[test]
    fn invisible_bodies_are_empty() {
        for text in ["", " \n\t", "\u{200B}\u{FEFF}\n\0"] {
            let body = Body::Text(text.to_owned());
            assert!(read(Incoming { id: None, metadata: Metadata::default(), body }).is_err());
            assert!(query_passages(text).is_err());
        }
    }

    #[test]
    fn every_line_break_ends_a_paragraph() {
        assert_eq!(paragraphs_of("\u{FEFF}a\r\nb\u{2029}c\n \u{00A0}\nd"), ["a", "b", "c", "d"]);
    }

    proptest! {
        #[test]
        fn reading_loses_no_visible_text(text in any::<String>()) {
            let body = Body::Text(text.clone());
            let Ok(article) = read(Incoming { id: None, metadata: Metadata::default(), body }) else {
                prop_assert!(crate::text::normalize(&text).is_empty());
                return Ok(());
            };
            let squeeze = |text: &str| -> String {
                crate::text::normalize(text).chars().filter(|c| !c.is_whitespace()).collect()
            };
            let kept: String = article.passages.iter().map(|passage| squeeze(&passage.text)).collect();
            let lines: String = paragraphs_of(&text).iter().map(|line| squeeze(line)).collect();
            prop_assert_eq!(kept, lines);
        }
    }
}
