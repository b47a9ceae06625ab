use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use super::AccessError;

/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// A file that a setting names.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct File {
    pub setting: &'static str,
    pub path: PathBuf,
}

/// What a file holds.
#[derive(Clone, PartialEq)]
pub(super) struct Content {
    file: File,
    pub bytes: Vec<u8>,
}

impl File {
    pub fn read(&self) -> Result<Content, AccessError> {
        let bytes = fs::read(&self.path).map_err(|source| AccessError::Unreadable {
            setting: self.setting,
            path: self.path.clone(),
            source,
        })?;
        Ok(Content { file: self.clone(), bytes })
    }
}

impl Content {
    /// Says that this is not what it should be.
    pub fn wrong(&self, cause: impl ToString) -> AccessError {
        AccessError::Unusable {
            setting: self.file.setting,
            path: self.file.path.clone(),
            cause: cause.to_string(),
        }
    }
}

/// What is made of files, as they are at present.
pub(super) struct Followed<T> {
    pub present: watch::Receiver<T>,
    _following: AbortOnDropHandle<()>,
}

/// Makes something of the contents of files, and makes it anew whenever they change.
/// Contents are compared and not times, so it does not matter how a file is replaced,
/// nor that two that belong together are not replaced at once: while they do not fit,
/// what was made before stays.
///
/// # Errors
///
/// If the files cannot be read or used at first. Later, the log says so.
pub(super) fn follow<C, T>(
    what: &'static str,
    read: impl Fn() -> Result<C, AccessError> + Send + Sync + 'static,
    make: impl Fn(&C) -> Result<T, AccessError> + Send + 'static,
) -> Result<Followed<T>, AccessError>
where
    C: PartialEq + Send + 'static,
    T: Send + Sync + 'static,
{
    let first = read()?;
    let (sender, present) = watch::channel(make(&first)?);
    let read = Arc::new(read);
    let following = tokio::spawn(async move {
        let mut seen = Some(first);
        loop {
            sleep(LOOK).await;
            let read = Arc::clone(&read);
            let Ok(now) = tokio::task::spawn_blocking(move || read()).await else { return };
            // What cannot be read or used is said once.
            if now.as_ref().ok() == seen.as_ref() {
                continue;
            }
            match now.as_ref().map(&make) {
                Ok(Ok(made)) => {
                    sender.send_replace(made);
                    tracing::info!("{what} were read anew");
                }
                Ok(Err(error)) => tracing::error!(%error, "{what} stay as they were"),
                Err(error) => tracing::error!(%error, "{what} stay as they were"),
            }
            seen = now.ok();
        }
    });
    Ok(Followed { present, _following: AbortOnDropHandle::new(following) })
}
