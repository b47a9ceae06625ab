//! Commands about documents that are known.

use clap::Args;

use super::asking::FilterArgs;

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
