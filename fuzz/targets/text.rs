//! Texts, normalised and aligned.
#![no_main]

#[path = "../harness/text.rs"]
mod text;

libfuzzer_sys::fuzz_target!(|data: &[u8]| text::compare_texts(data));
