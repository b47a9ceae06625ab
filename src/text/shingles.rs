/// Words in one shingle.
pub(super) const WIDTH: usize = 3;

/// The word shingles of a text: every run of three words, hashed.
///
/// Broder, "On the resemblance and containment of documents" (1997), section 2.
/// A text of fewer than three words is one shingle; a text without words has none.
pub fn shingles(terms: &[u32]) -> impl Iterator<Item = u32> {
    runs(terms)
}

/// Every run of [`WIDTH`] terms, hashed; all of them together if there are fewer.
pub(super) fn runs(terms: &[u32]) -> impl Iterator<Item = u32> {
    let width = terms.len().clamp(1, WIDTH);
    terms.windows(width).map(joined)
}

/// One hash of several, in this order.
pub(super) fn joined(terms: &[u32]) -> u32 {
    /// Odd, its bits in no order: 2^64 divided by the golden ratio.
    const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
    let mixed = terms.iter().fold(0_u64, |hash, &term| {
        (hash ^ u64::from(term)).wrapping_mul(MULTIPLIER).rotate_left(29)
    });
    (mixed.wrapping_mul(MULTIPLIER) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use crate::text::{Bag, shingles, words};

    fn of(text: &str) -> Bag {
        let terms: Vec<u32> = words(text).iter().map(|word| word.term).collect();
        Bag::distinct(shingles(&terms).collect())
    }

    #[test]
    fn a_cut_text_is_contained_but_resembles_less() {
        let whole = of("the bank raised its rate by half a point on monday");
        let cut = of("The bank raised its rate by half a point");
        assert_eq!(cut.containment(&whole), 1.0);
        assert!((cut.resemblance(&whole) - 7.0 / 9.0).abs() < 1e-6);
        assert!((whole.contained_in(&cut) - 7.0 / 9.0).abs() < 1e-6);
    }

    #[test]
    fn texts_without_words_share_nothing() {
        assert_eq!(of("!!!").containment(&of("!!!")), 0.0);
    }

    #[test]
    fn short_texts_are_one_shingle() {
        assert_eq!(of("Rates rise").resemblance(&of("rates RISE")), 1.0);
    }

    #[test]
    fn the_order_of_words_counts() {
        assert_eq!(of("dog bites man").resemblance(&of("man bites dog")), 0.0);
    }
}
