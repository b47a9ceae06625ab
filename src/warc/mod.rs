//! Web archives in the WARC format (ISO 28500), as Common Crawl and others ship them: from
//! bytes to the pages in them.
//!
//! A pure function of its input, which may be damaged or hostile. The reader is our own: the
//! crates that there are take a record's word for its length, and hold it in memory before
//! anybody can look at it.

mod http;
mod record;

use std::io::{self, BufRead};

use record::{Header, Records};

/// A page that was found in an archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArchivedPage {
    /// The id of its record, without brackets: `urn:uuid:...`. Empty if it has none.
    pub id: String,
    /// The address that it was fetched from.
    pub url: String,
    /// The Content-Type that came with it, or empty.
    pub content_type: String,
    /// As it came, but for its encoding for the way.
    pub body: Vec<u8>,
}

/// What is wrong with an archive, or with a page in it.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be read on from here; what came before it stands.
    #[error("cannot be read further: {0}; what came before was read")]
    Unreadable(#[from] io::Error),
    /// It is no archive, or not any more from here.
    #[error("is damaged at byte {offset}: {cause}; what came before was read")]
    Damaged {
        /// Bytes before the damage, unpacked.
        offset: u64,
        /// What is wrong.
        cause: &'static str,
    },
    /// One page is too large; the others follow.
    #[error("{url} has more than {largest} bytes")]
    TooLarge {
        /// Its address.
        url: String,
        /// What a page may have.
        largest: usize,
    },
    /// One page cannot be unpacked; the others follow.
    #[error("{url} cannot be unpacked: {cause}")]
    Packed {
        /// Its address.
        url: String,
        /// Why.
        cause: String,
    },
}

/// The pages of an archive, in its order. Records of other kinds, of anything else than
/// pages, and of answers other than 200 are passed over. Ends at the first damage.
pub struct Archive<R> {
    records: Records<R>,
    largest: usize,
    has_ended: bool,
}

impl<R: BufRead> Archive<R> {
    /// Of an archive that is unpacked already, with pages of `largest` bytes at most.
    pub fn new(input: R, largest: usize) -> Self {
        Self { records: Records::new(input), largest, has_ended: false }
    }

    /// The page in a record, if it is one.
    fn page(&mut self, header: &Header) -> Result<Option<ArchivedPage>, ArchiveError> {
        let is_response = header.is("warc-type", "response");
        if !is_response && !header.is("warc-type", "resource") {
            return Ok(None);
        }
        if !is_response && !http::is_page(header.get("content-type")) {
            return Ok(None);
        }
        let id = header.get("warc-record-id").trim_matches(['<', '>']).to_owned();
        let url = header.get("warc-target-uri").trim_matches(['<', '>']).to_owned();
        // What is packed is smaller than the page; how much larger a header may make it is
        // bounded as well.
        let most = self.largest + http::HEAD_BYTES;
        let Some(content) = self.records.content(most)? else {
            return Err(ArchiveError::TooLarge { url, largest: self.largest });
        };
        if !is_response {
            let content_type = header.get("content-type").to_owned();
            return Ok(Some(ArchivedPage { id, url, content_type, body: content }));
        }
        let Some(answer) = http::answer(&content) else { return Ok(None) };
        if answer.status != 200 || !http::is_page(&answer.content_type) {
            return Ok(None);
        }
        let body = answer.body(self.largest).map_err(|error| match error {
            http::BodyError::TooLarge => {
                ArchiveError::TooLarge { url: url.clone(), largest: self.largest }
            }
            http::BodyError::Packed(cause) => ArchiveError::Packed { url: url.clone(), cause },
        })?;
        Ok(Some(ArchivedPage { id, url, content_type: answer.content_type, body }))
    }

    fn step(&mut self) -> Result<Option<ArchivedPage>, ArchiveError> {
        while let Some(header) = self.records.header()? {
            if let Some(page) = self.page(&header)? {
                return Ok(Some(page));
            }
        }
        Ok(None)
    }
}

