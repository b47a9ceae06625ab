use std::future::Future;
use std::sync::Arc;

use rusqlite::ffi::{SQLITE_IOERR_DIR_FSYNC, SQLITE_IOERR_FSYNC};
use tokio::sync::watch;

use super::StoreError;

/// Whether the disk failed to keep what it was told to. After a failed fsync the kernel may
/// believe that pages are on disk which are not, and a later one that succeeds says nothing
/// of them (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020):
/// only what is read from the disk again can be trusted. So nothing more is written until
/// the store is opened again. Clones share it.
#[derive(Clone)]
pub(super) struct Failure(Arc<watch::Sender<Option<String>>>);

impl Failure {
    pub fn none() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// An error if there was a failure.
    pub fn check(&self) -> Result<(), StoreError> {
        match &*self.0.borrow() {
            None => Ok(()),
            Some(cause) => Err(StoreError::Failed { cause: cause.clone() }),
        }
    }

    /// Notes an error of SQLite if it is such a failure, and says how the store failed.
    pub fn consider(&self, error: rusqlite::Error) -> StoreError {
        let code = error.sqlite_error().map(|error| error.extended_code);
        if matches!(code, Some(SQLITE_IOERR_FSYNC | SQLITE_IOERR_DIR_FSYNC)) {
            self.note(format!("{error} while what was written was synced"));
        }
        self.check().err().unwrap_or_else(|| StoreError::of_write(error))
    }

    /// Notes a failure. The first one stays.
    pub fn note(&self, cause: String) {
        self.0.send_if_modified(|known| {
            let is_first = known.is_none();
            if is_first {
                tracing::error!(%cause, "the disk failed; nothing more is written");
                *known = Some(cause);
            }
            is_first
        });
    }

    /// Resolves when there is a failure. Never, once the store is closed.
    pub fn wait(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut failure = self.0.subscribe();
        async move {
            if failure.wait_for(Option::is_some).await.is_err() {
                std::future::pending().await
            }
        }
    }
}
