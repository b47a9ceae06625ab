//! Which models the vectors of a corpus are of, and the change from one to another.

use rusqlite::{Connection, params};

use crate::embed::Windows;
use crate::index::ContentId;

use super::rows::ModelIdentity;
use super::{Filter, StoreError, View, Writer};

type Result<T> = std::result::Result<T, StoreError>;

/// Texts whose vectors of retired models one transaction deletes.
const DROPPED_AT_ONCE: usize = 4_000;

/// The number of the model that answers: the one on record, which must be `model`, or
/// `model` itself in a new corpus.
pub(super) fn claim(connection: &Connection, model: &ModelIdentity, folder: &str) -> Result<i64> {
    let current = current(connection)?;
    if current == 0 {
        let number = add(connection, model)?;
        make_current(connection, number)?;
        return Ok(number);
    }
    let found = identity(connection, current)?;
    if found == *model {
        return Ok(current);
    }
    let name = |model: &ModelIdentity| {
        let hash: String = model.weights_sha256.chars().take(12).collect();
        format!("{} (weights {hash})", model.id)
    };
    Err(StoreError::OtherModel {
        folder: folder.to_owned(),
        found: name(&found),
        wanted: name(model),
    })
}

/// The model that answers in a corpus, if there is one.
pub(super) fn recorded(connection: &Connection) -> Option<ModelIdentity> {
    identity(connection, current(connection).ok()?).ok()
}

/// The number of the model that answers; 0 in a new corpus.
pub(super) fn current(connection: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT value FROM counters WHERE name = 'model'";
    let current = connection.query_row(sql, [], |row| row.get(0));
    // Before the second format, there was one model, and its number was the last.
    let last = |_| connection.query_row("SELECT max(model) FROM models", [], |row| row.get(0));
    current.or_else(last)
}

/// The number of a model, which is given to it if it has none.
pub(super) fn add(connection: &Connection, model: &ModelIdentity) -> Result<i64> {
    let key = params![model.id, model.weights_sha256, model.precision, model.dimension as i64];
    connection
        .execute(
            "INSERT INTO models (model_id, weights_sha256, precision, dimension) \
             VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET retired = 0",
            key,
        )
        .map_err(StoreError::of_write)?;
    let sql = "SELECT model FROM models WHERE model_id = ? AND weights_sha256 = ? \
               AND precision = ? AND dimension = ?";
    Ok(connection.query_row(sql, key, |row| row.get(0))?)
}

fn make_current(connection: &Connection, number: i64) -> Result<()> {
    let sql = "UPDATE counters SET value = ? WHERE name = 'model'";
    connection.execute(sql, [number]).map(|_| ()).map_err(StoreError::of_write)
}

fn identity(connection: &Connection, number: i64) -> Result<ModelIdentity> {
    let sql = "SELECT model_id, weights_sha256, precision, dimension FROM models WHERE model = ?";
    Ok(connection.query_row(sql, [number], |row| {
        let dimension: i64 = row.get(3)?;
        Ok(ModelIdentity {
            id: row.get(0)?,
            weights_sha256: row.get(1)?,
            precision: row.get(2)?,
            dimension: dimension.try_into().unwrap_or(0),
        })
    })?)
}

impl View<'_> {
    /// Texts after `after` that have no vectors of this view's model, at most `limit`, in
    /// the order of their ids. A text that no passage says any more is empty.
    pub fn unembedded(&self, after: ContentId, limit: usize) -> Result<Vec<(ContentId, String)>> {
        let sql = "SELECT content FROM contents c WHERE content > ?1 AND NOT EXISTS \
                   (SELECT 1 FROM vectors v WHERE v.content = c.content AND v.model = ?2) \
                   ORDER BY content LIMIT ?3";
        let contents: Vec<ContentId> =
            self.all(sql, params![after, self.model, limit as i64], |row| row.get(0))?;
        let mut texts = Vec::new();
        for content in contents {
            let passages = self.occurrences(content, &Filter::default(), 1)?;
            let text = passages.into_iter().next().map(|passage| passage.text);
            texts.push((content, text.unwrap_or_default()));
        }
        Ok(texts)
    }

    /// Texts that have vectors of this view's model.
    pub fn embedded(&self) -> Result<i64> {
        let sql = "SELECT count(*) FROM vectors WHERE model = ? AND window = 0";
        Ok(self.value(sql, &[&self.model])?.unwrap_or(0))
    }
}

impl Writer<'_> {
    /// The number of a model, for [`Store::with_model`](super::Store::with_model).
    pub fn add_model(&self, model: &ModelIdentity) -> Result<i64> {
        add(self.transaction, model)
    }

    /// Adds the vectors of a text, unless it is gone or has them.
    pub fn add_vectors(&self, content: ContentId, windows: &Windows) -> Result<()> {
        for (window, vector) in windows.vectors().iter().enumerate() {
            self.execute(
                "INSERT OR IGNORE INTO vectors SELECT content, ?2, ?3, ?4 FROM contents \
                 WHERE content = ?1",
                params![content, self.model, window as i64, vector.to_bytes()],
            )?;
        }
        Ok(())
    }

    /// From now on this writer's model answers, and the others are retired.
    pub fn change_over(&self) -> Result<()> {
        make_current(self.transaction, self.model)?;
        self.execute("UPDATE models SET retired = (model <> ?)", [self.model])
    }

    /// Deletes vectors of retired models, not all at once. Returns whether there were any.
    pub fn drop_retired(&self) -> Result<bool> {
        // A text's vectors go together: those that are left are all that it has.
        let sql = "DELETE FROM vectors WHERE (content, model) IN (SELECT content, model \
                   FROM vectors WHERE window = 0 AND model IN \
                   (SELECT model FROM models WHERE retired) LIMIT ?)";
        let dropped = self.transaction.execute(sql, [DROPPED_AT_ONCE as i64]);
        Ok(dropped.map_err(StoreError::of_write)? > 0)
    }
}
