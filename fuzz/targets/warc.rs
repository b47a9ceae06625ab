//! Web archives of any bytes.
#![no_main]

#[path = "../harness/warc.rs"]
mod warc;

libfuzzer_sys::fuzz_target!(|data: &[u8]| warc::read_archive(data));
