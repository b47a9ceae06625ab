use rusqlite::{Connection, Transaction};

use super::StoreError;

/// Marks the file as ours: "CDSK".
pub(super) const APPLICATION_ID: i32 = 0x4344_534B;

/// Each step takes the file from the format before to the next one; a corpus has as
/// many steps as its format's number.
const MIGRATIONS: [&str; 6] = [
    include_str!("schema_1.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
    include_str!("schema_6.sql"),
];

/// The latest format of a store.
pub const FORMAT: i32 = MIGRATIONS.len() as i32;

/// The first format that has stories.
pub(super) const STORIES: i32 = 6;

/// The format of the file, 0 for an empty one.
pub(super) fn format(connection: &Connection) -> rusqlite::Result<i32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Brings the file to the latest format, in one transaction.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let from = format(connection)?;
    if from == FORMAT {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    apply(&transaction, from).map_err(StoreError::of_write)?;
    transaction.commit().map_err(StoreError::of_write)
}

fn apply(transaction: &Transaction<'_>, from: i32) -> rusqlite::Result<()> {
    for step in MIGRATIONS.iter().skip(from.unsigned_abs() as usize) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT)
}
