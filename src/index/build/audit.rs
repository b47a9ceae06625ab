use std::collections::VecDeque;

use super::super::codes::QueryCodes;
use super::super::walk::{DEGREE, NONE, Seen, Walker};
use super::{Draft, Entries, GoOn};

/// Nodes that a walk of the audit keeps: fewer than a question ever does.
const EF: usize = 48;

/// Times that the whole graph is gone through.
const ROUNDS: usize = 4;

/// Links that are set for one node before it becomes a stray.
const TRIES: usize = 8;

impl Draft {
    /// Searches every node by its own codes, and links those in that are not found. What
    /// cannot be found even so becomes an entry that each walk looks at. `None` if it was
    /// told to end.
    pub fn audit(&mut self, entries: &mut Entries, go_on: GoOn<'_>) -> Option<()> {
        let mut walker = Walker::default();
        for round in 0..ROUNDS {
            let progress = |share: f32| go_on((round as f32 + share) / (ROUNDS + 1) as f32);
            let lost = self.lost(entries, &mut walker, &progress)?;
            tracing::debug!(round, lost = lost.len(), "nodes that their own vectors do not find");
            if lost.is_empty() {
                return Some(());
            }
            self.link_in(lost, entries, &mut walker);
        }
        let strays = self.lost(entries, &mut walker, &|share| {
            go_on((ROUNDS as f32 + share) / (ROUNDS + 1) as f32)
        })?;
        let nodes = strays.iter().chain(&entries.nodes).copied().collect();
        *entries = Entries::of(&self.codes, nodes, strays.len());
        Some(())
    }

    fn lost(&self, entries: &Entries, walker: &mut Walker, go_on: GoOn<'_>) -> Option<Vec<u32>> {
        let nodes = self.nodes();
        let mut lost = Vec::new();
        for node in 0..nodes as u32 {
            if node.is_multiple_of(256) && !go_on(node as f32 / nodes as f32) {
                return None;
            }
            if self.look_for(node, entries, walker).1 {
                continue;
            }
            lost.push(node);
        }
        Some(lost)
    }

    /// What a walk towards a node finds, and whether that is among it.
    fn look_for<'w>(
        &self,
        node: u32,
        entries: &Entries,
        walker: &'w mut Walker,
    ) -> (&'w [Seen], bool) {
        let mut query = QueryCodes::default();
        query.set_row(self.rows().row(node), self.codes.scale);
        let found =
            walker.walk(self.graph(entries), &query, EF, usize::MAX, |_| true).unwrap_or_default();
        (found, found.iter().any(|seen| seen.node() == node))
    }

    /// Sets a link to each of the lost nodes from the nearest that is found. Where there is
    /// no room, the link to the farthest gives way, and what it led to is looked for.
    fn link_in(&mut self, lost: Vec<u32>, entries: &Entries, walker: &mut Walker) {
        let mut queue: VecDeque<(u32, usize)> = lost.into_iter().map(|node| (node, 0)).collect();
        while let Some((node, tries)) = queue.pop_front() {
            let (found, is_found) = self.look_for(node, entries, walker);
            let near = found.get(tries % found.len().max(1)).map(|seen| seen.node());
            let Some(near) = near.filter(|_| !is_found && tries < TRIES) else { continue };
            let from = near as usize * DEGREE;
            let Some(links) = self.links.get_mut(from..from + DEGREE) else { continue };
            if links.contains(&node) {
                queue.push_back((node, tries + 1));
                continue;
            }
            let place = links.iter().position(|&link| link == NONE).unwrap_or(DEGREE - 1);
            if let Some(link) = links.get_mut(place) {
                let replaced = std::mem::replace(link, node);
                if replaced != NONE {
                    queue.push_back((replaced, tries + 1));
                }
            }
            queue.push_back((node, tries + 1));
        }
    }
}
