use std::ops::Range;

use tokenizers::Encoding;

/// Tokens that neighbouring windows share, so that what stands at a border is seen
/// with its context.
const OVERLAP: usize = 32;

/// Cuts a text into windows of at most `room` tokens, between words. `encoding` is that
/// of the text, without special tokens.
///
/// Returns ranges of tokens; together they hold every one. A text without tokens has
/// one window, too.
pub(super) fn windows(encoding: &Encoding, room: usize) -> Vec<Range<usize>> {
    let (room, length) = (room.max(1), encoding.len());
    if length <= room {
        return std::iter::once(0..length).collect();
    }
    let starts = word_starts(encoding);
    let mut windows = Vec::new();
    let mut from = 0;
    loop {
        if from + room >= length {
            windows.push(from..length);
            return windows;
        }
        let to = word_start_before(&starts, from + room, from).unwrap_or(from + room);
        windows.push(from..to);
        from = word_start_before(&starts, to.saturating_sub(OVERLAP), from).unwrap_or(to);
    }
}

/// Indices of the tokens that start a word.
fn word_starts(encoding: &Encoding) -> Vec<usize> {
    let words = encoding.get_word_ids();
    (0..words.len())
        .filter(|&index| index == 0 || words.get(index) != words.get(index - 1))
        .collect()
}

/// The last word start up to `at` that is after `floor`.
fn word_start_before(starts: &[usize], at: usize, floor: usize) -> Option<usize> {
    let upto = starts.partition_point(|&start| start <= at);
    starts.get(..upto)?.last().copied().filter(|&start| start > floor)
}
