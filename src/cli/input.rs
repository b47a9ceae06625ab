use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;

use super::args::{IngestArgs, InputFormat};
use crate::proto::{timestamp, v1 as pb};
use crate::text::written_time;

/// Endings of files that are taken from a folder.
const TEXT: [&str; 2] = ["txt", "text"];
const JSON_LINES: [&str; 2] = ["jsonl", "ndjson"];
const HTML: [&str; 4] = ["html", "htm", "xhtml", "xht"];

/// Why an input cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// It cannot be opened, or no more of it can be read.
    #[error("{name}: {source}")]
    Unreadable {
        /// The input.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// It is not text.
    #[error("{name} is not UTF-8 at byte {offset}; convert it first")]
    NotUtf8 {
        /// The file.
        name: String,
        /// Bytes of it before the first that is wrong.
        offset: usize,
    },
    /// A line is something else.
    #[error("{name} is not an article in JSON: {cause}")]
    NotAnArticle {
        /// File and line.
        name: String,
        /// What is wrong with it.
        cause: String,
    },
    /// One article is asked for.
    #[error("{name} holds no article or several; give a file with one")]
    NotOneArticle {
        /// The file.
        name: String,
    },
}

/// An article that was read, or why it was not, and how far that takes the input.
pub struct Item {
    /// File and, in JSON Lines, line.
    pub name: String,
    /// The article, as it is sent.
    pub document: Result<Box<pb::Document>, InputError>,
    /// Bytes of input.
    pub bytes: u64,
}

/// Where articles come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Stdin(InputFormat),
    File(PathBuf, InputFormat),
}

/// The files that `args` name, folders opened, in a fixed order; and those that
/// cannot be.
pub fn sources(args: &IngestArgs) -> (Vec<Source>, Vec<InputError>) {
    let (mut sources, mut failed) = (Vec::new(), Vec::new());
    for path in &args.paths {
        match Source::of(path, args.format) {
            Source::File(path, _) if path.is_dir() => folder(&path, &mut sources, &mut failed),
            source => sources.push(source),
        }
    }
    (sources, failed)
}

/// The one article in the file at `path`, or in standard input.
pub fn one_article(path: &Path) -> Result<Box<pb::Document>, InputError> {
    let (mut only, mut is_one) = (None, false);
    Source::of(path, InputFormat::Text).read(|item| {
        is_one = only.is_none();
        only.get_or_insert(item.document);
        is_one
    });
    let none = || InputError::NotOneArticle { name: path.display().to_string() };
    only.filter(|_| is_one).ok_or_else(none)?
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
        } else if let Some(format) = format_of(&entry) {
            sources.push(Source::File(entry, format));
        }
    }
}

fn format_of(path: &Path) -> Option<InputFormat> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    match ending.as_str() {
        ending if TEXT.contains(&ending) => Some(InputFormat::Text),
        ending if JSON_LINES.contains(&ending) => Some(InputFormat::Jsonl),
        ending if HTML.contains(&ending) => Some(InputFormat::Html),
        _ => None,
    }
}

impl Source {
    /// What `path` names; standard input, which is `-`, is in the format `stdin`.
    fn of(path: &Path, stdin: InputFormat) -> Self {
        match path.as_os_str() == "-" {
            true => Self::Stdin(stdin),
            false => Self::File(path.to_owned(), format_of(path).unwrap_or(InputFormat::Text)),
        }
    }

    /// Bytes in it, where that is known.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Stdin(_) => 0,
            Self::File(path, _) => fs::metadata(path).map_or(0, |metadata| metadata.len()),
        }
    }

    /// Reads it and passes each article on until `take` returns false.
    pub fn read(&self, mut take: impl FnMut(Item) -> bool) {
        let (name, format, input) = match self {
            Self::Stdin(format) => {
                let input: Box<dyn BufRead> = Box::new(io::stdin().lock());
                ("standard input".to_owned(), *format, Ok(input))
            }
            Self::File(path, format) => {
                let file = File::open(path);
                let input = file.map(|file| Box::new(BufReader::new(file)) as Box<dyn BufRead>);
                (path.display().to_string(), *format, input)
            }
        };
        let read = input.and_then(|input| match format {
            InputFormat::Text => text(&name, input, &mut take),
            InputFormat::Jsonl => json_lines(&name, input, &mut take),
            InputFormat::Html => page(&name, input, &mut take),
        });
        if let Err(source) = read {
            let document = Err(InputError::Unreadable { name: name.clone(), source });
            take(Item { name, document, bytes: 0 });
        }
    }
}

