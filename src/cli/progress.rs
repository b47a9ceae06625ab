use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over bytes, with rate and remaining time, on standard error. Invisible where
/// that is not a terminal.
pub fn bytes(total: u64, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let template =
        "{prefix} {bar:30} {percent:>3}% {bytes}/{total_bytes} {bytes_per_sec}, {eta} left {msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A bar over shares of a whole, in thousandths.
pub fn share(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(1_000);
    if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:30} {percent:>3}%, {eta} left") {
        bar.set_style(style);
    }
    bar.set_prefix(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
