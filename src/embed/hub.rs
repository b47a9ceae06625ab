use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use hf_hub::api::sync::{Api, ApiBuilder, ApiError};
use hf_hub::{Cache, Repo, RepoType};
use serde::{Deserialize, Serialize};

use super::SetupError;
use super::fetch::{Progress, cache_error, sha256_of, verify};
use super::known::{HubFile, Known, lookup};
use super::manifest::MANIFEST;

/// The hub, where HF_ENDPOINT names no other.
const ENDPOINT: &str = "https://huggingface.co";

/// How long the hub may say nothing before we give up. hf-hub sets no limit of its own
/// (neither for connecting nor for reading) and has no way to set one.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a download that broke off is taken up again.
const RETRIES: usize = 3;

/// The file in a model folder that says what was fetched.
const RECORD: &str = "files.json";

/// Where models come from.
#[derive(Debug, Clone)]
struct Hub {
    /// Its address, without a slash at the end.
    endpoint: String,
    token: Option<String>,
    patience: Duration,
}

/// What was fetched into a model folder. The manifest is not part of it: people may edit
/// theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    /// The model's name on the hub.
    model: String,
    /// The commit that all files are of.
    commit: String,
    /// SHA-256 of each file, in hex, by its name.
    files: BTreeMap<String, String>,
}

/// A download that is complete.
struct Download {
    commit: String,
    files: Vec<Downloaded>,
}

/// A file that the hub gave.
struct Downloaded {
    file: HubFile,
    /// Where it is now.
    path: PathBuf,
    /// What the hub says about its content: the SHA-256 of large files, and something
    /// else of small ones.
    etag: String,
}

/// The folder with the model that is called `name` (see
/// [`resolve`](super::known::resolve)), in `cache`. What is not there is fetched from the
/// hub; otherwise no network is used. Of several processes at once, one fetches and the
/// others wait.
///
/// `HF_ENDPOINT` names another hub, and `HF_TOKEN` the token to show it.
///
/// # Errors
///
/// If there is no such model, if it cannot or must not be fetched, or if a file is damaged.
pub(super) fn ensure(
    name: &str,
    cache: &Path,
    is_offline: bool,
    progress: Progress<'_>,
) -> Result<PathBuf, SetupError> {
    let known = lookup(name)?;
    if is_offline && Record::of(&cache.join("models").join(known.folder())).is_none() {
        return Err(SetupError::NotFetched { model: name.to_owned() });
    }
    Hub::from_env().ensure(&known, cache, progress)
}

