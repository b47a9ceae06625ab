//! Small files that are whole, or known not to be: a line of JSON and its checksum on the next,
//! replaced in one step.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What files are called before they are in place. One that is left was never finished.
pub(crate) const UNFINISHED: &str = "unfinished-";

/// A value as the bytes of a file.
pub(crate) fn seal(value: &impl Serialize) -> Vec<u8> {
    // Numbers, strings and lists of these always become JSON.
    let line = serde_json::to_string(value).unwrap_or_default();
    format!("{line}\n{:08x}\n", crc32fast::hash(line.as_bytes())).into_bytes()
}

/// The value in the bytes of a file.
///
/// # Errors
///
/// What is wrong with them.
pub(crate) fn unseal<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not text")?;
    let (line, checksum) = text.split_once('\n').ok_or("it is cut short")?;
    if checksum.trim_end() != format!("{:08x}", crc32fast::hash(line.as_bytes())) {
        return Err("it does not match its checksum");
    }
    serde_json::from_str(line).map_err(|_| "it does not say what it should")
}

/// Puts a file in place in one step, and waits until that is on disk.
///
/// # Errors
///
/// If it cannot be written; then the former one stays.
pub(crate) fn replace(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(folder.join(name)).map_err(|error| error.error)?;
    // From here on it is in place, and what it names must stay, whatever is synced.
    if let Err(error) = File::open(folder).and_then(|folder| folder.sync_all()) {
        tracing::warn!(%error, "the folder of the index was not synced");
    }
    Ok(())
}
