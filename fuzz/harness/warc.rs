//! Web archives of any bytes.

use copydesk::warc::Archive;

/// Bytes that a page may have.
const LARGEST: usize = 1_000;

/// Reads an archive of any bytes. It comes to an end, and its pages are bounded.
pub fn read_archive(bytes: &[u8]) {
    let most = bytes.len();
    let pages: Vec<_> = Archive::new(bytes, LARGEST).take(most + 1).collect();
    assert!(pages.len() <= most);
    assert!(pages.iter().flatten().all(|page| page.body.len() <= LARGEST));
}
