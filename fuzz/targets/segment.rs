//! Segments that were changed and whose checksums were made to fit again.
#![no_main]

#[path = "../harness/segment.rs"]
mod segment;

use std::sync::LazyLock;

static SEGMENT: LazyLock<segment::SegmentFile> = LazyLock::new(segment::SegmentFile::new);

libfuzzer_sys::fuzz_target!(|data: &[u8]| SEGMENT.open_changed(data));
