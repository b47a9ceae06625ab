use super::shingles::{joined, runs};

/// Shingles of which one is kept, at least.
const WINDOW: usize = 12;

/// Fingerprints of a text given as the terms of its words: some of its shingles, chosen so
/// that every run of 14 words that stands in two texts leaves the same fingerprint in both,
/// about two for thirteen words.
///
/// Of every 12 shingles that follow each other the one with the lowest hash is kept, the last
/// one of several (Schleimer, Wilkerson and Aiken, "Winnowing: local algorithms for document
/// fingerprinting", 2003, section 3).
pub fn fingerprints(terms: &[u32]) -> Vec<u32> {
    // Hashed once more: what is kept must not depend on what is compared.
    let shingles: Vec<u32> = runs(terms).map(|shingle| joined(&[shingle])).collect();
    let mut kept = Vec::new();
    for window in shingles.windows(WINDOW.min(shingles.len().max(1))) {
        let lowest = window.iter().min().copied();
        if lowest.is_some() && kept.last().copied() != lowest {
            kept.extend(lowest);
        }
    }
    kept.sort_unstable();
    kept.dedup();
    kept
}

#[cfg(test)]
mod tests {
    use super::fingerprints;
    use proptest::prelude::*;

    #[test]
    fn short_texts_have_one_and_empty_ones_none() {
        assert_eq!(fingerprints(&[1, 2]).len(), 1);
        assert_eq!(fingerprints(&[1, 2, 3, 4, 5]).len(), 1);
        assert!(fingerprints(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn a_run_of_fourteen_words_leaves_its_mark(
            shared in prop::collection::vec(any::<u32>(), 14..40),
            before in prop::collection::vec(any::<u32>(), 0..40),
            after in prop::collection::vec(any::<u32>(), 0..40),
        ) {
            let other = fingerprints(&[before, shared.clone(), after].concat());
            prop_assert!(fingerprints(&shared).iter().any(|print| other.contains(print)));
        }
    }
}
