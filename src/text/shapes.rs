/// Share of the pairs of letters of either word that two words must have in common to be one
/// word, written differently.
const ALIKE: f32 = 0.45;

/// How a word is written, roughly: which pairs of neighbouring letters it has, its ends
/// included, as a set of 64 bits (a Bloom filter with one hash).
///
/// Words of which one letter in five is wrong have more than half of their pairs in common;
/// other words have few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape(u64);

impl Shape {
    /// Of a word in lower case.
    pub fn of(word: &str) -> Self {
        let letters = std::iter::once(' ').chain(word.chars()).chain(std::iter::once(' '));
        let pairs = letters.clone().zip(letters.skip(1));
        let bit = |(a, b): (char, char)| {
            let pair = (u64::from(u32::from(a)) << 21) | u64::from(u32::from(b));
            1_u64 << (pair.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58)
        };
        Self(pairs.map(bit).fold(0, |shape, bit| shape | bit))
    }

    /// Whether two words are likely one, written differently.
    pub fn is_like(self, other: Self) -> bool {
        let (both, either) = ((self.0 & other.0).count_ones(), (self.0 | other.0).count_ones());
        both as f32 >= ALIKE * either as f32
    }
}

#[cfg(test)]
mod tests {
    use super::Shape;

    fn alike(a: &str, b: &str) -> bool {
        Shape::of(a).is_like(Shape::of(b))
    }

    #[test]
    fn a_misread_word_keeps_its_shape() {
        assert!(alike("government", "govemment") && alike("housing", "hosuing"));
        assert!(alike("company", "companies") && alike("1,234,500", "l,234,500"));
    }

    #[test]
    fn other_words_have_other_shapes() {
        assert!(!alike("citgo", "phillips") && !alike("rose", "fell"));
        assert!(!alike("profit", "loss") && !alike("march", "october"));
    }
}
