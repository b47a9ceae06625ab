use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fetch::Validators;
use crate::text::ContentHash;

/// The format of the files.
const FORMAT: u32 = 1;

/// Entries that are remembered besides those that a feed holds.
const REMEMBERED: usize = 5_000;

/// Why what was done so far cannot be known or kept.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("{} cannot be used to keep the state of feeds: {source}; name another folder with --state", path.display())]
    Unusable { path: PathBuf, source: io::Error },
    #[error("{} is in use by another `copydesk follow`; end that one, or name another folder with --state", .0.display())]
    InUse(PathBuf),
}

/// A folder with what is known of each feed, in a file of its own.
#[derive(Debug)]
pub struct States {
    folder: PathBuf,
    /// Held for as long as this is there.
    _lock: File,
}

impl States {
    /// Opens the folder, for nobody else.
    pub fn open(folder: &Path) -> Result<Self, StateError> {
        let unusable = |source| StateError::Unusable { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(unusable)?;
        let lock = File::create(folder.join("lock")).map_err(unusable)?;
        lock.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => StateError::InUse(folder.to_owned()),
            fs::TryLockError::Error(source) => unusable(source),
        })?;
        Ok(Self { folder: folder.to_owned(), _lock: lock })
    }

    /// What is known of the feed that is called `name`. Where that is damaged it is as good as
    /// nothing: the server knows its documents.
    pub fn load(&self, name: &str) -> Result<FeedState, StateError> {
        let path = self.path(name);
        let contents = match fs::read(&path) {
            Ok(contents) => contents,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(FeedState::default());
            }
            Err(source) => return Err(StateError::Unusable { path, source }),
        };
        let kept: Option<FeedState> = serde_json::from_slice(&contents).ok();
        let kept = kept.filter(|kept| kept.format == FORMAT);
        if kept.is_none() {
            tracing::warn!(feed = name, path = %path.display(), "the state of a feed is damaged; it begins anew");
        }
        Ok(kept.unwrap_or_default())
    }

    /// Puts it in place of what was known before, in one step, and waits until that is on disk.
    pub fn save(&self, name: &str, state: &FeedState) -> Result<(), StateError> {
        let path = self.path(name);
        let unusable = |source| StateError::Unusable { path: path.clone(), source };
        let contents = serde_json::to_vec(state).map_err(|error| unusable(error.into()))?;
        let replace = || {
            let mut file = tempfile::Builder::new().prefix("feed-").tempfile_in(&self.folder)?;
            file.write_all(&contents)?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            File::open(&self.folder)?.sync_all()
        };
        replace().map_err(unusable)
    }

    fn path(&self, name: &str) -> PathBuf {
        let mut hex = ContentHash::of_parts([name.as_bytes()]).to_hex();
        hex.truncate(32);
        self.folder.join(format!("{hex}.json"))
    }
}

/// What is known of a feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedState {
    format: u32,
    /// The address that the validators are of.
    pub url: String,
    #[serde(flatten)]
    pub validators: Validators,
    /// When it is due.
    pub next_poll: Option<Timestamp>,
    /// Until when its host wants to be left alone.
    pub not_before: Option<Timestamp>,
    /// Polls that failed since the last one that did not.
    pub failures: u32,
    /// How often the pages of entries were tried to be fetched that are not taken in yet.
    pub tries: BTreeMap<String, u32>,
    /// Entries that were taken in: the ids of their documents and what they said, in the order
    /// in which the feed last held them.
    seen: Vec<(String, u64)>,
}

impl Default for FeedState {
    fn default() -> Self {
        Self {
            format: FORMAT,
            url: String::new(),
            validators: Validators::default(),
            next_poll: None,
            not_before: None,
            failures: 0,
            tries: BTreeMap::new(),
            seen: Vec::new(),
        }
    }
}

impl FeedState {
    /// Entries that were taken in, by the ids of their documents.
    pub fn seen(&self) -> Seen {
        Seen(self.seen.iter().cloned().collect())
    }

    /// Remembers `now`, what the feed holds and was taken in of it, and the latest of what it
    /// held before.
    pub fn remember(&mut self, now: Vec<(String, u64)>) {
        let held: HashMap<&str, u64> =
            now.iter().map(|(id, print)| (id.as_str(), *print)).collect();
        self.seen.retain(|(id, _)| !held.contains_key(id.as_str()));
        let surplus = self.seen.len().saturating_sub(REMEMBERED);
        self.seen.drain(..surplus);
        self.seen.extend(now);
    }
}

/// Entries by the ids of their documents, with their fingerprints.
#[derive(Debug, Default)]
pub struct Seen(HashMap<String, u64>);

impl Seen {
    /// What an entry said when it was taken in.
    pub fn fingerprint(&self, id: &str) -> Option<u64> {
        self.0.get(id).copied()
    }

    /// The ids.
    pub fn ids(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::{FeedState, REMEMBERED, StateError, States};

    #[test]
    fn what_was_kept_is_there_and_what_is_damaged_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let states = States::open(&folder.path().join("state")).unwrap();
        assert_eq!(states.load("a").unwrap(), FeedState::default());
        let mut state = FeedState { failures: 3, ..FeedState::default() };
        state.validators.etag = "\"x\"".to_owned();
        state.remember(vec![("id".to_owned(), u64::MAX)]);
        states.save("a", &state).unwrap();
        assert_eq!(states.load("a").unwrap(), state);
        assert_eq!(state.seen().fingerprint("id"), Some(u64::MAX));
        assert_eq!(states.load("b").unwrap(), FeedState::default());
        for damaged in ["{", "{}", "{\"format\": 2}"] {
            std::fs::write(states.path("a"), damaged).unwrap();
            assert_eq!(states.load("a").unwrap(), FeedState::default(), "{damaged}");
        }
    }

    #[test]
    fn a_folder_is_used_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = States::open(folder.path()).unwrap();
        assert!(matches!(States::open(folder.path()), Err(StateError::InUse(_))));
        drop(first);
        assert!(States::open(folder.path()).is_ok());
        std::fs::write(folder.path().join("file"), "").unwrap();
        let error = States::open(&folder.path().join("file")).unwrap_err();
        assert!(matches!(error, StateError::Unusable { .. }), "{error}");
    }

    #[test]
    fn what_a_feed_holds_is_never_forgotten_and_the_rest_is_bounded() {
        let mut state = FeedState::default();
        let entry = |number: usize| (number.to_string(), number as u64);
        state.remember((0..2 * REMEMBERED).map(entry).collect());
        assert_eq!(state.seen.len(), 2 * REMEMBERED);
        state.remember(vec![entry(0), entry(7)]);
        assert_eq!(state.seen.len(), REMEMBERED + 2);
        let seen = state.seen();
        assert!(seen.fingerprint("0").is_some() && seen.fingerprint("7").is_some());
        assert!(seen.fingerprint("1").is_none());
        assert!(seen.fingerprint(&(2 * REMEMBERED - 1).to_string()).is_some());
    }
}
