use crate::text::{date_line, is_figure, words};

use super::PassageKind;
use super::patterns::is_furniture;

/// Words of a caption that must match before a line counts as its repetition.
const CAPTION_WORDS: usize = 4;

/// Words that a heading, a tag or a link in a list has at most.
const HEADING_WORDS: usize = 10;

/// Tells reporting from furniture, line by line. `lines` are normalised; `title`
/// is the line that holds the headline, if one does; `marked` are those that their
/// markup calls furniture, where there is any.
///
/// A line counts as furniture by what it says, or by where it stands: a name or tag
/// between headline and report, a caption's repetition, a heading over furniture, a
/// link after the report. What is uncertain counts as reporting, and where nothing
/// else is left, everything does.
pub(super) fn classify(
    lines: &[String],
    title: Option<usize>,
    marked: &[bool],
) -> Vec<PassageKind> {
    let is_marked = |index: usize| marked.get(index).copied().unwrap_or(false);
    let mut furniture: Vec<bool> = lines
        .iter()
        .enumerate()
        .map(|(index, line)| title == Some(index) || is_marked(index) || speaks_for_itself(line))
        .collect();
    mark_repeated_captions(lines, &mut furniture);
    mark_head(lines, &mut furniture);
    mark_foot(lines, &mut furniture);
    let nothing_left =
        lines.iter().zip(&furniture).all(|(line, &furniture)| furniture || line.is_empty());
    furniture
        .into_iter()
        .map(|furniture| match furniture && !nothing_left {
            true => PassageKind::Furniture,
            false => PassageKind::Body,
        })
        .collect()
}

/// Whether the line is furniture wherever it stands.
pub(super) fn speaks_for_itself(line: &str) -> bool {
    is_furniture(line) || is_byline(line) || date_line(line).is_some()
}

/// Whether the line reads like a sentence of a report.
pub(super) fn is_sentence(line: &str) -> bool {
    let ended = line.trim_end_matches(['"', '\'', ')', ']']);
    ended.ends_with(['.', '!', '?', ':', ';', ',']) && words(line).len() >= 5
}

/// "By Jane Doe and John Smith, Agency": names and little else after "By".
fn is_byline(line: &str) -> bool {
    const BETWEEN: [&str; 14] = [
        "and",
        "of",
        "for",
        "in",
        "at",
        "the",
        "de",
        "van",
        "von",
        "al",
        "staff",
        "writer",
        "correspondent",
        "special",
    ];
    let mut words = words(line).into_iter();
    if words.next().is_none_or(|word| word.folded != "by") {
        return false;
    }
    let mut words: Vec<_> = words.collect();
    if words.len() > 12 || line.ends_with('.') && words.len() > 6 {
        return false;
    }
    let names = words.len() >= 2 || line.starts_with("BY ");
    let opens_with_date = words.first().is_some_and(is_figure);
    words.retain(|word| !BETWEEN.contains(&&*word.folded));
    let all_capital = words.iter().all(|word| word.written.starts_with(char::is_uppercase));
    names && !words.is_empty() && !opens_with_date && all_capital
}

/// A line that ends a caption or credit elsewhere in the article is its repetition.
fn mark_repeated_captions(lines: &[String], furniture: &mut [bool]) {
    let credits: Vec<&str> = lines
        .iter()
        .zip(furniture.iter())
        .filter(|(_, furniture)| **furniture)
        .map(|(line, _)| line.as_str())
        .collect();
    for (line, furniture) in lines.iter().zip(furniture.iter_mut()) {
        let repeats = || {
            words(line).len() >= CAPTION_WORDS
                && credits
                    .iter()
                    .any(|credit| credit.len() > line.len() && credit.ends_with(line.as_str()))
        };
        *furniture = *furniture || repeats();
    }
}

/// Names, tags and section titles among the furniture over the report.
fn mark_head(lines: &[String], furniture: &mut [bool]) {
    let report = lines
        .iter()
        .zip(furniture.iter())
        .position(|(line, furniture)| !furniture && is_sentence(line));
    let head = furniture.get_mut(..report.unwrap_or(0)).unwrap_or_default();
    if !head.iter().any(|&furniture| furniture) {
        return;
    }
    for (line, furniture) in lines.iter().zip(head) {
        *furniture = *furniture || is_name_or_tag(line);
    }
}

