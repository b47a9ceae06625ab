use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

/// What a gzip file begins with.
const GZIP: [u8; 2] = [0x1F, 0x8B];

/// Bytes in which a file shows what it is.
const HEAD: u64 = 4_096;

/// A file, unpacked if it is packed with gzip, whatever it is called. `consumed` counts the
/// bytes that are read of it, packed.
pub fn file(path: &Path, consumed: &Arc<AtomicU64>) -> io::Result<Box<dyn BufRead>> {
    open(File::open(path)?, consumed)
}

/// Standard input, likewise.
pub fn stdin(consumed: &Arc<AtomicU64>) -> io::Result<Box<dyn BufRead>> {
    open(io::stdin(), consumed)
}

/// The first bytes of a file.
pub fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file(path, &Arc::default())?.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

fn open(input: impl Read + 'static, consumed: &Arc<AtomicU64>) -> io::Result<Box<dyn BufRead>> {
    let mut input = BufReader::new(Counted { input, consumed: Arc::clone(consumed) });
    // A pipe may give its first byte alone; then it is not taken for packed.
    Ok(match input.fill_buf()?.starts_with(&GZIP) {
        true => Box::new(BufReader::new(MultiGzDecoder::new(input))),
        false => Box::new(input),
    })
}

struct Counted<R> {
    input: R,
    consumed: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.consumed.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// All of an input; `None` if it has more than `most` bytes.
pub fn whole(input: impl BufRead, most: usize) -> io::Result<Option<Vec<u8>>> {
    let mut contents = Vec::new();
    input.take(most as u64 + 1).read_to_end(&mut contents)?;
    Ok((contents.len() <= most).then_some(contents))
}

/// Reads a line with its end, of which `line` gets the first `most` bytes. Returns the bytes
/// that it has.
pub fn bounded_line(input: &mut impl BufRead, line: &mut Vec<u8>, most: usize) -> io::Result<u64> {
    let mut bytes = input.take(most as u64).read_until(b'\n', line)? as u64;
    if bytes == most as u64 && line.last() != Some(&b'\n') {
        bytes += input.skip_until(b'\n')? as u64;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{bounded_line, whole};

    #[test]
    fn long_lines_are_cut_and_passed_over_to_their_end() {
        let mut input: &[u8] = b"abc\nabcdef\nx";
        let mut read = || {
            let mut line = Vec::new();
            let bytes = bounded_line(&mut input, &mut line, 4).unwrap();
            (bytes, String::from_utf8(line).unwrap())
        };
        assert_eq!(read(), (4, "abc\n".to_owned()));
        assert_eq!(read(), (7, "abcd".to_owned()));
        assert_eq!(read(), (1, "x".to_owned()));
        assert_eq!(read(), (0, String::new()));
        assert_eq!(whole(b"abc".as_slice(), 3).unwrap().unwrap(), b"abc");
        assert!(whole(b"abcd".as_slice(), 3).unwrap().is_none());
    }
}
