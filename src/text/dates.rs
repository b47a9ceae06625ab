use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use regex::{Captures, Regex};

use super::pattern;

/// What months are called where news is written in Latin letters, in full and for short.
const MONTHS: [&str; 12] = [
    "january|januar|januari|janvier|janeiro|enero|gennaio|jan|janv|ene|gen",
    "february|februar|februari|f\u{E9}vrier|fevrier|fevereiro|febrero|febbraio|feb|f\u{E9}vr|fev",
    "march|m\u{E4}rz|maerz|maart|mars|mar\u{E7}o|marzo|mar|m\u{E4}r|mrt",
    "april|avril|abril|aprile|apr|avr|abr",
    "may|mai|mei|maio|mayo|maggio|mag|maj",
    "june|juni|juin|junho|junio|giugno|jun|giu",
    "july|juli|juillet|julho|julio|luglio|jul|juil|lug",
    "august|augustus|ao\u{FB}t|aout|agosto|aug|ago",
    "september|septembre|setembro|septiembre|settembre|sept|sep|set",
    "october|oktober|octobre|outubro|octubre|ottobre|oct|okt|out|ott",
    "november|novembre|novembro|noviembre|nov",
    "december|dezember|d\u{E9}cembre|decembre|dezembro|diciembre|dicembre|dec|dez|d\u{E9}c|dic",
];

