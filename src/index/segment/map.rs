#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::ops::Range;

use memmap2::{Advice, Mmap, MmapOptions};

/// A file that is read as memory.
pub struct Map(Mmap);

impl Map {
    /// Maps a part of a file, from the start of a page on. Nobody else writes to it: segments
    /// are written once, under a name of their own, and the data folder is locked for one
    /// process.
    pub fn of(file: &File, range: Range<u64>) -> io::Result<Self> {
        let length = usize::try_from(range.end.saturating_sub(range.start));
        let mut options = MmapOptions::new();
        options.offset(range.start).len(length.map_err(io::Error::other)?);
        // SAFETY: the memory is only read, as bytes and as numbers for which every bit
        // pattern is one. The file is not written to nor cut while it is mapped, see above.
        let map = unsafe { options.map(file)? };
        // Walks jump about; what is read ahead would be thrown away.
        let _ = map.advise(Advice::Random);
        Ok(Self(map))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}
