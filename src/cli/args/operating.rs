//! Commands that serve a corpus and look after it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;
use http::Uri;
use jiff::SignedDuration;

use crate::embed::Precision;
use crate::server::Right;

use super::incoming::FetchPageArgs;
use super::values::{one_line, parse_age, source_age, web_address};

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
