//! JSON Lines as the command line reads them.
#![no_main]

#[path = "../harness/json_lines.rs"]
mod json_lines;

libfuzzer_sys::fuzz_target!(|data: &[u8]| json_lines::read_lines(data));
