use unicode_segmentation::UnicodeSegmentation;

use super::normalize;

/// A word as it stands in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word<'a> {
    /// As it is written.
    pub written: &'a str,
    /// Normalised and in lower case: what is compared.
    pub folded: String,
    /// First code point in the text.
    pub start: u32,
    /// One past its last code point.
    pub end: u32,
    /// Whether a sentence starts here, as far as punctuation tells.
    pub opens_sentence: bool,
}

/// The words of `text` in order, by the word boundaries of UAX #29.
pub fn words(text: &str) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    let mut position = 0_u32;
    let mut opens_sentence = true;
    for segment in text.split_word_bounds() {
        let start = position;
        position += segment.chars().count() as u32;
        if segment.chars().any(char::is_alphanumeric) {
            found.push(Word {
                written: segment,
                folded: normalize(segment).to_lowercase(),
                start,
                end: position,
                opens_sentence,
            });
            opens_sentence = false;
        } else if segment.contains(['.', '!', '?', ':', '\u{201C}', '"']) {
            opens_sentence = true;
        }
    }
    found
}

/// How many words `text` has.
pub fn word_count(text: &str) -> usize {
    text.unicode_words().count()
}

#[cfg(test)]
mod tests {
    use super::words;
    use proptest::prelude::*;

    #[test]
    fn numbers_with_separators_are_one_word() {
        let folded: Vec<_> = words("It rose 1,234.5 pct\u{2014}in the U.S.")
            .into_iter()
            .map(|word| word.folded)
            .collect();
        assert_eq!(folded, ["it", "rose", "1,234.5", "pct", "in", "the", "u.s"]);
    }

    proptest! {
        #[test]
        fn offsets_point_at_the_word(text in any::<String>()) {
            let points: Vec<char> = text.chars().collect();
            for word in words(&text) {
                let slice: String = points[word.start as usize..word.end as usize].iter().collect();
                prop_assert_eq!(slice, word.written);
            }
        }
    }
}