impl<R: BufRead> Iterator for Archive<R> {
    type Item = Result<ArchivedPage, ArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let step = self.step().transpose();
        self.has_ended = match &step {
            None => true,
            Some(Err(error)) => {
                matches!(error, ArchiveError::Unreadable(_) | ArchiveError::Damaged { .. })
            }
            Some(Ok(_)) => false,
        };
        step
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Write};

    use flate2::Compression;
    use flate2::read::MultiGzDecoder;
    use flate2::write::GzEncoder;

    use super::{Archive, ArchiveError, ArchivedPage};

    fn record(kind: &str, url: &str, content_type: &str, content: &[u8]) -> Vec<u8> {
        let head = format!(
            "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{url}>\r\n\
             WARC-Target-URI: {url}\r\nContent-Type: {content_type}\r\n\
             Content-Length: {}\r\n\r\n",
            content.len()
        );
        [head.as_bytes(), content, b"\r\n\r\n"].concat()
    }

    fn response(url: &str, head: &str, body: &[u8]) -> Vec<u8> {
        let content = [format!("HTTP/1.1 {head}\r\n\r\n").as_bytes(), body].concat();
        record("response", url, "application/http; msgtype=response", &content)
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    const HTML: &str = "200 OK\r\nContent-Type: text/html; charset=utf-8";

    fn archive() -> Vec<Vec<u8>> {
        vec![
            record("warcinfo", "info", "application/warc-fields", b"software: x\r\n"),
            record("request", "a", "application/http", b"GET / HTTP/1.1\r\n\r\n"),
            response("https://a.example/", HTML, b"<p>one"),
            response("https://a.example/robots.txt", "200 OK\r\nContent-Type: text/plain", b"x"),
            response("https://a.example/gone", "404 Not Found\r\nContent-Type: text/html", b"x"),
            response("https://a.example/x", "200 OK\r\nContent-Type: image/png", &[0; 50]),
            record("revisit", "https://a.example/", "application/http", b"HTTP/1.1 200 OK\r\n\r\n"),
            record("resource", "https://b.example/", "text/html", b"<p>two"),
            response(
                "https://c.example/",
                &format!("{HTML}\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked"),
                &chunked(&packed(b"<p>three")),
            ),
            // Common Crawl unpacks bodies and leaves one of the fields.
            response(
                "https://d.example/",
                &format!("{HTML}\r\nContent-Encoding: gzip"),
                b"<p>four",
            ),
        ]
    }

    fn chunked(bytes: &[u8]) -> Vec<u8> {
        let (first, second) = bytes.split_at(5);
        let mut chunks = Vec::new();
        for part in [first, second, b""] {
            chunks.extend(format!("{:x};x=y\r\n", part.len()).bytes());
            chunks.extend(part);
            chunks.extend(b"\r\n");
        }
        chunks
    }

    fn read(bytes: &[u8]) -> Vec<Result<ArchivedPage, ArchiveError>> {
        Archive::new(bytes, 1 << 20).collect()
    }

    fn bodies(pages: Vec<Result<ArchivedPage, ArchiveError>>) -> Vec<String> {
        pages.into_iter().map(|page| String::from_utf8(page.unwrap().body).unwrap()).collect()
    }

    #[test]
    fn pages_are_found_among_other_records() {
        let pages = read(&archive().concat());
        let first = pages[0].as_ref().unwrap();
        assert_eq!(first.id, "urn:uuid:https://a.example/");
        assert_eq!(first.url, "https://a.example/");
        assert_eq!(first.content_type, "text/html; charset=utf-8");
        assert_eq!(bodies(pages), ["<p>one", "<p>two", "<p>three", "<p>four"]);
    }

    #[test]
    fn records_that_are_packed_one_by_one_are_read() {
        let bytes: Vec<u8> = archive().iter().flat_map(|record| packed(record)).collect();
        let input = BufReader::new(MultiGzDecoder::new(bytes.as_slice()));
        assert_eq!(bodies(Archive::new(input, 1 << 20).collect()).len(), 4);

        let input = BufReader::new(MultiGzDecoder::new(&bytes[..bytes.len() - 9]));
        let pages: Vec<_> = Archive::new(input, 1 << 20).collect();
        assert!(matches!(pages.last(), Some(Err(ArchiveError::Unreadable(_)))));
        assert!(pages.len() >= 4, "{}", pages.len());
    }

    #[test]
    fn what_is_cut_or_no_archive_is_said_after_what_came_before() {
        let bytes = archive().concat();
        for cut in 0..bytes.len() {
            let pages = read(&bytes[..cut]);
            assert!(pages.iter().rev().skip(1).all(|page| page.is_ok()), "at {cut}");
        }
        assert!(matches!(read(&bytes[..bytes.len() - 20]).last(), Some(Err(_))));
        let wrong = read(b"<html>no archive");
        assert!(matches!(wrong[..], [Err(ArchiveError::Damaged { offset: 0, .. })]), "{wrong:?}");
        for header in [
            "WARC/1.0\r\nContent-Length: 99999999999999999999\r\n\r\n".to_owned(),
            "WARC/1.0\r\nWARC-Type: response\r\n\r\n".to_owned(),
            format!("WARC/1.0\r\nX: {}\r\n", "x".repeat(1 << 20)),
            "WARC/1.0\r\nX: y\r\n".repeat(100_000),
            "WARC/1.0\r\nno field\r\n\r\n".to_owned(),
        ] {
            let pages = read(header.as_bytes());
            assert!(matches!(pages[..], [Err(ArchiveError::Damaged { .. })]), "{pages:?}");
        }
        assert!(read(b"").is_empty());
        assert!(read(b"\r\n\r\n").is_empty());
    }

    #[test]
    fn a_page_that_is_too_large_is_passed_over_alone() {
        let bomb = packed(&vec![b' '; 4 << 20]);
        let bytes = [
            response("https://a.example/", HTML, &vec![b'x'; 4 << 20]),
            response("https://b.example/", &format!("{HTML}\r\nContent-Encoding: gzip"), &bomb),
            response("https://c.example/", &format!("{HTML}\r\nContent-Encoding: br"), b"\x0b\x02"),
            response("https://d.example/", HTML, b"<p>small"),
        ];
        let pages = read(&bytes.concat());
        assert!(matches!(pages[0], Err(ArchiveError::TooLarge { .. })));
        assert!(matches!(pages[1], Err(ArchiveError::TooLarge { .. })));
        assert!(matches!(pages[2], Err(ArchiveError::Packed { .. })));
        assert_eq!(pages[3].as_ref().unwrap().body, b"<p>small");
        // A length that nobody can hold is not believed.
        let claims =
            "WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 9000000000000000000\r\n\r\n";
        let pages = read(claims.as_bytes());
        assert!(matches!(pages[0], Err(ArchiveError::TooLarge { .. })), "{pages:?}");
        assert!(matches!(pages[1..], [Err(ArchiveError::Damaged { .. })]), "{pages:?}");
    }
}
