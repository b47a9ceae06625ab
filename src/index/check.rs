use std::collections::HashSet;
use std::path::Path;

use super::ContentId;
use super::manifest::Manifest;
use super::segment::{Identity, Segment};

/// What the files of an index hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// Segments that are sound.
    pub segments: usize,
    /// What is of no use and why, one sentence each.
    pub damaged: Vec<String>,
    /// Texts that no segment holds.
    pub missing: usize,
}

/// Checks every byte of the index in `folder` against what it is a cache of: `texts`, each
/// with the start of its hash. Changes nothing.
pub fn check(
    folder: &Path,
    identity: Identity,
    dimension: usize,
    texts: &[(ContentId, u32)],
) -> Checked {
    let manifest = match Manifest::read(folder, identity) {
        Ok(manifest) => manifest,
        Err(error) => {
            let damaged = vec![format!("the manifest of the index is of no use: {error}")];
            return Checked { segments: 0, damaged, missing: texts.len() };
        }
    };
    let mut checked = Checked::default();
    let mut held: HashSet<(i64, u32)> = HashSet::new();
    for name in &manifest.segments {
        match Segment::open(&folder.join(name), identity, dimension) {
            Ok(segment) => {
                checked.segments += 1;
                held.extend(segment.ids().iter().copied().zip(segment.checks().iter().copied()));
            }
            Err(error) => checked.damaged.push(format!("segment {name} is of no use: {error}")),
        }
    }
    let is_missing = |(id, check): &&(ContentId, u32)| !held.contains(&(id.0, *check));
    checked.missing = texts.iter().filter(is_missing).count();
    checked
}
