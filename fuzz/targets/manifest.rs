//! Manifests of any bytes, with the checksum that they have and with the one that they should.
#![no_main]

#[path = "../harness.rs"]
mod harness;

libfuzzer_sys::fuzz_target!(|data: &[u8]| harness::read_manifest(data));
