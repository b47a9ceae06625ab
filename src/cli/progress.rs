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

/// A bar over documents; a total of 0 is none.
pub fn documents(total: u64, what: &'static str) -> ProgressBar {
    let template = match total {
        0 => "{prefix} {spinner} {human_pos} {per_sec}, for {elapsed}",
        _ => "{prefix} {bar:30} {percent:>3}% {human_pos}/{human_len} {per_sec}, {eta} left",
    };
    bar(ProgressBar::new(total), template, what)
}

/// A bar over articles, of which more may be found meanwhile: the remaining time is that of
/// those which are known.
pub fn articles(what: &'static str) -> ProgressBar {
    let template = "{prefix} {bar:30} {pos}/{len} {per_sec}, {eta} left {msg}";
    bar(ProgressBar::new(0), template, what)
}

/// A bar over texts, some of which may be done already; see [`tell_texts`].
pub fn texts(what: &'static str) -> ProgressBar {
    let template = "{prefix} {bar:30} {percent:>3}% {human_pos}/{human_len} {per_sec}, {eta} left";
    bar(ProgressBar::new(0), template, what)
}

/// Tells a bar of texts how many are done. What was done before says nothing about the rate.
pub fn tell_texts(bar: &ProgressBar, done: u64, total: u64) {
    let begins = bar.length() != Some(total);
    bar.set_length(total);
    bar.set_position(done);
    if begins {
        bar.reset_eta();
    }
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

/// For work of somebody else's, who may say how far it is; see [`tell_share`].
pub fn waiting(what: &'static str) -> ProgressBar {
    bar(ProgressBar::new(100), WAITING, what)
}

/// Tells a bar that waits how far that is, in percent.
pub fn tell_share(bar: &ProgressBar, percent: u64) {
    // What is done in turns begins anew with each of them.
    if percent < bar.position() {
        bar.reset_eta();
    }
    if let Ok(style) = ProgressStyle::with_template(SHARE) {
        bar.set_style(style);
    }
    bar.set_position(percent);
}

/// Tells a bar that waits that nobody says how far that is.
pub fn tell_unknown(bar: &ProgressBar) {
    if let Ok(style) = ProgressStyle::with_template(WAITING) {
        bar.set_style(style);
    }
}

const WAITING: &str = "{prefix} {spinner} for {elapsed}";
const SHARE: &str = "{prefix} {bar:30} {percent:>3}% for {elapsed}, {eta} left";

fn bar(bar: ProgressBar, template: &str, what: &'static str) -> ProgressBar {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
