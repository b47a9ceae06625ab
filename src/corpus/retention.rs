use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

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
    let (mut swept, mut scrubbed): (Option<tokio::time::Instant>, Option<u64>) = (None, None);
    loop {
        let Some(desk) = desk.upgrade() else { return };
        let corpus = Corpus { desk, caller: super::Caller::default() };
        if corpus.parts().store.has_failed() {
            return;
        }
        if swept.is_none_or(|at| at.elapsed() >= SWEEPS) {
            swept = Some(tokio::time::Instant::now());
            match corpus.expire().await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "documents were older than they are kept"),
                Err(error) => tracing::warn!(%error, "what is too old was not deleted"),
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
