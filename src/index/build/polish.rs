use super::super::codes::QueryCodes;
use super::super::kernels::Kernel;
use super::super::walk::{DEGREE, NONE, Walker};
use super::select::{Candidate, Selector};
use super::{Draft, GoOn, trimmed};

/// Nodes between two reports.
const REPORT: usize = 256;

impl Draft {
    /// Links every node anew: to the best of what a walk towards it finds in each part of
    /// the graph, and of what it was linked to; then back. Returns the nearest of the nodes
    /// before it, for each node. `None` if it was told to end.
    pub fn polish(&mut self, ef: usize, go_on: GoOn<'_>) -> Option<Vec<Option<Candidate>>> {
        let nodes = self.nodes();
        let mut forward = Vec::with_capacity(nodes * DEGREE);
        let mut nearest = Vec::with_capacity(nodes);
        let (mut walker, mut selector) = (Walker::default(), Selector::default());
        let mut query = QueryCodes::default();
        let (mut candidates, mut products) = (Vec::new(), Vec::new());
        for node in 0..nodes as u32 {
            if (node as usize).is_multiple_of(REPORT) && !go_on(0.8 * node as f32 / nodes as f32) {
                return None;
            }
            query.set_row(self.rows().row(node), self.codes.scale);
            candidates.clear();
            let links = trimmed(self.links_of(node));
            Kernel::best().gather(self.rows(), links, query.query(), &mut products);
            let linked = links.iter().zip(&products);
            candidates.extend(linked.map(|(&node, &product)| Candidate { product, node }));
            let mut earlier: Option<Candidate> = None;
            for part in &self.parts {
                let graph = self.graph(part);
                let found = walker.walk(graph, &query, ef, usize::MAX, |_| true);
                let found = found.unwrap_or_default().iter();
                let found =
                    found.map(|seen| Candidate { product: seen.product, node: seen.node() });
                let is_before = |found: &Candidate| found.node < node;
                let first = found.clone().find(is_before);
                earlier = earlier.max(first);
                candidates.extend(found.filter(|found| found.node != node));
            }
            nearest.push(earlier);
            let mut chosen = selector.select(&self.codes, &mut candidates, DEGREE);
            chosen.resize(DEGREE, NONE);
            forward.extend(chosen);
        }
        self.links = forward;
        self.link_back(&mut selector, &|share| go_on(0.8 + 0.2 * share))?;
        Some(nearest)
    }

    /// Adds a link back for every link; a node with too many keeps the best.
    fn link_back(&mut self, selector: &mut Selector, go_on: GoOn<'_>) -> Option<()> {
        let nodes = self.nodes();
        let (starts, back) = self.reversed();
        let mut candidates = Vec::new();
        let mut query = QueryCodes::default();
        let mut products = Vec::new();
        let mut joined = Vec::new();
        let mut linked = Vec::with_capacity(self.links.len());
        for node in 0..nodes as u32 {
            if (node as usize).is_multiple_of(REPORT) && !go_on(node as f32 / nodes as f32) {
                return None;
            }
            let own = trimmed(self.links_of(node));
            let from = starts.get(node as usize).copied().unwrap_or_default() as usize;
            let to = starts.get(node as usize + 1).copied().unwrap_or_default() as usize;
            let back = back.get(from..to).unwrap_or_default();
            joined.clear();
            joined.extend_from_slice(own);
            joined.extend(back.iter().filter(|back| !own.contains(back)));
            if joined.len() > DEGREE {
                query.set_row(self.rows().row(node), self.codes.scale);
                Kernel::best().gather(self.rows(), &joined, query.query(), &mut products);
                candidates.clear();
                let scored = joined.iter().zip(&products);
                candidates.extend(scored.map(|(&node, &product)| Candidate { product, node }));
                joined = selector.select(&self.codes, &mut candidates, DEGREE);
            }
            joined.resize(DEGREE, NONE);
            linked.extend_from_slice(&joined);
        }
        self.links = linked;
        Some(())
    }

    /// For each node those that link to it: where its list starts, and all lists.
    fn reversed(&self) -> (Vec<u32>, Vec<u32>) {
        let nodes = self.nodes();
        let mut starts = vec![0_u32; nodes + 1];
        for &link in self.links.iter().filter(|&&link| link != NONE) {
            if let Some(count) = starts.get_mut(link as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut back = vec![0; sum as usize];
        for node in 0..nodes as u32 {
            for &link in trimmed(self.links_of(node)) {
                if let Some(at) = next.get_mut(link as usize) {
                    if let Some(place) = back.get_mut(*at as usize) {
                        *place = node;
                    }
                    *at += 1;
                }
            }
        }
        (starts, back)
    }

    /// Links of a node with what fills them up.
    pub(super) fn links_of(&self, node: u32) -> &[u32] {
        let from = node as usize * DEGREE;
        self.links.get(from..from + DEGREE).unwrap_or_default()
    }
}
