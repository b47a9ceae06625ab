use std::io;

use jiff::Timestamp;

use crate::article::EmptyDocument;
use crate::embed::{EmbedError, ModelError};
use crate::index::IndexError;
use crate::lexical::LexicalError;
use crate::page::PageError;
use crate::store::{SnapshotError, StoreError, StoryKey};

/// Why the corpus could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CorpusError {
    /// No document has this id.
    #[error("no document has the id {0:?}")]
    UnknownDocument(String),
    /// There is no such story.
    #[error("no story has the id \"{}\"", .0.name())]
    UnknownStory(StoryKey),
    /// No passage has this id.
    #[error("no passage has the id {0:?}")]
    UnknownPassage(String),
    /// There is nothing to read.
    #[error(transparent)]
    Empty(#[from] EmptyDocument),
    /// No article can be read from a page.
    #[error("the page {error}")]
    Page {
        /// Which document of the request it is.
        which: Which,
        /// What is wrong with it.
        error: PageError,
    },
    /// It would be deleted at once.
    #[error(
        "the document was published at {published_at}, and those of its source are kept from {earliest} on; nothing of it was stored"
    )]
    TooOld {
        /// When it was published.
        published_at: Timestamp,
        /// The earliest date that is kept.
        earliest: Timestamp,
    },
    /// Embedding failed.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No snapshot was made.
    #[error("no snapshot was made: {0}")]
    Snapshot(#[from] SnapshotError),
    /// The index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The index of words failed.
    #[error(transparent)]
    Lexical(#[from] LexicalError),
    /// The other model cannot be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// One change of model at a time.
    #[error("the corpus is being changed to the model {0} already; wait until that is done")]
    Changing(String),
    /// What is asked for is too long ago, or has not come yet.
    #[error("the answer {after} is not one to go on after; those from {first} to {last} are")]
    NotRemembered {
        /// What was asked for.
        after: i64,
        /// The first one that is remembered.
        first: i64,
        /// The last one.
        last: i64,
    },
    /// More standing questions than there may be.
    #[error("{0} questions stand already; try again when one has ended")]
    TooManyWatchers(usize),
    /// Its reader was too slow.
    #[error("more than {0} answers wait to be read; go on after the last one that was read")]
    FellBehind(usize),
    /// The question was asked of a model that does not answer any more.
    #[error("the model was changed; ask again, after the last answer")]
    ModelChanged,
    /// A part of the program or a library panicked; the request ends, the corpus goes
    /// on.
    #[error("an internal error ended the request")]
    Panicked,
}

/// A document of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one that there is.
    Only,
    /// The earlier one of two that are compared.
    Left,
    /// The later one.
    Right,
}

impl CorpusError {
    /// The same, about one of two documents.
    pub(super) fn of(self, which: Which) -> Self {
        match self {
            Self::Page { error, .. } => Self::Page { which, error },
            other => other,
        }
    }
}

/// Why the corpus could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The model could not be loaded.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The store could not be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The index could not be opened.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The index of words could not be opened.
    #[error(transparent)]
    Lexical(#[from] LexicalError),
    /// The folder of snapshots cannot be used.
    #[error(
        "cannot use the folder of snapshots {folder}: {source}; choose another one with --snapshots"
    )]
    Snapshots {
        /// The folder.
        folder: String,
        /// Why.
        source: io::Error,
    },
}

impl From<OpenError> for CorpusError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Model(error) => Self::Model(error),
            OpenError::Store(error) => Self::Store(error),
            OpenError::Index(error) => Self::Index(error),
            OpenError::Lexical(error) => Self::Lexical(error),
            OpenError::Snapshots { folder, source } => {
                Self::Snapshot(SnapshotError::Io { path: folder, source })
            }
        }
    }
}
