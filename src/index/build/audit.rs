use std::collections::VecDeque;
use std::mem;

use super::super::codes::QueryCodes;
use super::super::segment::VectorSource;
use super::super::walk::{DEGREE, NONE, Seen, Walker};
use super::{Draft, Entries, GoOn};

/// Nodes that a walk of the audit keeps: fewer than a question ever does.
const EF: usize = 48;

/// Times that the whole graph is gone through.
const ROUNDS: usize = 4;

/// Links that are set for one node before it becomes a stray.
const TRIES: usize = 8;

/// A row that is searched for: found if the head of its family is.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    row: u32,
    head: u32,
}

impl Draft {
    /// Searches every row by its own vector, just as a question would, and links those in
    /// that are not found. What cannot be found even so becomes an entry that each walk looks
    /// at. `None` if it was told to end.
    ///
    /// A walk with a larger pool follows all that one with a smaller pool does, and more: what
    /// is found here is found by every question.
    pub fn audit(
        &mut self,
        entries: &mut Entries,
        vectors: &dyn VectorSource,
        go_on: GoOn<'_>,
    ) -> Option<()> {
        let mut walker = Walker::default();
        for round in 0..ROUNDS {
            let progress = |share: f32| go_on((round as f32 + share) / (ROUNDS + 1) as f32);
            let lost = self.lost(entries, vectors, &mut walker, &progress)?;
            tracing::debug!(round, lost = lost.len(), "rows that their own vectors do not find");
            if lost.is_empty() {
                return Some(());
            }
            self.link_in(lost, entries, vectors, &mut walker);
        }
        let lost = self.lost(entries, vectors, &mut walker, &|share| {
            go_on((ROUNDS as f32 + share) / (ROUNDS + 1) as f32)
        })?;
        let mut strays: Vec<u32> = lost.iter().map(|wanted| wanted.head).collect();
        strays.sort_unstable();
        strays.dedup();
        let nodes = strays.iter().chain(&entries.nodes).copied().collect();
        *entries = Entries::of(&self.codes, nodes, strays.len());
        Some(())
    }

    fn lost(
        &self,
        entries: &Entries,
        vectors: &dyn VectorSource,
        walker: &mut Walker,
        go_on: GoOn<'_>,
    ) -> Option<Vec<Wanted>> {
        let nodes = 0..self.nodes() as u32;
        let rows = nodes.clone().chain(nodes.end..).zip(nodes.chain(self.heads.iter().copied()));
        let mut lost = Vec::new();
        for (row, head) in rows {
            if row.is_multiple_of(256) && !go_on(row as f32 / self.owners.len() as f32) {
                return None;
            }
            let wanted = Wanted { row, head };
            let is_stray = entries.nodes.iter().take(entries.strays).any(|&stray| stray == head);
            if !is_stray && !self.look_for(wanted, entries, vectors, walker).1 {
                lost.push(wanted);
            }
        }
        Some(lost)
    }

    /// What a walk towards a row finds, and whether its head is among it.
    fn look_for<'w>(
        &self,
        wanted: Wanted,
        entries: &Entries,
        vectors: &dyn VectorSource,
        walker: &'w mut Walker,
    ) -> (&'w [Seen], bool) {
        let mut query = QueryCodes::default();
        let origin = self.origins.get(wanted.row as usize).copied().unwrap_or_default();
        query.set(vectors.vector(origin), self.codes.scale);
        let found = walker.walk(self.graph(entries), &query, EF, usize::MAX, |_| true);
        let found = found.unwrap_or_default();
        (found, found.iter().any(|seen| seen.node() == wanted.head))
    }

    /// Sets a link to each of the lost heads from the nearest that is found. Where there is
    /// no room, the link to the farthest gives way, and what it led to is looked for.
    fn link_in(
        &mut self,
        lost: Vec<Wanted>,
        entries: &Entries,
        vectors: &dyn VectorSource,
        walker: &mut Walker,
    ) {
        let mut queue: VecDeque<(Wanted, usize)> =
            lost.into_iter().map(|wanted| (wanted, 0)).collect();
        while let Some((wanted, tries)) = queue.pop_front() {
            let (found, is_found) = self.look_for(wanted, entries, vectors, walker);
            let near = found.get(tries % found.len().max(1)).map(|seen| seen.node());
            let Some(near) = near.filter(|_| !is_found && tries < TRIES) else { continue };
            let from = near as usize * DEGREE;
            let Some(links) = self.links.get_mut(from..from + DEGREE) else { continue };
            if !links.contains(&wanted.head) {
                let place = links.iter().position(|&link| link == NONE).unwrap_or(DEGREE - 1);
                let replaced = links.get_mut(place).map(|link| mem::replace(link, wanted.head));
                if let Some(node) = replaced.filter(|&node| node != NONE) {
                    queue.push_back((Wanted { row: node, head: node }, tries + 1));
                }
            }
            queue.push_back((wanted, tries + 1));
        }
    }
}
