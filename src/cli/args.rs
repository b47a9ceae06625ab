use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, Parser, Subcommand};
use clap_complete::Shell;
use http::Uri;
use ipnet::IpNet;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

use crate::client::Token;
use crate::embed::Precision;
use crate::fetch::FetchOptions;
use crate::proto::{timestamp, v1 as pb};
use crate::server::Right;

/// Copydesk knows every piece of copy that came in: near-duplicates and related
/// passages of news, over gRPC.
#[derive(Debug, Parser)]
#[command(name = "copydesk", version, max_term_width = 100)]
#[command(after_help = "Every option can be given as a flag, as an environment variable \
    (COPYDESK_ and its name, e.g. COPYDESK_LISTEN) or in a TOML file (its name, in a table \
    named like the command); the first of these counts.")]
pub struct Arguments {
    /// Settings in TOML [default: copydesk/config.toml in the user's configuration
    /// folder, if it is there]
    #[arg(long, global = true, help_heading = "Options for every command", value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub server: ServerArgs,
    /// Print one JSON object a line, for other programs
    #[arg(long, global = true, help_heading = "Options for every command")]
    pub json: bool,
    /// What to log to standard error: error, warn, info, debug, or filters by module
    #[arg(
        long,
        global = true,
        help_heading = "Options for every command",
        value_name = "FILTER",
        default_value = "warn,copydesk=info,hnsw_rs=off"
    )]
    pub log: String,
    /// How to log it
    #[arg(
        long,
        global = true,
        help_heading = "Options for every command",
        value_enum,
        default_value_t = LogFormat::Text
    )]
    pub log_format: LogFormat,
    #[command(subcommand)]
    pub command: Command,
}

/// The server to talk to, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options for every command")]
pub struct ServerArgs {
    /// The server to talk to; https:// for one with TLS
    #[arg(
        id = "server",
        long = "server",
        global = true,
        value_name = "ADDRESS",
        default_value = "http://127.0.0.1:7151"
    )]
    pub address: String,
    /// The token to show it; better in the environment, as COPYDESK_TOKEN, where other
    /// users of the machine cannot see it
    #[arg(long, global = true, value_name = "TOKEN", hide_default_value = true)]
    pub token: Option<Token>,
    /// In PEM, the authority that its certificate has to be of [default: the public ones]
    #[arg(long, global = true, value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
    /// In PEM, our own certificate, if it asks for one
    #[arg(long, global = true, value_name = "FILE")]
    pub client_cert: Option<PathBuf>,
    /// In PEM, the key of that certificate
    #[arg(long, global = true, value_name = "FILE")]
    pub client_key: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line, for other programs
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what copydesk does on five articles about one story
    Demo(SetupArgs),
    /// Serve a corpus over gRPC
    Serve(Box<ServeArgs>),
    /// Fetch the runtime and the model, and nothing else
    Setup(SetupArgs),
    /// Make tokens, which let clients in
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Take in articles, and say of each whether it is new
    Ingest(IngestArgs),
    /// Follow feeds: take in each new story as it comes, and print it with its verdict, until
    /// Ctrl-C
    Follow(FollowArgs),
    /// Find passages that say the same as a text
    Duplicates(DuplicatesArgs),
    /// Find passages, or documents, about what a text is about
    Related(RelatedArgs),
    /// Print documents about what a text is about as they come in, until Ctrl-C
    Watch(WatchArgs),
    /// Show a story: its documents, whoever had it first at the top
    Story(StoryArgs),
    /// List stories, most recently updated first
    Stories(StoriesArgs),
    /// Show what a document is beside another one, passage by passage
    Compare(CompareArgs),
    /// Say what a document is beside another one: an editor's word, which stays
    Judge(JudgeArgs),
    /// Show a document with its passages and its verdict
    Show(ShowArgs),
    /// List documents, latest ingested first
    List(ListArgs),
    /// Delete a document
    Delete(DeleteArgs),
    /// Print documents with their text as JSON Lines, as ingest takes them
    Export(ExportArgs),
    /// Show the state of a server: model, corpus, limits
    Info,
    /// Merge what a server's index is in pieces, and give the space of what was deleted back
    Compact,
    /// Make a consistent copy of a server's corpus, on the server's machine, while it is in use
    Snapshot(SnapshotArgs),
    /// Make a corpus of a snapshot, in an empty folder
    Restore(RestoreArgs),
    /// Check a data folder that no server has open, and say what the next start makes anew
    Check(CheckArgs),
    /// Change a corpus to another model: embeds its text anew, in the background of its
    /// server
    Reembed(ReembedArgs),
    /// Print a script that completes this program's commands and options in a shell
    Completions(CompletionsArgs),
    /// Print the manual page of this program, or write those of it and all its commands
    Man(ManArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  copydesk completions bash > ~/.local/share/bash-completion/completions/copydesk
  copydesk completions zsh > \"${fpath[1]}/_copydesk\"
  copydesk completions fish > ~/.config/fish/completions/copydesk.fish")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  copydesk man | man -l -
  copydesk man --out ~/.local/share/man/man1")]
pub struct ManArgs {
    /// Folder for a page of each command, as man looks them up: copydesk-serve.1; made if
    /// it is not there
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Print a token, once, and the line for the tokens file of the server (serve --tokens)
    New(NewTokenArgs),
}

#[derive(Debug, Args)]
pub struct NewTokenArgs {
    /// What it lets its owner do
    #[arg(long, value_enum)]
    pub right: Right,
    /// Whose it is, for whoever reads the file
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true,
          value_parser = one_line)]
    pub name: String,
}

