//! A frozen segment: one file, mapped into memory, with vectors in small integers that
//! walks compare, the graph, and full vectors that scores come from.

mod layout;
mod map;
mod search;
mod write;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use fixedbitset::FixedBitSet;

use crate::embed::{UnitVector, Windows};

use super::bits::SharedBits;
use super::build::Entries;
use super::codes::{Codes, stride_of};
use super::kernels::Rows;
use super::walk::{DEGREE, Graph, NONE};
use super::{ContentId, ContentSet};

use layout::{Head, PAGE, Section};
use map::Map;
pub use search::{Asked, Searcher};
pub use write::{SegmentWriter, VectorSource};

/// Which corpus and which model vectors belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// A number that the corpus got when it was made.
    pub corpus: u64,
    /// SHA-256 of the model's name, weights and precision.
    pub model: [u8; 32],
}

/// A text in an index: which vector of it a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Owner {
    pub content: ContentId,
    pub window: u16,
}

/// One row in so many: fewer are sorted faster than they are marked and read off.
const FEW_MARKS: usize = 256;

/// Why a segment cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// It could not be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is not as it was written.
    #[error("{0}")]
    Damaged(&'static str),
    /// It was written by a later version.
    #[error("it has format {0}, which this copydesk does not know")]
    Version(u32),
    /// It was copied from elsewhere.
    #[error("it belongs to another corpus or model")]
    Foreign,
}

/// A frozen segment. What is in its file never changes; what is dead is known only here.
pub struct Segment {
    path: PathBuf,
    /// All but the full vectors: what walks go through.
    walked: Map,
    /// The full vectors.
    full: Map,
    head: Head,
    entries: Entries,
    dead_rows: SharedBits,
    /// Nodes that are dead with all of their family.
    dead_nodes: SharedBits,
}

