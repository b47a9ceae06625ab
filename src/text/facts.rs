use std::collections::HashMap;

use super::Word;

/// Words that place a report in the calendar.
const CALENDAR: [&str; 19] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// Whether a word states a checkable fact: a number, a date, or a name as far as
/// its capital tells.
pub fn is_fact(word: &Word<'_>) -> bool {
    is_figure(word) || is_name(word)
}

/// The figures (numbers and calendar words) that a text states, and how often.
/// Thousands separators do not count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures(HashMap<String, usize>);

impl Figures {
    /// Of the words of a text.
    pub fn of(words: &[Word<'_>]) -> Self {
        let mut counts = HashMap::new();
        for word in words.iter().filter(|word| is_figure(word)) {
            *counts.entry(word.folded.replace(',', "")).or_default() += 1;
        }
        Self(counts)
    }

    /// How far two texts state the same figures: of those in the text with fewer, the
    /// share that the other one states too, 0 to 1. `None` if either states none.
    pub fn agreement(&self, other: &Self) -> Option<f32> {
        let fewer = self.0.values().sum::<usize>().min(other.0.values().sum());
        let shared: usize = self
            .0
            .iter()
            .map(|(figure, count)| other.0.get(figure).map_or(0, |theirs| *count.min(theirs)))
            .sum();
        (fewer > 0).then(|| shared as f32 / fewer as f32)
    }
}

/// Whether a word is a number or places something in the calendar.
pub fn is_figure(word: &Word<'_>) -> bool {
    word.folded.contains(|c: char| c.is_numeric())
        || (CALENDAR.contains(&word.folded.as_str())
            && word.written.starts_with(char::is_uppercase))
}

fn is_name(word: &Word<'_>) -> bool {
    !word.opens_sentence && word.written.starts_with(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::Figures;
    use crate::text::words;

    fn figures(text: &str) -> Figures {
        Figures::of(&words(text))
    }

    #[test]
    fn another_day_and_amount_disagree() {
        let march = figures("Balances rose to 1,200 mln dlrs on March 12");
        let october = figures("Balances rose to 1,350 mln dlrs on October 16");
        assert_eq!(march.agreement(&october), Some(0.0));
        assert_eq!(march.agreement(&figures("1200 on March 12, up")), Some(1.0));
        assert_eq!(march.agreement(&figures("no figures here")), None);
    }
}
