use std::sync::LazyLock;

use super::Word;

/// English words that stand in every text. Sorted.
const STOPWORDS: [&str; 58] = [
    "a", "after", "also", "an", "and", "are", "as", "at", "be", "been", "but", "by", "for", "from",
    "had", "has", "have", "he", "her", "his", "in", "into", "is", "it", "its", "more", "not", "of",
    "on", "one", "or", "over", "said", "say", "says", "she", "some", "than", "that", "the",
    "their", "there", "these", "they", "this", "those", "to", "up", "was", "we", "were", "when",
    "which", "who", "will", "with", "would", "you",
];

/// Whether a word says nothing by itself. Only English has such words here: in other
/// languages all words count.
pub fn is_stopword(word: &Word<'_>) -> bool {
    static PACKED: LazyLock<[Option<u64>; STOPWORDS.len()]> =
        LazyLock::new(|| STOPWORDS.map(packed));
    packed(&word.folded).is_some_and(|word| PACKED.binary_search(&Some(word)).is_ok())
}

/// The bytes of a word of at most eight, in an order that keeps that of the words: one
/// comparison instead of one for each byte.
fn packed(word: &str) -> Option<u64> {
    let mut packed = [0; size_of::<u64>()];
    packed.get_mut(..word.len())?.copy_from_slice(word.as_bytes());
    Some(u64::from_be_bytes(packed))
}

#[cfg(test)]
mod tests {
    use super::{STOPWORDS, packed};

    #[test]
    fn the_list_is_sorted() {
        assert!(STOPWORDS.is_sorted());
        let packed = STOPWORDS.map(packed);
        assert!(packed.is_sorted() && packed.iter().all(Option::is_some));
    }
}
