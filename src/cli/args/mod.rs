//! What can be said on the command line. Each command's options are a struct; what several
//! commands take is one that they share.

mod asking;
mod documents;
mod incoming;
mod operating;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::client::Token;

pub use asking::{DuplicatesArgs, QueryArgs, RelatedArgs, StoriesArgs, StoryArgs, WatchArgs};
pub use documents::{
    CompareArgs, DeleteArgs, EditorVerdict, ExportArgs, JudgeArgs, ListArgs, ShowArgs,
};
pub use incoming::{FollowArgs, IngestArgs, InputFormat};
pub use operating::{
    AccessArgs, CheckArgs, CompletionsArgs, ManArgs, NewTokenArgs, ReembedArgs, RestoreArgs,
    ServeArgs, SetupArgs, SnapshotArgs, TokenCommand,
};
pub use values::parse_time_span;

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