impl Hub {
    fn from_env() -> Self {
        let set = |name| env::var(name).ok().filter(|value| !value.trim().is_empty());
        let endpoint = set("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.to_owned());
        Self::new(&endpoint, set("HF_TOKEN"))
    }

    fn new(endpoint: &str, token: Option<String>) -> Self {
        let endpoint = endpoint.trim().trim_end_matches('/').to_owned();
        Self { endpoint, token, patience: PATIENCE }
    }

    fn ensure(
        &self,
        known: &Known,
        cache: &Path,
        progress: Progress<'_>,
    ) -> Result<PathBuf, SetupError> {
        let models = cache.join("models");
        let folder = models.join(known.folder());
        if Record::of(&folder).is_none() {
            fs::create_dir_all(&models).map_err(cache_error(&models))?;
            let lock = models.join(format!(".{}.lock", known.folder()));
            let lock = File::create(&lock).map_err(cache_error(&lock))?;
            lock.lock().map_err(cache_error(&models))?;
            // Another process may have been faster.
            if Record::of(&folder).is_none() {
                self.fill(known, &folder, &models, progress)?;
            }
        }
        let record = Record::of(&folder).ok_or_else(|| SetupError::MissingFile {
            path: folder.join(RECORD).display().to_string(),
        })?;
        for (name, sha256) in &record.files {
            verify(&folder.join(name), sha256)?;
        }
        Ok(folder)
    }

    /// Fetches the model beside `folder` and puts it there in one step. The caller holds
    /// the lock.
    fn fill(
        &self,
        known: &Known,
        folder: &Path,
        models: &Path,
        progress: Progress<'_>,
    ) -> Result<(), SetupError> {
        let stage = models.join(format!(".{}.fetching", known.folder()));
        // Left behind by a process that was killed: nobody else has the lock.
        remove(&stage)?;
        fs::create_dir(&stage).map_err(cache_error(&stage))?;
        let filled = self.fill_through(known, folder, &stage, progress);
        // Why filling failed says more than why tidying up did.
        let tidied = remove(&stage);
        filled.and(tidied)
    }

    /// As [`Self::fill`], by way of the folder `stage`.
    fn fill_through(
        &self,
        known: &Known,
        folder: &Path,
        stage: &Path,
        progress: Progress<'_>,
    ) -> Result<(), SetupError> {
        let download = self.download(known, &stage.join("hub"), progress)?;
        let staged = stage.join("model");
        fs::create_dir(&staged).map_err(cache_error(&staged))?;
        self.place(known, download, &staged)?;
        write_manifest(known, &staged)?;
        if folder.exists() {
            // It lacks something: no folder can be renamed over it.
            fs::rename(folder, stage.join("old")).map_err(cache_error(folder))?;
        }
        fs::rename(&staged, folder).map_err(cache_error(folder))
    }

    /// Downloads the files of a model into a cache of the hub's own layout in `to`.
    fn download(
        &self,
        known: &Known,
        to: &Path,
        progress: Progress<'_>,
    ) -> Result<Download, SetupError> {
        // On a thread of its own, so that it can be left alone when the hub falls silent,
        // and because the client panics on answers that it does not expect.
        let (said, hear) = mpsc::channel();
        let (hub, model, to) = (self.clone(), known.clone(), to.to_owned());
        let client = thread::Builder::new()
            .name("hub".to_owned())
            .spawn(move || hub.request(&model, to, &said))
            .map_err(|error| self.failed(known, error))?;
        loop {
            match hear.recv_timeout(self.patience) {
                // It has answered, and that is all so far.
                Ok((_, 0)) => {}
                Ok((here, total)) => progress(here.min(total), total),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let seconds = self.patience.as_secs_f64();
                    return Err(self.failed(known, format!("no word from it in {seconds} s")));
                }
            }
        }
        client.join().unwrap_or_else(|_| Err(self.failed(known, "its answer makes no sense")))
    }

    /// Asks the hub for all of a model. Tells the bytes that are here and the bytes that
    /// there will be whenever something arrives.
    fn request(
        &self,
        known: &Known,
        to: PathBuf,
        said: &Sender<(u64, u64)>,
    ) -> Result<Download, SetupError> {
        let api = self.client(to).map_err(|error| self.failed(known, error))?;
        let refused = |file: &HubFile, error| self.refused(known, &file.source, error);

        // All files of one commit, whatever is uploaded in the meantime.
        let code = || known.code().to_owned();
        let newest = api.metadata(&api.model(code()).url("config.json"));
        let newest = newest.map_err(|error| self.refused(known, "config.json", error))?;
        let commit = newest.commit_hash().to_owned();
        let pinned = Repo::with_revision(code(), RepoType::Model, commit.clone());
        let repo = api.repo(pinned);

        let mut wanted = Vec::new();
        for file in known.files() {
            match api.metadata(&repo.url(&file.source)) {
                Ok(metadata) => wanted.push((file, metadata)),
                Err(error) if file.optional && status(&error) == Some(404) => {}
                Err(error) => return Err(refused(&file, error)),
            }
            let _ = said.send((0, 0));
        }

        let total = wanted.iter().map(|(_, metadata)| metadata.size() as u64).sum();
        let mut before = 0;
        let mut downloaded = Vec::new();
        for (file, metadata) in wanted {
            let meter = Meter { said, before, here: 0, total };
            let path = repo.download_with_progress(&file.source, meter);
            let path = path.map_err(|error| refused(&file, error))?;
            before += metadata.size() as u64;
            downloaded.push(Downloaded { file, path, etag: metadata.etag().to_owned() });
        }
        Ok(Download { commit, files: downloaded })
    }

    /// A client that keeps what it downloads in `folder`, wherever HF_HOME is.
    fn client(&self, folder: PathBuf) -> Result<Api, ApiError> {
        ApiBuilder::from_cache(Cache::new(folder))
            .with_endpoint(self.endpoint.clone())
            .with_token(self.token.clone())
            .with_retries(RETRIES)
            .with_progress(false)
            .build()
    }

