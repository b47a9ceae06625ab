use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use regex::{Captures, Regex};

use super::patterns::pattern;

const MONTHS: &str = r"(?<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?";

/// The ways in which outlets write a full date.
static DATES: LazyLock<[Regex; 4]> = LazyLock::new(|| {
    [
        pattern(r"\b(?<year>\d{4})[-/](?<monthnumber>\d{1,2})[-/](?<day>\d{1,2})(?:T|\b)"),
        pattern(r"\b(?<day>\d{1,2})\.\s?(?<monthnumber>\d{1,2})\.\s?(?<year>\d{4})\b"),
        pattern(&format!(
            r"(?i)\b{MONTHS}\s+(?<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?<year>\d{{4}})\b"
        )),
        pattern(&format!(
            r"(?i)\b(?<day>\d{{1,2}})(?:st|nd|rd|th)?[\s-]{MONTHS},?[\s-](?<year>\d{{4}})\b"
        )),
    ]
});

static CLOCK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?<hour>\d{1,2}):(?<minute>\d{2})(?::\d{2})?\s*(?<half>[ap]\.?m\.?)?\s*(?<zone>gmt|utc|z\b)?",
    )
});

/// What may stand around a date in a line that only dates the article.
static AROUND: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(first |last )?(published|updated|posted|modified|created|date|released|issued|at|on|from|by|gmt|utc|bst|est|edt|pst|pdt|cet|cest|ist|et|pt|am|pm|a\.m|p\.m|mon(day)?|tues?(day)?|wed(nesday)?|thu(rs)?(day)?|fri(day)?|sat(urday)?|sun(day)?)\b|[\s\d:,.()|/+-]",
    )
});

/// When the article was published, if `line` is one that only dates it, such as
/// "Published December 1, 2023" or "14:34 GMT 20.10.2023 (Updated: ...)".
///
/// The first date counts. Without a time that names its zone it is the start of
/// that day, UTC.
pub(super) fn date_line(line: &str) -> Option<Timestamp> {
    let (captures, date) = DATES
        .iter()
        .filter_map(|pattern| {
            let captures = pattern.captures(line)?;
            let date = date_of(&captures)?;
            Some((captures, date))
        })
        .min_by_key(|(captures, _)| captures.get(0).map_or(0, |found| found.start()))?;
    let rest = DATES
        .iter()
        .fold(line.to_owned(), |rest, pattern| pattern.replace_all(&rest, " ").into_owned());
    if !AROUND.replace_all(&rest, "").is_empty() {
        return None;
    }
    let date_at = captures.get(0).map_or(0, |found| found.start());
    let time = time_near(line, date_at).unwrap_or(Time::midnight());
    date.to_datetime(time).to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn date_of(captures: &Captures<'_>) -> Option<Date> {
    let year = captures.name("year")?.as_str().parse().ok()?;
    let day = captures.name("day")?.as_str().parse().ok()?;
    let month = match captures.name("monthnumber") {
        Some(number) => number.as_str().parse().ok()?,
        None => month_of(captures.name("month")?.as_str())?,
    };
    Date::new(year, month, day).ok().filter(|_| (1800..=2200).contains(&year))
}

fn month_of(name: &str) -> Option<i8> {
    const FIRST_LETTERS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let name = name.to_ascii_lowercase();
    let index = FIRST_LETTERS.iter().position(|first| name.starts_with(first))?;
    Some(index as i8 + 1)
}

/// The time of day in UTC that stands next to the date at `date_at`.
fn time_near(line: &str, date_at: usize) -> Option<Time> {
    let captures =
        CLOCK.captures_iter(line).filter(|captures| captures.name("zone").is_some()).min_by_key(
            |captures| captures.get(0).map_or(0, |found| found.start().abs_diff(date_at)),
        )?;
    let hour: i8 = captures.name("hour")?.as_str().parse().ok()?;
    let minute: i8 = captures.name("minute")?.as_str().parse().ok()?;
    let hour = match captures.name("half").map(|half| half.as_str().starts_with(['p', 'P'])) {
        Some(true) if hour < 12 => hour + 12,
        Some(false) if hour == 12 => 0,
        _ => hour,
    };
    Time::new(hour, minute, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::date_line;

    #[test]
    fn lines_that_date_an_article_are_read() {
        for (line, expected) in [
            ("2023-11-24", "2023-11-24T00:00:00Z"),
            ("Published December 1, 2023", "2023-12-01T00:00:00Z"),
            ("14:34 GMT 20.10.2023 (Updated: 14:37 GMT 20.10.2023)", "2023-10-20T14:34:00Z"),
            ("Posted on Friday, 3rd Feb. 2012", "2012-02-03T00:00:00Z"),
            ("Updated 5 May 2011, 10:15 p.m. GMT", "2011-05-05T22:15:00Z"),
            ("26-FEB-1987 15:01", "1987-02-26T00:00:00Z"),
        ] {
            assert_eq!(date_line(line).map(|t| t.to_string()).as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn dates_in_sentences_and_impossible_dates_are_not() {
        for line in [
            "The talks began on October 18, 2023.",
            "31.02.2023",
            "2023",
            "Monday",
            "Lavrov on October 19, 2023",
        ] {
            assert_eq!(date_line(line), None, "{line}");
        }
    }
}
