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
    const LONGEST: usize = 5;
    word.folded.len() <= LONGEST && STOPWORDS.binary_search(&&*word.folded).is_ok()
}

#[cfg(test)]
mod tests {
    use super::STOPWORDS;

    #[test]
    fn the_list_is_sorted() {
        assert!(STOPWORDS.is_sorted());
        assert!(STOPWORDS.iter().all(|word| word.len() <= 5));
    }
}
