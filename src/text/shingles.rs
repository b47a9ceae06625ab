use std::hash::{DefaultHasher, Hash, Hasher};

use super::Word;

/// Words in one shingle.
const WIDTH: usize = 3;

/// The set of word shingles of a text: every run of three words, hashed.
///
/// Broder, "On the resemblance and containment of documents" (1997), section 2.
/// A text of fewer than three words is one shingle; a text without words has none.
/// Hashes are for comparing within one process, not for storing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shingles(Vec<u64>);

impl Shingles {
    /// Of the words of a text, in order.
    pub fn of(words: &[Word<'_>]) -> Self {
        let mut hashes: Vec<u64> = if words.len() < WIDTH {
            words.chunks(WIDTH).map(hash).collect()
        } else {
            words.windows(WIDTH).map(hash).collect()
        };
        hashes.sort_unstable();
        hashes.dedup();
        Self(hashes)
    }

    /// The hashes, ascending, each once.
    pub fn hashes(&self) -> &[u64] {
        &self.0
    }

    /// Jaccard resemblance: shared shingles over all shingles, 0 to 1.
    pub fn resemblance(&self, other: &Self) -> f32 {
        let shared = self.shared(other);
        ratio(shared, self.0.len() + other.0.len() - shared)
    }

    /// Share of the smaller set that the larger one holds, 0 to 1.
    pub fn containment(&self, other: &Self) -> f32 {
        ratio(self.shared(other), self.0.len().min(other.0.len()))
    }

    /// Share of this set that `other` holds, 0 to 1.
    pub fn contained_in(&self, other: &Self) -> f32 {
        ratio(self.shared(other), self.0.len())
    }

    fn shared(&self, other: &Self) -> usize {
        let mut theirs = other.0.iter().peekable();
        let mut shared = 0;
        for mine in &self.0 {
            while theirs.next_if(|theirs| *theirs < mine).is_some() {}
            if theirs.next_if_eq(&mine).is_some() {
                shared += 1;
            }
        }
        shared
    }
}

fn hash(words: &[Word<'_>]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for word in words {
        word.folded.hash(&mut hasher);
    }
    hasher.finish()
}

fn ratio(part: usize, whole: usize) -> f32 {
    if whole == 0 { 0.0 } else { part as f32 / whole as f32 }
}

#[cfg(test)]
mod tests {
    use super::Shingles;
    use crate::text::words;

    fn shingles(text: &str) -> Shingles {
        Shingles::of(&words(text))
    }

    #[test]
    fn a_cut_text_is_contained_but_resembles_less() {
        let whole = shingles("the bank raised its rate by half a point on monday");
        let cut = shingles("The bank raised its rate by half a point");
        assert_eq!(cut.containment(&whole), 1.0);
        assert!((cut.resemblance(&whole) - 7.0 / 9.0).abs() < 1e-6);
        assert!((whole.contained_in(&cut) - 7.0 / 9.0).abs() < 1e-6);
    }

    #[test]
    fn texts_without_words_share_nothing() {
        assert_eq!(shingles("!!!").containment(&shingles("!!!")), 0.0);
    }

    #[test]
    fn short_texts_are_one_shingle() {
        assert_eq!(shingles("Rates rise").resemblance(&shingles("rates RISE")), 1.0);
    }
}
