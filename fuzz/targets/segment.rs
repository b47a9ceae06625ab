//! Segments that were changed and whose checksums were made to fit again.
#![no_main]

#[path = "../harness.rs"]
mod harness;

use std::sync::LazyLock;

static SEGMENT: LazyLock<harness::SegmentFile> = LazyLock::new(harness::SegmentFile::new);

libfuzzer_sys::fuzz_target!(|data: &[u8]| SEGMENT.open_changed(data));
