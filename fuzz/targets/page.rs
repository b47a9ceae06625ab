//! Pages of any bytes.
#![no_main]

#[path = "../harness/page.rs"]
mod page;

libfuzzer_sys::fuzz_target!(|data: &[u8]| page::read_page(data));
