use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// Code points that a passage has at most.
pub const PASSAGE_LIMIT: usize = 1_000;

/// Words whose full stop does not end a sentence.
const ABBREVIATIONS: [&str; 24] = [
    "Mr", "Mrs", "Ms", "Dr", "Prof", "Sen", "Rep", "Gov", "Gen", "Col", "Lt", "Sgt", "St", "Rev",
    "Hon", "Inc", "Corp", "Co", "Ltd", "No", "vs", "Jr", "Sr", "etc",
];

/// Cuts a paragraph into passages of at most [`PASSAGE_LIMIT`] code points, as even
/// in length as its sentences allow.
///
/// Returns spans of code points in `paragraph`. Cuts fall at sentence ends; in a
/// sentence that is too long, between words; in a word that is too long, between
/// characters as a reader sees them. Only white space stands outside the spans.
/// Empty if the paragraph is white space.
pub fn cut_paragraph(paragraph: &str) -> Vec<Range<u32>> {
    let points: Vec<char> = paragraph.chars().collect();
    let mut start = skip_space(&points, 0);
    let end = points.len() - points.iter().rev().take_while(|c| c.is_whitespace()).count();
    if start >= end {
        return Vec::new();
    }
    let sentences = sentence_ends(&points);
    let words = word_starts(&points);
    let graphemes = grapheme_starts(paragraph);
    let mut spans = Vec::new();
    while end - start > PASSAGE_LIMIT {
        let pieces = (end - start).div_ceil(PASSAGE_LIMIT);
        let target = start + (end - start).div_ceil(pieces);
        let most = start + PASSAGE_LIMIT;
        let cut = nearest(&sentences, start, target, most)
            .or_else(|| nearest(&words, start, target, most))
            .or_else(|| nearest(&graphemes, start, target, most))
            .unwrap_or(most);
        spans.push(trimmed(&points, start, cut));
        start = skip_space(&points, cut);
    }
    spans.push(start as u32..end as u32);
    spans
}

/// The boundary in `(start, most]` that is nearest to `target`.
fn nearest(boundaries: &[usize], start: usize, target: usize, most: usize) -> Option<usize> {
    let from = boundaries.partition_point(|&boundary| boundary <= start);
    let to = boundaries.partition_point(|&boundary| boundary <= most);
    boundaries.get(from..to)?.iter().copied().min_by_key(|boundary| boundary.abs_diff(target))
}

fn trimmed(points: &[char], start: usize, end: usize) -> Range<u32> {
    let tail = points
        .get(start..end)
        .unwrap_or_default()
        .iter()
        .rev()
        .take_while(|c| c.is_whitespace())
        .count();
    start as u32..(end - tail) as u32
}

fn skip_space(points: &[char], from: usize) -> usize {
    from + points.iter().skip(from).take_while(|c| c.is_whitespace()).count()
}

/// Where sentences end: after a full stop, question or exclamation mark and the quotes
/// and brackets that close with it, if white space follows and no small letter after
/// that, and not after abbreviations and initials; after the marks of scripts without
/// spaces in any case.
///
/// The rules of UAX #29 in short: their implementation takes quadratic time.
fn sentence_ends(points: &[char]) -> Vec<usize> {
    let mut ends = Vec::new();
    for (index, &mark) in points.iter().enumerate() {
        let rest = points.get(index + 1..).unwrap_or_default();
        let closing = rest.iter().take(MOST_CLOSING).take_while(|&&c| closes(c)).count();
        let after = rest.get(closing..).unwrap_or_default();
        let end = index + 1 + closing;
        match mark {
            '\u{3002}' | '\u{FF01}' | '\u{FF1F}' => ends.push(end),
            '.' | '!' | '?' | '\u{2026}' | '\u{061F}' | '\u{06D4}' | '\u{0964}' => {
                let spaced = after.first().is_some_and(|c| c.is_whitespace());
                let next = after.iter().take(MOST_CLOSING).find(|c| !c.is_whitespace());
                let goes_on = next.is_some_and(|c| c.is_lowercase());
                if spaced && !goes_on && !(mark == '.' && follows_abbreviation(points, index)) {
                    ends.push(end);
                }
            }
            _ => {}
        }
    }
    ends
}

/// Quotes, brackets and spaces that are looked at behind a mark.
const MOST_CLOSING: usize = 8;

fn closes(c: char) -> bool {
    matches!(c, '"' | '\'' | ')' | ']' | '\u{2019}' | '\u{201D}' | '\u{00BB}' | '.' | '!' | '?')
}

/// Whether the full stop at `stop` stands behind an abbreviation or an initial.
fn follows_abbreviation(points: &[char], stop: usize) -> bool {
    const LONGEST: usize = 4;
    let before = points.get(stop.saturating_sub(LONGEST + 1)..stop).unwrap_or_default();
    let letters = before.iter().rev().take_while(|c| c.is_alphanumeric()).count();
    let word: String = before.iter().skip(before.len() - letters).collect();
    let is_initial = letters == 1 && word.chars().all(char::is_uppercase);
    is_initial || ABBREVIATIONS.contains(&word.as_str())
}

fn word_starts(points: &[char]) -> Vec<usize> {
    points
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| matches!(pair, [a, b] if a.is_whitespace() && !b.is_whitespace()))
        .map(|(index, _)| index + 1)
        .collect()
}

fn grapheme_starts(paragraph: &str) -> Vec<usize> {
    paragraph
        .graphemes(true)
        .scan(0, |position, grapheme| {
            let start = *position;
            *position += grapheme.chars().count();
            Some(start)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{PASSAGE_LIMIT, cut_paragraph};
    use proptest::prelude::*;

    fn slice(text: &str, span: &std::ops::Range<u32>) -> String {
        text.chars().skip(span.start as usize).take(span.len()).collect()
    }

    #[test]
    fn a_paragraph_of_usual_length_stays_whole() {
        assert_eq!(cut_paragraph("  Rates rose. "), std::slice::from_ref(&(2..13)));
        assert!(cut_paragraph(" \u{00A0}\t").is_empty());
    }

    #[test]
    fn a_long_paragraph_is_cut_at_sentence_ends_and_evenly() {
        let sentence = "Dr. Frank of the university told J. Doe that nothing was decided yet. ";
        let text = sentence.repeat(20);
        let spans = cut_paragraph(&text);
        assert_eq!(spans.len(), 2);
        for span in &spans {
            assert!(slice(&text, span).starts_with("Dr. Frank"));
            assert!(slice(&text, span).ends_with("yet."));
            assert!(span.len() > 500);
        }
    }

    #[test]
    fn a_text_without_spaces_is_cut_between_characters() {
        let text = "e\u{301}".repeat(1_500);
        for span in cut_paragraph(&text) {
            assert!(slice(&text, &span).starts_with('e'));
        }
    }

    proptest! {
        #[test]
        fn no_text_is_lost_and_offsets_are_valid(
            parts in prop::collection::vec(any::<String>(), 0..200),
        ) {
            let text = parts.join(". ");
            let points = text.chars().count() as u32;
            let spans = cut_paragraph(&text);
            let mut covered = 0;
            for span in &spans {
                prop_assert!(covered <= span.start && span.start < span.end && span.end <= points);
                prop_assert!(span.len() <= PASSAGE_LIMIT);
                prop_assert!(slice(&text, &(covered..span.start)).trim().is_empty());
                covered = span.end;
            }
            prop_assert!(slice(&text, &(covered..points)).trim().is_empty());
        }
    }
}
