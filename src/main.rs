//! The `copydesk` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    copydesk::cli::run(std::env::args_os())
}