#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// What to call it: a-z, 0-9 and - [default: the time, e.g. 20231020-143400]
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The snapshot: a folder in the server's folder of snapshots, or a copy of it
    #[arg(value_name = "SNAPSHOT")]
    pub snapshot: PathBuf,
    /// Folder for the corpus; made if it is not there, else it has to be empty
    #[arg(long, value_name = "DIR", required = true)]
    pub data: PathBuf,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Folder that holds the corpus
    #[arg(long, value_name = "DIR", required = true)]
    pub data: PathBuf,
}

#[derive(Debug, Args)]
pub struct ReembedArgs {
    /// Folder of a corpus that no server has open; without it, the server's corpus is
    /// changed while it answers
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Do not wait until the server is done
    #[arg(long, conflicts_with = "data")]
    pub no_wait: bool,
    /// The new model. A server takes files that are on its own machine
    #[command(flatten)]
    pub setup: SetupArgs,
}

#[derive(Debug, Args)]
pub struct SetupArgs {
    /// Folder for what is fetched [default: copydesk in the user's cache folder]
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// Another model: a folder with model.onnx, tokenizer.json and copydesk.toml, or a
    /// name that fastembed knows, e.g. BGESmallENV15
    #[arg(long, value_name = "DIR|NAME")]
    pub model: Option<PathBuf>,
    /// How products are computed [default: as the model says; the default model in
    /// int8 where that is exact]
    #[arg(long, value_enum)]
    pub precision: Option<Precision>,
    /// The library of ONNX Runtime [default: ORT_DYLIB_PATH, else the pinned one]
    #[arg(long, value_name = "FILE")]
    pub runtime: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Folder that holds the corpus; made if it is not there
    #[arg(long, value_name = "DIR", required = true)]
    pub data: PathBuf,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7151")]
    pub listen: SocketAddr,
    #[command(flatten)]
    pub access: AccessArgs,
    /// Where to answer operators' tools over HTTP: GET /metrics (for Prometheus), /livez, /readyz.
    /// It asks for neither tokens nor TLS
    #[arg(long, value_name = "ADDRESS")]
    pub admin: Option<SocketAddr>,
    /// Where to serve the desk, a web page to look at the corpus with: a port alone is on this
    /// machine
    #[arg(long, value_name = "ADDRESS", value_parser = web_address)]
    pub web: Option<SocketAddr>,
    /// A name by which browsers may call a desk that asks for neither tokens nor TLS, besides
    /// addresses and localhost; may be repeated
    #[arg(long, value_name = "NAME", requires = "web")]
    pub web_name: Vec<String>,
    /// Collector to export a span of each request and of its steps to, by OTLP over gRPC, e.g.
    /// http://127.0.0.1:4317
    #[arg(long, value_name = "ADDRESS")]
    pub otlp: Option<Uri>,
    /// Threads that embed [default: one for each core]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: Option<u16>,
    /// Vectors that are kept in memory before they are frozen into a file: each takes
    /// some 4 KB there, and .6 KB then
    #[arg(long, value_name = "COUNT", default_value_t = 32_768,
          value_parser = clap::value_parser!(u32).range(64..=1_048_576))]
    pub segment_rows: u32,
    /// Delete documents that were published longer ago: 30d, 12h, 4w [default: keep all]
    #[arg(long, value_name = "TIME", value_parser = parse_age)]
    pub retention: Option<SignedDuration>,
    /// The same for one outlet, e.g. "Example Wire=7d"; may be repeated
    #[arg(long, value_name = "SOURCE=TIME", value_parser = source_age)]
    pub retention_of: Vec<(String, SignedDuration)>,
    /// Folder for snapshots [default: snapshots in the data folder]
    #[arg(long, value_name = "DIR")]
    pub snapshots: Option<PathBuf>,
    /// Compare every question with every vector: misses nothing, and takes long on a
    /// large corpus
    #[arg(long)]
    pub exact: bool,
    #[command(flatten)]
    pub setup: SetupArgs,
    #[command(flatten)]
    pub fetch: FetchPageArgs,
}

