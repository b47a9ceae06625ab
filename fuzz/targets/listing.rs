//! Filters, pages and page tokens.
#![no_main]

#[path = "../harness/desk.rs"]
mod desk;
#[path = "../harness/listing.rs"]
mod listing;

use std::sync::{LazyLock, Mutex, PoisonError};

static LISTS: LazyLock<Mutex<listing::Lists>> = LazyLock::new(Mutex::default);

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    LISTS.lock().unwrap_or_else(PoisonError::into_inner).ask(data);
});
