use std::io::{self, BufRead, Read};

use super::ArchiveError;

/// Bytes of a line of a record's header.
const LINE_BYTES: u64 = 64 << 10;

/// Lines of a record's header.
const LINES: usize = 200;

/// The header of a record: its fields by their names in lower case.
pub struct Header(Vec<(String, String)>);

impl Header {
    /// The value of a field, or nothing.
    pub fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(own, _)| own == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    pub fn is(&self, name: &str, value: &str) -> bool {
        self.get(name).eq_ignore_ascii_case(value)
    }
}

/// The records of an archive, one after the other.
pub struct Records<R> {
    input: R,
    /// Bytes that were read.
    offset: u64,
    /// Bytes of the record's content that were not.
    left: u64,
}

impl<R: BufRead> Records<R> {
    pub fn new(input: R) -> Self {
        Self { input, offset: 0, left: 0 }
    }

    /// The header of the next record; what is left of the one before is passed over.
    pub fn header(&mut self) -> Result<Option<Header>, ArchiveError> {
        self.skip_content()?;
        let version = loop {
            match self.line()? {
                None => return Ok(None),
                Some(line) if line.is_empty() => {}
                Some(line) => break line,
            }
        };
        if !version.starts_with("WARC/") {
            return Err(self.damaged("no record begins here"));
        }
        let mut fields = Vec::new();
        loop {
            let Some(line) = self.line()? else {
                return Err(self.damaged("it ends within the header of a record"));
            };
            if line.is_empty() {
                break;
            }
            // A line may go on on the next one, which then begins with white space. No field
            // that is used here is that long.
            if !line.starts_with([' ', '\t']) {
                let Some((name, value)) = line.split_once(':') else {
                    return Err(self.damaged("a line of a header names no field"));
                };
                fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
            if fields.len() > LINES {
                return Err(self.damaged("a header has too many lines"));
            }
        }
        let header = Header(fields);
        let length = header.get("content-length").parse();
        self.left = length.map_err(|_| self.damaged("a record does not say how long it is"))?;
        Ok(Some(header))
    }

    /// The content of the record whose header was read; `None` if it has more than `most`
    /// bytes.
    pub fn content(&mut self, most: usize) -> Result<Option<Vec<u8>>, ArchiveError> {
        if self.left > most as u64 {
            return Ok(None);
        }
        let expected = self.left;
        let mut content = Vec::new();
        let read = (&mut self.input).take(expected).read_to_end(&mut content)? as u64;
        self.offset += read;
        self.left = 0;
        match read == expected {
            true => Ok(Some(content)),
            false => Err(self.damaged("it ends within a record")),
        }
    }

    fn skip_content(&mut self) -> Result<(), ArchiveError> {
        let skipped = io::copy(&mut (&mut self.input).take(self.left), &mut io::sink())?;
        self.offset += skipped;
        let is_short = skipped < self.left;
        self.left = 0;
        match is_short {
            true => Err(self.damaged("it ends within a record")),
            false => Ok(()),
        }
    }

    /// A line without its end; `None` at the end of the archive.
    fn line(&mut self) -> Result<Option<String>, ArchiveError> {
        let mut line = Vec::new();
        let read = (&mut self.input).take(LINE_BYTES).read_until(b'\n', &mut line)? as u64;
        if read == 0 {
            return Ok(None);
        }
        if line.pop() != Some(b'\n') {
            return Err(self.damaged(match read < LINE_BYTES {
                true => "it ends within a line",
                false => "a line of a header is too long",
            }));
        }
        self.offset += read;
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(String::from_utf8_lossy(&line).into_owned()))
    }

    fn damaged(&self, cause: &'static str) -> ArchiveError {
        ArchiveError::Damaged { offset: self.offset, cause }
    }
}