/// Who gets in.
#[derive(Debug, Args)]
pub struct AccessArgs {
    /// Ask every call but health for a token of this file; `copydesk token new` makes its
    /// lines. It and the files of TLS are read anew when they change
    #[arg(long, value_name = "FILE")]
    pub tokens: Option<PathBuf>,
    /// In PEM, the server's certificate and its chain: turns TLS on
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// In PEM, the key of that certificate
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// In PEM, authorities: lets in only clients with a certificate of one of them
    #[arg(long, value_name = "FILE")]
    pub tls_client_ca: Option<PathBuf>,
    /// Listen beyond this machine, even with neither tokens nor TLS; likewise with --admin
    #[arg(long)]
    pub allow_anybody: bool,
}

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

/// What a question is about.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("query").required(true).args(["text", "passage", "document", "file"])))]
pub struct QueryArgs {
    /// A text, or - to read it from standard input
    pub text: Option<String>,
    /// Ask about a stored passage
    #[arg(long, value_name = "ID")]
    pub passage: Option<String>,
    /// Ask about a stored document
    #[arg(long, value_name = "ID")]
    pub document: Option<String>,
    /// Ask about the one article in a file, read as `ingest` does, or - for standard
    /// input
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// Which documents may answer.
#[derive(Debug, Args)]
pub struct FilterArgs {
    /// From this outlet; may be repeated
    #[arg(long = "source", value_name = "NAME")]
    pub sources: Vec<String>,
    /// Not from this outlet; may be repeated
    #[arg(long = "exclude-source", value_name = "NAME")]
    pub exclude_sources: Vec<String>,
    /// In this language, e.g. en; may be repeated
    #[arg(long = "language", value_name = "TAG")]
    pub languages: Vec<String>,
    /// Published then or later: 2023-10-20 or 2023-10-20T14:34:00Z
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub after: Option<Timestamp>,
    /// Published earlier
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub before: Option<Timestamp>,
    /// With this label; may be repeated
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = key_value)]
    pub labels: Vec<(String, String)>,
}

impl FilterArgs {
    pub fn into_filter(self) -> pb::Filter {
        pb::Filter {
            sources: self.sources,
            exclude_sources: self.exclude_sources,
            languages: self.languages,
            published_after: self.after.map(timestamp),
            published_before: self.before.map(timestamp),
            labels: self.labels.into_iter().collect(),
            ..pb::Filter::default()
        }
    }
}

#[derive(Debug, Args)]
pub struct DuplicatesArgs {
    #[command(flatten)]
    pub query: QueryArgs,
    /// Least probability, 0 to 1 [default: the server's]
    #[arg(long, value_name = "SHARE")]
    pub min_probability: Option<f32>,
    /// Answers, at most
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    pub limit: i32,
    #[command(flatten)]
    pub filter: FilterArgs,
}

#[derive(Debug, Args)]
pub struct RelatedArgs {
    #[command(flatten)]
    pub query: QueryArgs,
    /// Answer with documents in place of passages; takes --document or --file
    #[arg(long, conflicts_with_all = ["text", "passage", "max_per_document"])]
    pub documents: bool,
    /// Answers, at most
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    pub limit: i32,
    /// Answers from one document, at most; 0 for no bound
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub max_per_document: i32,
    /// Least score, 0 to 1
    #[arg(long, value_name = "SHARE")]
    pub min_score: Option<f32>,
    #[command(flatten)]
    pub ranking: RankingArgs,
    #[command(flatten)]
    pub filter: FilterArgs,
}

/// How what is related is picked and ordered.
#[derive(Debug, Args)]
pub struct RankingArgs {
    /// What counts as evidence [default: the server's best]
    #[arg(long, value_enum)]
    pub mode: Option<Mode>,
    /// Variety among the answers: 0 for relevance alone, 1 for variety alone
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub diversity: f32,
    /// Halve a score for each such span of age: 7d, 36h [default: age does not matter]
    #[arg(long, value_name = "SPAN", value_parser = parse_age)]
    pub half_life: Option<SignedDuration>,
    /// When age is counted from: 2023-10-20 or 2023-10-20T14:34:00Z [default: the
    /// publication of the document that is asked about, or now]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub as_of: Option<Timestamp>,
    /// Keep copies of what is asked about and of better answers
    #[arg(long)]
    pub include_duplicates: bool,
}

