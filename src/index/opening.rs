//! What an index does first: takes what is sound in its folder, and reads the rest from what
//! it is a cache of.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::embed::{UnitVector, Windows};
use crate::sealed::UNFINISHED;

use super::ContentId;
use super::build::Origin;
use super::codes::{Codes, Scale};
use super::manifest::{Manifest, ManifestError};
use super::segment::{Owner, Segment, SegmentWriter, VectorSource};
use super::segments::{Core, IndexError, State, Truth, name_of};

impl Core {
    /// Reads what is there, and what is missing from `truth`.
    pub fn fill(&self, truth: &dyn Truth) -> Result<(), IndexError> {
        let manifest = match Manifest::read(&self.folder, self.identity) {
            Ok(manifest) => manifest,
            Err(ManifestError::Io(source)) => {
                return Err(IndexError::Io { folder: self.folder.display().to_string(), source });
            }
            Err(error) => {
                tracing::warn!(%error, "the manifest of the index is of no use; segments are made anew");
                Manifest::new(self.identity, Vec::new())
            }
        };
        let mut segments = Vec::new();
        for name in &manifest.segments {
            match Segment::open(&self.folder.join(name), self.identity, self.dimension) {
                Ok(segment) => segments.push(Arc::new(segment)),
                Err(error) => {
                    tracing::warn!(name, %error, "a segment is of no use; it is made anew")
                }
            }
        }
        let mut stored: Vec<(i64, u32)> = Vec::new();
        truth
            .texts(&mut |content, check| stored.push((content.0, check)))
            .map_err(IndexError::Truth)?;
        let mut is_claimed = vec![false; stored.len()];
        for segment in &segments {
            let (ids, checks) = (segment.ids(), segment.checks());
            let mut cursor = 0;
            segment.keep(&mut |place| {
                let (Some(&id), Some(&check)) = (ids.get(place), checks.get(place)) else {
                    return false;
                };
                while stored.get(cursor).is_some_and(|(stored, _)| *stored < id) {
                    cursor += 1;
                }
                let is_same = stored.get(cursor) == Some(&(id, check));
                let claimed = is_claimed.get_mut(cursor).filter(|claimed| is_same && !**claimed);
                claimed.map(|claimed| *claimed = true).is_some()
            });
        }
        segments.retain(|segment| segment.live() > 0);
        let missing: Vec<(ContentId, u32)> = stored
            .iter()
            .zip(&is_claimed)
            .filter(|(_, is_claimed)| !**is_claimed)
            .map(|(&(id, check), _)| (ContentId(id), check))
            .collect();
        self.last.store(stored.last().map_or(0, |(id, _)| *id), Ordering::Release);
        self.forget_other_files(&segments);
        self.set_state(State { segments, growing: self.state().growing.clone() });
        self.fill_missing(&missing, truth)?;
        let names =
            self.state().segments.iter().map(|segment| name_of(segment)).collect::<Vec<_>>();
        if names != manifest.segments {
            self.save_manifest(&self.state().segments).unwrap_or_else(|error| {
                tracing::warn!(%error, "the manifest of the index was not written");
            });
        }
        Ok(())
    }

    /// Takes in texts that no segment holds. Very many become segments without a graph, in
    /// which all vectors are compared until they are linked.
    fn fill_missing(
        &self,
        missing: &[(ContentId, u32)],
        truth: &dyn Truth,
    ) -> Result<(), IndexError> {
        let rows = self.options.segment_rows;
        for some in missing.chunks(rows) {
            let contents: Vec<ContentId> = some.iter().map(|(content, _)| *content).collect();
            let checks: HashMap<ContentId, u32> = some.iter().copied().collect();
            let mut texts = Vec::new();
            let read = truth.vectors(&contents, &mut |content, windows| {
                let check = checks.get(&content).copied().unwrap_or_default();
                texts.push((content, check, windows));
            });
            read.map_err(IndexError::Truth)?;
            if some.len() == rows {
                match self.write_flat(&texts) {
                    Ok(segment) => {
                        let mut state = State::clone(&self.state());
                        state.segments.push(Arc::new(segment));
                        self.set_state(state);
                        continue;
                    }
                    Err(error) => tracing::warn!(%error, "vectors stay in memory"),
                }
            }
            for (content, check, windows) in &texts {
                self.add(*content, *check, windows);
            }
        }
        Ok(())
    }

    /// Writes a segment without a graph, in which all vectors are compared.
    pub fn write_flat(&self, texts: &[(ContentId, u32, Windows)]) -> Result<Segment, IndexError> {
        let mut flat = Flat::default();
        for (content, check, windows) in texts {
            for (window, vector) in (0..).zip(windows.vectors()) {
                flat.owners.push(Owner { content: *content, window });
                flat.checks.push(*check);
                flat.vectors.push(vector.clone());
            }
        }
        let components = flat.vectors.iter().flat_map(|vector| vector.as_slice());
        let highest = components.fold(0.0, |highest: f32, x| highest.max(x.abs()));
        let mut codes = Codes::new(self.dimension, Scale::for_highest(highest));
        flat.vectors.iter().for_each(|vector| codes.push(vector.as_slice()));
        self.write_segment(|path| {
            SegmentWriter::write_flat(path, self.identity, &codes, &flat.owners, &flat)
        })
    }

    /// Deletes files that belong to no segment, and sees to it that no name is used again.
    fn forget_other_files(&self, segments: &[Arc<Segment>]) {
        let names: HashSet<String> = segments.iter().map(|segment| name_of(segment)).collect();
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let number = name.strip_suffix(".segment").and_then(|stem| stem.parse::<u64>().ok());
            if let Some(number) = number {
                self.next_file.fetch_max(number.saturating_add(1), Ordering::AcqRel);
            }
            let is_ours = number.is_some() || name.starts_with(UNFINISHED);
            if is_ours && !names.contains(&name) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// The vectors of a segment without a graph.
#[derive(Default)]
struct Flat {
    owners: Vec<Owner>,
    checks: Vec<u32>,
    vectors: Vec<UnitVector>,
}

impl VectorSource for Flat {
    fn vector(&self, origin: Origin) -> &[f32] {
        self.vectors.get(origin.row as usize).map(UnitVector::as_slice).unwrap_or_default()
    }

    fn check(&self, origin: Origin) -> u32 {
        self.checks.get(origin.row as usize).copied().unwrap_or_default()
    }
}
