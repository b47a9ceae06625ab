//! How questions go through all segments.

use std::cell::RefCell;
use std::collections::HashSet;

use crate::embed::{UnitVector, Windows};

use super::segment::{Asked, Searcher, Segment};
use super::segments::{Core, State};
use super::{ContentId, Hit, Mark, Scope};

/// Answers that room is made for at once.
const PREPARED: usize = 256;

thread_local! {
    static SEARCHER: RefCell<Searcher> = RefCell::default();
}

impl Core {
    pub fn search(&self, query: &Windows, asked: Asked, scope: Scope<'_>) -> Vec<Hit> {
        self.nearest(&[query], asked, scope).pop().unwrap_or_default()
    }

    pub fn nearest(&self, queries: &[&Windows], asked: Asked, scope: Scope<'_>) -> Vec<Vec<Hit>> {
        let state = self.state();
        let windows: Vec<&UnitVector> = queries.iter().flat_map(|query| query.vectors()).collect();
        let mut found = state.nearest(&windows, asked, scope).into_iter();
        let of_query = |query: &&Windows| {
            let found = query.vectors().iter().zip(found.by_ref());
            let enough = found.map(|(window, found)| state.enough(window, found, asked, scope));
            best_of_each_text(enough.flatten().collect(), asked.limit)
        };
        queries.iter().map(of_query).collect()
    }
}

impl State {
    /// The nearest rows to each of some queries.
    fn nearest(&self, queries: &[&UnitVector], asked: Asked, scope: Scope<'_>) -> Vec<Vec<Hit>> {
        let room = || Vec::with_capacity(PREPARED.min(asked.limit));
        let mut found: Vec<Vec<Hit>> = queries.iter().map(|_| room()).collect();
        for growing in &self.growing {
            let hits: Vec<Vec<Hit>> = match scope {
                Scope::All => growing.nearest(queries, asked, None),
                Scope::Only(only) => growing.nearest(queries, asked, Some(only)),
                Scope::Since(Mark(last)) => {
                    let newer = |query: &&_| growing.search_after(query, asked.limit, last);
                    queries.iter().map(newer).collect()
                }
            };
            found.iter_mut().zip(hits).for_each(|(found, hits)| found.extend(hits));
        }
        SEARCHER.with_borrow_mut(|searcher| {
            for (query, found) in queries.iter().zip(&mut found) {
                for segment in &self.segments {
                    found.extend(hits_in(segment, query, asked, scope, searcher));
                }
                if self.segments.len() + self.growing.len() > 1 {
                    found.sort_unstable_by(|a, b| b.cosine.total_cmp(&a.cosine));
                    found.truncate(asked.limit);
                }
            }
        });
        found
    }

    /// What was found for a query, and more if need be: a text may be found once for each of its
    /// windows.
    fn enough(
        &self,
        query: &UnitVector,
        mut found: Vec<Hit>,
        asked: Asked,
        scope: Scope<'_>,
    ) -> Vec<Hit> {
        let mut limit = asked.limit;
        while found.len() >= limit && texts_in(&found) < asked.limit {
            limit = limit.saturating_mul(2);
            let more = self.nearest(&[query], Asked { limit, ..asked }, scope).pop();
            found = more.unwrap_or_default();
        }
        found
    }
}

fn hits_in(
    segment: &Segment,
    query: &UnitVector,
    asked: Asked,
    scope: Scope<'_>,
    searcher: &mut Searcher,
) -> impl Iterator<Item = Hit> {
    let scored = match scope {
        Scope::All => segment.search(query, asked, None, searcher),
        Scope::Only(only) => segment.search(query, asked, Some(only), searcher),
        Scope::Since(Mark(last)) => segment.search_after(query, asked.limit, last),
    };
    scored.into_iter().filter_map(|scored| {
        let content = segment.owner(scored.ordinal as u32)?;
        Some(Hit { content, cosine: scored.cosine })
    })
}

/// Each text once, best first, at most `limit`.
fn best_of_each_text(mut hits: Vec<Hit>, limit: usize) -> Vec<Hit> {
    hits.sort_unstable_by(|a, b| b.cosine.total_cmp(&a.cosine).then(a.content.cmp(&b.content)));
    if texts_in(&hits) < hits.len() {
        let mut known = HashSet::with_capacity(hits.len());
        hits.retain(|hit| known.insert(hit.content));
    }
    hits.truncate(limit);
    hits
}

/// Different texts among what was found.
fn texts_in(found: &[Hit]) -> usize {
    let mut contents: Vec<ContentId> = found.iter().map(|hit| hit.content).collect();
    contents.sort_unstable();
    contents.dedup();
    contents.len()
}
