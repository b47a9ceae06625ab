//! Whole requests of any bytes.
#![no_main]

#[path = "../harness/calls.rs"]
mod calls;
#[path = "../harness/desk.rs"]
mod desk;

use std::sync::{LazyLock, Mutex, PoisonError};

static CALLS: LazyLock<Mutex<calls::Calls>> = LazyLock::new(Mutex::default);

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    CALLS.lock().unwrap_or_else(PoisonError::into_inner).call(data);
});
