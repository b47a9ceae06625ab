use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over bytes, with rate and remaining time, on standard error. Invisible where
/// that is not a terminal.
pub fn bytes(total: u64, what: &'static str) -> ProgressBar {
    let template = match total {
        // Nobody says how much is to come.
        0 => "{prefix} {spinner} {bytes} {bytes_per_sec}, for {elapsed} {msg}",
        _ => {
            "{prefix} {bar:30} {percent:>3}% {bytes}/{total_bytes} {bytes_per_sec}, {eta} left {msg}"
        }
    };
    bar(ProgressBar::new(total), template, what)
}

/// A bar over articles, of which more may be found meanwhile: the remaining time is that of
/// those which are known.
pub fn articles(what: &'static str) -> ProgressBar {
    let template = "{prefix} {bar:30} {pos}/{len} {per_sec}, {eta} left {msg}";
    bar(ProgressBar::new(0), template, what)
}

/// A bar over shares of a whole, in thousandths.
pub fn share(what: &'static str) -> ProgressBar {
    bar(ProgressBar::new(1_000), "{prefix} {bar:30} {percent:>3}%, {eta} left", what)
}

/// A bar over one step after the other; see [`tell`].
pub fn steps(what: &'static str) -> ProgressBar {
    bar(ProgressBar::new(0), UNKNOWN, what)
}

/// Tells a bar of steps what is worked on, and how far that is; a total of 0 is none.
pub fn tell(bar: &ProgressBar, what: &'static str, done: u64, total: u64) {
    if bar.message() != what || bar.length() != Some(total) {
        let template = if total == 0 { UNKNOWN } else { KNOWN };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar.set_length(total);
        bar.reset();
    }
    bar.set_position(done);
}

/// A step of which nobody can say how long it takes.
const UNKNOWN: &str = "{prefix} {spinner} {msg}, for {elapsed}";

/// Any other.
const KNOWN: &str =
    "{prefix} {bar:30} {percent:>3}% {human_pos}/{human_len} {msg} {per_sec}, {eta} left";

/// Turns while somebody else works and does not say how far that is.
pub fn waiting(what: &'static str) -> ProgressBar {
    bar(ProgressBar::new_spinner(), "{prefix} {spinner} for {elapsed}", what)
}

fn bar(bar: ProgressBar, template: &str, what: &'static str) -> ProgressBar {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