/// The ways in which outlets write a full date.
static DATES: LazyLock<[Regex; 5]> = LazyLock::new(|| {
    let months = MONTHS.join("|");
    let month = format!(r"(?<month>{months})\b\.?");
    [
        pattern(r"\b(?<year>\d{4})[-/](?<monthnumber>\d{1,2})[-/](?<day>\d{1,2})(?:T|\b)"),
        pattern(r"\b(?<day>\d{1,2})\.\s?(?<monthnumber>\d{1,2})\.\s?(?<year>\d{4})\b"),
        pattern(
            r"(?<year>\d{4})\s?[年년]\s?(?<monthnumber>\d{1,2})\s?[月월]\s?(?<day>\d{1,2})\s?[日일]",
        ),
        pattern(&format!(
            r"(?i)\b{month}\s+(?<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?<year>\d{{4}})\b"
        )),
        pattern(&format!(
            r"(?i)\b(?<day>\d{{1,2}})(?:st|nd|rd|th|er|\.)?(?:\s+de)?[\s-]{month},?(?:\s+de)?[\s-](?<year>\d{{4}})\b"
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
        r"(?i)\b(first |last )?(published|updated|posted|submitted|modified|created|date|released|issued|at|on|from|by|gmt|utc|bst|est|edt|pst|pdt|cet|cest|ist|et|pt|am|pm|a\.m|p\.m|mon(day)?|tues?(day)?|wed(nesday)?|thu(rs)?(day)?|fri(day)?|sat(urday)?|sun(day)?)\b|[\s\d:,.()|/+-]",
    )
});

/// When the article was published, if `line` is one that only dates it, such as
/// "Published December 1, 2023" or "14:34 GMT 20.10.2023 (Updated: ...)".
///
/// The first date counts. Without a time that names its zone it is the start of
/// that day, UTC.
pub fn date_line(line: &str) -> Option<Timestamp> {
    let date = first_date(line)?;
    let rest = DATES
        .iter()
        .fold(line.to_owned(), |rest, pattern| pattern.replace_all(&rest, " ").into_owned());
    AROUND.replace_all(&rest, "").is_empty().then_some(date)
}

/// The first full date in `line`, whatever stands around it; read as by [`date_line`].
pub fn first_date(line: &str) -> Option<Timestamp> {
    let (captures, date) = DATES
        .iter()
        .filter_map(|pattern| {
            let captures = pattern.captures(line)?;
            let date = date_of(&captures)?;
            Some((captures, date))
        })
        .min_by_key(|(captures, _)| captures.get(0).map_or(0, |found| found.start()))?;
    let date_at = captures.get(0).map_or(0, |found| found.start());
    let time = time_near(line, date_at).unwrap_or(Time::midnight());
    date.to_datetime(time).to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// A time as machines write it: ISO 8601 in its variants, RFC 2822, digits alone, seconds or
/// milliseconds since 1970, and what browsers print. Without a zone, or with one that only
/// has a name, it is taken as UTC. One before [`YEAR_1`] is none.
pub fn written_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| rfc2822::parse(text).ok().map(|zoned| zoned.timestamp()))
        .or_else(|| with_offset(text))
        .or_else(|| without_zone(&ZONE_NAME.replace(text, " ")))
        .or_else(|| since_1970(text))
        .filter(|time| *time >= YEAR_1)
}

/// The earliest time that the contract can say (google.protobuf.Timestamp). Its latest, the end of
/// the year 9999, is later than any that a [`Timestamp`] can be.
pub const YEAR_1: Timestamp = Timestamp::constant(-62_135_596_800, 0);

/// What may stand for the zone: a name, in brackets or not, and what browsers put before it.
static ZONE_NAME: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\s+\(?[A-Z]{2,5}([+-]0000)?\b\)?(\s*\([\w ]+\))?\s*"));

fn with_offset(text: &str) -> Option<Timestamp> {
    const FORMATS: [&str; 5] = [
        "%Y-%m-%dT%H:%M%z",
        "%Y-%m-%d %H:%M:%S%.f %z",
        "%Y-%m-%d %H:%M %z",
        "%Y/%m/%d %H:%M:%S %z",
        "%a %b %d %H:%M:%S %z %Y",
    ];
    FORMATS.iter().find_map(|format| Timestamp::strptime(format, text).ok())
}

fn without_zone(text: &str) -> Option<Timestamp> {
    const TIMES: [&str; 9] = [
        "%Y%m%d%H%M%S",
        "%Y%m%dT%H%M%S",
        "%Y/%m/%d %H:%M:%S",
        "%Y/%m/%d %H:%M",
        "%d-%b-%Y %H:%M:%S%.f",
        "%d %b %Y %H:%M:%S",
        "%a %b %d %H:%M:%S %Y",
        "%a %b %d %Y %H:%M:%S",
        "%B %d, %Y %I:%M %p",
    ];
    const DAYS: [&str; 6] =
        ["%Y%m%d", "%Y/%m/%d", "%d.%m.%Y", "%B %d, %Y", "%b %d, %Y", "%d %B %Y"];
    let text = text.trim();
    let time = TIMES.iter().find_map(|format| DateTime::strptime(format, text).ok());
    let day = || DAYS.iter().find_map(|format| Date::strptime(format, text).ok());
    let time = time
        .or_else(|| text.parse().ok())
        .or_else(|| Some(day()?.to_datetime(Time::midnight())))
        .or_else(|| Some(text.parse::<Date>().ok()?.to_datetime(Time::midnight())))?;
    time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn since_1970(text: &str) -> Option<Timestamp> {
    let number: i64 = text.parse().ok()?;
    match text.len() {
        9 | 10 => Timestamp::from_second(number).ok(),
        12 | 13 => Timestamp::from_millisecond(number).ok(),
        _ => None,
    }
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
    let name = name.to_lowercase();
    let index = MONTHS.iter().position(|names| names.split('|').any(|known| known == name))?;
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
    use super::{date_line, first_date, written_time};

    #[test]
    fn times_of_machines_are_read_in_the_ways_that_they_are_written() {
        for (text, expected) in [
            ("2023-10-20T14:34:00Z", "2023-10-20T14:34:00Z"),
            ("2023-10-20T16:34:00+02:00", "2023-10-20T14:34:00Z"),
            ("2023-10-20T16:34:00.123+0200", "2023-10-20T14:34:00.123Z"),
            ("2023-10-20T16:34+0200", "2023-10-20T14:34:00Z"),
            ("2023-10-20T14:34", "2023-10-20T14:34:00Z"),
            ("2023-10-20 14:34:00", "2023-10-20T14:34:00Z"),
            ("2023-10-20 16:34:00 +0200", "2023-10-20T14:34:00Z"),
            ("2023-10-20 14:34:00 UTC", "2023-10-20T14:34:00Z"),
            ("2023/10/20 14:34:00", "2023-10-20T14:34:00Z"),
            ("20231020143400", "2023-10-20T14:34:00Z"),
            ("20231020", "2023-10-20T00:00:00Z"),
            ("2023-10-20", "2023-10-20T00:00:00Z"),
            ("October 20, 2023", "2023-10-20T00:00:00Z"),
            ("Oct 20, 2023", "2023-10-20T00:00:00Z"),
            ("Fri, 20 Oct 2023 14:34:00 GMT", "2023-10-20T14:34:00Z"),
            ("Fri Oct 20 14:34:00 EST 2023", "2023-10-20T14:34:00Z"),
            ("Fri Oct 20 14:34:00 +0000 2023", "2023-10-20T14:34:00Z"),
            (
                "Fri Oct 20 2023 14:34:00 GMT+0000 (Coordinated Universal Time)",
                "2023-10-20T14:34:00Z",
            ),
            ("1697812440", "2023-10-20T14:34:00Z"),
            ("1697812440000", "2023-10-20T14:34:00Z"),
            ("0001-01-01", "0001-01-01T00:00:00Z"),
        ] {
            let time = written_time(text).map(|time| time.to_string());
            assert_eq!(time.as_deref(), Some(expected), "{text}");
        }
        for wrong in ["", "yesterday", "12", "20231399", "2023-02-30", "-1", "-004713-11-24"] {
            assert_eq!(written_time(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn lines_that_date_an_article_are_read() {
        for (line, expected) in [
            ("2023-11-24", "2023-11-24T00:00:00Z"),
            ("Published December 1, 2023", "2023-12-01T00:00:00Z"),
            ("14:34 GMT 20.10.2023 (Updated: 14:37 GMT 20.10.2023)", "2023-10-20T14:34:00Z"),
            ("Posted on Friday, 3rd Feb. 2012", "2012-02-03T00:00:00Z"),
            ("Updated 5 May 2011, 10:15 p.m. GMT", "2011-05-05T22:15:00Z"),
            ("26-FEB-1987 15:01", "1987-02-26T00:00:00Z"),
            ("Submitted on Mon, 2019-01-21 13:49", "2019-01-21T00:00:00Z"),
        ] {
            assert_eq!(date_line(line).map(|t| t.to_string()).as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn dates_are_read_in_other_languages() {
        for (line, expected) in [
            ("jueves, 09 enero 2014 10:21", "2014-01-09T00:00:00Z"),
            ("Publicado el 9 de enero de 2014", "2014-01-09T00:00:00Z"),
            ("Publi\u{E9} le 1er ao\u{FB}t 2015 \u{E0} 13h36", "2015-08-01T00:00:00Z"),
            ("Montag, 4. M\u{E4}rz 2015", "2015-03-04T00:00:00Z"),
            ("2018\u{5E74}6\u{6708}18\u{65E5} 13:57", "2018-06-18T00:00:00Z"),
        ] {
            let date = first_date(line).map(|date| date.to_string());
            assert_eq!(date.as_deref(), Some(expected), "{line}");
        }
        assert_eq!(first_date("Marathon 12 2014, Julia 20, 2014"), None);
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
