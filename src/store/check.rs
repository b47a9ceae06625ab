//! Whether a corpus that no server has open is whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, ToSql};

use crate::embed::Windows;
use crate::index::ContentId;
use crate::text::ContentHash;

use super::connections::{self, FILE};
use super::schema::{self, APPLICATION_ID, FORMAT};
use super::{DocumentKey, ModelIdentity, StoreError, View, models};

type Result<T> = std::result::Result<T, StoreError>;

/// Is told what is worked on, how much of it is done, and of how much: 0 where nobody can say.
pub type Progress<'a> = &'a dyn Fn(&'static str, u64, u64);

/// Looks for one kind of damage.
type Look = fn(&Closed, &dyn Fn(u64, u64)) -> Result<Vec<String>>;

/// Documents that a finding names.
const NAMED: usize = 5;

/// Findings of SQLite's own that are told.
const TOLD: usize = 10;

/// A corpus that is looked at and not served. Nothing in it is changed, and no server can
/// open it meanwhile.
pub struct Closed {
    folder: PathBuf,
    connection: Connection,
    format: i32,
    model: Option<(i64, ModelIdentity)>,
    _lock: File,
}

impl Closed {
    /// Opens the corpus in `folder`, of whatever model and of any format up to the latest.
    ///
    /// # Errors
    ///
    /// If there is none, it is in use, of a newer format, or so damaged that it cannot be told
    /// from something else.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let not_ours =
            |cause: String| StoreError::NotACorpus { path: path.display().to_string(), cause };
        if !path.is_file() {
            return Err(not_ours("it is not there".to_owned()));
        }
        let lock = connections::lock(folder)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let unreadable = |error: rusqlite::Error| not_ours(error.to_string());
        let connection = Connection::open_with_flags(&path, flags).map_err(unreadable)?;
        let owner: i32 = connection
            .query_row("PRAGMA application_id", [], |row| row.get(0))
            .map_err(unreadable)?;
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(unreadable)?;
        if owner != APPLICATION_ID && tables > 0 {
            return Err(not_ours("its application id is another one".to_owned()));
        }
        let format = schema::format(&connection).map_err(unreadable)?;
        if format > FORMAT {
            let folder = folder.display().to_string();
            return Err(StoreError::NewerFormat { folder, found: format, known: FORMAT });
        }
        let model = models::current(&connection).ok().zip(models::recorded(&connection));
        Ok(Self { folder: folder.to_owned(), connection, format, model, _lock: lock })
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether a corpus can be opened or made in `folder`. Returns the model that answers
    /// there, if there is one yet.
    ///
    /// # Errors
    ///
    /// If the folder cannot be used or is in use, and as [`Self::open`].
    pub fn preview(folder: &Path) -> Result<Option<ModelIdentity>> {
        let unusable = |source| StoreError::Folder { folder: folder.display().to_string(), source };
        can_be_made(folder).map_err(unusable)?;
        match (folder.join(FILE).is_file(), folder.is_dir()) {
            (true, _) => Ok(Self::open(folder)?.model.map(|(_, model)| model)),
            (false, true) => connections::lock(folder).map(|_| None),
            (false, false) => Ok(None),
        }
    }

    /// The format of the file, 0 if nothing was written to it yet.
    pub fn format(&self) -> i32 {
        self.format
    }

    /// The number of the model that answers, and the model.
    pub fn model(&self) -> Option<&(i64, ModelIdentity)> {
        self.model.as_ref()
    }

    /// What can be read.
    pub fn view(&self) -> View<'_> {
        let number = self.model().map_or(0, |(number, _)| *number);
        View::new(&self.connection, number)
    }

    /// What is wrong and cannot be made anew, one sentence each; nothing of a sound corpus.
    pub fn lost(&self, progress: Progress<'_>) -> Vec<String> {
        let checks: [(&'static str, Look); 5] = [
            ("structure", Self::structure),
            ("references", Self::references),
            ("bodies", Self::bodies),
            ("texts", Self::texts),
            ("vectors", Self::vectors),
        ];
        let found = checks.into_iter().flat_map(|(what, check)| {
            progress(what, 0, 0);
            let tell = |done, total| progress(what, done, total);
            check(self, &tell)
                .unwrap_or_else(|error| vec![format!("{what} cannot be read: {error}")])
        });
        found.collect()
    }

    /// What SQLite finds in its pages and indices.
    fn structure(&self, _: &dyn Fn(u64, u64)) -> Result<Vec<String>> {
        let sql = format!("PRAGMA integrity_check({TOLD})");
        let found: Vec<String> = self.view().all(&sql, [], |row| row.get(0))?;
        Ok(found.into_iter().filter(|line| line != "ok").collect())
    }

    /// Rows that name what is not there, and documents that lack a part.
    fn references(&self, _: &dyn Fn(u64, u64)) -> Result<Vec<String>> {
        let sql = "SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2";
        let mut found: Vec<String> = self.view().all(sql, [], |row| {
            let (table, parent): (String, String) = (row.get(0)?, row.get(1)?);
            let count: i64 = row.get(2)?;
            Ok(format!("{count} rows of {table} name rows of {parent} that are not there"))
        })?;
        let mut parts = vec![("passages", "doc = d.doc"), ("verdicts", "doc = d.doc")];
        if self.format >= schema::STORIES {
            parts.push(("stories", "story = d.story"));
        }
        for (table, is_its) in parts {
            let sql = format!(
                "SELECT d.document_id FROM documents d \
                 WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE {is_its})"
            );
            let without: Vec<String> = self.view().all(&sql, [], |row| row.get(0))?;
            found.extend(named(&without, &format!("have none of the {table} that they need")));
        }
        Ok(found)
    }

    /// Documents whose paragraphs are not those that came in.
    fn bodies(&self, tell: &dyn Fn(u64, u64)) -> Result<Vec<String>> {
        let total = self.count("SELECT count(*) FROM documents", &[])?;
        let sql = "SELECT doc, document_id, body_hash FROM documents";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut changed = Vec::new();
        let mut done = 0;
        while let Some(row) = rows.next()? {
            done += 1;
            tell(done, total);
            let (key, hash): (DocumentKey, ContentHash) = (row.get(0)?, row.get(2)?);
            let paragraphs = self.view().paragraphs(key)?;
            let texts = paragraphs.iter().map(|paragraph| paragraph.text.as_bytes());
            if ContentHash::of_parts(texts) != hash {
                changed.push(row.get(1)?);
            }
        }
        Ok(named(&changed, "do not hold what came in").into_iter().collect())
    }

    /// Texts that are not what their hash says.
    fn texts(&self, tell: &dyn Fn(u64, u64)) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        self.view().texts(|content, hash| texts.push((content, hash)))?;
        let mut changed = 0;
        let total = texts.len() as u64;
        for (done, (content, hash)) in (1..).zip(texts) {
            tell(done, total);
            let text = self.view().text(content)?;
            changed += usize::from(text.is_none_or(|text| ContentHash::of(&text) != hash));
        }
        Ok(counted(changed, "texts are not what their hashes say").into_iter().collect())
    }

    /// Texts without vectors of the model that answers, and vectors that are none.
    fn vectors(&self, tell: &dyn Fn(u64, u64)) -> Result<Vec<String>> {
        let Some((number, model)) = &self.model else { return Ok(Vec::new()) };
        let total =
            self.count("SELECT count(DISTINCT content) FROM vectors WHERE model = ?", &[number])?;
        let mut done = 0;
        let sound = |_: ContentId, _: Windows| {
            done += 1;
            tell(done, total);
        };
        self.view().vectors(ContentId(i64::MIN), ContentId(i64::MAX), model.dimension, sound)?;
        let sql = "SELECT count(*) FROM contents c WHERE NOT EXISTS \
                   (SELECT 1 FROM vectors v WHERE v.content = c.content AND v.model = ?)";
        let without = self.count(sql, &[number])?;
        let what = "texts have no vectors; `copydesk reembed` with the model of the corpus makes \
                    them";
        Ok(counted(without as usize, what).into_iter().collect())
    }

    /// The number that a query gives.
    fn count(&self, sql: &str, parameters: &[&dyn ToSql]) -> Result<u64> {
        let count: Option<i64> = self.view().value(sql, parameters)?;
        Ok(count.unwrap_or(0).unsigned_abs())
    }
}

/// Whether a folder is there or can be made. It is left as it was.
pub fn can_be_made(folder: &Path) -> io::Result<()> {
    let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let missing: Vec<&Path> = folder.ancestors().take_while(is_missing).collect();
    fs::create_dir_all(folder)?;
    missing.into_iter().try_for_each(fs::remove_dir)
}

fn counted(count: usize, what: &str) -> Option<String> {
    (count > 0).then(|| format!("{count} {what}"))
}

fn named(documents: &[String], what: &str) -> Option<String> {
    let first = documents.get(..NAMED.min(documents.len())).unwrap_or_default().join(", ");
    let more = if documents.len() > NAMED { ", ..." } else { "" };
    counted(documents.len(), &format!("documents {what}: {first}{more}"))
}
