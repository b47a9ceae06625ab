use std::ops::Range;

use similar::{Algorithm, DiffTag, capture_diff_slices};

use super::{Word, is_fact, is_figure, is_unit};

/// The same words in two texts. Offsets count code points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Where they stand in the query.
    pub query: Range<u32>,
    /// Where they stand in the match.
    pub matched: Range<u32>,
}

/// A fact that the two texts state differently at the same place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// As the query writes it.
    pub query: String,
    /// As the match writes it.
    pub matched: String,
}

/// What two texts share and where they differ in facts, both in reading order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alignment {
    /// Words in common.
    pub spans: Vec<Span>,
    /// Facts that differ.
    pub conflicts: Vec<Conflict>,
}

/// Aligns the words of two texts by their longest common subsequence
/// (Myers, "An O(ND) Difference Algorithm", 1986).
///
/// A fact conflicts where a stretch of words was replaced by another one and both
/// hold facts.
pub fn align(query: &[Word<'_>], matched: &[Word<'_>]) -> Alignment {
    let left: Vec<&str> = query.iter().map(|word| &*word.folded).collect();
    let right: Vec<&str> = matched.iter().map(|word| &*word.folded).collect();
    let mut alignment = Alignment::default();
    for op in capture_diff_slices(Algorithm::Myers, &left, &right) {
        let here = query.get(op.old_range()).unwrap_or_default();
        let there = matched.get(op.new_range()).unwrap_or_default();
        match op.tag() {
            DiffTag::Equal => alignment.spans.extend(span(here, there)),
            DiffTag::Replace => {
                let here = with_unit(query, op.old_range());
                let there = with_unit(matched, op.new_range());
                alignment.conflicts.extend(conflict(here, there));
            }
            DiffTag::Delete | DiffTag::Insert => {}
        }
    }
    alignment
}

/// Some words, and the unit after them if they end with a number.
fn with_unit<'a, 'b>(words: &'a [Word<'b>], range: Range<usize>) -> &'a [Word<'b>] {
    let ends_in_number = words.get(range.clone()).and_then(<[_]>::last).is_some_and(is_figure);
    let unit = words.get(range.end).is_some_and(is_unit);
    let end = range.end + usize::from(ends_in_number && unit);
    words.get(range.start..end).unwrap_or_default()
}

fn span(here: &[Word<'_>], there: &[Word<'_>]) -> Option<Span> {
    Some(Span {
        query: here.first()?.start..here.last()?.end,
        matched: there.first()?.start..there.last()?.end,
    })
}

fn conflict(here: &[Word<'_>], there: &[Word<'_>]) -> Option<Conflict> {
    let query = facts(here);
    let matched = facts(there);
    (!query.is_empty() && !matched.is_empty() && query != matched)
        .then_some(Conflict { query, matched })
}

/// The facts among some words, numbers with their units.
fn facts(words: &[Word<'_>]) -> String {
    let before = std::iter::once(None).chain(words.iter().map(Some));
    let is_told = |(before, word): &(Option<&Word<'_>>, &Word<'_>)| {
        is_fact(word) || (is_unit(word) && before.is_some_and(is_figure))
    };
    let told = before.zip(words).filter(is_told);
    told.map(|(_, word)| word.written).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{Conflict, align};
    use crate::text::words;

    #[test]
    fn a_changed_date_is_a_conflict_between_shared_spans() {
        let query = words("Treasury balances rose on March 12, it said");
        let matched = words("Treasury balances rose on October 16, it said");
        let alignment = align(&query, &matched);
        assert_eq!(
            alignment.conflicts,
            [Conflict { query: "March 12".into(), matched: "October 16".into() }]
        );
        assert_eq!(alignment.spans.len(), 2);
        assert_eq!(alignment.spans[0].query, 0..25);
        assert_eq!(alignment.spans[1].matched, 38..45);
    }

    #[test]
    fn texts_with_nothing_in_common_have_no_spans() {
        assert!(align(&words("one two"), &words("three four")).spans.is_empty());
        assert!(align(&[], &[]).spans.is_empty());
    }
}
