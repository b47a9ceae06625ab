//! Manifests of any bytes, with the checksum that they have and with the one that they should.

use copydesk::index::Manifest;

/// Reads a manifest as it is, and its line with the checksum that fits.
pub fn read_manifest(bytes: &[u8]) {
    let _ = Manifest::parse(bytes);
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let mut mended = line.to_vec();
    mended.extend(format!("\n{:08x}\n", crc32fast::hash(line)).bytes());
    if let Ok(manifest) = Manifest::parse(&mended) {
        // Nothing outside of its folder can be named.
        assert!(manifest.segments.iter().all(|name| !name.contains(['/', '\\'])));
    }
}
