use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// A node and its cosine to the query. The better one is greater; of equals, the
/// one that came first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    pub cosine: f32,
    pub ordinal: usize,
}

impl Eq for Scored {}

impl Ord for Scored {
    fn cmp(&self, other: &Self) -> Ordering {
        self.cosine.total_cmp(&other.cosine).then(other.ordinal.cmp(&self.ordinal))
    }
}

impl PartialOrd for Scored {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Places that are made at once.
const PREPARED: usize = 256;

/// The best few of many.
pub struct Top {
    limit: usize,
    heap: BinaryHeap<Reverse<Scored>>,
}

impl Top {
    pub fn new(limit: usize) -> Self {
        Self { limit, heap: BinaryHeap::with_capacity(limit.min(PREPARED) + 1) }
    }

    pub fn offer(&mut self, scored: Scored) {
        if self.heap.len() < self.limit {
            self.heap.push(Reverse(scored));
        } else if self.heap.peek().is_some_and(|Reverse(worst)| *worst < scored) {
            self.heap.pop();
            self.heap.push(Reverse(scored));
        }
    }

    /// The last of the best, if there are as many as asked for.
    pub fn worst(&self) -> Option<Scored> {
        let worst = self.heap.peek().map(|Reverse(worst)| *worst);
        worst.filter(|_| self.heap.len() >= self.limit)
    }

    /// Best first.
    pub fn into_sorted(self) -> Vec<Scored> {
        self.heap.into_sorted_vec().into_iter().map(|Reverse(scored)| scored).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Scored, Top};

    #[test]
    fn the_best_are_kept_and_ties_go_to_the_first() {
        let mut top = Top::new(2);
        for (ordinal, cosine) in [0.1, 0.9, 0.9, 0.9, 0.5].into_iter().enumerate() {
            top.offer(Scored { cosine, ordinal });
        }
        let ordinals: Vec<_> = top.into_sorted().iter().map(|scored| scored.ordinal).collect();
        assert_eq!(ordinals, [1, 2]);
    }
}
