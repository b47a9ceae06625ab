use std::fs::{self, File, TryLockError};
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::{Connection, OpenFlags};

use super::failure::Failure;
use super::rows::ModelIdentity;
use super::schema::{self, APPLICATION_ID, FORMAT};
use super::{StoreError, View, Writer, models, space};

/// Readers that are kept open for the next question.
const IDLE_READERS: usize = 8;

/// The store in its data folder, and what is locked there while somebody has it open.
pub(super) const FILE: &str = "corpus.sqlite";
pub(super) const LOCK: &str = "lock";

/// The file that changes are written to first.
const LOG: &str = "corpus.sqlite-wal";

/// Pages in the log from which on it is brought into the file after a commit.
const LOG_PAGES: i32 = 1_000;

/// Prepared statements that a connection keeps.
const STATEMENTS: usize = 64;

/// Pages that a connection keeps, at most, in KiB: the upper pages of all tables of a million
/// passages, so that a question reads hardly more than the rows it asks for.
const PAGES_KIB: i64 = 16 << 10;

/// A corpus on disk, with the vectors of one model. Clones share it.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    model: i64,
}

struct Shared {
    folder: PathBuf,
    path: PathBuf,
    /// Closed before the writer: the last connection merges the log into the file, and
    /// a reader cannot.
    readers: Mutex<Vec<Connection>>,
    writer: Mutex<Connection>,
    failure: Failure,
    /// Held for as long as the store is open.
    _lock: File,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let closed = match self.failure.check() {
            Ok(()) => space::scrub(&writer, &self.folder.join(LOG), &self.failure).map(|_| ()),
            // The log is what can be trusted: it must not go with the last connection.
            Err(_) => writer
                .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
                .map(|_| ())
                .map_err(StoreError::from),
        };
        if let Err(error) = closed {
            tracing::warn!(%error, "the log was not overwritten");
        }
    }
}

impl Shared {
    /// The connection that writes, while the disk can be trusted.
    fn writer(&self) -> Result<MutexGuard<'_, Connection>, StoreError> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.failure.check()?;
        Ok(writer)
    }
}

impl Store {
    /// Opens the corpus in `folder`, makes one where there is none, and brings it to
    /// the latest format.
    ///
    /// # Errors
    ///
    /// If the folder cannot be used, is in use, holds something else, or holds a
    /// corpus of a newer format or of another model.
    pub fn open(folder: &Path, model: &ModelIdentity) -> Result<Self, StoreError> {
        let (shared, writer) = Self::open_folder(folder)?;
        let model = models::claim(&writer, model, &folder.display().to_string())?;
        Ok(Self { shared: Arc::new(shared(writer)), model })
    }