impl RankingArgs {
    pub fn into_ranking(self) -> pb::RankingOptions {
        let mode = self.mode.map_or(pb::RetrievalMode::Unspecified, |mode| match mode {
            Mode::Hybrid => pb::RetrievalMode::Hybrid,
            Mode::Semantic => pb::RetrievalMode::Semantic,
            Mode::Lexical => pb::RetrievalMode::Lexical,
        });
        pb::RankingOptions {
            mode: mode.into(),
            diversity: self.diversity,
            recency_half_life: self.half_life.map(|span| prost_types::Duration {
                seconds: span.as_secs(),
                nanos: span.subsec_nanos(),
            }),
            include_duplicates: self.include_duplicates,
            as_of: self.as_of.map(timestamp),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// Meaning and words
    Hybrid,
    /// Meaning alone
    Semantic,
    /// Words alone
    Lexical,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("query").required(true).args(["text", "document"])))]
pub struct WatchArgs {
    /// A text, or - to read it from standard input
    pub text: Option<String>,
    /// Ask about a stored document
    #[arg(long, value_name = "ID")]
    pub document: Option<String>,
    /// Least score, 0 to 1 [default: the server's]
    #[arg(long, value_name = "SHARE")]
    pub min_score: Option<f32>,
    /// Go on after the answer with this number: what was stored since comes first
    #[arg(long, value_name = "SEQUENCE")]
    pub after_sequence: Option<i64>,
    #[command(flatten)]
    pub filter: FilterArgs,
}

#[derive(Debug, Args)]
pub struct StoryArgs {
    /// The story
    #[arg(value_name = "ID")]
    pub id: String,
    /// Documents, at most [default: all]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
}

#[derive(Debug, Args)]
pub struct StoriesArgs {
    /// Stories, at most
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub limit: usize,
    /// Leave out stories with fewer documents, copies not counted
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub min_documents: i32,
    #[command(flatten)]
    pub filter: FilterArgs,
}

#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The document
    #[arg(value_name = "ID")]
    pub id: String,
}

#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The document
    #[arg(value_name = "ID")]
    pub id: String,
    /// The earlier one
    #[arg(value_name = "OTHER")]
    pub other: String,
}

#[derive(Debug, Args)]
pub struct JudgeArgs {
    /// The document
    #[arg(value_name = "ID")]
    pub id: String,
    /// The earlier one
    #[arg(value_name = "OTHER")]
    pub other: String,
    /// What the document is beside the earlier one
    #[arg(value_name = "VERDICT", value_enum)]
    pub verdict: EditorVerdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum EditorVerdict {
    /// They are not copies of one another
    New,
    /// The same text
    ExactDuplicate,
    /// The same text, lightly edited or cut
    NearDuplicate,
    /// A later version
    Update,
}

#[derive(Debug, Args)]
pub struct ListArgs {
    /// Documents, at most
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub limit: usize,
    #[command(flatten)]
    pub filter: FilterArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  copydesk export > corpus.jsonl
  copydesk export --source Reuters --after 2023-10-01 | gzip > reuters.jsonl.gz")]
pub struct ExportArgs {
    #[command(flatten)]
    pub filter: FilterArgs,
}

#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// The document
    #[arg(value_name = "ID")]
    pub id: String,
}

fn one_line(text: &str) -> Result<String, String> {
    match text.contains(char::is_control) {
        true => Err("give a name of one line".to_owned()),
        false => Ok(text.to_owned()),
    }
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("give KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

fn parse_age(text: &str) -> Result<SignedDuration, String> {
    let age = text
        .parse::<Span>()
        .ok()
        .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    age.filter(|age| age.is_positive())
        .ok_or_else(|| "give a number of weeks, days or hours: 4w, 30d, 12h".to_owned())
}

/// A time from nothing to a day: 30s, 500ms, 15m.
pub fn parse_time_span(text: &str) -> Result<Duration, String> {
    let time = text.parse::<SignedDuration>().ok().and_then(|time| Duration::try_from(time).ok());
    time.filter(|time| *time <= Duration::from_secs(24 * 3_600)).ok_or_else(|| {
        "give a number of seconds, minutes or hours, at most 24h: 30s, 15m".to_owned()
    })
}

/// An address, or a port on loopback.
fn web_address(text: &str) -> Result<SocketAddr, String> {
    let port = text.parse::<u16>().map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    port.or_else(|_| text.parse())
        .map_err(|_| "give an address and a port (127.0.0.1:7152), or a port (7152)".to_owned())
}

fn source_age(text: &str) -> Result<(String, SignedDuration), String> {
    let (source, age) = text.rsplit_once('=').ok_or("give SOURCE=TIME")?;
    Ok((source.to_owned(), parse_age(age)?))
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    let of_day = |day: Date| Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp());
    text.parse()
        .ok()
        .or_else(|| text.parse().ok().and_then(of_day))
        .ok_or_else(|| "give a day (2023-10-20) or a time (2023-10-20T14:34:00Z)".to_owned())
}
