use std::collections::HashSet;
use std::sync::LazyLock;

use crate::text::{Bag, is_stopword, stem, words};

/// What a text is about, as far as its words tell: made ready to be compared with what other
/// texts are about.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gist {
    /// Stems of its words in their order; not those that stand in every text.
    pub stems: Vec<u32>,
    /// The same, as often as each stands in it.
    pub terms: Bag,
    /// Those of them that are written as names, each once.
    pub names: Bag,
    /// Those of its words that have a digit.
    pub figures: Bag,
}

impl Gist {
    /// Of a text.
    pub fn of(text: &str) -> Self {
        static STOP_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
            let known = stop_words::lookup("en").unwrap_or_default();
            known.iter().copied().collect()
        });
        let words = words(text);
        let tells = |folded: &str| {
            let mut characters = folded.chars();
            let is_letter = characters.next().is_some_and(|first| !first.is_numeric());
            let is_single = characters.next().is_none();
            !(is_letter && is_single || STOP_WORDS.contains(folded))
        };
        let telling = words.iter().filter(|word| !is_stopword(word) && tells(&word.folded));
        let (mut stems, mut names, mut figures) = (Vec::new(), Vec::new(), Vec::new());
        for word in telling {
            let stem = stem(word);
            stems.push(stem);
            if word.folded.contains(|c: char| c.is_numeric()) {
                figures.push(stem);
            } else if !word.opens_sentence && word.written.starts_with(char::is_uppercase) {
                names.push(stem);
            }
        }
        Self {
            terms: Bag::counted(stems.clone()),
            names: Bag::distinct(names),
            figures: Bag::counted(figures),
            stems,
        }
    }

    /// Bytes that it takes in memory, about.
    pub fn bytes(&self) -> usize {
        let bags = [&self.terms, &self.names, &self.figures];
        let terms = bags.iter().map(|bag| 8 * bag.terms().count()).sum::<usize>();
        size_of::<Self>() + 4 * self.stems.len() + terms
    }
}

#[cfg(test)]
mod tests {
    use super::Gist;

    #[test]
    fn what_stands_in_every_text_says_nothing() {
        let gist = Gist::of("The bank has raised its rates to 5.5 percent, and it may do more.");
        let same = Gist::of("Banks: raising rate, 5.5 percent may");
        assert_eq!(gist.terms, same.terms);
        assert_eq!((gist.stems.len(), gist.figures.total()), (6, 1.0));
    }
}
