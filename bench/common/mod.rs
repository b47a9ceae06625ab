//! What benchmarks share: the paragraphs of Reuters-21578, NumPy files, and memory.

#![allow(dead_code)]

pub mod made;

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use copydesk::embed::{UnitVector, Windows};
use copydesk::index::{ContentId, Truth, TruthError};
use copydesk::text::normalize;
use simsimd::SpatialSimilarity;

/// That of the program.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Nearest vectors that are written down for each query.
pub const NEIGHBOURS: usize = 10;

/// The paragraphs of each story.
pub fn stories() -> Vec<Vec<String>> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/reuters21578/docs.jsonl.gz");
    let lines = BufReader::new(flate2::read::GzDecoder::new(File::open(path).unwrap())).lines();
    let story = |line: std::io::Result<String>| {
        let document: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let paragraphs = document["paragraphs"].as_array().unwrap();
        paragraphs.iter().map(|paragraph| normalize(paragraph.as_str().unwrap())).collect()
    };
    lines.map(story).collect()
}

/// All distinct paragraphs, normalised.
pub fn reuters() -> Vec<String> {
    let mut known = HashSet::new();
    let all = stories().into_iter().flatten();
    all.filter(|text| text.len() >= 20 && known.insert(text.clone())).collect()
}

/// Resident bytes of a process.
#[derive(Debug, Clone, Copy)]
pub struct Resident {
    /// Its own.
    pub own: u64,
    /// Of the parts of segments that walks go through.
    pub walked: u64,
    /// Of their full vectors.
    pub full: u64,
}

/// Those of a process, e.g. `self`.
pub fn resident_bytes(process: &str) -> Resident {
    let smaps = std::fs::read_to_string(format!("/proc/{process}/smaps")).unwrap();
    let (mut own, mut walked, mut full) = (0, 0, 0);
    let mut kind = &mut own;
    for line in smaps.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if fields.len() >= 5 && fields[0].contains('-') {
            kind = match (line.ends_with(".segment"), fields[2]) {
                (false, _) => &mut own,
                (true, "00000000") => &mut walked,
                (true, _) => &mut full,
            };
        } else if fields[0] == "Rss:" {
            *kind += fields[1].parse::<u64>().unwrap() * 1_024;
        }
    }
    Resident { own, walked, full }
}

/// The bytes of an array and its columns.
fn array(path: &Path) -> (Vec<u8>, usize) {
    let bytes = std::fs::read(path).unwrap();
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let head = String::from_utf8_lossy(&bytes[10..start]).into_owned();
    let shape = head.split_once("'shape': (").unwrap().1.split_once(')').unwrap().0;
    let columns = shape.split_once(',').unwrap().1.trim().parse().unwrap();
    (bytes[start..].to_vec(), columns)
}

pub fn vectors(path: &Path) -> Vec<Windows> {
    let (bytes, columns) = array(path);
    let vectors =
        bytes.chunks(4 * columns).map(|row| UnitVector::from_bytes(row, columns).unwrap());
    vectors.map(|vector| Windows::new(vec![vector]).unwrap()).collect()
}

pub fn numbers(path: &Path) -> Vec<i32> {
    let (bytes, _) = array(path);
    bytes.chunks(4).map(|number| i32::from_le_bytes(number.try_into().unwrap())).collect()
}

/// Writes the ordinals of the nearest vectors to each query, best first, by an exact scan.
pub fn write_nearest(path: &Path, base: &[UnitVector], queries: &[UnitVector]) {
    let (first, second) = queries.split_at(queries.len() / 2);
    let nearest = std::thread::scope(|scope| {
        let first = scope.spawn(|| nearest(base, first));
        let second = nearest(base, second);
        [first.join().unwrap(), second].concat()
    });
    let bytes: Vec<u8> = nearest.iter().flat_map(|ordinal| ordinal.to_le_bytes()).collect();
    write_array(path, "<i4", NEIGHBOURS, &bytes);
}

fn nearest(base: &[UnitVector], queries: &[UnitVector]) -> Vec<i32> {
    let mut all = Vec::new();
    for query in queries {
        let score = |v: &UnitVector| f32::dot(query.as_slice(), v.as_slice()).unwrap();
        let mut scored: Vec<(f64, i32)> = base.iter().map(score).zip(0..).collect();
        scored.select_nth_unstable_by(NEIGHBOURS, |a, b| b.0.total_cmp(&a.0));
        scored.truncate(NEIGHBOURS);
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        all.extend(scored.iter().map(|scored| scored.1));
    }
    all
}

pub fn write_vectors(path: &Path, vectors: &[UnitVector]) {
    let bytes: Vec<u8> = vectors.iter().flat_map(UnitVector::to_bytes).collect();
    write_array(path, "<f4", vectors[0].as_slice().len(), &bytes);
}

/// A two-dimensional array of four-byte numbers, in version 1 of NumPy's format.
fn write_array(path: &Path, kind: &str, columns: usize, bytes: &[u8]) {
    let rows = bytes.len() / (4 * columns);
    let head =
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    // The head ends with a line and fills 64 bytes, or a multiple, with what is before it.
    let padded = (head.len() + 11).next_multiple_of(64) - 10;
    let mut file = BufWriter::new(File::create(path).unwrap());
    file.write_all(b"\x93NUMPY\x01\x00").unwrap();
    file.write_all(&(padded as u16).to_le_bytes()).unwrap();
    writeln!(file, "{head:<width$}", width = padded - 1).unwrap();
    file.write_all(bytes).unwrap();
    file.flush().unwrap();
}

/// How many vectors there are, where these do not matter.
pub struct Count(pub i64);

impl Truth for Count {
    fn texts(&self, each: &mut dyn FnMut(ContentId, u32)) -> Result<(), TruthError> {
        (1..=self.0).for_each(|id| each(ContentId(id), 0));
        Ok(())
    }

    fn vectors(
        &self,
        _: &[ContentId],
        _: &mut dyn FnMut(ContentId, Windows),
    ) -> Result<(), TruthError> {
        Err("a vector is missing from the index".into())
    }
}
