use std::io;

/// Why the store could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// SQLite failed.
    #[error("the store failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// No room is left on the disk.
    #[error("the disk of the data folder is full; make room and try again")]
    DiskFull,
    /// The disk failed, and what it holds of the last changes is in doubt.
    #[error(
        "the disk of the data folder failed ({cause}), so nothing more is written; mend it and start the server again: what was acknowledged is there"
    )]
    Failed {
        /// How it failed.
        cause: String,
    },
    /// The folder does not work.
    #[error("cannot use the data folder {folder}: {source}; choose another one with --data")]
    Folder {
        /// The folder.
        folder: String,
        /// Why.
        source: io::Error,
    },
    /// Another process has it open.
    #[error(
        "the data folder {folder} is in use by another copydesk; stop that one or choose another folder with --data"
    )]
    InUse {
        /// The folder.
        folder: String,
    },
    /// Something else than a corpus, or a damaged one.
    #[error("{path} is not a copydesk corpus ({cause}); choose another folder with --data")]
    NotACorpus {
        /// The file.
        path: String,
        /// Why.
        cause: String,
    },
    /// Written by a later version.
    #[error(
        "the data folder {folder} has format {found}, this copydesk knows formats up to {known}; use a newer copydesk"
    )]
    NewerFormat {
        /// The folder.
        folder: String,
        /// Format on disk.
        found: i32,
        /// Latest format of this program.
        known: i32,
    },
    /// Vectors of another model are in it.
    #[error(
        "the data folder {folder} holds vectors of the model {found}, not of {wanted}; serve it with that model (--model, --precision), or change it with `copydesk reembed`"
    )]
    OtherModel {
        /// The folder.
        folder: String,
        /// The model that made the vectors.
        found: String,
        /// The model that was to be used.
        wanted: String,
    },
    /// A row does not hold what it should.
    #[error("the store holds {0}, which cannot be read; restore it from a snapshot")]
    Damaged(&'static str),
}

impl StoreError {
    /// Tells a full disk from other failures.
    pub(super) fn of_write(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::DiskFull,
            _ => Self::Sqlite(error),
        }
    }
}
