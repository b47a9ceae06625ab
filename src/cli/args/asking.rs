//! Commands that ask what is like a text, and for stories.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use jiff::{SignedDuration, Timestamp};

use crate::proto::timestamp;
use crate::proto::v1 as pb;

use super::values::{key_value, parse_age, parse_time};

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
