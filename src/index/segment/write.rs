use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use super::super::build::{Finished, Origin};
use super::super::codes::Codes;
use super::layout::{Head, PAGE, Place, Section};
use super::{Identity, Owner};

/// Gives the full vectors of the rows of a segment that is written.
pub trait VectorSource {
    fn vector(&self, origin: Origin) -> &[f32];
    /// The first bytes of the hash of a row's text.
    fn check(&self, origin: Origin) -> u32;
}

/// Writes a segment file, section by section.
pub struct SegmentWriter {
    file: BufWriter<File>,
    at: u64,
    places: [Place; 10],
}

impl SegmentWriter {
    /// Writes a segment whose rows are linked, to a new file, and waits until it is on disk.
    pub fn write_linked(
        path: &Path,
        identity: Identity,
        finished: &Finished,
        source: &dyn VectorSource,
    ) -> io::Result<()> {
        let Finished { draft, entries } = finished;
        let mut starts = vec![0_u32; draft.nodes() + 1];
        for &head in &draft.heads {
            if let Some(count) = starts.get_mut(head as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let parts = Parts {
            codes: &draft.codes,
            links: &draft.links,
            members: &starts,
            entries: &entries.nodes,
            strays: entries.strays,
            owners: &draft.owners,
            origins: &draft.origins,
        };
        Self::write(path, identity, &parts, source)
    }

    /// Writes a segment without a graph.
    pub fn write_flat(
        path: &Path,
        identity: Identity,
        codes: &Codes,
        owners: &[Owner],
        source: &dyn VectorSource,
    ) -> io::Result<()> {
        let origins: Vec<Origin> =
            (0..owners.len() as u32).map(|row| Origin { source: 0, row }).collect();
        let parts = Parts {
            codes,
            links: &[],
            members: &vec![0; owners.len() + 1],
            entries: &[],
            strays: 0,
            owners,
            origins: &origins,
        };
        Self::write(path, identity, &parts, source)
    }

    fn write(
        path: &Path,
        identity: Identity,
        parts: &Parts<'_>,
        source: &dyn VectorSource,
    ) -> io::Result<()> {
        let file = File::create_new(path)?;
        let mut writer = Self {
            file: BufWriter::with_capacity(1 << 18, file),
            at: 0,
            places: [Place::default(); 10],
        };
        writer.file.write_all(&[0; PAGE])?;
        writer.at = PAGE as u64;

        let mut order: Vec<u32> = (0..parts.owners.len() as u32).collect();
        order.sort_unstable_by_key(|&row| parts.owners.get(row as usize).copied());
        let (mut ids, mut checks, mut starts) = (Vec::new(), Vec::new(), Vec::new());
        let mut owner_of = vec![0_u32; parts.owners.len()];
        for (place, &row) in (0_u32..).zip(&order) {
            let Some(owner) = parts.owners.get(row as usize) else { continue };
            if ids.last() != Some(&owner.content.0) {
                ids.push(owner.content.0);
                starts.push(place);
                let origin = parts.origins.get(row as usize).copied();
                checks.push(origin.map_or(0, |origin| source.check(origin)));
            }
            if let Some(at) = owner_of.get_mut(row as usize) {
                *at = ids.len() as u32 - 1;
            }
        }
        starts.push(order.len() as u32);

        let nodes = parts.members.len() - 1;
        writer.section(Section::Codes, [parts.codes.rows().codes])?;
        writer.numbers(Section::Links, parts.links)?;
        writer.numbers(Section::Members, parts.members)?;
        writer.numbers(Section::Owners, &owner_of)?;
        writer.section(Section::Ids, [bytemuck::cast_slice(&ids)])?;
        writer.numbers(Section::Checks, &checks)?;
        writer.numbers(Section::Starts, &starts)?;
        writer.numbers(Section::Rows, &order)?;
        writer.numbers(Section::Entries, parts.entries)?;
        let vectors = parts.origins.iter().map(|&origin| source.vector(origin));
        writer.section(Section::Vectors, vectors.map(bytemuck::cast_slice::<f32, u8>))?;

        let dimension = parts.origins.first().map_or(1, |&origin| source.vector(origin).len());
        let head = Head {
            identity,
            dimension: dimension as u32,
            rows: parts.owners.len() as u32,
            nodes: nodes as u32,
            contents: ids.len() as u32,
            entries: parts.entries.len() as u32,
            strays: parts.strays as u32,
            is_linked: !parts.links.is_empty(),
            scale: parts.codes.scale,
            places: writer.places,
        };
        writer.file.seek(SeekFrom::Start(0))?;
        writer.file.write_all(&head.to_bytes())?;
        let file = writer.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()
    }

    fn numbers(&mut self, section: Section, numbers: &[u32]) -> io::Result<()> {
        self.section(section, [bytemuck::cast_slice(numbers)])
    }

    /// Writes a section, from the start of a page on.
    fn section<'a>(
        &mut self,
        section: Section,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> io::Result<()> {
        let offset = self.at.next_multiple_of(PAGE as u64);
        self.file.write_all(&vec![0; (offset - self.at) as usize])?;
        let mut place = Place { offset, length: 0, checksum: 0 };
        let mut hasher = crc32fast::Hasher::new();
        for piece in pieces {
            hasher.update(piece);
            self.file.write_all(piece)?;
            place.length += piece.len() as u64;
        }
        place.checksum = hasher.finalize();
        self.at = offset + place.length;
        if let Some(at) = self.places.get_mut(section as usize) {
            *at = place;
        }
        Ok(())
    }
}

/// What is written.
struct Parts<'a> {
    codes: &'a Codes,
    links: &'a [u32],
    /// Where the members of each node begin among all members, and their number.
    members: &'a [u32],
    entries: &'a [u32],
    strays: usize,
    owners: &'a [Owner],
    origins: &'a [Origin],
}
