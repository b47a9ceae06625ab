//! Feeds of any bytes.
#![no_main]

#[path = "../harness/feed.rs"]
mod feed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| feed::read_feed(data));
