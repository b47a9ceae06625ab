use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::segment::Identity;
use crate::sealed;

/// The name of the file.
pub const MANIFEST: &str = "manifest";

const FORMAT: u32 = 1;

/// Names the segments that live. The file is replaced in one step, so it names those before
/// a change or those after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    format: u32,
    corpus: u64,
    /// SHA-256 in hex of the model that vectors are from.
    model: String,
    /// File names of segments, oldest first.
    pub segments: Vec<String>,
}

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It could not be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is not as it was written.
    #[error("{0}")]
    Damaged(&'static str),
    /// It was copied from elsewhere.
    #[error("it belongs to another corpus or model")]
    Foreign,
}

impl Manifest {
    /// One that names these files.
    pub fn new(identity: Identity, segments: Vec<String>) -> Self {
        let model = hex(&identity.model);
        Self { format: FORMAT, corpus: identity.corpus, model, segments }
    }

    /// Reads the one in `folder`; an empty one if there is none yet.
    ///
    /// # Errors
    ///
    /// If it is damaged or of another corpus.
    pub fn read(folder: &Path, identity: Identity) -> Result<Self, ManifestError> {
        let bytes = match fs::read(folder.join(MANIFEST)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self::new(identity, Vec::new()));
            }
            Err(error) => return Err(error.into()),
        };
        let manifest = Self::parse(&bytes)?;
        let own = Self::new(identity, Vec::new());
        match manifest.corpus == own.corpus && manifest.model == own.model {
            true => Ok(manifest),
            false => Err(ManifestError::Foreign),
        }
    }

    /// A line of JSON, and its checksum in hex on the next.
    ///
    /// # Errors
    ///
    /// If it is not that.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        let manifest: Self = sealed::unseal(bytes).map_err(ManifestError::Damaged)?;
        let is_name = |name: &String| {
            name.strip_suffix(".segment")
                .is_some_and(|stem| !stem.is_empty() && stem.bytes().all(|b| b.is_ascii_digit()))
        };
        match manifest.format == FORMAT && manifest.segments.iter().all(is_name) {
            true => Ok(manifest),
            false => Err(ManifestError::Damaged("it does not say what it should")),
        }
    }

    /// Puts it in place of the one in `folder`, in one step, and waits until that is on disk.
    ///
    /// # Errors
    ///
    /// If it cannot be written; then the former one stays.
    pub fn replace(&self, folder: &Path) -> io::Result<()> {
        sealed::replace(folder, MANIFEST, &sealed::seal(self))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