/// One to four words, each with a capital, and no sentence's end.
fn is_name_or_tag(line: &str) -> bool {
    let words = words(line);
    (1..=4).contains(&words.len())
        && !line.ends_with(['.', '!', '?', '"'])
        && words.iter().all(|word| {
            word.written.starts_with(char::is_uppercase)
                || ["and", "of", "the", "for"].contains(&word.written)
        })
}

/// Headings over nothing but furniture, and the list of links under a report.
fn mark_foot(lines: &[String], furniture: &mut [bool]) {
    let end = lines
        .iter()
        .zip(furniture.iter())
        .rposition(|(line, furniture)| !furniture && is_sentence(line))
        .map_or(0, |last| last + 1);
    let foot = furniture.get_mut(end..).unwrap_or_default();
    let Some(first) = foot.iter().position(|&furniture| furniture) else {
        return;
    };
    let heading_before_furniture = first.saturating_sub(1);
    for (index, (line, furniture)) in lines.iter().skip(end).zip(foot).enumerate() {
        let stands_among_furniture = index >= heading_before_furniture;
        *furniture = *furniture || (stands_among_furniture && words(line).len() <= HEADING_WORDS);
    }
}

#[cfg(test)]
mod tests {
    use super::classify;
    use crate::article::PassageKind::{self, Body, Furniture};

    fn kinds(lines: &[&str]) -> Vec<PassageKind> {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        classify(&lines, None, &[])
    }

    #[test]
    fn a_caption_that_repeats_a_credit_is_no_evidence() {
        let credit = "\u{A9} Agency / J. DoeSoldiers salute at the monument in the capital.";
        let caption = "Soldiers salute at the monument in the capital.";
        let report = "The minister arrived in the capital on Thursday for talks.";
        assert_eq!(kinds(&[credit, caption, report]), [Furniture, Furniture, Body]);
    }

    #[test]
    fn names_and_tags_over_a_report_are_furniture_only_beside_other_furniture() {
        let report = "The minister arrived in the capital on Thursday for talks.";
        assert_eq!(
            kinds(&["Jane Doe", "2023-11-24", "DEFENCE AND SECURITY", report]),
            [Furniture, Furniture, Furniture, Body]
        );
        assert_eq!(kinds(&["Jane Doe", report]), [Body, Body]);
    }

    #[test]
    fn a_heading_over_furniture_goes_with_it() {
        let report = "The minister arrived in the capital on Thursday for talks.";
        assert_eq!(
            kinds(&[report, "Stay with us", "Sign up for our newsletter"]),
            [Body, Furniture, Furniture]
        );
        assert_eq!(kinds(&[report, "What next"]), [Body, Body]);
    }

    #[test]
    fn a_document_is_never_furniture_as_a_whole() {
        assert_eq!(kinds(&["Subscribe to our newsletter"]), [Body]);
        assert_eq!(kinds(&["BULLETIN: FED RAISES RATES"]), [Body]);
    }

    #[test]
    fn markup_is_believed_unless_nothing_would_be_left() {
        let lines = ["A quiet street.", "The minister arrived in the capital on Thursday."];
        let lines = lines.map(str::to_owned);
        assert_eq!(classify(&lines, None, &[true, false]), [Furniture, Body]);
        assert_eq!(classify(&lines, None, &[true, true]), [Body, Body]);
    }

    #[test]
    fn bylines_are_told_from_sentences_that_start_alike() {
        let report = "The minister arrived in the capital on Thursday for talks.";
        for byline in
            ["By Jane Doe", "By Jane Doe and John Smith, Agency", "BY JANE DOE", "By JANE Q. DOE"]
        {
            assert_eq!(kinds(&[report, byline, report])[1], Furniture, "{byline}");
        }
        for sentence in ["By Monday", "By March 3 Greece Must Pay", "By law the bank must report"] {
            assert_eq!(kinds(&[report, sentence, report])[1], Body, "{sentence}");
        }
    }
}
