//! Segments that were changed behind their checksums. These would refuse nearly all of them, so they
//! are made to fit first: what is behind them must bear anything, too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;

use copydesk::embed::{UnitVector, Windows};
use copydesk::index::{
    ContentId, ContentSet, Identity, Manifest, Options, Scope, SegmentedIndex, Truth, TruthError,
    VectorIndex,
};
use fastrand::Rng;

const DIMENSION: usize = 16;
const TEXTS: i64 = 1_500;
const IDENTITY: Identity = Identity { corpus: 1, model: [1; 32] };

/// As `docs/segment.md` draws it.
const HEAD: usize = 4_096;
const SECTIONS_AT: usize = 96;
const SECTION_BYTES: usize = 24;
const SECTIONS: usize = 10;

/// Texts in families of ten, some with two windows.
struct Texts(Vec<Windows>);

impl Texts {
    fn new() -> Self {
        let mut rng = Rng::with_seed(3);
        let mut center = Vec::new();
        let texts = (0..TEXTS).map(|number| {
            if number % 10 == 0 {
                center = (0..DIMENSION).map(|_| rng.f32() - 0.5).collect();
            }
            let windows = 1 + usize::from(number % 7 == 0);
            let vector = |_| {
                let near: Vec<f32> = center.iter().map(|x| x + 0.02 * rng.f32()).collect();
                UnitVector::normalized(&near).unwrap()
            };
            Windows::new((0..windows).map(vector).collect()).unwrap()
        });
        Self(texts.collect())
    }
}

impl Truth for Texts {
    fn texts(&self, each: &mut dyn FnMut(ContentId, u32)) -> Result<(), TruthError> {
        (1..=TEXTS).for_each(|id| each(ContentId(id), 0));
        Ok(())
    }

    fn vectors(
        &self,
        contents: &[ContentId],
        each: &mut dyn FnMut(ContentId, Windows),
    ) -> Result<(), TruthError> {
        contents.iter().for_each(|&id| each(id, self.0[id.0 as usize - 1].clone()));
        Ok(())
    }
}

fn open(folder: &Path, texts: &Texts) -> SegmentedIndex {
    let options = Options { segment_rows: 1 << 20, ..Options::default() };
    SegmentedIndex::open(folder, IDENTITY, DIMENSION, options, texts).unwrap()
}

/// A sound segment, to be changed.
pub struct SegmentFile {
    texts: Texts,
    bytes: Vec<u8>,
}

impl SegmentFile {
    /// Writes one.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let texts = Texts::new();
        open(folder.path(), &texts).compact().unwrap();
        let manifest = Manifest::read(folder.path(), IDENTITY).unwrap();
        let bytes = fs::read(folder.path().join(&manifest.segments[0])).unwrap();
        Self { texts, bytes }
    }

    /// Opens an index whose segment was changed as `data` says: six bytes for each change,
    /// four of them for the place and two for what is put there.
    pub fn open_changed(&self, data: &[u8]) {
        let mut bytes = self.bytes.clone();
        for change in data.chunks_exact(6) {
            let at = u32::from_le_bytes([change[0], change[1], change[2], change[3]]) as usize;
            let at = at % bytes.len();
            bytes[at] = change[4];
            if let Some(next) = bytes.get_mut(at + 1) {
                *next = change[5];
            }
        }
        mend_checksums(&mut bytes);
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("00000001.segment"), bytes).unwrap();
        let names = vec!["00000001.segment".to_owned()];
        Manifest::new(IDENTITY, names).replace(folder.path()).unwrap();
        let index = open(folder.path(), &self.texts);
        self.ask_everything(&index);
        // It takes a hundred times as long as the rest.
        if data.first().is_some_and(|byte| byte % 16 == 0) {
            index.compact().unwrap();
        }
    }

    /// Asks in all ways. What answers must be there, and alive.
    fn ask_everything(&self, index: &SegmentedIndex) {
        let some: ContentSet = (1..=TEXTS).filter(|id| id % 3 == 0).map(ContentId).collect();
        for query in self.texts.0.iter().step_by(97) {
            for ef in [10, 40] {
                let hits = index.search_with(query, 10, ef, Scope::All);
                assert!(hits.iter().all(|hit| (1..=TEXTS).contains(&hit.content.0)));
            }
            let hits = index.search(query, 10, Scope::Only(&some));
            assert!(hits.iter().all(|hit| some.contains(hit.content)));
            index.search_exactly(query, 10, Scope::All);
        }
        let dead: Vec<ContentId> = (1..=TEXTS).step_by(2).map(ContentId).collect();
        index.remove(&dead);
        for query in self.texts.0.iter().step_by(97) {
            let hits = index.search(query, 10, Scope::All);
            assert!(hits.iter().all(|hit| hit.content.0 % 2 == 0));
        }
        (1..=TEXTS).for_each(|id| drop(index.windows(ContentId(id))));
        index.status();
    }
}

impl Default for SegmentFile {
    fn default() -> Self {
        Self::new()
    }
}

/// Makes the checksums fit what is there, where they have a place.
fn mend_checksums(bytes: &mut [u8]) {
    for section in 0..SECTIONS {
        let at = SECTIONS_AT + section * SECTION_BYTES;
        let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        let (offset, length) = (number(at) as usize, number(at + 8) as usize);
        let end = offset.saturating_add(length);
        if let Some(covered) = bytes.get(offset..end) {
            let checksum = crc32fast::hash(covered);
            bytes[at + 16..at + 20].copy_from_slice(&checksum.to_le_bytes());
        }
    }
    let checksum = crc32fast::hash(&bytes[..HEAD - 4]);
    bytes[HEAD - 4..HEAD].copy_from_slice(&checksum.to_le_bytes());
}
