//! Gives the space of what was deleted back, and overwrites deleted text in the log.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::Connection;

use super::failure::Failure;
use super::{Store, StoreError};

type Result<T> = std::result::Result<T, StoreError>;

/// Rows that one transaction moves: a few milliseconds, between which others write.
const ROWS: i64 = 256;

/// Pages that one transaction gives back.
const PAGES: i64 = 1_024;

/// How long others have the file to themselves between two such transactions, and how long
/// the writing connection waits for those who read.
const PAUSE: Duration = Duration::from_millis(1);
const WAITS: Duration = Duration::from_secs(5);

/// Bytes of the head of a log (the SQLite file format, section 4.1).
const LOG_HEAD: u64 = 32;

/// Share of free pages from which on they are given back without being asked.
const FREE: f64 = 0.25;

/// Tables whose rows fill most of the file, and are named by nothing else than their keys.
const MOVABLE: [&str; 2] = ["vectors", "paragraphs"];

/// Makes the file one that can give pages back. Rewrites a file that was made before that
/// was asked for, once.
pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    const INCREMENTAL: i64 = 2;
    let mode: i64 = connection.query_row("PRAGMA auto_vacuum", [], |row| row.get(0))?;
    if mode == INCREMENTAL {
        return Ok(());
    }
    connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
}

impl Store {
    /// Gives space back: rows move from pages that are half empty to the end of their
    /// tables, some at a time, then empty pages leave the file. Others write in between.
    ///
    /// # Errors
    ///
    /// If the file cannot be written; then it is larger than it need be.
    pub fn reclaim(&self) -> Result<()> {
        for table in MOVABLE {
            let top = self.with_writer(|connection| last_row(connection, table))?;
            let mut moved = 0;
            while moved < top {
                thread::sleep(PAUSE);
                moved = self.with_writer(|connection| move_some(connection, table, moved, top))?;
            }
        }
        self.give_back()
    }

    /// Lets empty pages leave the file, if there are many.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn trim(&self) -> Result<()> {
        let pages = |connection: &Connection, name: &str| -> Result<f64> {
            let sql = format!("PRAGMA {name}");
            Ok(connection.query_row(&sql, [], |row| row.get::<_, i64>(0))? as f64)
        };
        let free = self.with_writer(|connection| {
            Ok(pages(connection, "freelist_count")? / pages(connection, "page_count")?.max(1.0))
        })?;
        if free > FREE { self.give_back() } else { Ok(()) }
    }

    fn give_back(&self) -> Result<()> {
        loop {
            let left = self.with_writer(|connection| {
                let mut statement =
                    connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
                let mut rows = statement.query([])?;
                while rows.next().map_err(StoreError::of_write)?.is_some() {}
                drop(rows);
                Ok(connection.query_row("PRAGMA freelist_count", [], |row| row.get::<_, i64>(0))?)
            })?;
            if left == 0 {
                break;
            }
            thread::sleep(PAUSE);
        }
        self.scrub().map(|_| ())
    }

    /// Overwrites the log with zeros, once all of it is in the file: it holds text as it was
    /// before it was deleted. False if someone still reads from it; then it stays as it is.
    ///
    /// # Errors
    ///
    /// If the files cannot be written.
    pub fn scrub(&self) -> Result<bool> {
        self.with_writer(|connection| scrub(connection, &self.log_path(), self.failure()))
    }
}

/// See [`Store::scrub`]. `connection` is the one that writes.
pub(super) fn scrub(connection: &Connection, log: &Path, failure: &Failure) -> Result<bool> {
    // Others wait for this connection: whoever reads just now is not waited for.
    connection.busy_timeout(Duration::ZERO)?;
    let is_in_file = checkpoint(connection, "RESTART");
    connection.busy_timeout(WAITS)?;
    if !is_in_file? {
        return Ok(false);
    }
    // The log is in the file, and that is on disk. Who begins to read now reads the file, and
    // who writes waits for this connection.
    overwrite(log).map_err(|source| {
        // Nobody knows what is left of it.
        failure.note(source.to_string());
        StoreError::Folder { folder: log.display().to_string(), source }
    })?;
    // Nothing may be added to a log without a head: it is cut before anyone writes again.
    while !checkpoint(connection, "TRUNCATE")? {
        tracing::warn!("the log waits for a reader to end");
    }
    Ok(true)
}

/// Brings the log into the file. False if someone reads or writes.
fn checkpoint(connection: &Connection, mode: &str) -> Result<bool> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    let busy: i64 =
        connection.query_row(&sql, [], |row| row.get(0)).map_err(StoreError::of_write)?;
    Ok(busy == 0)
}

/// Zeros in the place of a log. Its head first: without it, what follows is no log, whatever
/// of the rest a power failure lets through.
fn overwrite(log: &Path) -> io::Result<()> {
    let mut file = match OpenOptions::new().write(true).open(log) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    for part in [LOG_HEAD.min(length), length.saturating_sub(LOG_HEAD)] {
        io::copy(&mut io::Read::take(io::repeat(0), part), &mut file)?;
        file.sync_all()?;
    }
    Ok(())
}

fn last_row(connection: &Connection, table: &str) -> Result<i64> {
    let sql = format!("SELECT coalesce(max(rowid), 0) FROM {table}");
    Ok(connection.query_row(&sql, [], |row| row.get(0))?)
}

/// Moves the first rows after `after`, up to `top`, to the end. Returns the last of them.
fn move_some(connection: &Connection, table: &str, after: i64, top: i64) -> Result<i64> {
    let transaction = connection.unchecked_transaction().map_err(StoreError::of_write)?;
    let rows: Vec<i64> = {
        let sql = format!(
            "SELECT rowid FROM {table} WHERE rowid > ? AND rowid <= ? ORDER BY rowid LIMIT ?"
        );
        let mut statement = transaction.prepare_cached(&sql)?;
        let rows = statement.query_map([after, top, ROWS], |row| row.get(0))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    let Some(&last) = rows.last() else { return Ok(top) };
    let first_free = last_row(&transaction, table)? + 1;
    {
        let sql = format!("UPDATE {table} SET rowid = ? WHERE rowid = ?");
        let mut statement = transaction.prepare_cached(&sql)?;
        for (to, from) in (first_free..).zip(&rows) {
            statement.execute([to, *from]).map_err(StoreError::of_write)?;
        }
    }
    transaction.commit().map_err(StoreError::of_write)?;
    Ok(last)
}
