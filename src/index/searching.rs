//! How a question goes through all segments.

use std::cell::RefCell;
use std::collections::HashSet;

use crate::embed::{UnitVector, Windows};

use super::segment::{Asked, Searcher};
use super::segments::{Core, State};
use super::{ContentId, Hit, Mark, Scope};

/// Answers that room is made for at once.
const PREPARED: usize = 256;

thread_local! {
    static SEARCHER: RefCell<Searcher> = RefCell::default();
}

impl Core {
    pub fn search(&self, query: &Windows, asked: Asked, scope: Scope<'_>) -> Vec<Hit> {
        let state = self.state();
        let mut hits: Vec<Hit> = Vec::new();
        for window in query.vectors() {
            // A text may be found once for each of its windows.
            let mut limit = asked.limit;
            loop {
                let found = state.nearest(window, Asked { limit, ..asked }, scope);
                if found.len() < limit || texts_in(&found) >= asked.limit {
                    hits.extend(found);
                    break;
                }
                limit = limit.saturating_mul(2);
            }
        }
        hits.sort_unstable_by(|a, b| b.cosine.total_cmp(&a.cosine).then(a.content.cmp(&b.content)));
        if texts_in(&hits) < hits.len() {
            let mut known = HashSet::with_capacity(hits.len());
            hits.retain(|hit| known.insert(hit.content));
        }
        hits.truncate(asked.limit);
        hits
    }
}

impl State {
    fn nearest(&self, query: &UnitVector, asked: Asked, scope: Scope<'_>) -> Vec<Hit> {
        let mut found = Vec::with_capacity(PREPARED.min(asked.limit));
        for growing in &self.growing {
            found.extend(match scope {
                Scope::All => growing.search(query, asked, None),
                Scope::Only(only) => growing.search(query, asked, Some(only)),
                Scope::Since(Mark(last)) => growing.search_after(query, asked.limit, last),
            });
        }
        SEARCHER.with_borrow_mut(|searcher| {
            for segment in &self.segments {
                let scored = match scope {
                    Scope::All => segment.search(query, asked, None, searcher),
                    Scope::Only(only) => segment.search(query, asked, Some(only), searcher),
                    Scope::Since(Mark(last)) => segment.search_after(query, asked.limit, last),
                };
                let named = scored.iter().filter_map(|scored| {
                    let content = segment.owner(scored.ordinal as u32)?;
                    Some(Hit { content, cosine: scored.cosine })
                });
                found.extend(named);
            }
        });
        if self.segments.len() + self.growing.len() > 1 {
            found.sort_unstable_by(|a: &Hit, b| b.cosine.total_cmp(&a.cosine));
            found.truncate(asked.limit);
        }
        found
    }
}

/// Different texts among what was found.
fn texts_in(found: &[Hit]) -> usize {
    let mut contents: Vec<ContentId> = found.iter().map(|hit| hit.content).collect();
    contents.sort_unstable();
    contents.dedup();
    contents.len()
}
