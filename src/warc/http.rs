use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};

/// Bytes of an answer before its body.
pub const HEAD_BYTES: usize = 256 << 10;

/// Fields of an answer.
const FIELDS: usize = 256;

/// An answer of a web server, as it was archived.
pub struct Answer<'a> {
    pub status: u16,
    pub content_type: String,
    content_encoding: String,
    is_chunked: bool,
    rest: &'a [u8],
}

/// Why a body cannot be had.
pub enum BodyError {
    TooLarge,
    Packed(String),
}

/// Whether a Content-Type is that of a page. Without one, it may be.
pub fn is_page(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    ["", "text/html", "application/xhtml+xml"]
        .iter()
        .any(|page| media_type.eq_ignore_ascii_case(page))
}

/// Reads the head of an answer; `None` if it is none.
pub fn answer(content: &[u8]) -> Option<Answer<'_>> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut head = httparse::Response::new(&mut fields);
    let mut config = httparse::ParserConfig::default();
    // What servers sent is archived as it was.
    config
        .allow_spaces_after_header_name_in_responses(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .ignore_invalid_headers_in_responses(true);
    let parsed = config.parse_response(&mut head, content).ok()?;
    let httparse::Status::Complete(end) = parsed else { return None };
    let field = |name: &str| {
        let found = head.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name));
        found.map_or_else(String::new, |field| String::from_utf8_lossy(field.value).trim().into())
    };
    Some(Answer {
        status: head.code?,
        content_type: field("content-type"),
        content_encoding: field("content-encoding").to_ascii_lowercase(),
        is_chunked: field("transfer-encoding").to_ascii_lowercase().contains("chunked"),
        rest: content.get(end..)?,
    })
}

impl Answer<'_> {
    /// The body, of at most `largest` bytes. Archives often hold bodies that are unpacked
    /// already under the header of packed ones: what does not look packed is taken as it is.
    pub fn body(&self, largest: usize) -> Result<Vec<u8>, BodyError> {
        let whole = match self.is_chunked {
            true => unchunked(self.rest).unwrap_or_else(|| self.rest.to_vec()),
            false => self.rest.to_vec(),
        };
        match self.content_encoding.as_str() {
            "gzip" | "x-gzip" if whole.starts_with(&[0x1F, 0x8B]) => {
                unpacked(MultiGzDecoder::new(whole.as_slice()), largest)
            }
            "deflate" if whole.first().is_some_and(|byte| byte & 0x0F == 8) => {
                unpacked(ZlibDecoder::new(whole.as_slice()), largest)
            }
            "gzip" | "x-gzip" | "deflate" | "" | "identity" if whole.len() <= largest => Ok(whole),
            "gzip" | "x-gzip" | "deflate" | "" | "identity" => Err(BodyError::TooLarge),
            // Text does not begin like that.
            _ if whole.trim_ascii_start().starts_with(b"<") => Ok(whole),
            other => Err(BodyError::Packed(format!("its encoding is {other:?}"))),
        }
    }
}

fn unpacked(decoder: impl Read, largest: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    let read = decoder.take(largest as u64 + 1).read_to_end(&mut body);
    read.map_err(|error| BodyError::Packed(error.to_string()))?;
    if body.len() > largest { Err(BodyError::TooLarge) } else { Ok(body) }
}

/// A body that was sent in chunks; `None` if it was not.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let httparse::Status::Complete((start, length)) = httparse::parse_chunk_size(rest).ok()?
        else {
            return None;
        };
        let length = usize::try_from(length).ok()?;
        if length == 0 {
            return Some(body);
        }
        let end = start.checked_add(length)?;
        body.extend_from_slice(rest.get(start..end)?);
        rest = rest.get(end..)?.strip_prefix(b"\r\n")?;
    }
}
