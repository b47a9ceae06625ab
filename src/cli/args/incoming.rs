//! Commands that take articles in, and how they are fetched.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use ipnet::IpNet;

use crate::fetch::FetchOptions;

use super::values::{key_value, one_line, parse_time_span};

#[derive(Debug, Args)]
pub struct IngestArgs {
    /// Text files (one article each), pages (.html, .htm, .xhtml), JSON Lines (.jsonl,
    /// .ndjson: one article a line), feeds (.rss, .atom, .rdf, .xml, .json), web archives
    /// (.warc), all of them packed with gzip or not, folders of these, http:// and https://
    /// addresses of feeds and pages, or - for standard input
    #[arg(value_name = "PATH|ADDRESS", required = true)]
    pub paths: Vec<PathBuf>,
    /// Take in the pages that the entries of feeds link to, not what feeds have of their text
    #[arg(long)]
    pub follow_links: bool,
    /// How to read standard input
    #[arg(long, value_enum, default_value_t = InputFormat::Text)]
    pub format: InputFormat,
    /// Outlet of articles that do not name theirs
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Label to put on every article
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = key_value)]
    pub labels: Vec<(String, String)>,
    /// Count duplicates on their originals, keep nothing else of them
    #[arg(long)]
    pub skip_duplicates: bool,
    /// Judge only, store nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub fetch: LinkArgs,
}

#[derive(Debug, Args)]
pub struct FollowArgs {
    /// The feeds, in TOML: a table [[feed]] for each with its url, and, if wanted, name, source,
    /// language, labels, interval and follow_links
    #[arg(value_name = "FEEDS.toml")]
    pub feeds: PathBuf,
    /// Folder for what is known of the feeds, so that a restart takes nothing in twice
    /// [default: named like the file, with the ending .state]
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Poll each feed once, now, and end
    #[arg(long)]
    pub once: bool,
    #[command(flatten)]
    pub fetch: LinkArgs,
}

/// How to fetch from the web.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options for what is fetched")]
pub struct FetchArgs {
    /// What to call oneself; give a way to reach you, e.g. "gazette-desk/1.0
    /// (+https://gazette.example/bot)" [default: copydesk and its version]
    #[arg(long, value_name = "NAME", value_parser = one_line)]
    pub user_agent: Option<String>,
    /// How long one answer may take, whole
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_time_span)]
    pub fetch_timeout: Duration,
    /// Time between two requests to one host; its robots.txt may ask for more
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_time_span)]
    pub fetch_delay: Duration,
}

impl FetchArgs {
    /// As the library takes it.
    pub fn options(&self) -> FetchOptions {
        let defaults = FetchOptions::default();
        FetchOptions {
            user_agent: self.user_agent.clone().unwrap_or(defaults.user_agent),
            timeout: self.fetch_timeout,
            delay: self.fetch_delay,
            ..defaults
        }
    }
}

/// How to fetch what feeds link to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options for what is fetched")]
pub struct LinkArgs {
    #[command(flatten)]
    fetch: FetchArgs,
    /// Follow links into private networks and to this machine
    #[arg(long)]
    allow_private: bool,
}

impl LinkArgs {
    /// As the library takes it.
    pub fn options(&self) -> FetchOptions {
        FetchOptions { allow_private: self.allow_private, ..self.fetch.options() }
    }
}

/// Whether a server fetches pages, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options for what is fetched")]
pub struct FetchPageArgs {
    /// Fetch pages of the web whose addresses clients give, so that one can be checked at the desk.
    /// Addresses of private networks and of this machine are refused
    #[arg(id = "fetch", long = "fetch")]
    is_on: bool,
    /// A private network from which pages are fetched, too, e.g. 10.1.0.0/16; may be repeated
    #[arg(long, value_name = "NETWORK", requires = "fetch", value_parser = network)]
    fetch_network: Vec<IpNet>,
    #[command(flatten)]
    how: FetchArgs,
}

impl FetchPageArgs {
    /// As the library takes it, if the server fetches.
    pub fn options(self) -> Option<FetchOptions> {
        let Self { is_on, fetch_network, how } = self;
        is_on.then(|| FetchOptions { networks: fetch_network, ..how.options() })
    }
}

/// A network, or an address alone.
fn network(value: &str) -> Result<IpNet, String> {
    let alone = || value.parse::<IpAddr>().map(IpNet::from);
    value
        .parse()
        .or_else(|_| alone())
        .map_err(|_| "is no network; give one such as 10.1.0.0/16, or an address".to_owned())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum InputFormat {
    /// One article in plain text
    Text,
    /// One article a line
    Jsonl,
    /// A page of the web
    Html,
    /// RSS, Atom or JSON Feed
    Feed,
    /// A web archive
    Warc,
}
