//! Readers of the labelled data.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use copydesk::article::{Body, Incoming, Metadata};
use copydesk::text::LanguageTag;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Why the data cannot be used.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A story with what is known about it.
#[derive(Debug, Clone, Deserialize)]
pub struct Story {
    pub id: String,
    #[serde(default)]
    pub date: String,
    #[serde(default)]
    pub title: String,
    pub paragraphs: Vec<String>,
    /// Who published it.
    #[serde(skip)]
    pub source: String,
    /// When it was published.
    #[serde(skip)]
    pub published_at: Option<Timestamp>,
}

impl Story {
    /// One of which nothing else is known.
    pub fn of(id: &str, paragraphs: Vec<String>) -> Self {
        let id = id.to_owned();
        let (date, title, source) = Default::default();
        Self { id, date, title, paragraphs, source, published_at: None }
    }

    /// As it is given to the corpus.
    pub fn incoming(&self) -> Incoming {
        Incoming {
            id: None,
            metadata: Metadata {
                title: self.title.clone(),
                source: self.source.clone(),
                url: String::new(),
                language: LanguageTag::parse("en"),
                published_at: self.published_at,
                labels: BTreeMap::new(),
            },
            body: Body::Paragraphs(self.paragraphs.clone()),
        }
    }

    /// Words in its paragraphs.
    pub fn words(&self) -> usize {
        self.paragraphs.iter().map(|paragraph| paragraph.split_whitespace().count()).sum()
    }

    fn dated(mut self) -> Self {
        self.published_at = reuters_time(&self.date);
        self.source = "reuters".to_owned();
        self
    }
}

/// "26-FEB-1987 15:01:01.79", which may have damage around it.
fn reuters_time(date: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] =
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    let (day, time) = date.trim().split_once(' ')?;
    let mut day = day.split('-');
    let number = |text: &str| text.parse::<i8>().ok();
    let (day, month, year) = (number(day.next()?)?, day.next()?, day.next()?.parse().ok()?);
    let month = MONTHS.iter().position(|name| *name == month.to_uppercase())? as i8 + 1;
    let mut time = time.get(..8)?.split(':');
    let mut part = || time.next().and_then(number);
    let moment = DateTime::new(year, month, day, part()?, part()?, part()?, 0).ok()?;
    moment.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// A pair of stories that people labelled.
#[derive(Debug, Clone, Deserialize)]
pub struct StoryPair {
    pub label: String,
    pub a: Story,
    pub b: Story,
}

pub fn reuters_pairs(data: &Path) -> Result<Vec<StoryPair>, Failure> {
    let pairs: Vec<StoryPair> = lines(&data.join("reuters_pairs/dev.jsonl"))?;
    let dated = |pair: StoryPair| StoryPair { a: pair.a.dated(), b: pair.b.dated(), ..pair };
    Ok(pairs.into_iter().map(dated).collect())
}

/// Stories of the stream with those that candidates were likest to, earlier one first: the labels
/// are the project's own.
pub fn likest(stream: &[Story]) -> Result<Vec<StoryPair>, Failure> {
    const LABELS: &str = include_str!("../labels/reuters_stream.tsv");
    let stories: HashMap<&str, &Story> =
        stream.iter().map(|story| (story.id.as_str(), story)).collect();
    let pair = |line: &str| {
        let [a, b, label] = line.split('\t').collect::<Vec<_>>().try_into().ok()?;
        let story = |id: &str| stories.get(id).map(|story| (*story).clone());
        Some(StoryPair { label: label.to_owned(), a: story(a)?, b: story(b)? })
    };
    let unknown = |line: &str| format!("labels/reuters_stream.tsv: {line}").into();
    LABELS.lines().skip(1).map(|line| pair(line).ok_or_else(|| unknown(line))).collect()
}

/// The whole stream, in the order of time.
pub fn reuters(data: &Path) -> Result<Vec<Story>, Failure> {
    let stories: Vec<Story> = lines(&data.join("reuters21578/docs.jsonl.gz"))?;
    let mut stories: Vec<Story> = stories.into_iter().map(Story::dated).collect();
    stories.sort_by_key(|story| story.published_at);
    Ok(stories)
}

/// An article that was cited for an event.
#[derive(Debug, Clone, Deserialize)]
pub struct Cited {
    pub event: i64,
    #[serde(flatten)]
    pub story: Story,
}

pub fn wikinews(data: &Path) -> Result<Vec<Cited>, Failure> {
    lines(&data.join("wikinews/wikinews_big.jsonl"))
}

/// Two sentences, 1 if people called them equivalent.
#[derive(Debug, Clone, Deserialize)]
pub struct Sentences {
    pub label: u8,
    pub id1: String,
    pub s1: String,
    pub s2: String,
}

pub fn mrpc(data: &Path) -> Result<Vec<Sentences>, Failure> {
    lines(&data.join("mrpc/train.jsonl"))
}

/// An answer to a task, or the text that some were rewritten from.
#[derive(Debug, Clone, Deserialize)]
pub struct Rewriting {
    pub file: String,
    pub task: String,
    pub category: String,
    pub text: String,
}

impl Rewriting {
    /// Its paragraphs: lines are broken for their length.
    pub fn story(&self) -> Story {
        let unix = self.text.replace("\r\n", "\n");
        let paragraphs = unix.split("\n\n").map(|paragraph| paragraph.replace('\n', " "));
        let paragraphs = paragraphs.filter(|paragraph| !paragraph.trim().is_empty()).collect();
        Story::of(&self.file, paragraphs)
    }
}

pub fn clough_stevenson(data: &Path) -> Result<Vec<Rewriting>, Failure> {
    lines(&data.join("clough_stevenson/dev.jsonl"))
}

/// The rows of a file of JSON lines.
pub fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, Failure> {
    let unreadable = |error| format!("{}: {error}; give the folder with --data", path.display());
    let file = File::open(path).map_err(unreadable)?;
    let reader: Box<dyn Read> = match path.extension().is_some_and(|extension| extension == "gz") {
        true => Box::new(flate2::read::GzDecoder::new(file)),
        false => Box::new(file),
    };
    let mut rows = Vec::new();
    for line in BufReader::new(reader).lines() {
        rows.push(serde_json::from_str(&line?)?);
    }
    Ok(rows)
}
