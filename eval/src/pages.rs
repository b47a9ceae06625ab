//! How well articles are found in pages of the web, beside all text in `p` elements.

use std::collections::HashMap;
use std::path::Path;

use comfy_table::Table;
use copydesk::article::{Body, Html, Incoming, Metadata, PassageKind, read};
use copydesk::page::decode;
use copydesk::text::{normalize, words, written_time};
use dom_query::Document;
use jiff::Timestamp;
use serde::Deserialize;

use crate::data::Failure;

/// The article that should be found in a page.
#[derive(Debug, Deserialize)]
struct Expected {
    title: String,
    #[serde(rename = "publishedTime")]
    published_time: Option<String>,
    paragraphs: Vec<ExpectedParagraph>,
}

#[derive(Debug, Deserialize)]
struct ExpectedParagraph {
    text: String,
}

/// What was found in a page, beside what should be.
#[derive(Debug)]
struct Measured {
    name: String,
    /// F1 of the words of all that was found.
    all: f64,
    /// Of reporting alone, without captions and the like.
    reporting: f64,
    /// Of the text in all `p` elements.
    baseline: f64,
    is_title_right: bool,
    published_at: Option<Timestamp>,
    /// `None` if it is not known when the page was published.
    is_date_right: Option<bool>,
}

/// Prints the measures of each page and their means.
pub fn print(data: &Path) -> Result<(), Failure> {
    let pages = measure(data)?;
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header(["page", "F1", "reporting", "all p", "title", "date", "published"]);
    let yes = |is_right: bool| if is_right { "right" } else { "WRONG" };
    for page in &pages {
        table.add_row([
            page.name.clone(),
            format!("{:.3}", page.all),
            format!("{:.3}", page.reporting),
            format!("{:.3}", page.baseline),
            yes(page.is_title_right).to_owned(),
            page.is_date_right.map_or("unknown", yes).to_owned(),
            page.published_at.map(|time| time.to_string()).unwrap_or_default(),
        ]);
    }
    let mean = |of: fn(&Measured) -> f64| format!("{:.3}", mean(&pages, of));
    let right = pages.iter().filter(|page| page.is_title_right).count();
    table.add_row([
        "mean".to_owned(),
        mean(|page| page.all),
        mean(|page| page.reporting),
        mean(|page| page.baseline),
        format!("{right} of {}", pages.len()),
    ]);
    println!("{table}");
    Ok(())
}

fn mean(pages: &[Measured], of: fn(&Measured) -> f64) -> f64 {
    pages.iter().map(of).sum::<f64>() / pages.len().max(1) as f64
}

fn measure(data: &Path) -> Result<Vec<Measured>, Failure> {
    let folders = std::fs::read_dir(data.join("pages"))?;
    let mut folders: Vec<_> =
        folders.map(|folder| Ok(folder?.path())).collect::<Result<_, std::io::Error>>()?;
    folders.retain(|folder| folder.is_dir());
    folders.sort();
    folders.iter().map(|folder| measure_page(folder)).collect()
}

fn measure_page(folder: &Path) -> Result<Measured, Failure> {
    let bytes = std::fs::read(folder.join("source.html"))?;
    let expected: Expected = serde_json::from_slice(&std::fs::read(folder.join("expected.json"))?)?;
    let baseline = text_of_paragraphs(&decode(&bytes, "")?);
    let html = Html { bytes, content_type: String::new() };
    let incoming = Incoming { id: None, metadata: Metadata::default(), body: Body::Html(html) };
    let article = read(incoming)?;
    let texts = expected.paragraphs.iter().map(|paragraph| paragraph.text.as_str());
    let wanted = counts(texts);
    let found = article.paragraphs.iter();
    let all = found.clone().map(|paragraph| paragraph.text.as_str());
    let reporting = found.filter(|paragraph| paragraph.kind == PassageKind::Body);
    let date = expected.published_time.as_deref().and_then(written_time);
    let published_at = article.metadata.published_at;
    Ok(Measured {
        name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        all: f1(&wanted, &counts(all)),
        reporting: f1(&wanted, &counts(reporting.map(|paragraph| paragraph.text.as_str()))),
        baseline: f1(&wanted, &counts(std::iter::once(baseline.as_str()))),
        is_title_right: normalize(&article.metadata.title) == normalize(&expected.title),
        published_at,
        is_date_right: date.map(|date| published_at == Some(date)),
    })
}

/// The simple way: whatever stands in a `p` element.
fn text_of_paragraphs(html: &str) -> String {
    let document = Document::from(html);
    let paragraphs = document.select("p");
    let texts: Vec<String> = paragraphs.iter().map(|paragraph| paragraph.text().into()).collect();
    texts.join("\n")
}

/// How often each word stands in the texts.
fn counts<'a>(texts: impl Iterator<Item = &'a str>) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for text in texts {
        let text = normalize(text);
        for word in words(&text) {
            *counts.entry(word.folded.to_string()).or_default() += 1;
        }
    }
    counts
}

/// Harmonic mean of the shares of words that both have, each counting as often as it stands there.
fn f1(wanted: &HashMap<String, usize>, found: &HashMap<String, usize>) -> f64 {
    let common: usize = wanted
        .iter()
        .map(|(word, count)| (*count).min(found.get(word).copied().unwrap_or(0)))
        .sum();
    let both = wanted.values().sum::<usize>() + found.values().sum::<usize>();
    2.0 * common as f64 / both.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::{counts, f1, mean, measure};
    use std::path::Path;

    #[test]
    fn f1_counts_each_word_as_often_as_it_stands_there() {
        let of = |text: &str| counts(std::iter::once(text));
        assert!((f1(&of("a b b"), &of("A b c")) - 2.0 / 3.0).abs() < 1e-9);
        assert_eq!(f1(&of("a"), &of("")), 0.0);
    }

    #[test]
    fn the_articles_of_real_pages_are_found() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
        if !data.join("pages").is_dir() {
            println!("skipped: {} has no pages", data.display());
            return;
        }
        let pages = measure(&data).unwrap();
        assert!(!pages.is_empty());
        assert!(mean(&pages, |page| page.all) >= 0.98, "{pages:#?}");
        assert!(mean(&pages, |page| page.reporting) >= 0.97, "{pages:#?}");
        assert!(pages.iter().all(|page| page.all >= 0.95), "{pages:#?}");
        assert!(pages.iter().all(|page| page.is_title_right), "{pages:#?}");
        assert!(pages.iter().all(|page| page.is_date_right != Some(false)), "{pages:#?}");
        assert!(pages.iter().all(|page| page.published_at.is_some()), "{pages:#?}");
    }
}
