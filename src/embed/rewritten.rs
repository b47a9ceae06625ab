use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::fetch::hex;
use super::onnx::{self, OnnxError, REWRITING};
use super::{ModelFiles, Precision};

/// SHA-256 of the default model after rewriting: what every machine must come to.
const DEFAULT_F32: &str = "b8fff1a18f63be4c82f5e0ba656ccd581bf3e211cfa7c07def8c7e78452f031c";
const DEFAULT_INT8: &str = "6eb57f70f6d44a845034548e271786eead0070b56a18048900d879759c9d90ec";

/// The model file of `files`, rewritten for `precision`. It is rewritten once and kept
/// in `cache`, beside its hash; what does not match its hash is written anew. Any other
/// weights than the default ones have to pass `check` first.
///
/// # Errors
///
/// If the model file cannot be rewritten, does not pass, or the default model comes to
/// something else than it should.
pub(super) fn ensure(
    files: &ModelFiles,
    cache: &Path,
    precision: Precision,
    check: impl FnOnce(&[u8]) -> Result<(), String>,
) -> Result<Vec<u8>, RewriteError> {
    let kept = Kept::new(files, cache, precision);
    if let Some(bytes) = kept.read() {
        return Ok(bytes);
    }
    let path = files.folder.join("model.onnx");
    let model = fs::read(&path).map_err(|error| RewriteError::Unreadable(error.to_string()))?;
    let bytes = onnx::rewrite(&model, precision)?;
    match kept.pinned {
        Some(expected) if expected != sha256(&bytes) => {
            return Err(RewriteError::Differs { found: sha256(&bytes), expected });
        }
        Some(_) => {}
        None => check(&bytes).map_err(RewriteError::Check)?,
    }
    // A cache: without it, it is rewritten at every start.
    if let Err(error) = kept.write(&bytes) {
        tracing::warn!(%error, path = %kept.path.display(), "cannot keep the rewritten model");
    }
    Ok(bytes)
}

/// Why a model file is not there in the form that is run.
#[derive(Debug, thiserror::Error)]
pub(super) enum RewriteError {
    #[error("model.onnx: {0}")]
    Unreadable(String),
    #[error("model.onnx: {0}")]
    Onnx(#[from] OnnxError),
    #[error("model.onnx: {0}")]
    Check(String),
    #[error("rewriting it gave the SHA-256 {found}, not {expected}")]
    Differs { found: String, expected: &'static str },
}

/// A rewritten model file in the cache.
struct Kept {
    path: PathBuf,
    hash_path: PathBuf,
    /// Its hash, where that is known beforehand.
    pinned: Option<&'static str>,
}

impl Kept {
    fn new(files: &ModelFiles, cache: &Path, precision: Precision) -> Self {
        let weights: String = files.weights_sha256.chars().take(16).collect();
        let name = format!("{weights}-{}-{REWRITING}.onnx", precision.as_str());
        let pinned = match precision {
            Precision::F32 => DEFAULT_F32,
            Precision::Int8 => DEFAULT_INT8,
        };
        let path = cache.join(name);
        let hash_path = path.with_extension("sha256");
        Self { path, hash_path, pinned: files.has_default_weights().then_some(pinned) }
    }

    /// Its bytes, if they are there and have their hash.
    fn read(&self) -> Option<Vec<u8>> {
        let bytes = fs::read(&self.path).ok()?;
        let expected = match self.pinned {
            Some(pinned) => pinned.to_owned(),
            None => fs::read_to_string(&self.hash_path).ok()?,
        };
        let is_whole = sha256(&bytes) == expected.trim();
        if !is_whole {
            tracing::warn!(path = %self.path.display(), "the rewritten model is damaged and is written anew");
        }
        is_whole.then_some(bytes)
    }

    fn write(&self, bytes: &[u8]) -> std::io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        if self.pinned.is_none() {
            replace(&self.hash_path, sha256(bytes).as_bytes())?;
        }
        replace(&self.path, bytes)
    }
}

/// Puts a file in place in one step, whoever else does so.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(0o644))
        .tempfile_in(folder)?;
    std::io::Write::write_all(&mut file, bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map(|_| ()).map_err(|error| error.error)
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