impl Segment {
    /// Opens a segment and checks every byte of it.
    ///
    /// # Errors
    ///
    /// If it is damaged, or not of `identity` and `dimension`.
    pub fn open(path: &Path, identity: Identity, dimension: usize) -> Result<Self, SegmentError> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut first = Vec::with_capacity(PAGE);
        file.by_ref().take(PAGE as u64).read_to_end(&mut first)?;
        let head = Head::from_bytes(&first, length)?;
        if head.identity != identity || head.dimension as usize != dimension {
            return Err(SegmentError::Foreign);
        }
        for section in Section::ALL {
            let place = head.place(section);
            if checksum_of(&mut file, place.offset, place.length)? != place.checksum {
                return Err(SegmentError::Damaged("a part of it does not match its checksum"));
            }
        }
        let (rows, nodes) = (head.rows as usize, head.nodes as usize);
        let mut segment = Self {
            path: path.to_owned(),
            walked: Map::of(&file, 0..head.place(Section::Vectors).offset)?,
            full: Map::of(&file, head.place(Section::Vectors).offset..length)?,
            entries: Entries {
                nodes: Vec::new(),
                codes: Codes::new(dimension, head.scale),
                strays: 0,
            },
            head,
            dead_rows: SharedBits::new(rows),
            dead_nodes: SharedBits::new(nodes),
        };
        if !segment.is_sound() {
            return Err(SegmentError::Damaged("its parts do not fit together"));
        }
        segment.entries = segment.read_entries();
        Ok(segment)
    }

    /// Whether every number that names a place names one that is there.
    fn is_sound(&self) -> bool {
        let Head { rows, nodes, contents, .. } = self.head;
        let ascends = |numbers: &[u32], last: u32| {
            numbers.first() == Some(&0) && numbers.last() == Some(&last) && numbers.is_sorted()
        };
        self.numbers(Section::Links).iter().all(|&link| link < nodes || link == NONE)
            && ascends(self.numbers(Section::Members), rows - nodes)
            && self.numbers(Section::Owners).iter().all(|&owner| owner < contents)
            && self.ids().is_sorted_by(|a, b| a < b)
            && ascends(self.numbers(Section::Starts), rows)
            && self.ids().len() == contents as usize
            && (0..contents).all(|content| self.owns_its_rows(content))
            && self.numbers(Section::Entries).iter().all(|&entry| entry < nodes)
    }

    /// Whether a text has rows, and these say that they are its.
    fn owns_its_rows(&self, content: u32) -> bool {
        let owners = self.numbers(Section::Owners);
        let rows = self.rows_at(content as usize);
        !rows.is_empty() && rows.iter().all(|&row| owners.get(row as usize) == Some(&content))
    }

    fn read_entries(&self) -> Entries {
        let nodes = self.numbers(Section::Entries).to_vec();
        let mut codes = Codes::new(self.head.dimension as usize, self.head.scale);
        for &node in &nodes {
            codes.push_row(self.rows().row(node));
        }
        Entries { nodes, codes, strays: self.head.strays as usize }
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of its file.
    pub fn file_bytes(&self) -> u64 {
        (self.walked.bytes().len() + self.full.bytes().len()) as u64
    }

    /// Vectors that it holds, dead ones included.
    pub fn row_count(&self) -> usize {
        self.head.rows as usize
    }

    /// Nodes of its graph.
    pub fn nodes(&self) -> usize {
        self.head.nodes as usize
    }

    /// Vectors that can answer.
    pub fn live(&self) -> usize {
        self.row_count() - self.dead_rows.count()
    }

    /// Whether there is a graph.
    pub fn is_linked(&self) -> bool {
        self.head.is_linked
    }

    pub(super) fn scale(&self) -> super::codes::Scale {
        self.head.scale
    }

    fn section(&self, section: Section) -> &[u8] {
        let place = self.head.place(section);
        let (map, from) = match section {
            Section::Vectors => (&self.full, 0),
            _ => (&self.walked, place.offset as usize),
        };
        map.bytes().get(from..from + place.length as usize).unwrap_or_default()
    }

    /// A section of four-byte numbers.
    fn numbers(&self, section: Section) -> &[u32] {
        bytemuck::try_cast_slice(self.section(section)).unwrap_or_default()
    }

    /// The keys of its texts, ascending.
    pub fn ids(&self) -> &[i64] {
        bytemuck::try_cast_slice(self.section(Section::Ids)).unwrap_or_default()
    }

    /// The first bytes of the hash of each text, in the order of [`Self::ids`].
    pub fn checks(&self) -> &[u32] {
        self.numbers(Section::Checks)
    }

    pub(super) fn rows(&self) -> Rows<'_> {
        let stride = stride_of(self.head.dimension as usize);
        Rows { codes: self.section(Section::Codes), stride }
    }

    pub(super) fn graph(&self) -> Graph<'_> {
        Graph {
            rows: self.rows(),
            links: self.numbers(Section::Links),
            entries: &self.entries.nodes,
            entry_rows: self.entries.codes.rows(),
            strays: self.entries.strays,
        }
    }

    /// The links of all nodes, [`DEGREE`] for each.
    pub(super) fn links_of(&self, node: u32) -> &[u32] {
        let from = node as usize * DEGREE;
        self.numbers(Section::Links).get(from..from + DEGREE).unwrap_or_default()
    }

    /// The rows that are in the family of a node, besides itself.
    pub(super) fn members(&self, node: u32) -> Range<u32> {
        let starts = self.numbers(Section::Members);
        let start =
            |node: usize| starts.get(node).map_or(self.head.rows, |at| self.head.nodes + at);
        start(node as usize)..start(node as usize + 1)
    }

    /// The node that leads the family of a row.
    fn head_of(&self, row: u32) -> u32 {
        let Some(member) = row.checked_sub(self.head.nodes) else { return row };
        let starts = self.numbers(Section::Members);
        (starts.partition_point(|&start| start <= member) - 1) as u32
    }

    /// Where it is said whose a row is.
    fn owner_place(&self, row: u32) -> Option<&u32> {
        self.numbers(Section::Owners).get(row as usize)
    }

    /// Whose a row is.
    pub fn owner(&self, row: u32) -> Option<ContentId> {
        let owner = *self.owner_place(row)?;
        self.ids().get(owner as usize).copied().map(ContentId)
    }

    /// Whose a row is, and which of its windows.
    pub(super) fn owner_of(&self, row: u32) -> Option<Owner> {
        let content = self.owner(row)?;
        let window = self.rows_of(content).iter().position(|&other| other == row)?;
        Some(Owner { content, window: u16::try_from(window).unwrap_or(u16::MAX) })
    }

    /// The start of the hash of a row's text.
    pub(super) fn check_of(&self, row: u32) -> u32 {
        let owner = self.numbers(Section::Owners).get(row as usize);
        owner.and_then(|&owner| self.checks().get(owner as usize)).copied().unwrap_or_default()
    }

    /// Where a text is among those of this segment.
    fn place_of(&self, content: ContentId) -> Option<usize> {
        let ids = self.ids();
        // Keys are given out one after the other: most often there are no gaps.
        let guess = content.0.checked_sub(*ids.first()?)?;
        let guess = usize::try_from(guess).ok()?;
        if ids.get(guess) == Some(&content.0) {
            return Some(guess);
        }
        ids.binary_search(&content.0).ok()
    }

    fn rows_at(&self, place: usize) -> &[u32] {
        let starts = self.numbers(Section::Starts);
        let start = |at| starts.get(at).copied().unwrap_or_default() as usize;
        self.numbers(Section::Rows).get(start(place)..start(place + 1)).unwrap_or_default()
    }

    /// How many of its texts are in a set, if their keys lie close together; else more than
    /// that.
    fn at_most_in(&self, only: &ContentSet) -> usize {
        match (self.ids().first(), self.ids().last()) {
            (Some(&first), Some(&last)) => only.count_within(ContentId(first), ContentId(last)),
            _ => 0,
        }
    }

    /// Makes `rows` the live rows of the texts in a set, ascending. `marks` are for its use.
    fn list_rows_in(&self, only: &ContentSet, rows: &mut Vec<u32>, marks: &mut FixedBitSet) {
        rows.clear();
        if let (Some(&first), Some(&last)) = (self.ids().first(), self.ids().last()) {
            for content in only.within(ContentId(first), ContentId(last)) {
                rows.extend(self.rows_of(content).iter().filter(|&&row| !self.is_dead(row)));
            }
        }
        if rows.len() < self.row_count() / FEW_MARKS {
            rows.sort_unstable();
            return;
        }
        marks.clear();
        marks.grow(self.row_count());
        rows.iter().for_each(|&row| marks.insert(row as usize));
        rows.clear();
        rows.extend(marks.ones().map(|row| row as u32));
    }

    /// Whether a row is alive and of a text in the set, if one is given.
    fn may_answer(&self, row: u32, only: Option<&ContentSet>) -> bool {
        !self.is_dead(row)
            && only.is_none_or(|only| self.owner(row).is_some_and(|text| only.contains(text)))
    }

    /// Whether a node leads to a row that may answer.
    fn leads_to_answer(&self, node: u32, only: Option<&ContentSet>) -> bool {
        self.may_answer(node, only) || self.members(node).any(|row| self.may_answer(row, only))
    }

    /// The rows of a text in the order of its windows.
    pub fn rows_of(&self, content: ContentId) -> &[u32] {
        self.place_of(content).map(|place| self.rows_at(place)).unwrap_or_default()
    }

    /// The vector of a row.
    pub fn vector(&self, row: u32) -> &[f32] {
        let dimension = self.head.dimension as usize;
        let from = row as usize * dimension;
        let vectors: &[f32] =
            bytemuck::try_cast_slice(self.section(Section::Vectors)).unwrap_or_default();
        vectors.get(from..from + dimension).unwrap_or_default()
    }

    /// The vectors of a text that is in it and not dead.
    pub fn windows(&self, content: ContentId) -> Option<Windows> {
        let rows = self.rows_of(content).iter().filter(|&&row| !self.dead_rows.contains(row));
        Windows::new(rows.filter_map(|&row| UnitVector::normalized(self.vector(row))).collect())
    }

    /// Takes a text out. False if it is not in here, or out already.
    pub fn kill(&self, content: ContentId) -> bool {
        self.place_of(content).is_some_and(|place| self.kill_at(place))
    }

    fn kill_at(&self, place: usize) -> bool {
        let mut is_new = false;
        for &row in self.rows_at(place) {
            is_new |= self.dead_rows.set(row);
            let head = self.head_of(row);
            let mut family = self.members(head);
            if self.dead_rows.contains(head) && family.all(|row| self.dead_rows.contains(row)) {
                self.dead_nodes.set(head);
            }
        }
        is_new
    }

    /// Takes out all texts but those that `lives` lets through, which gets the place of
    /// each, ascending.
    pub fn keep(&self, lives: &mut dyn FnMut(usize) -> bool) {
        for place in 0..self.ids().len() {
            if !lives(place) {
                self.kill_at(place);
            }
        }
    }

    /// Whether a text is in here and not dead.
    pub fn holds(&self, content: ContentId) -> bool {
        self.rows_of(content).iter().any(|&row| !self.is_dead(row))
    }

    /// Whether a row is dead.
    pub fn is_dead(&self, row: u32) -> bool {
        self.dead_rows.contains(row)
    }
}

/// The checksum of a part of a file, read piece by piece: what is only checked must not
/// stay in the memory of the process.
fn checksum_of(file: &mut File, offset: u64, length: u64) -> io::Result<u32> {
    file.seek(SeekFrom::Start(offset))?;
    let mut rest = file.take(length);
    let mut hasher = crc32fast::Hasher::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match rest.read(&mut buffer)? {
            0 => return Ok(hasher.finalize()),
            read => hasher.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}
