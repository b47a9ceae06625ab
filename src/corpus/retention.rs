use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::store::{DocumentKey, Filter};

use super::query::now;
use super::{Corpus, CorpusError, Desk, Parts};

/// How long documents are kept, by their dates of publication.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    /// Those of outlets that have no time of their own; `None` for ever.
    pub default: Option<SignedDuration>,
    /// Those of these outlets.
    pub by_source: BTreeMap<String, SignedDuration>,
}

/// How often what is too old is looked for, and what was deleted is overwritten.
const INTERVAL: Duration = Duration::from_secs(2);
const SWEEPS: Duration = Duration::from_secs(60);

/// How far the clock may go in a sweep's time before it is thought to have been set, and how
/// long nothing is deleted then: somebody may set it right.
const SET: SignedDuration = SignedDuration::from_mins(10);
const HOLD: Duration = Duration::from_secs(3_600);

/// Documents that are deleted together; others write in between.
const TOGETHER: usize = 256;

impl Retention {
    /// The earliest date of publication that is kept, of documents of `source`; `None` if
    /// all are.
    pub fn earliest(&self, source: &str, now: Timestamp) -> Option<Timestamp> {
        let kept = self.by_source.get(source).copied().or(self.default)?;
        now.checked_sub(kept).ok()
    }

    /// What is too old now.
    fn expired(&self, now: Timestamp) -> Vec<Filter> {
        let before = |kept: &SignedDuration| now.checked_sub(*kept).ok();
        let own = self.by_source.iter().map(|(source, kept)| Filter {
            sources: vec![source.clone()],
            published_before: before(kept),
            ..Filter::default()
        });
        let others = self.default.iter().map(|kept| Filter {
            exclude_sources: self.by_source.keys().cloned().collect(),
            published_before: before(kept),
            ..Filter::default()
        });
        own.chain(others).filter(|filter| filter.published_before.is_some()).collect()
    }
}

impl Corpus {
    /// Deletes what is too old. Returns how many documents that were.
    ///
    /// # Errors
    ///
    /// If the store fails; what is too old then stays until the next time.
    pub async fn expire(&self) -> Result<usize, CorpusError> {
        let mut expired = 0;
        for filter in self.desk.options.retention.expired(now()) {
            loop {
                let filter = filter.clone();
                let some = self.in_turn(move |parts: &Parts| {
                    let old = parts.store.reader()?.view().list(&filter, None, TOGETHER)?;
                    let keys: Vec<DocumentKey> = old.iter().map(|old| old.key).collect();
                    parts.delete(&keys)?;
                    Ok(keys.len())
                });
                let some = some.await?;
                expired += some;
                if some < TOGETHER {
                    break;
                }
            }
        }
        Ok(expired)
    }
}

/// Deletes what is too old, from time to time, and overwrites what was deleted. Ends with
/// the corpus, and where its disk failed.
pub(super) async fn keep_house(desk: Weak<Desk>) {
    let (mut swept, mut scrubbed): (Option<Instant>, Option<u64>) = (None, None);
    let mut clock = Clock::new(now(), Instant::now());
    loop {
        let Some(desk) = desk.upgrade() else { return };
        let corpus = Corpus { desk, caller: super::Caller::default() };
        if corpus.parts().store.has_failed() {
            return;
        }
        if swept.is_none_or(|at| at.elapsed() >= SWEEPS) {
            swept = Some(Instant::now());
            match clock.can_be_trusted(now(), Instant::now()) {
                true => sweep(&corpus).await,
                false => tracing::warn!("the clock was set ahead; nothing is deleted for a while"),
            }
        }
        let parts = corpus.parts();
        let removals = parts.removals.load(std::sync::atomic::Ordering::Acquire);
        let known = (parts.generation << 32) + removals;
        if scrubbed != Some(known) && clean(parts).await {
            scrubbed = Some(known);
        }
        drop(corpus);
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn sweep(corpus: &Corpus) {
    match corpus.expire().await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "documents were older than they are kept"),
        Err(error) => tracing::warn!(%error, "what is too old was not deleted"),
    }
}

/// The clock of the machine beside one that nobody sets.
struct Clock {
    said: Timestamp,
    at: Instant,
    /// Until when it is not believed.
    held: Option<Instant>,
}

impl Clock {
    fn new(said: Timestamp, at: Instant) -> Self {
        Self { said, at, held: None }
    }

    /// Whether what it calls too old may be deleted: not if it was set ahead lately.
    fn can_be_trusted(&mut self, says: Timestamp, at: Instant) -> bool {
        let passed = SignedDuration::try_from(at - self.at).unwrap_or(SignedDuration::MAX);
        let went = says.duration_since(self.said);
        (self.said, self.at) = (says, at);
        if went.saturating_sub(passed) > SET {
            self.held = Some(at + HOLD);
        } else if passed.saturating_sub(went) > SET {
            // Set back, and right again.
            self.held = None;
        }
        self.held = self.held.filter(|held| at < *held);
        self.held.is_none()
    }
}

/// Overwrites what was deleted. False if that has to be tried again.
async fn clean(parts: Arc<Parts>) -> bool {
    let cleaning = tokio::task::spawn_blocking(move || {
        parts.store.trim()?;
        parts.store.scrub()
    });
    match cleaning.await {
        Ok(Ok(is_done)) => is_done,
        Ok(Err(error)) => {
            tracing::warn!(%error, "deleted text was not overwritten yet");
            false
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, HOLD};
    use jiff::{SignedDuration, Timestamp};
    use std::time::Duration;
    use tokio::time::Instant;

    #[test]
    fn a_clock_that_was_set_ahead_deletes_nothing_until_it_was_right_for_long_or_is_set_back() {
        let (said, at) = (Timestamp::UNIX_EPOCH, Instant::now());
        let minute = Duration::from_secs(60);
        let day = SignedDuration::from_hours(24);
        let mut clock = Clock::new(said, at);
        let mut asked = |says: SignedDuration, after: Duration| {
            let says = says + SignedDuration::try_from(after).unwrap();
            clock.can_be_trusted(said + says, at + after)
        };
        assert!(asked(SignedDuration::ZERO, minute));
        assert!(!asked(day, 2 * minute));
        assert!(!asked(day, 3 * minute));
        // Set right.
        assert!(asked(SignedDuration::ZERO, 4 * minute));
        // Left so.
        assert!(!asked(day, 5 * minute));
        assert!(asked(day, 5 * minute + HOLD));
    }
}
