use std::collections::HashMap;

/// Average probability of being related from which on documents are of one story.
const BELONGS: f32 = 0.24;

/// What is said of pairs of documents, whatever is computed.
#[derive(Debug, Clone, Default)]
pub struct Grouping(HashMap<(usize, usize), bool>);

impl Grouping {
    /// Two documents belong together, or do not.
    pub fn say(&mut self, one: usize, other: usize, is_same: bool) {
        self.0.insert((one.min(other), one.max(other)), is_same);
    }

    fn word(&self, one: usize, other: usize) -> Option<bool> {
        self.0.get(&(one.min(other), one.max(other))).copied()
    }
}

/// Groups documents by average linkage (Sokal and Michener, "A statistical method for evaluating
/// systematic relationships", 1958): the two groups that are related most on average are joined,
/// until none are enough. Documents are numbered from 0; each stands in one group.
pub fn group(
    count: usize,
    said: &Grouping,
    relatedness: impl Fn(usize, usize) -> f32,
) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = (0..count).map(|document| vec![document]).collect();
    // Of two groups, the sum over all pairs, and whether they must or must not be joined.
    let mut links: Vec<Vec<Link>> = (0..count)
        .map(|a| {
            let link = |b: usize| Link {
                sum: if a < b { relatedness(a, b) } else { 0.0 },
                word: said.word(a, b),
            };
            (0..count).map(link).collect()
        })
        .collect();
    loop {
        let mut best: Option<(f32, usize, usize)> = None;
        for (a, one) in groups.iter().enumerate() {
            for (b, other) in groups.iter().enumerate().skip(a + 1) {
                let link = links.get(a).and_then(|row| row.get(b)).copied().unwrap_or_default();
                let mean = link.mean(one.len() * other.len());
                if mean >= BELONGS && best.is_none_or(|(most, ..)| mean > most) {
                    best = Some((mean, a, b));
                }
            }
        }
        let Some((_, a, b)) = best else { break };
        let joined = groups.get_mut(b).map(std::mem::take).unwrap_or_default();
        if let Some(group) = groups.get_mut(a) {
            group.extend(joined);
        }
        for other in 0..count {
            let taken = std::mem::take(between(&mut links, b, other));
            between(&mut links, a, other).join(taken);
        }
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// How two groups are linked.
#[derive(Debug, Clone, Copy, Default)]
struct Link {
    sum: f32,
    word: Option<bool>,
}

impl Link {
    fn join(&mut self, other: Self) {
        self.sum += other.sum;
        // That two are apart counts before that others belong together.
        self.word = match (self.word, other.word) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (one, other) => one.or(other),
        };
    }

    fn mean(self, pairs: usize) -> f32 {
        match self.word {
            Some(true) => f32::MAX,
            Some(false) => f32::MIN,
            None => self.sum / pairs.max(1) as f32,
        }
    }
}

/// The link of two groups, whichever comes first.
#[allow(clippy::indexing_slicing, reason = "groups are numbered below the length of the table")]
fn between(links: &mut [Vec<Link>], one: usize, other: usize) -> &mut Link {
    &mut links[one.min(other)][one.max(other)]
}

#[cfg(test)]
mod tests {
    use super::{Grouping, group};

    fn chain(a: usize, b: usize) -> f32 {
        if a.abs_diff(b) == 1 { 0.6 } else { 0.0 }
    }

    #[test]
    fn a_chain_does_not_become_one_group() {
        let groups = group(8, &Grouping::default(), chain);
        assert!(groups.iter().all(|group| group.len() <= 3), "{groups:?}");
        assert_eq!(groups.iter().map(Vec::len).sum::<usize>(), 8);
        let all_alike = group(8, &Grouping::default(), |_, _| 0.9);
        assert_eq!(all_alike.len(), 1);
    }

    #[test]
    fn what_is_said_counts_before_what_is_computed() {
        let mut said = Grouping::default();
        said.say(0, 1, false);
        said.say(3, 2, true);
        let alike = |a: usize, b: usize| if a.max(b) < 2 { 0.9 } else { 0.0 };
        assert_eq!(group(4, &said, alike), [vec![0], vec![1], vec![2, 3]]);
    }
}
