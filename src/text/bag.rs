/// A multiset of hashed terms, each with a weight: how often it stands in a text, and how
/// much it counts there.
///
/// Hashes have 32 bits: of two texts of 1,000 terms each that share none, one in 4,000
/// pairs seems to share one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bag(Vec<(u32, f32)>);

impl Bag {
    /// Of terms, each as often as it is given.
    pub fn counted(mut terms: Vec<u32>) -> Self {
        terms.sort_unstable();
        let mut counted = Vec::with_capacity(terms.len());
        let runs = terms.chunk_by(|a, b| a == b);
        counted.extend(runs.filter_map(|run| Some((*run.first()?, run.len() as f32))));
        Self(counted)
    }

    /// Of terms, each once.
    pub fn distinct(mut terms: Vec<u32>) -> Self {
        terms.sort_unstable();
        terms.dedup();
        Self(terms.into_iter().map(|term| (term, 1.0)).collect())
    }

    /// Of terms with weights; those of a term that is given several times are added up.
    pub fn weighed(mut terms: Vec<(u32, f32)>) -> Self {
        terms.sort_unstable_by_key(|(term, _)| *term);
        terms.dedup_by(|(term, weight), (kept, total)| {
            let is_same = term == kept;
            if is_same {
                *total += *weight;
            }
            is_same
        });
        Self(terms)
    }

    /// Of several bags, each with a factor for its weights, that are added up.
    pub fn sum<'a>(bags: impl IntoIterator<Item = (&'a Self, f32)>) -> Self {
        Self::merged(bags, |_| true, |a, b| a + b)
    }

    /// The terms of several bags that `keep` lets through, each with the highest of its
    /// weights, which are multiplied by the factor of their bag.
    pub fn union<'a>(
        bags: impl IntoIterator<Item = (&'a Self, f32)>,
        keep: impl Fn(u32) -> bool,
    ) -> Self {
        Self::merged(bags, keep, f32::max)
    }

    fn merged<'a>(
        bags: impl IntoIterator<Item = (&'a Self, f32)>,
        keep: impl Fn(u32) -> bool,
        join: impl Fn(f32, f32) -> f32,
    ) -> Self {
        let mut all: Vec<(u32, f32)> = Vec::new();
        for (bag, factor) in bags.into_iter().filter(|(_, factor)| *factor > 0.0) {
            let kept = bag.0.iter().filter(|(term, _)| keep(*term));
            all.extend(kept.map(|&(term, weight)| (term, weight * factor)));
        }
        all.sort_unstable_by_key(|(term, _)| *term);
        all.dedup_by(|(term, weight), (kept, total)| {
            let is_same = term == kept;
            if is_same {
                *total = join(*total, *weight);
            }
            is_same
        });
        Self(all)
    }

    /// The terms, ascending, each once.
    pub fn terms(&self) -> impl Iterator<Item = u32> {
        self.0.iter().map(|(term, _)| *term)
    }

    /// The terms, ascending, each with its weight.
    pub fn weights(&self) -> impl Iterator<Item = (u32, f32)> {
        self.0.iter().copied()
    }

    /// The weight of a term, 0 if it is not in it.
    pub fn weight(&self, term: u32) -> f32 {
        let found = self.0.binary_search_by_key(&term, |(term, _)| *term).ok();
        found.and_then(|at| self.0.get(at)).map_or(0.0, |(_, weight)| *weight)
    }

    /// The weight of all.
    pub fn total(&self) -> f32 {
        self.0.iter().map(|(_, weight)| weight).sum()
    }

    /// The weight of what is in both: of each term the lower one.
    pub fn shared(&self, other: &Self) -> f32 {
        self.beside(other).map(|(_, mine, theirs)| mine.min(theirs)).sum()
    }

    /// Terms that are in either, with both weights, ascending.
    pub fn beside<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (u32, f32, f32)> + 'a {
        let (mut mine, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        std::iter::from_fn(move || match (mine.peek(), theirs.peek()) {
            (Some(&&(a, x)), Some(&&(b, y))) => Some(match a.cmp(&b) {
                std::cmp::Ordering::Less => {
                    mine.next();
                    (a, x, 0.0)
                }
                std::cmp::Ordering::Greater => {
                    theirs.next();
                    (b, 0.0, y)
                }
                std::cmp::Ordering::Equal => {
                    mine.next();
                    theirs.next();
                    (a, x, y)
                }
            }),
            (Some(_), None) => mine.next().map(|&(term, weight)| (term, weight, 0.0)),
            (None, _) => theirs.next().map(|&(term, weight)| (term, 0.0, weight)),
        })
    }

    /// Jaccard resemblance: what is in both over what is in either, 0 to 1.
    pub fn resemblance(&self, other: &Self) -> f32 {
        let shared = self.shared(other);
        ratio(shared, self.total() + other.total() - shared)
    }

    /// Share of the lighter one that the other one holds, 0 to 1.
    pub fn containment(&self, other: &Self) -> f32 {
        ratio(self.shared(other), self.total().min(other.total()))
    }

    /// Share of this one that `other` holds, 0 to 1.
    pub fn contained_in(&self, other: &Self) -> f32 {
        ratio(self.shared(other), self.total())
    }
}

/// 0 where there is no whole.
pub(super) fn ratio(part: f32, whole: f32) -> f32 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::Bag;

    #[test]
    fn what_is_shared_counts_as_often_as_it_stands_in_both() {
        let (a, b) = (Bag::counted(vec![3, 1, 3, 3]), Bag::counted(vec![3, 3, 2]));
        assert_eq!((a.shared(&b), a.total(), b.total()), (2.0, 4.0, 3.0));
        assert_eq!((a.containment(&b), a.resemblance(&b)), (2.0 / 3.0, 2.0 / 5.0));
        assert_eq!((a.contained_in(&b), a.weight(3), a.weight(9)), (0.5, 3.0, 0.0));
        let beside: Vec<_> = a.beside(&b).collect();
        assert_eq!(beside, [(1, 1.0, 0.0), (2, 0.0, 1.0), (3, 3.0, 2.0)]);
    }

    #[test]
    fn merged_bags_weigh_what_their_parts_do() {
        let (a, b) = (Bag::distinct(vec![1, 2, 2]), Bag::distinct(vec![2, 3]));
        assert_eq!(Bag::sum([(&a, 1.0), (&b, 0.5)]).weight(2), 1.5);
        assert_eq!(Bag::union([(&a, 1.0), (&b, 0.5)], |_| true).weight(2), 1.0);
        assert_eq!(Bag::union([(&a, 0.0), (&b, 1.0)], |term| term > 2), Bag::distinct(vec![3]));
    }

    #[test]
    fn nothing_shares_nothing() {
        let nothing = Bag::default();
        assert_eq!((nothing.containment(&nothing), nothing.resemblance(&nothing)), (0.0, 0.0));
    }
}
