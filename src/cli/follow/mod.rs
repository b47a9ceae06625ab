//! `copydesk follow`: polls feeds for as long as it runs.

mod poll;
mod sending;
mod settings;
mod state;
mod story;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use quick_cache::sync::Cache;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::args::FollowArgs;
use super::failure::Failure;
use super::ingest::largest_document;
use super::output::counted;
use super::stop;
use crate::client::Client;
use crate::fetch::Fetcher;

use poll::{PollError, Polled};
use sending::Sender;
use settings::FeedSettings;
use state::{FeedState, States};

pub use settings::SettingsError;
pub use state::StateError;

/// The longest time between two polls of a feed that fails, unless its own is longer.
const LONGEST: Duration = Duration::from_secs(6 * 3_600);

/// Entries of all feeds that are remembered to be there, so that one that stands in several is
/// sent once.
const ENTRIES: usize = 500_000;

/// Follows the feeds that a file names, until Ctrl-C, or polls each of them once. The code is
/// then 1 if one of them failed.
pub async fn follow(
    mut client: Client,
    args: FollowArgs,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let feeds = settings::read(&args.feeds)?;
    let folder = args.state.unwrap_or_else(|| args.feeds.with_extension("state"));
    let states = States::open(&folder)?;
    let stop = stop::on_signal()?;
    let largest = largest_document(&mut client).await?;
    let following = Arc::new(Following {
        fetcher: Fetcher::new(args.fetch.options()),
        sender: Sender { client, largest, stop: stop.clone() },
        states,
        known: Cache::new(ENTRIES),
        stop: stop.clone(),
        as_json,
        once: args.once,
    });
    let count = feeds.len();
    if !args.once {
        eprintln!("following {}; Ctrl-C ends it", counted(count, "feed", "feeds"));
    }
    let mut tasks = JoinSet::new();
    for feed in feeds {
        let state = following.states.load(&feed.name)?;
        for id in state.seen().ids() {
            following.known.insert(id.clone(), ());
        }
        tasks.spawn(Arc::clone(&following).follow(feed, state));
    }
    let mut tally = Tally::default();
    let mut failure = None;
    while let Some(ended) = tasks.join_next().await {
        match ended.map_err(|error| Failure::Other(error.to_string())).flatten() {
            Ok(one) => tally.add(one),
            Err(error) => {
                // What ends one ends all: the server refuses, or nothing can be kept.
                stop.cancel();
                failure.get_or_insert(error);
            }
        }
    }
    let new = counted(tally.new, "new story", "new stories");
    eprintln!("{new}, {} changed", tally.changed);
    match failure {
        Some(failure) => Err(failure),
        None if args.once && tally.failed > 0 => {
            eprintln!("copydesk: {} of {count} feeds failed", tally.failed);
            Ok(ExitCode::FAILURE)
        }
        None => Ok(ExitCode::SUCCESS),
    }
}

/// What came of following feeds.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    new: usize,
    changed: usize,
    /// Polls that failed.
    failed: usize,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.new += other.new;
        self.changed += other.changed;
        self.failed += other.failed;
    }
}

/// What all feeds share.
struct Following {
    fetcher: Fetcher,
    sender: Sender,
    states: States,
    /// Entries that were taken in, by the ids of their documents.
    known: Cache<String, ()>,
    stop: CancellationToken,
    as_json: bool,
    once: bool,
}

impl Following {
    /// Polls one feed whenever it is due.
    async fn follow(
        self: Arc<Self>,
        feed: FeedSettings,
        mut state: FeedState,
    ) -> Result<Tally, Failure> {
        let mut tally = Tally::default();
        loop {
            let due = match self.once {
                true => state.not_before,
                false => state.next_poll.max(state.not_before),
            };
            let wait = due.map(|due| until(due, &feed)).unwrap_or_default();
            if self.once && !wait.is_zero() {
                tracing::warn!(
                    feed = feed.name,
                    seconds = wait.as_secs(),
                    "its host asked to be left alone"
                );
                return Ok(tally);
            }
            let waited = self.stop.run_until_cancelled(tokio::time::sleep(wait)).await;
            if waited.is_none() {
                return Ok(tally);
            }
            let polled = poll::poll(&self, &feed, &mut state, &mut tally).await;
            let is_over = matches!(&polled, Ok(Polled::Interrupted) | Err(PollError::Gone));
            let outcome = settle(polled, &feed, &mut state);
            self.states.save(&feed.name, &state)?;
            tally.failed += usize::from(!outcome?);
            if self.once || is_over {
                return Ok(tally);
            }
        }
    }
}

/// Writes down when a feed is due next, and tells what went wrong. Returns whether nothing did.
fn settle(
    polled: Result<Polled, PollError>,
    feed: &FeedSettings,
    state: &mut FeedState,
) -> Result<bool, Failure> {
    state.not_before = None;
    let is_done = match polled {
        Err(PollError::Fatal(failure)) => return Err(failure),
        Ok(Polled::Interrupted) => return Ok(true),
        Ok(Polled::Done) => {
            state.failures = 0;
            true
        }
        Err(error) => {
            state.failures = state.failures.saturating_add(1);
            let after = error.retry_after();
            state.not_before = after.map(later);
            tracing::warn!(feed = feed.name, %error, failures = state.failures, "a feed was not polled");
            false
        }
    };
    state.next_poll = Some(later(pause(feed.interval, state.failures, fastrand::f64())));
    Ok(is_done)
}

/// The time until the next poll after so many failures: twice as long for each, and a tenth
/// more or less by chance, so that feeds that started together do not stay together.
fn pause(interval: Duration, failures: u32, chance: f64) -> Duration {
    let doubled = interval.saturating_mul(1 << failures.min(16));
    doubled.min(LONGEST.max(interval)).mul_f64(0.9 + 0.2 * chance)
}

fn later(time: Duration) -> Timestamp {
    let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
    Timestamp::now().checked_add(time).unwrap_or(Timestamp::MAX)
}

/// The time until `due`. Where the clock was set back, no longer than a feed may have to wait.
fn until(due: Timestamp, feed: &FeedSettings) -> Duration {
    /// Nobody is left alone for longer than a day.
    const DAY: Duration = Duration::from_secs(24 * 3_600);
    let wait = Duration::try_from(due.duration_since(Timestamp::now())).unwrap_or_default();
    wait.min(DAY.max(feed.interval.mul_f64(1.1)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LONGEST, pause};

    #[test]
    fn a_feed_that_fails_is_asked_less_and_less_often() {
        let minute = Duration::from_secs(60);
        assert_eq!(pause(minute, 0, 0.5), minute);
        assert_eq!(pause(minute, 3, 0.5), 8 * minute);
        assert!(pause(minute, 0, 0.0) < minute && pause(minute, 0, 1.0) > minute);
        assert_eq!(pause(minute, u32::MAX, 0.5), LONGEST);
        assert_eq!(pause(2 * LONGEST, 5, 0.5), 2 * LONGEST);
    }
}
