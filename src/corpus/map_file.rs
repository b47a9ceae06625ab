use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::index::Identity;
use crate::layout::{Axes, Point};
use crate::sealed;
use crate::store::DocumentKey;

/// The name of the file, in the folder of the index.
const NAME: &str = "map";

const FORMAT: u32 = 1;

/// A map on disk: places and numbers of documents, nothing of what they say. It is as good as one
/// drawn anew, and there at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct MapFile {
    format: u32,
    corpus: u64,
    model: [u8; 32],
    /// Documents that there were when it was drawn.
    pub drawn_of: i64,
    pub axes: Axes,
    /// Documents that others are placed among.
    pub landmarks: Vec<Placed>,
    /// All that were placed.
    pub places: Vec<Placed>,
}

/// A document, the number of the body that it was placed by, and where.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Placed(i64, i64, f32, f32);

impl Placed {
    pub fn new(document: DocumentKey, sequence: i64, at: Point) -> Self {
        Self(document.0, sequence, at.x, at.y)
    }

    pub fn document(self) -> DocumentKey {
        DocumentKey(self.0)
    }

    pub fn sequence(self) -> i64 {
        self.1
    }

    pub fn at(self) -> Point {
        Point { x: self.2, y: self.3 }
    }
}

/// Why a map on disk is of no use.
#[derive(Debug, thiserror::Error)]
pub(super) enum MapFileError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Damaged(&'static str),
    #[error("it belongs to another corpus, model or version")]
    Foreign,
}

impl MapFile {
    /// One that holds nothing yet.
    pub fn new(identity: Identity, drawn_of: i64, axes: Axes) -> Self {
        let Identity { corpus, model } = identity;
        let (landmarks, places) = (Vec::new(), Vec::new());
        Self { format: FORMAT, corpus, model, drawn_of, axes, landmarks, places }
    }

    /// The one in `folder`, if there is one.
    pub fn read(folder: &Path, identity: Identity) -> Result<Option<Self>, MapFileError> {
        let bytes = match fs::read(folder.join(NAME)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let map: Self = sealed::unseal(&bytes).map_err(MapFileError::Damaged)?;
        let is_ours =
            (map.format, map.corpus, map.model) == (FORMAT, identity.corpus, identity.model);
        if is_ours { Ok(Some(map)) } else { Err(MapFileError::Foreign) }
    }

    /// Puts it in place of the one in `folder`.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        sealed::replace(folder, NAME, &sealed::seal(self))
    }
}
