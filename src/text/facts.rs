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

/// Words that say what a number before them counts.
const UNITS: [&str; 40] = [
    "barrels", "bbl", "billion", "bln", "bn", "bpd", "bushels", "cents", "ct", "cts", "days",
    "degrees", "dlr", "dlrs", "dollars", "euros", "feet", "francs", "hours", "kg", "km", "marks",
    "miles", "million", "minutes", "mln", "months", "ounces", "pct", "people", "percent", "points",
    "pounds", "shares", "tonnes", "tons", "trillion", "weeks", "years", "yen",
];

/// Whether a word says what a number before it counts.
pub fn is_unit(word: &Word<'_>) -> bool {
    UNITS.binary_search(&&*word.folded).is_ok()
}

/// Whether a word is a number or places something in the calendar.
pub fn is_figure(word: &Word<'_>) -> bool {
    word.folded.contains(is_numeric) || is_calendar(word)
}

fn is_numeric(c: char) -> bool {
    c.is_ascii_digit() || (!c.is_ascii() && c.is_numeric())
}

/// Whether a word names a day of the week or a month.
pub(super) fn is_calendar(word: &Word<'_>) -> bool {
    word.written.starts_with(char::is_uppercase) && CALENDAR.contains(&&*word.folded)
}

fn is_name(word: &Word<'_>) -> bool {
    !word.opens_sentence && word.written.starts_with(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::is_fact;
    use crate::text::words;

    #[test]
    fn the_units_are_sorted() {
        assert!(super::UNITS.is_sorted());
    }

    #[test]
    fn numbers_dates_and_names_are_facts() {
        let words = words("It rose 3 pct in March, said Jane Doe of the bank. The march went on.");
        let facts: Vec<&str> = words.iter().filter(|w| is_fact(w)).map(|w| w.written).collect();
        assert_eq!(facts, ["3", "March", "Jane", "Doe"]);
    }
}
