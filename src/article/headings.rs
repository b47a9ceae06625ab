use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use regex::Regex;

use crate::text::{date_line, pattern, words};

use super::furniture::{is_sentence, speaks_for_itself};

/// What the lines of a text say about the article itself.
#[derive(Debug, Default)]
pub(super) struct Headings {
    /// The line that is the headline.
    pub title: Option<usize>,
    /// The outlet, where a line states it.
    pub source: Option<String>,
    /// The first date of publication that a line states.
    pub published_at: Option<Timestamp>,
}

/// Reads headline, outlet and date from the lines of a plain text. `lines` are
/// normalised.
pub(super) fn read_headings(lines: &[String]) -> Headings {
    Headings {
        title: headline(lines),
        source: stated_source(lines).or_else(|| masthead(lines)).or_else(|| credit_holder(lines)),
        published_at: lines.iter().find_map(|line| date_line(line)),
    }
}

/// Words that a headline has at most.
const HEADLINE_WORDS: usize = 30;

/// The headline: among the lines over the first sentence of the report, the first
/// one of three words or more that is not furniture, else the first one.
fn headline(lines: &[String]) -> Option<usize> {
    let report = lines.iter().position(|line| is_sentence(line) && !speaks_for_itself(line))?;
    let candidates = || {
        lines.iter().take(report).enumerate().filter(|(_, line)| {
            let count = words(line).len();
            (1..=HEADLINE_WORDS).contains(&count)
                && !speaks_for_itself(line)
                && !line.ends_with('.')
        })
    };
    candidates()
        .find(|(_, line)| words(line).len() >= 3)
        .or_else(|| candidates().next())
        .map(|(index, _)| index)
}

static STATED: LazyLock<[Regex; 2]> = LazyLock::new(|| {
    [
        pattern(r"(?i)^publication:\s*(?<source>.{2,80}?)\s*(\b(volume|issue|date|page)\b.*)?$"),
        pattern(
            r"(?i)\b(first|originally) (appeared|published|posted|ran) (on|in|by|at) (?<source>[^,.;]{2,80})",
        ),
    ]
});

/// "Publication: NAME", "first appeared on NAME".
fn stated_source(lines: &[String]) -> Option<String> {
    lines.iter().filter(|line| speaks_for_itself(line)).find_map(|line| {
        let captures = STATED.iter().find_map(|pattern| pattern.captures(line))?;
        Some(captures.name("source")?.as_str().trim().to_owned())
    })
}

/// Bytes that the name of an outlet has at most.
const MASTHEAD_BYTES: usize = 100;

static RETURN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^(return|back|go back) to (the )?(?<place>.{2,60})$"));

/// A short line over the report that the foot of the page leads back to.
fn masthead(lines: &[String]) -> Option<String> {
    let mut names: HashMap<String, &String> = HashMap::new();
    for line in lines.iter().filter(|line| line.len() <= MASTHEAD_BYTES) {
        let lowered = line.to_lowercase();
        let name = lowered.strip_prefix("the ").unwrap_or(&lowered);
        names.entry(name.to_owned()).or_insert(line);
    }
    lines.iter().find_map(|line| {
        let place = RETURN.captures(line)?.name("place")?.as_str().to_lowercase();
        names.get(&place).map(|line| (*line).clone())
    })
}

static CREDIT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\u{A9}\s*(?:\d{4}\s*)?(?<holder>[^/|,.\d]{2,40}?)\s*(?:[/|]|$)"));

/// The one that all of several picture credits name, if the report names it too.
fn credit_holder(lines: &[String]) -> Option<String> {
    let holders: Vec<&str> = lines
        .iter()
        .filter_map(|line| Some(CREDIT.captures(line)?.name("holder")?.as_str()))
        .collect();
    let (first, others) = holders.split_first()?;
    let agree = !others.is_empty() && others.iter().all(|holder| holder == first);
    let named = lines.iter().any(|line| !speaks_for_itself(line) && line.contains(first));
    (agree && named).then(|| (*first).to_owned())
}

#[cfg(test)]
mod tests {
    use super::read_headings;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn the_headline_is_not_the_site_above_it() {
        let lines = lines(
            "Search our site\nThe Gazette\nMinister arrives for talks on trade\nPublished May 3, 2021\n\
             The minister arrived in the capital on Monday.\nReturn to the Gazette",
        );
        let headings = read_headings(&lines);
        assert_eq!(headings.title, Some(2));
        assert_eq!(headings.source.as_deref(), Some("The Gazette"));
        assert!(headings.published_at.is_some());
    }

    #[test]
    fn a_flash_has_no_headline() {
        assert_eq!(read_headings(&lines("FED RAISES RATES BY HALF A POINT")).title, None);
        assert_eq!(read_headings(&lines("The bank raised rates by half a point.")).title, None);
    }

    #[test]
    fn a_picture_agency_is_not_taken_for_the_outlet() {
        let once = lines("\u{A9} Agency / J. Doe\nAgency pictures showed the damage on Monday.");
        assert_eq!(read_headings(&once).source, None);
        let unnamed =
            lines("\u{A9} Agency / A\n\u{A9} Agency / B\nThe minister arrived on Monday.");
        assert_eq!(read_headings(&unnamed).source, None);
    }
}
