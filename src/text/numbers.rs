use std::ops::RangeInclusive;

use xxhash_rust::xxh3::xxh3_64;

use super::facts::is_calendar;
use super::shingles::joined;
use super::{Shape, Word, is_figure};

/// A figure that a text states: a number, or a word that places something in the calendar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number {
    /// Names what it states: "1,200 mln" and "1.2 billion" state the same.
    pub key: u32,
    /// Its value, if it has one.
    pub value: Option<f64>,
    /// It is a word of the calendar.
    pub is_calendar: bool,
    /// Digits between the first and the last one that is not zero.
    pub digits: u32,
    /// How much it tells, 0 to 1: years and small numbers stand in many texts.
    pub weight: f32,
    /// How it is written.
    pub shape: Shape,
    /// Names it together with the word before it, and with the word after it.
    pub contexts: [u32; 2],
}

/// Factors that are written as words after a number.
const SCALES: [(&str, i32); 12] = [
    ("thousand", 3),
    ("mln", 6),
    ("mn", 6),
    ("million", 6),
    ("millions", 6),
    ("m", 6),
    ("bln", 9),
    ("bn", 9),
    ("billion", 9),
    ("billions", 9),
    ("trillion", 12),
    ("tn", 12),
];

/// Numbers that are often written as words.
const SPELLED: [&str; 13] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
];

/// Years that a report may be about.
const YEARS: RangeInclusive<f64> = 1900.0..=2100.0;

/// The numbers of a text with the words that they are made of: digits with separators,
/// fractions (6-1/8), and a factor after them (1.2 billion).
pub fn numbers(text: &str, words: &[Word<'_>]) -> Vec<Number> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let first = at;
        at += 1;
        if !is_figure(word) {
            continue;
        }
        let mut value = plain(word);
        if let Some((fraction, used)) = value.and_then(|_| fraction(text, words, first)) {
            value = Some(fraction);
            at += used - 1;
        }
        if let Some(scale) = scale(words.get(at)) {
            value = value.map(|value| value * scale);
        }
        let before = first.checked_sub(1).and_then(|before| words.get(before));
        found.push(Number::new(word, value, before, words.get(at)));
    }
    found
}

