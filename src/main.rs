//! The `copydesk` program.

use std::process::ExitCode;

/// Gives back to the system what freezing and merging needed; the allocator of glibc keeps
/// most of it.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    copydesk::cli::run(std::env::args_os())
}