    /// Puts what was downloaded into `folder` and writes down what it is.
    fn place(&self, known: &Known, download: Download, folder: &Path) -> Result<(), SetupError> {
        let mut files = BTreeMap::new();
        for Downloaded { file, path, etag } in download.files {
            let to = folder.join(&file.name);
            // What is downloaded is a link to the content, which several files may share.
            let content = fs::canonicalize(&path).map_err(cache_error(&path))?;
            fs::hard_link(&content, &to)
                .or_else(|_| fs::copy(&content, &to).map(|_| ()))
                .map_err(cache_error(&to))?;
            sync(&to)?;
            let sha256 = sha256_of(&to)?;
            if is_sha256(&etag) && !etag.eq_ignore_ascii_case(&sha256) {
                let source = &file.source;
                return Err(self.failed(known, format!("{source} arrived damaged")));
            }
            files.insert(file.name, sha256);
        }
        Record { model: known.code().to_owned(), commit: download.commit, files }.write(folder)
    }

    fn refused(&self, known: &Known, file: &str, error: ApiError) -> SetupError {
        match status(&error) {
            Some(status @ (401 | 403 | 404)) => SetupError::NotOnHub {
                endpoint: self.endpoint.clone(),
                file: file.to_owned(),
                model: known.code().to_owned(),
                status,
            },
            _ => self.failed(known, error),
        }
    }

    fn failed(&self, known: &Known, cause: impl ToString) -> SetupError {
        SetupError::Hub {
            model: known.code().to_owned(),
            endpoint: self.endpoint.clone(),
            cause: cause.to_string(),
        }
    }
}

impl Record {
    /// The record in `folder`, if everything that it names is there, whole or not.
    fn of(folder: &Path) -> Option<Self> {
        let record: Self = serde_json::from_slice(&fs::read(folder.join(RECORD)).ok()?).ok()?;
        let is_there = |name: &str| folder.join(name).is_file();
        let all = is_there(MANIFEST) && record.files.keys().all(|name| is_there(name));
        all.then_some(record)
    }

    fn write(&self, folder: &Path) -> Result<(), SetupError> {
        let path = folder.join(RECORD);
        let file = File::create(&path).map_err(cache_error(&path))?;
        serde_json::to_writer_pretty(&file, self)
            .map_err(|error| cache_error(&path)(error.into()))?;
        file.sync_all().map_err(cache_error(&path))
    }
}

/// Writes the manifest of a model into the folder with its files.
fn write_manifest(known: &Known, folder: &Path) -> Result<(), SetupError> {
    let path = folder.join(MANIFEST);
    let manifest = known.manifest()?;
    let text = toml::to_string(&manifest).map_err(|error| SetupError::Manifest {
        path: path.display().to_string(),
        cause: error.to_string(),
    })?;
    fs::write(&path, text).map_err(cache_error(&path))?;
    sync(&path)
}

/// The HTTP status that an error is about.
fn status(error: &ApiError) -> Option<u16> {
    match error {
        ApiError::RequestError(error) => match **error {
            ureq::Error::StatusCode(status) => Some(status),
            _ => None,
        },
        ApiError::TooManyRetries(error) => status(error),
        _ => None,
    }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Removes a folder, if it is there.
fn remove(folder: &Path) -> Result<(), SetupError> {
    if folder.exists() { fs::remove_dir_all(folder).map_err(cache_error(folder)) } else { Ok(()) }
}

/// Sees to it that the file at `path` survives a power cut.
fn sync(path: &Path) -> Result<(), SetupError> {
    let file = OpenOptions::new().append(true).open(path);
    file.and_then(|file| file.sync_all()).map_err(cache_error(path))
}

/// Counts the bytes of one file after those of the files `before` it.
struct Meter<'a> {
    said: &'a Sender<(u64, u64)>,
    before: u64,
    here: u64,
    total: u64,
}

impl Meter<'_> {
    fn say(&self) {
        // Nobody listens any more once patience has run out.
        let _ = self.said.send((self.before + self.here, self.total));
    }
}

impl hf_hub::api::Progress for Meter<'_> {
    /// Called again when the download is taken up again; what was there follows.
    fn init(&mut self, _size: usize, _file: &str) {
        self.here = 0;
        self.say();
    }

    fn update(&mut self, bytes: usize) {
        self.here += bytes as u64;
        self.say();
    }

    fn finish(&mut self) {}
}

#[cfg(test)]
mod tests;