    /// Opens the corpus in `folder`, which must be there, with the vectors of a model
    /// that it is to be changed to.
    ///
    /// # Errors
    ///
    /// As [`Self::open`], but for corpora of other models.
    pub fn open_to_change(folder: &Path, model: &ModelIdentity) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        if !path.is_file() {
            let cause = "it is not there".to_owned();
            return Err(StoreError::NotACorpus { path: path.display().to_string(), cause });
        }
        let (shared, writer) = Self::open_folder(folder)?;
        let model = models::add(&writer, model)?;
        Ok(Self { shared: Arc::new(shared(writer)), model })
    }

    /// Opens what is in `folder`, whatever its model: the connection that writes, and what
    /// makes the rest of it.
    fn open_folder(
        folder: &Path,
    ) -> Result<(impl FnOnce(Connection) -> Shared, Connection), StoreError> {
        let name = || folder.display().to_string();
        let unusable = |source| StoreError::Folder { folder: name(), source };
        fs::create_dir_all(folder).map_err(unusable)?;
        let lock = lock(folder)?;
        let path = folder.join(FILE);
        let mut writer = Connection::open(&path)?;
        let not_ours =
            |cause: String| StoreError::NotACorpus { path: path.display().to_string(), cause };
        prepare(&writer).map_err(|error| not_ours(error.to_string()))?;
        let found = schema::format(&writer)?;
        let owner: i32 = writer.query_row("PRAGMA application_id", [], |row| row.get(0))?;
        let tables: i64 =
            writer.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if owner != APPLICATION_ID && tables > 0 {
            return Err(not_ours("its application id is another one".to_owned()));
        }
        if found > FORMAT {
            return Err(StoreError::NewerFormat { folder: name(), found, known: FORMAT });
        }
        schema::migrate(&mut writer)?;
        space::prepare(&writer).map_err(StoreError::of_write)?;
        // SQLite does not mind if the names of its files do not come to be on disk.
        sync_names(folder).map_err(unusable)?;
        let folder = folder.to_owned();
        let failure = Failure::none();
        keep_log_short(&mut writer, failure.clone())?;
        let shared = |writer| Shared {
            folder,
            path,
            writer: Mutex::new(writer),
            failure,
            readers: Mutex::new(Vec::new()),
            _lock: lock,
        };
        Ok((shared, writer))
    }

    /// The model whose vectors answer in the corpus in `folder`, if there is a corpus.
    /// Changes nothing.
    pub fn recorded_model(folder: &Path) -> Option<ModelIdentity> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(folder.join(FILE), flags).ok()?;
        models::recorded(&connection)
    }

    /// The same corpus with the vectors of another model, by its number.
    pub fn with_model(&self, model: i64) -> Self {
        Self { shared: Arc::clone(&self.shared), model }
    }

    /// The number of the model whose vectors are read and written.
    pub fn model(&self) -> i64 {
        self.model
    }

    /// A reader of the store as it is now.
    ///
    /// # Errors
    ///
    /// If no connection can be opened.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        let idle = self.shared.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let connection = Connection::open_with_flags(&self.shared.path, flags)?;
                keep(&connection)?;
                connection
            }
        };
        connection.execute_batch("BEGIN DEFERRED")?;
        let shared = Arc::clone(&self.shared);
        Ok(Reader { connection: Some(connection), shared, model: self.model })
    }

    /// Runs `change` in one transaction, alone, and commits it: when this returns OK,
    /// it is on disk. If `change` fails, nothing has happened.
    ///
    /// # Errors
    ///
    /// What `change` returns, or if it cannot be committed.
    pub fn write<T, E: From<StoreError>>(
        &self,
        change: impl FnOnce(&Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.shared.writer()?;
        let transaction = connection.transaction().map_err(StoreError::of_write)?;
        let result = change(&Writer::new(&transaction, self.model))?;
        transaction.commit().map_err(|error| self.shared.failure.consider(error))?;
        Ok(result)
    }

    /// Resolves when the disk failed: nothing is written from then on. It does not keep the
    /// store open.
    pub fn failed(&self) -> impl Future<Output = ()> + Send + use<> {
        self.shared.failure.wait()
    }

    /// Whether the disk failed.
    pub fn has_failed(&self) -> bool {
        self.shared.failure.check().is_err()
    }

    /// Lets `work` have the connection that writes, alone.
    pub(super) fn with_writer<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        work(&*self.shared.writer()?).map_err(|error| match error {
            StoreError::Sqlite(error) => self.shared.failure.consider(error),
            other => other,
        })
    }

    pub(super) fn failure(&self) -> &Failure {
        &self.shared.failure
    }

    /// The file that changes are written to first.
    pub(super) fn log_path(&self) -> PathBuf {
        self.shared.folder.join(LOG)
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.shared.folder
    }

    /// Bytes of all files in the data folder.
    pub fn disk_bytes(&self) -> u64 {
        let files = fs::read_dir(&self.shared.folder).into_iter().flatten().flatten();
        files.filter_map(|file| Some(file.metadata().ok()?.len())).sum()
    }
}

/// Waits until the names in a folder, and its own, are on disk.
fn sync_names(folder: &Path) -> io::Result<()> {
    let folder = folder.canonicalize()?;
    std::iter::once(folder.as_path())
        .chain(folder.parent())
        .try_for_each(|folder| File::open(folder)?.sync_all())
}

/// Lets nobody else open the corpus in `folder` for as long as the file is open.
pub(super) fn lock(folder: &Path) -> Result<File, StoreError> {
    let name = || folder.display().to_string();
    let unusable = |source| StoreError::Folder { folder: name(), source };
    let lock = File::create(folder.join(LOCK)).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { folder: name() }),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}

/// Has a connection keep pages and prepared statements. Without the guarantee of stable plans
/// SQLite prepares a statement with `LIMIT ?` anew each time that it is run, which costs more than
/// most of them.
fn keep(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "cache_size", -PAGES_KIB)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    keep(connection)?;
    // Before anything else: it shapes the first page of a new file.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Deleted text is overwritten, not only unlinked.
    connection.pragma_update(None, "secure_delete", true)
}

/// Brings the log into the file once it is long, as SQLite does by itself; but SQLite would
/// not say that it failed. A part that was brought in before is not brought in again, although
/// the disk may not have kept it.
fn keep_log_short(writer: &mut Connection, failure: Failure) -> rusqlite::Result<()> {
    writer.wal_hook(Some(move |log: &mut Wal, pages| {
        if pages >= LOG_PAGES {
            // What was committed stands, whatever comes of this.
            let _ = log.checkpoint().map_err(|error| failure.consider(error));
        }
        Ok(())
    }))
}

/// Sees the store as it was when it was first asked, for as long as it lives.
pub struct Reader {
    connection: Option<Connection>,
    shared: Arc<Shared>,
    model: i64,
}

impl Reader {
    /// What can be read.
    #[allow(clippy::expect_used, reason = "only drop takes the connection out")]
    pub fn view(&self) -> View<'_> {
        let connection = self.connection.as_ref().expect("it is there until drop");
        View::new(connection, self.model)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        let mut idle = self.shared.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_READERS && connection.execute_batch("ROLLBACK").is_ok() {
            idle.push(connection);
        }
    }
}