/// The keys of numbers that are written as words. They may stand for a number in another
/// text; by themselves they state little ("one of them").
pub fn spelled_numbers(words: &[Word<'_>]) -> Vec<u32> {
    let key = |(at, word): (usize, &Word<'_>)| {
        let value = SPELLED.iter().position(|spelled| *spelled == word.folded)?;
        Some(key(value as f64 * scale(words.get(at + 1)).unwrap_or(1.0)))
    };
    words.iter().enumerate().filter_map(key).collect()
}

impl Number {
    fn new(
        word: &Word<'_>,
        value: Option<f64>,
        before: Option<&Word<'_>>,
        after: Option<&Word<'_>>,
    ) -> Self {
        let key = value.map_or(word.term, key);
        let term = |word: Option<&Word<'_>>| word.map_or(0, |word| word.term);
        let significant: String = word.folded.chars().filter(char::is_ascii_digit).collect();
        let digits = significant.trim_matches('0').len() as u32;
        let is_year = word.folded.len() == 4 && value.is_some_and(|value| YEARS.contains(&value));
        let weight = match digits {
            _ if is_calendar(word) => 0.7,
            _ if is_year => 0.4,
            0 | 1 => 0.4,
            2 => 0.7,
            _ => 1.0,
        };
        let contexts = [joined(&[term(before), key]), joined(&[key, term(after), 1])];
        let shape = Shape::of(&word.folded);
        let is_calendar = is_calendar(word);
        Self { key, value, digits, weight, is_calendar, shape, contexts }
    }

    /// Whether it is written as neither a number nor a word of the calendar is.
    pub fn is_garbled(&self) -> bool {
        self.value.is_none() && !self.is_calendar
    }

    /// Whether one is the other one rounded, to at least two digits.
    pub fn rounds_to(&self, other: &Self) -> bool {
        let (Some(a), Some(b)) = (self.value, other.value) else { return false };
        let digits = self.digits.min(other.digits);
        if digits < 2 || a <= 0.0 || b <= 0.0 {
            return false;
        }
        let unit = 10_f64.powi(a.max(b).log10().floor() as i32 - digits as i32 + 1);
        (a - b).abs() <= unit * 0.500_1
    }

    /// Whether the two are written with as many digits, all but one of them the same: what
    /// a slip of a finger makes of a number.
    pub fn is_a_digit_off(&self, other: &Self) -> bool {
        let (Some(a), Some(b)) = (self.value, other.value) else { return false };
        let (a, b) = (a.to_string(), b.to_string());
        a.len() == b.len() && a.bytes().zip(b.bytes()).filter(|(a, b)| a != b).count() == 1
    }
}

/// Names a value. Twelve digits tell values apart that texts tell apart.
fn key(value: f64) -> u32 {
    xxh3_64(format!("{value:.11e}").as_bytes()) as u32
}

fn plain(word: &Word<'_>) -> Option<f64> {
    let digits = word.folded.replace(',', "");
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    digits.parse().ok().filter(|_| is_number)
}

fn scale(word: Option<&Word<'_>>) -> Option<f64> {
    let word = word?;
    let scale = SCALES.iter().find(|(name, _)| *name == word.folded)?;
    Some(10_f64.powi(scale.1))
}

/// A fraction, or a whole number and a fraction, that begins at a word; and of how many
/// words it is made.
fn fraction(text: &str, words: &[Word<'_>], at: usize) -> Option<(f64, usize)> {
    let gap = |at: usize| text.get(words.get(at)?.bytes.end..words.get(at + 1)?.bytes.start);
    let whole =
        |at: usize| words.get(at).and_then(plain).filter(|value| (0.0..1000.0).contains(value));
    let part = |at: usize| {
        let (above, below) = (whole(at)?, whole(at + 1)?);
        (gap(at) == Some("/") && below > 0.0).then_some(above / below)
    };
    if let Some(part) = part(at) {
        return Some((part, 2));
    }
    let part = part(at + 1).filter(|_| matches!(gap(at), Some("-" | " ")))?;
    Some((whole(at)? + part, 3))
}

#[cfg(test)]
mod tests {
    use super::{Number, numbers, spelled_numbers};
    use crate::text::words;

    fn of(text: &str) -> Vec<Number> {
        numbers(text, &words(text))
    }

    fn values(text: &str) -> Vec<Option<f64>> {
        of(text).iter().map(|number| number.value).collect()
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        assert_eq!(values("1,200 mln, 1.2 billion"), [Some(1.2e9), Some(1.2e9)]);
        assert_eq!(values("6-1/8 pct and 1/2 and 7 1/4"), [Some(6.125), Some(0.5), Some(7.25)]);
        assert_eq!(values("the 28-day bills of March 3"), [Some(28.0), None, Some(3.0)]);
        assert_eq!(values("the 3rd"), [None]);
    }

    #[test]
    fn what_states_the_same_has_the_same_key() {
        let same = of("1,200 mln 1.2 billion 1200000000");
        assert!(same.iter().all(|number| number.key == same[0].key));
        assert_eq!(spelled_numbers(&words("two billion")), [of("2,000 mln")[0].key]);
    }

    #[test]
    fn a_rounded_number_is_told_from_another_one() {
        let n = of("12,141,000 12.1mln 12.1 mln 12.3 mln 5 5.2 370,500 371,500 17.30 16.70");
        assert!(n[0].rounds_to(&n[2]) && n[2].rounds_to(&n[0]));
        assert!(!n[0].rounds_to(&n[3]) && !n[4].rounds_to(&n[5]));
        assert!(n[6].is_a_digit_off(&n[7]) && !n[8].is_a_digit_off(&n[9]));
    }
}
