use std::borrow::Cow;
use std::sync::LazyLock;

use quick_cache::sync::Cache;
use rust_stemmers::{Algorithm, Stemmer};
use xxhash_rust::xxh3::xxh3_64;

use super::Word;

/// Words whose stems are kept: most of any text are of the commonest few thousand.
const KEPT: usize = 1 << 16;

/// What a word has in common with its inflected forms, hashed: "raised" and "raises" are the
/// same, by the rules of the English Snowball stemmer (Porter, "Snowball: a language for stemming
/// algorithms", 2001). The same in every process.
pub fn stem(word: &Word<'_>) -> u32 {
    static KNOWN: LazyLock<Cache<u32, u32>> = LazyLock::new(|| Cache::new(KEPT));
    if let Some(stem) = KNOWN.get(&word.term) {
        return stem;
    }
    let folded = word.folded.as_ref();
    let folded = folded.strip_suffix("'s").filter(|rest| !rest.is_empty()).unwrap_or(folded);
    let stem = match folded.bytes().all(|byte| byte.is_ascii_lowercase()) {
        true => Stemmer::create(Algorithm::English).stem(folded),
        false => Cow::Borrowed(folded),
    };
    let stem = xxh3_64(stem.as_bytes()) as u32;
    KNOWN.insert(word.term, stem);
    stem
}

#[cfg(test)]
mod tests {
    use super::stem;
    use crate::text::words;

    #[test]
    fn inflected_forms_are_the_same() {
        let of = |text: &str| words(text).iter().map(stem).collect::<Vec<_>>();
        assert_eq!(of("raised Rates's"), of("Raises rate"));
        assert_ne!(of("strike"), of("strait"));
        assert_eq!(of("1,200"), of("1,200"));
    }
}
