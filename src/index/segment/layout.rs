//! The bytes of a segment's head; `docs/segment.md` draws the whole file.

use super::super::codes::Scale;
use super::super::walk::{DEGREE, MOST_NODES};
use super::{Identity, SegmentError};

/// Bytes of the head, and what every section starts at a multiple of: a page.
pub const PAGE: usize = 4_096;

const MAGIC: [u8; 8] = *b"CDSKSEG\0";
const VERSION: u32 = 1;

/// Where the descriptions of sections are in the head, and how long each is.
const SECTIONS_AT: usize = 96;
const SECTION_BYTES: usize = 24;

/// What a segment holds, in the order of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Codes,
    Links,
    Members,
    Owners,
    Ids,
    Checks,
    Starts,
    Rows,
    Entries,
    Vectors,
}

impl Section {
    pub const ALL: [Self; 10] = [
        Self::Codes,
        Self::Links,
        Self::Members,
        Self::Owners,
        Self::Ids,
        Self::Checks,
        Self::Starts,
        Self::Rows,
        Self::Entries,
        Self::Vectors,
    ];
}

/// Where a section is, and its checksum (CRC-32).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    pub offset: u64,
    pub length: u64,
    pub checksum: u32,
}

/// The head of a segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    pub identity: Identity,
    pub dimension: u32,
    pub rows: u32,
    pub nodes: u32,
    pub contents: u32,
    pub entries: u32,
    pub strays: u32,
    /// Whether there is a graph; without, all rows are compared.
    pub is_linked: bool,
    pub scale: Scale,
    pub places: [Place; 10],
}

impl Head {
    pub fn place(&self, section: Section) -> Place {
        self.places.get(section as usize).copied().unwrap_or_default()
    }

    /// Bytes that a section must have.
    fn length_of(&self, section: Section) -> u64 {
        let stride = super::super::codes::stride_of(self.dimension as usize) as u64;
        let [rows, nodes, contents, entries] =
            [self.rows, self.nodes, self.contents, self.entries].map(u64::from);
        match section {
            Section::Codes => rows * stride,
            Section::Links if self.is_linked => nodes * 4 * DEGREE as u64,
            Section::Links => 0,
            Section::Members => (nodes + 1) * 4,
            Section::Owners | Section::Rows => rows * 4,
            Section::Ids => contents * 8,
            Section::Checks => contents * 4,
            Section::Starts => (contents + 1) * 4,
            Section::Entries => entries * 4,
            Section::Vectors => rows * u64::from(self.dimension) * 4,
        }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(PAGE);
        bytes.extend(MAGIC);
        let counts = [
            VERSION,
            self.dimension,
            self.rows,
            self.nodes,
            self.contents,
            self.entries,
            self.strays,
            u32::from(self.is_linked),
        ];
        bytes.extend(counts.iter().flat_map(|count| count.to_le_bytes()));
        bytes.extend(self.scale.get().to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(self.identity.corpus.to_le_bytes());
        bytes.extend(self.identity.model);
        bytes.resize(SECTIONS_AT, 0);
        for place in &self.places {
            bytes.extend(place.offset.to_le_bytes());
            bytes.extend(place.length.to_le_bytes());
            bytes.extend(place.checksum.to_le_bytes());
            bytes.extend([0; 4]);
        }
        bytes.resize(PAGE - 4, 0);
        let checksum = crc32fast::hash(&bytes);
        bytes.extend(checksum.to_le_bytes());
        bytes
    }

    /// Reads a head, of a file of `file_length` bytes, and checks that it agrees with itself.
    pub fn from_bytes(bytes: &[u8], file_length: u64) -> Result<Self, SegmentError> {
        let damaged = SegmentError::Damaged;
        let bytes: &[u8; PAGE] = bytes.try_into().map_err(|_| damaged("it is cut short"))?;
        let (covered, checksum) = bytes.split_at(PAGE - 4);
        if !bytes.starts_with(&MAGIC) {
            return Err(damaged("it is no segment"));
        }
        if crc32fast::hash(covered).to_le_bytes() != checksum {
            return Err(damaged("its head does not match its checksum"));
        }
        let mut fields = Fields(bytes.get(MAGIC.len()..).unwrap_or_default());
        let version = fields.u32();
        if version != VERSION {
            return Err(SegmentError::Version(version));
        }
        let [dimension, rows, nodes, contents, entries, strays, linked] =
            std::array::from_fn(|_| fields.u32());
        let scale = Scale::new(f32::from_bits(fields.u32())).ok_or(damaged("it has no scale"))?;
        fields.u32();
        let identity = Identity { corpus: fields.u64(), model: fields.array() };
        fields = Fields(bytes.get(SECTIONS_AT..).unwrap_or_default());
        let places = std::array::from_fn(|_| {
            let mut fields = Fields(fields.take(SECTION_BYTES));
            Place { offset: fields.u64(), length: fields.u64(), checksum: fields.u32() }
        });
        let is_linked = linked == 1;
        let head = Self {
            identity,
            dimension,
            rows,
            nodes,
            contents,
            entries,
            strays,
            is_linked,
            scale,
            places,
        };
        match head.is_consistent(file_length) {
            true => Ok(head),
            false => Err(damaged("its parts do not fit together")),
        }
    }

    fn ends_with_vectors(&self) -> bool {
        let last = self.place(Section::Vectors).offset;
        let mut others = Section::ALL.iter().filter(|section| **section != Section::Vectors);
        others.all(|section| {
            let place = self.place(*section);
            place.offset.saturating_add(place.length) <= last
        })
    }

    fn is_consistent(&self, file_length: u64) -> bool {
        let fits = |section| {
            let place = self.place(section);
            let is_aligned =
                place.offset.is_multiple_of(PAGE as u64) && place.offset >= PAGE as u64;
            let end = place.offset.checked_add(place.length);
            is_aligned
                && place.length == self.length_of(section)
                && end.is_some_and(|end| end <= file_length)
        };
        self.dimension > 0
            && self.nodes <= self.rows
            && (self.rows as usize) < MOST_NODES
            && self.contents <= self.rows
            && self.strays <= self.entries
            && self.ends_with_vectors()
            && (self.is_linked || self.nodes == self.rows)
            && Section::ALL.into_iter().all(fits)
    }
}

/// Little-endian numbers one after the other; what is not there is zero.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        self.take(N).try_into().unwrap_or([0; N])
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }
}
