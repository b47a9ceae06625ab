use std::borrow::Cow;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;
use xxhash_rust::xxh3::xxh3_64;

use super::normalize;

/// What a word follows that starts a sentence.
const ENDS_SENTENCE: [char; 6] = ['.', '!', '?', ':', '\u{201C}', '"'];

/// A word as it stands in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word<'a> {
    /// As it is written.
    pub written: &'a str,
    /// Normalised and in lower case: what is compared.
    pub folded: Cow<'a, str>,
    /// Hash of that, without a possessive ending. The same in every process.
    pub term: u32,
    /// Where it stands in the text, in bytes.
    pub bytes: Range<usize>,
    /// First code point in the text.
    pub start: u32,
    /// One past its last code point.
    pub end: u32,
    /// Whether a sentence starts here, as far as punctuation tells.
    pub opens_sentence: bool,
}

/// The words of `text` in order, by the word boundaries of UAX #29.
pub fn words(text: &str) -> Vec<Word<'_>> {
    let mut found = Vec::with_capacity(text.len() / 5);
    let (mut byte, mut position) = (0, 0_u32);
    let mut opens_sentence = true;
    for (first, written) in text.unicode_word_indices() {
        let between = text.get(byte..first).unwrap_or_default();
        opens_sentence |= between.contains(ENDS_SENTENCE);
        let start = position + points(between);
        byte = first + written.len();
        position = start + points(written);
        let folded = fold(written);
        found.push(Word {
            written,
            term: term(&folded),
            folded,
            bytes: first..byte,
            start,
            end: position,
            opens_sentence,
        });
        opens_sentence = false;
    }
    found
}

/// How many code points `text` has.
fn points(text: &str) -> u32 {
    let points = if text.is_ascii() { text.len() } else { text.chars().count() };
    points as u32
}

fn term(folded: &str) -> u32 {
    let stem = folded.strip_suffix("'s").filter(|stem| !stem.is_empty()).unwrap_or(folded);
    xxh3_64(stem.as_bytes()) as u32
}

/// Normalised, in lower case.
fn fold(word: &str) -> Cow<'_, str> {
    let is_folded =
        |byte: u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase() && byte != b'`';
    if word.bytes().all(is_folded) {
        Cow::Borrowed(word)
    } else if word.is_ascii() {
        Cow::Owned(word.to_ascii_lowercase())
    } else {
        Cow::Owned(normalize(word).to_lowercase())
    }
}

/// How many words `text` has.
pub fn word_count(text: &str) -> usize {
    text.unicode_words().count()
}

#[cfg(test)]
mod tests {
    use super::words;
    use crate::text::normalize;
    use proptest::prelude::*;

    #[test]
    fn numbers_with_separators_are_one_word() {
        let folded: Vec<_> = words("It rose 1,234.5 pct\u{2014}in the U.S.")
            .into_iter()
            .map(|word| word.folded.into_owned())
            .collect();
        assert_eq!(folded, ["it", "rose", "1,234.5", "pct", "in", "the", "u.s"]);
    }

    proptest! {
        #[test]
        fn words_are_folded_as_normalised_text_is(text in "[ -~\u{C0}-\u{17F}]{0,12}") {
            for word in words(&text) {
                prop_assert_eq!(&*word.folded, normalize(word.written).to_lowercase());
                prop_assert_eq!(&text[word.bytes.clone()], word.written);
            }
        }

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
