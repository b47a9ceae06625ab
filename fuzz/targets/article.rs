//! Plain texts and lists of paragraphs, read as articles.
#![no_main]

#[path = "../harness/article.rs"]
mod article;

libfuzzer_sys::fuzz_target!(|data: &[u8]| article::read_article(data));
