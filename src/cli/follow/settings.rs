use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use url::Url;

use crate::cli::args::parse_time_span;
use crate::fetch::without_secret;
use crate::text::LanguageTag;

/// Between two polls of a feed that does not say otherwise.
const INTERVAL: Duration = Duration::from_secs(15 * 60);

/// The shortest time between two polls.
const SHORTEST: Duration = Duration::from_secs(1);

/// A feed to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedSettings {
    pub url: Url,
    /// What it is called in what is printed and kept. Unlike its address, it holds no secret.
    pub name: String,
    /// The outlet of its articles; empty for what it or its pages say.
    pub source: String,
    /// What they are written in; empty for what it says.
    pub language: String,
    pub labels: BTreeMap<String, String>,
    pub interval: Duration,
    pub follow_links: bool,
}

impl FeedSettings {
    /// What the ids of its documents are made of.
    pub fn identity(&self) -> String {
        without_secret(&self.url).to_string()
    }
}

/// What is wrong with a file of feeds.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {cause}")]
pub struct SettingsError {
    path: String,
    cause: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    interval: Option<String>,
    #[serde(default)]
    feed: Vec<Table>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    url: String,
    name: Option<String>,
    #[serde(default)]
    source: String,
    #[serde(default)]
    language: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    interval: Option<String>,
    #[serde(default)]
    follow_links: bool,
}

/// The feeds that a file names, all of them checked.
pub fn read(path: &Path) -> Result<Vec<FeedSettings>, SettingsError> {
    let wrong = |cause| SettingsError { path: path.display().to_string(), cause };
    let text =
        fs::read_to_string(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    parse(&text).map_err(wrong)
}

fn parse(text: &str) -> Result<Vec<FeedSettings>, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let default = file.interval.as_deref().map(interval).transpose()?.unwrap_or(INTERVAL);
    if file.feed.is_empty() {
        return Err("names no feed; add a table [[feed]] with a url for each".to_owned());
    }
    let mut names = HashSet::new();
    let feeds = file.feed.into_iter().enumerate().map(|(index, table)| {
        let address = table.url.clone();
        let feed = table
            .checked(default)
            .map_err(|cause| format!("feed {} ({address}): {cause}", index + 1))?;
        match names.insert(feed.name.clone()) {
            true => Ok(feed),
            false => {
                Err(format!("two feeds are called {:?}; give one of them another name", feed.name))
            }
        }
    });
    feeds.collect()
}

impl Table {
    fn checked(self, default: Duration) -> Result<FeedSettings, String> {
        let wrong = "url is not the address of a feed; give one such as https://news.example/rss";
        let url = Url::parse(self.url.trim()).ok();
        let url = url.filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
        let url = url.ok_or(wrong)?;
        let name = self.name.unwrap_or_else(|| {
            format!("{}{}", url.host_str().unwrap_or_default(), url.path().trim_end_matches('/'))
        });
        if name.trim().is_empty() || name.contains(char::is_control) {
            return Err("name is empty or has several lines; give a word or two".to_owned());
        }
        if !self.language.is_empty() && LanguageTag::parse(&self.language).is_none() {
            let language = self.language;
            return Err(format!("language {language:?} is no BCP-47 tag; give one such as en-GB"));
        }
        if self.labels.keys().any(String::is_empty) {
            return Err("labels has one without a name; give it one".to_owned());
        }
        Ok(FeedSettings {
            interval: self.interval.as_deref().map_or(Ok(default), interval)?,
            url,
            name,
            source: self.source,
            language: self.language,
            labels: self.labels,
            follow_links: self.follow_links,
        })
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    let time = parse_time_span(text).ok().filter(|time| *time >= SHORTEST);
    time.ok_or_else(|| format!("interval {text:?} is not a time from 1s to 24h; give e.g. 15m"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::parse;

    #[test]
    fn feeds_say_what_differs_from_the_rest() {
        let feeds = parse(
            "interval = '5m'\n[[feed]]\nurl = 'https://u:p@gazette.example/rss/?key=1'\n\
             [[feed]]\nurl = 'http://wire.example'\nname = 'wire'\nsource = 'The Wire'\n\
             language = 'en'\nlabels = { desk = 'world' }\ninterval = '30s'\nfollow_links = true",
        )
        .unwrap();
        assert_eq!(feeds[0].name, "gazette.example/rss");
        assert_eq!((feeds[0].interval, feeds[0].follow_links), (Duration::from_secs(300), false));
        assert_eq!((feeds[1].name.as_str(), feeds[1].source.as_str()), ("wire", "The Wire"));
        assert_eq!(feeds[1].labels["desk"], "world");
        assert_eq!((feeds[1].interval, feeds[1].follow_links), (Duration::from_secs(30), true));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_a_remedy() {
        let feed = "[[feed]]\nurl = 'https://a.example/rss'\n";
        for (text, expected) in [
            (String::new(), "names no feed"),
            ("[[feed]]\nname = 'x'".to_owned(), "missing field `url`"),
            (format!("{feed}follow_link = true"), "unknown field `follow_link`"),
            (format!("{feed}{feed}"), "two feeds are called \"a.example/rss\""),
            (
                "[[feed]]\nurl = 'ftp://a.example'".to_owned(),
                "feed 1 (ftp://a.example): url is not",
            ),
            ("[[feed]]\nurl = 'a.example/rss'".to_owned(), "url is not the address"),
            (format!("{feed}language = 'english!'"), "is no BCP-47 tag"),
            (format!("{feed}interval = 'often'"), "interval \"often\" is not a time"),
            (format!("interval = '0s'\n{feed}"), "interval \"0s\" is not a time"),
            (format!("{feed}name = ''"), "name is empty"),
            (format!("{feed}labels = {{ '' = 'x' }}"), "labels has one without a name"),
        ] {
            let error = parse(&text).unwrap_err();
            assert!(error.contains(expected), "{expected}: {error}");
        }
    }
}