/// One article.
fn text(name: &str, mut input: impl BufRead, mut take: impl FnMut(Item) -> bool) -> io::Result<()> {
    let mut contents = Vec::new();
    input.read_to_end(&mut contents)?;
    let document = utf8(name, &contents, 0).map(|text| {
        Box::new(pb::Document { text: Some(text.to_owned()), ..pb::Document::default() })
    });
    take(Item { name: name.to_owned(), document, bytes: contents.len() as u64 });
    Ok(())
}

/// A page as it is: the server finds its character set and the article in it.
fn page(name: &str, mut input: impl BufRead, mut take: impl FnMut(Item) -> bool) -> io::Result<()> {
    let mut contents = Vec::new();
    input.read_to_end(&mut contents)?;
    let bytes = contents.len() as u64;
    let document = Box::new(pb::Document { html: Some(contents), ..pb::Document::default() });
    take(Item { name: name.to_owned(), document: Ok(document), bytes });
    Ok(())
}

/// Reads JSON Lines and passes each article on until `take` returns false: one article a line,
/// empty lines are none. A line that is not an article is passed on as an error, with `file` and
/// its number, and the rest is read.
///
/// # Errors
///
/// If `input` cannot be read.
pub fn json_lines(
    file: &str,
    mut input: impl BufRead,
    mut take: impl FnMut(Item) -> bool,
) -> io::Result<()> {
    let mut offset = 0;
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let bytes = input.read_until(b'\n', &mut line)?;
        if bytes == 0 {
            break;
        }
        let name = format!("{file}:{number}");
        let document = utf8(file, &line, offset).and_then(|line| article(&name, line));
        offset += bytes;
        if !line.trim_ascii().is_empty()
            && !take(Item { name, document: document.map(Box::new), bytes: bytes as u64 })
        {
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

fn utf8<'a>(name: &str, bytes: &'a [u8], start: usize) -> Result<&'a str, InputError> {
    std::str::from_utf8(bytes).map_err(|error| InputError::NotUtf8 {
        name: name.to_owned(),
        offset: start + error.valid_up_to(),
    })
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
    use super::{Item, json_lines};

    fn items(lines: &[u8]) -> Vec<Item> {
        let mut items = Vec::new();
        let read = json_lines("in.jsonl", lines, |item| {
            items.push(item);
            true
        });
        read.unwrap();
        items
    }

    #[test]
    fn rows_of_archives_are_read() {
        let lines = br#"{"id": "r1", "date": "26-FEB-1987 15:01:01.79", "title": "COCOA", "topics": ["cocoa"], "paragraphs": ["a", "b"]}

{"document_id": "x", "text": "t", "published_at": "2023-10-20"}"#;
        let items = items(lines);
        let first = items[0].document.as_ref().unwrap();
        assert_eq!((first.document_id.as_str(), first.title.as_str()), ("r1", "COCOA"));
        assert_eq!(first.published_at.unwrap().seconds, 541_350_061);
        assert_eq!(first.paragraphs.as_ref().unwrap().paragraphs, ["a", "b"]);
        assert_eq!(items[1].document.as_ref().unwrap().text.as_deref(), Some("t"));
        assert_eq!(items[1].name, "in.jsonl:3");
    }

    #[test]
    fn a_bad_row_says_where_and_why_and_the_rest_is_read() {
        let items = items(b"{\"id\": 1}\n\xff\n{\"text\": \"t\"}\n");
        let errors: Vec<String> = items
            .iter()
            .filter_map(|item| Some(item.document.as_ref().err()?.to_string()))
            .collect();
        assert!(errors[0].starts_with("in.jsonl:1 is not an article in JSON"), "{errors:?}");
        assert!(errors[1].contains("not UTF-8 at byte 10"), "{errors:?}");
        assert_eq!(items.len() - errors.len(), 1);
    }
}
