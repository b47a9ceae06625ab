//! Two texts of any characters: normalised, cut into words, aligned, and read for what they state.

#![allow(clippy::expect_used, reason = "what is not so is a finding")]

use std::ops::Range;

use copydesk::text::{
    Bag, ContentHash, LanguageTag, Word, align, date_line, detect_language, fingerprints,
    first_date, is_visible, normalize, numbers, shingles, spelled_numbers, stem, without_markup,
    words, written_time,
};

/// The texts are on both sides of the first zero.
pub fn compare_texts(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (left, right) = text.split_once('\0').unwrap_or((&text, ""));
    let normal = normal(left);
    let [left, right, normal] = [left, right, &normal].map(read_words);
    check_alignment(&left, &right);
    check_alignment(&right, &left);
    check_alignment(&left, &normal);
    let own = align(&left, &left);
    assert!(own.conflicts.is_empty() && own.spans.len() == usize::from(!left.is_empty()));
    check_terms(&terms(&left), &terms(&right));
}

/// The normal form, which is one.
fn normal(text: &str) -> String {
    let normal = normalize(text);
    assert_eq!(normalize(&normal), normal);
    assert_eq!(normal.is_empty(), !is_visible(text));
    assert_eq!(normal.trim(), normal);
    assert!(!normal.contains("  ") && !normal.contains(char::is_control), "{normal:?}");
    let hash = ContentHash::of_normalized(&normal);
    assert_eq!(hash, ContentHash::of_normalized(&normalize(&normal)));
    normal
}

/// The words, each where it says; and all else that a line may state.
fn read_words(text: &str) -> Vec<Word<'_>> {
    let words = words(text);
    let mut end = 0;
    for word in &words {
        assert!(word.start >= end && word.start < word.end);
        end = word.end;
        assert_eq!(text.get(word.bytes.clone()), Some(word.written));
        assert_eq!(part(text, word.start..word.end), word.written);
        stem(word);
    }
    for number in numbers(text, &words) {
        assert!(number.weight.is_finite());
    }
    spelled_numbers(&words);
    date_line(text);
    first_date(text);
    written_time(text);
    without_markup(text);
    let language = detect_language(text);
    assert_eq!(LanguageTag::parse(language.as_str()), Some(language));
    if let Some(tag) = LanguageTag::parse(text) {
        assert!(tag.primary().is_ascii());
    }
    words
}

/// Spans hold the same words on both sides, in reading order.
fn check_alignment(query: &[Word<'_>], matched: &[Word<'_>]) {
    let alignment = align(query, matched);
    let (mut here, mut there) = (0, 0);
    for span in &alignment.spans {
        assert!(span.query.start >= here && span.matched.start >= there, "{span:?}");
        (here, there) = (span.query.end, span.matched.end);
        let shared = within(query, &span.query);
        assert!(!shared.is_empty() && shared == within(matched, &span.matched), "{span:?}");
    }
    for conflict in &alignment.conflicts {
        assert!(!conflict.query.is_empty() && conflict.query != conflict.matched);
    }
}

fn within<'a>(words: &'a [Word<'_>], span: &Range<u32>) -> Vec<&'a str> {
    let inside = |word: &&Word<'_>| span.start <= word.start && word.end <= span.end;
    words.iter().filter(inside).map(|word| &*word.folded).collect()
}

/// What stands between two code points.
fn part(text: &str, range: Range<u32>) -> &str {
    let at = |point: u32| {
        let mut places = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        places.nth(point as usize).expect("it is there")
    };
    text.get(at(range.start)..at(range.end)).expect("between characters")
}

fn terms(words: &[Word<'_>]) -> Vec<u32> {
    words.iter().map(|word| word.term).collect()
}

fn check_terms(left: &[u32], right: &[u32]) {
    let bag = |terms: &[u32]| Bag::counted(shingles(terms).collect());
    let (here, there) = (bag(left), bag(right));
    for likeness in [here.resemblance(&there), here.containment(&there), here.contained_in(&there)]
    {
        assert!((0.0..=1.0).contains(&likeness), "{likeness}");
    }
    assert_eq!(here.resemblance(&there), there.resemblance(&here));
    let prints = fingerprints(left);
    assert!(prints.len() <= left.len());
}
