//! Copies of a corpus that is in use, and the way back from one.
//!
//! A snapshot is a folder with a copy of the store and a description of it. What is derived
//! from the store is not in it, and is made anew when the restored corpus is served.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::check::{Closed, Progress};
use super::connections::{self, FILE, LOCK};
use super::{Store, StoreError};

/// Describes a snapshot, in its folder.
const DESCRIPTION: &str = "snapshot.json";

/// The latest form of that.
const FORMAT: u32 = 1;

/// How folders are called that are being written. No snapshot can be called so.
const UNFINISHED: &str = ".unfinished-";

/// Held in the folder of snapshots while one is made.
const MAKING: &str = ".lock";

/// Pages that are copied at once, 1 MiB, and how long others have the disk in between.
const PAGES: i32 = 256;
const PAUSE: Duration = Duration::from_millis(1);

/// Bytes that are read at once.
const BUFFER: usize = 1 << 18;

/// What a snapshot can be called: small letters, digits and hyphens, at most 64. So it
/// cannot lead out of the folder of snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotName(String);

impl SnapshotName {
    /// `None` if it is not one.
    pub fn parse(name: &str) -> Option<Self> {
        let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fits = (1..=64).contains(&name.len()) && name.bytes().all(is_allowed);
        fits.then(|| Self(name.to_owned()))
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A snapshot that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    /// Bytes of the copy.
    pub size_bytes: u64,
    /// What was acknowledged before this is in it.
    pub created_at: Timestamp,
}

/// Why a snapshot could not be made or restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// There is one of that name.
    #[error("there is a snapshot {0:?} already; choose another name")]
    Exists(String),
    /// One at a time.
    #[error("a snapshot is being made already; try again when that is done")]
    UnderWay,
    /// A file or folder could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which one.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Something else than a snapshot.
    #[error("{path} is not a snapshot ({cause}); name the folder that `copydesk snapshot` made")]
    NotASnapshot {
        /// Its folder.
        path: String,
        /// Why.
        cause: String,
    },
    /// Of a later version.
    #[error(
        "the snapshot {path} has format {found}, this copydesk knows formats up to {FORMAT}; use a newer copydesk"
    )]
    NewerFormat {
        /// Its folder.
        path: String,
        /// Its format.
        found: u32,
    },
    /// It is not as it was written.
    #[error("the snapshot {path} is damaged: {}; use another one", .findings.join("; "))]
    Damaged {
        /// Its folder.
        path: String,
        /// What is wrong.
        findings: Vec<String>,
    },
    /// Something is there already.
    #[error("the folder {0} is not empty; restore into one that is")]
    NotEmpty(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SnapshotError {
    fn of(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io { path: path.display().to_string(), source }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Description {
    format: u32,
    created_at: Timestamp,
    size_bytes: u64,
    /// Of the copy, in hex.
    sha256: String,
}

type Result<T> = std::result::Result<T, SnapshotError>;

impl Store {
    /// Copies the store as it is at this moment into `folder`, under a name, while others
    /// read and write. When this returns OK it is on disk; else nothing of that name is there.
    /// Calls `tell` with the share that is done, 0 to 1.
    ///
    /// # Errors
    ///
    /// If there is a snapshot of that name, another one is being made, or files cannot be
    /// written.
    pub fn snapshot(
        &self,
        folder: &Path,
        name: &SnapshotName,
        tell: &dyn Fn(f32),
    ) -> Result<Snapshot> {
        fs::create_dir_all(folder).map_err(SnapshotError::of(folder))?;
        let _making = only_one(folder)?;
        let target = folder.join(name.as_str());
        if target.exists() {
            return Err(SnapshotError::Exists(name.as_str().to_owned()));
        }
        forget(folder, UNFINISHED);
        let unfinished = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(folder);
        let unfinished = unfinished.map_err(SnapshotError::of(folder))?;
        let copy = unfinished.path().join(FILE);
        // Copying waits for others between its steps, and takes about as long as reading it again.
        let created_at = self.copy_to(&copy, &|share| tell(share / 2.0))?;
        let bytes = fs::metadata(&copy).map_err(SnapshotError::of(&copy))?.len().max(1);
        let again = |read: u64| tell(0.5 + read as f32 / bytes as f32 / 2.0);
        let (size_bytes, sha256) = copied(&copy, &mut io::sink(), &again)?;
        let description = Description { format: FORMAT, created_at, size_bytes, sha256 };
        write(&unfinished.path().join(DESCRIPTION), &description)?;
        sync(&copy)?;
        sync(unfinished.path())?;
        fs::rename(unfinished.path(), &target).map_err(SnapshotError::of(&target))?;
        // It has another name: there is nothing left to remove.
        let _ = unfinished.keep();
        sync(folder)?;
        Ok(Snapshot { size_bytes, created_at })
    }

    /// Copies the store into a file. Returns the moment that the copy shows.
    fn copy_to(&self, file: &Path, tell: &dyn Fn(f32)) -> Result<Timestamp> {
        let reader = self.reader()?;
        let created_at = Timestamp::now();
        // A reader sees the moment of its first look, however long the copying takes.
        reader.view().sequence()?;
        let mut copy = Connection::open(file).map_err(StoreError::from)?;
        // What was broken off is of no use, so nothing is kept to go back to.
        copy.pragma_update(None, "journal_mode", "OFF").map_err(StoreError::of_write)?;
        copy.pragma_update(None, "synchronous", "OFF").map_err(StoreError::of_write)?;
        let backup = Backup::new(reader.view().connection, &mut copy).map_err(StoreError::from)?;
        while backup.step(PAGES).map_err(StoreError::of_write)? != StepResult::Done {
            let step = backup.progress();
            tell(1.0 - step.remaining as f32 / step.pagecount.max(1) as f32);
            std::thread::sleep(PAUSE);
        }
        drop(backup);
        copy.close().map_err(|(_, error)| StoreError::of_write(error))?;
        Ok(created_at)
    }
}

/// Puts the corpus of a snapshot into the folder `data`, which is made if need be and must be
/// empty. All of it is checked before it is put in place, in one step.
///
/// # Errors
///
/// If it is no snapshot, a damaged one or of a newer format; if the folder holds something,
/// or files cannot be written. Then no corpus is there.
pub fn restore(snapshot: &Path, data: &Path, progress: Progress<'_>) -> Result<Snapshot> {
    let description = describe(snapshot)?;
    fs::create_dir_all(data).map_err(SnapshotError::of(data))?;
    let lock = connections::lock(data)?;
    let is_left_over = |name: &str| name == LOCK || name.starts_with(UNFINISHED);
    for entry in fs::read_dir(data).map_err(SnapshotError::of(data))?.flatten() {
        if !is_left_over(&entry.file_name().to_string_lossy()) {
            return Err(SnapshotError::NotEmpty(data.display().to_string()));
        }
    }
    forget(data, UNFINISHED);
    let unfinished = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(data);
    let unfinished = unfinished.map_err(SnapshotError::of(data))?;
    let copy = unfinished.path().join(FILE);
    let mut file = File::create(&copy).map_err(SnapshotError::of(&copy))?;
    let tell = |done| progress("bytes", done, description.size_bytes);
    let (size_bytes, sha256) = copied(&snapshot.join(FILE), &mut file, &tell)?;
    file.sync_all().map_err(SnapshotError::of(&copy))?;
    let damaged =
        |findings| SnapshotError::Damaged { path: snapshot.display().to_string(), findings };
    if (size_bytes, &sha256) != (description.size_bytes, &description.sha256) {
        return Err(damaged(vec![format!("{FILE} does not match its checksum")]));
    }
    let lost = Closed::open(unfinished.path())?.lost(progress);
    if !lost.is_empty() {
        return Err(damaged(lost));
    }
    let target = data.join(FILE);
    fs::rename(&copy, &target).map_err(SnapshotError::of(&target))?;
    sync(data)?;
    drop(lock);
    Ok(Snapshot { size_bytes, created_at: description.created_at })
}

/// When the last snapshot in `folder` was made, if there is one.
pub fn last_snapshot(folder: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let finished = entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    let made = |entry: fs::DirEntry| entry.path().join(DESCRIPTION).metadata()?.modified();
    finished.filter_map(|entry| made(entry).ok()).max()
}

/// Reads what a snapshot says of itself.
fn describe(snapshot: &Path) -> Result<Description> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let path = || snapshot.display().to_string();
    let not_one = |cause: String| SnapshotError::NotASnapshot { path: path(), cause };
    let unreadable = |error: serde_json::Error| not_one(format!("{DESCRIPTION}: {error}"));
    let text = fs::read_to_string(snapshot.join(DESCRIPTION))
        .map_err(|error| not_one(format!("{DESCRIPTION}: {error}")))?;
    let Format { format } = serde_json::from_str(&text).map_err(unreadable)?;
    match format > FORMAT {
        true => Err(SnapshotError::NewerFormat { path: path(), found: format }),
        false => serde_json::from_str(&text).map_err(unreadable),
    }
}

/// Lets nobody else make a snapshot in `folder` for as long as the file is open.
fn only_one(folder: &Path) -> Result<File> {
    let path = folder.join(MAKING);
    let file = File::create(&path).map_err(SnapshotError::of(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SnapshotError::UnderWay),
        Err(TryLockError::Error(error)) => Err(SnapshotError::of(&path)(error)),
    }
}

/// Deletes what was left when something like this broke off.
fn forget(folder: &Path, prefix: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Copies a file, and tells how far it is. Returns its length and its SHA-256 in hex.
fn copied(from: &Path, to: &mut impl Write, tell: &dyn Fn(u64)) -> Result<(u64, String)> {
    let mut file = File::open(from).map_err(SnapshotError::of(from))?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    let mut length = 0;
    loop {
        let read = file.read(&mut buffer).map_err(SnapshotError::of(from))?;
        if read == 0 {
            let digest = digest.finalize();
            return Ok((length, digest.iter().map(|byte| format!("{byte:02x}")).collect()));
        }
        let part = buffer.get(..read).unwrap_or_default();
        digest.update(part);
        to.write_all(part).map_err(SnapshotError::of(from))?;
        length += read as u64;
        tell(length);
    }
}

fn write(path: &PathBuf, description: &Description) -> Result<()> {
    let mut file = File::create(path).map_err(SnapshotError::of(path))?;
    serde_json::to_writer_pretty(&mut file, description)
        .map_err(|error| SnapshotError::of(path)(error.into()))?;
    file.sync_all().map_err(SnapshotError::of(path))
}

/// Waits until a file or folder is on disk.
fn sync(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).map_err(SnapshotError::of(path))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::SnapshotName;
    use crate::store::{ModelIdentity, Store};

    #[test]
    fn a_snapshot_tells_how_far_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let model = ModelIdentity {
            id: "model".to_owned(),
            weights_sha256: "0".to_owned(),
            precision: "f32".to_owned(),
            dimension: 4,
        };
        let store = Store::open(folder.path(), &model).unwrap();
        let shares = RefCell::new(Vec::new());
        let name = SnapshotName::parse("one").unwrap();
        let tell = |share| shares.borrow_mut().push(share);
        store.snapshot(&folder.path().join("snapshots"), &name, &tell).unwrap();
        let shares = shares.into_inner();
        assert!(shares.is_sorted() && shares.last() == Some(&1.0), "{shares:?}");
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        assert_eq!(SnapshotName::parse("2026-11-22").unwrap().as_str(), "2026-11-22");
        let long = "a".repeat(65);
        for name in ["", ".", "..", "../x", "a/b", "A", "a.b", "a\0", "\u{e9}", &long] {
            assert!(SnapshotName::parse(name).is_none(), "{name:?}");
        }
    }
}
