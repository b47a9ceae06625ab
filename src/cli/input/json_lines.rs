use std::collections::HashMap;
use std::io::{self, BufRead};

use jiff::Timestamp;
use serde::Deserialize;

use super::opened::bounded_line;
use super::{Article, InputError, Reading, utf8};
use crate::proto::{timestamp, v1 as pb};
use crate::text::written_time;

/// One article a line; empty lines are none.
pub(super) fn read(
    file: &str,
    mut input: impl BufRead,
    reading: &mut Reading<'_>,
) -> io::Result<()> {
    let mut offset = 0;
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let bytes = bounded_line(&mut input, &mut line, reading.largest)?;
        if bytes == 0 {
            break;
        }
        let name = format!("{file}:{number}");
        let article = match line.len() as u64 == bytes {
            true => utf8(file, &line, offset).and_then(|line| article(&name, line)),
            false => Err(InputError::TooLarge { name: name.clone(), largest: reading.largest }),
        };
        offset += bytes;
        if !line.trim_ascii().is_empty() && !reading.pass(name, article.map(Article::from)) {
            break;
        }
    }
    Ok(())
}

fn article(name: &str, line: &str) -> Result<pb::Document, InputError> {
    let wrong = |cause| InputError::NotAnArticle { name: name.to_owned(), cause };
    let row: Row = serde_json::from_str(line.trim_start_matches('\u{FEFF}'))
        .map_err(|error| wrong(error.to_string()))?;
    row.into_document().map_err(wrong)
}

/// An article in a line of JSON. Fields that are not named here are left alone.
#[derive(Debug, Deserialize)]
struct Row {
    #[serde(default, alias = "id", alias = "documentId")]
    document_id: String,
    #[serde(default)]
    title: Option<String>,
    text: Option<String>,
    paragraphs: Option<Paragraphs>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    language: Option<String>,
    #[serde(alias = "publishedAt", alias = "date")]
    published_at: Option<String>,
    #[serde(default)]
    labels: HashMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Paragraphs {
    List(Vec<String>),
    /// As the contract's own JSON has it.
    Message {
        paragraphs: Vec<String>,
    },
}

impl Row {
    fn into_document(self) -> Result<pb::Document, String> {
        let published_at = self.published_at.as_deref().filter(|time| !time.is_empty());
        let paragraphs = self.paragraphs.map(|paragraphs| match paragraphs {
            Paragraphs::List(paragraphs) | Paragraphs::Message { paragraphs } => {
                pb::ParagraphList { paragraphs }
            }
        });
        Ok(pb::Document {
            document_id: self.document_id,
            title: self.title.unwrap_or_default(),
            text: self.text,
            paragraphs,
            source: self.source.unwrap_or_default(),
            url: self.url.unwrap_or_default(),
            language: self.language.unwrap_or_default(),
            published_at: published_at.map(|text| time(text).map(timestamp)).transpose()?,
            labels: self.labels,
            ..pb::Document::default()
        })
    }
}

fn time(text: &str) -> Result<Timestamp, String> {
    written_time(text)
        .ok_or_else(|| format!("{text:?} is not a time; write it as 2023-10-20T14:34:00Z"))
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::cli::input::{Item, Reading};

    fn items(lines: &[u8]) -> Vec<Item> {
        let mut items = Vec::new();
        let mut take = |item| {
            items.push(item);
            true
        };
        let mut reading = Reading::new(200, &mut take);
        read("in.jsonl", lines, &mut reading).unwrap();
        items
    }

    #[test]
    fn rows_of_archives_are_read() {
        let lines = br#"{"id": "r1", "date": "26-FEB-1987 15:01:01.79", "title": "COCOA", "topics": ["cocoa"], "paragraphs": ["a", "b"]}

{"document_id": "x", "text": "t", "published_at": "2023-10-20"}"#;
        let items = items(lines);
        let first = &items[0].article.as_ref().unwrap().document;
        assert_eq!((first.document_id.as_str(), first.title.as_str()), ("r1", "COCOA"));
        assert_eq!(first.published_at.unwrap().seconds, 541_350_061);
        assert_eq!(first.paragraphs.as_ref().unwrap().paragraphs, ["a", "b"]);
        assert_eq!(items[1].article.as_ref().unwrap().document.text.as_deref(), Some("t"));
        assert_eq!(items[1].name, "in.jsonl:3");
    }

    #[test]
    fn a_bad_row_says_where_and_why_and_the_rest_is_read() {
        let items = items(b"{\"id\": 1}\n\xff\n{\"text\": \"t\"}\n");
        let errors: Vec<String> = items
            .iter()
            .filter_map(|item| Some(item.article.as_ref().err()?.to_string()))
            .collect();
        assert!(errors[0].starts_with("in.jsonl:1 is not an article in JSON"), "{errors:?}");
        assert!(errors[1].contains("not UTF-8 at byte 10"), "{errors:?}");
        assert_eq!(items.len() - errors.len(), 1);
    }
}
