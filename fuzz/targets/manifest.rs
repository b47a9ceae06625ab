//! Manifests of any bytes.
#![no_main]

#[path = "../harness/manifest.rs"]
mod manifest;

libfuzzer_sys::fuzz_target!(|data: &[u8]| manifest::read_manifest(data));
