use std::ops::Range;

use tokenizers::Encoding;

/// Special tokens around a text: one at its start and one at its end.
const SPECIAL: usize = 2;

/// Tokens that neighbouring windows share, so that what stands at a border is seen
/// with its context.
const OVERLAP: usize = 32;

/// Cuts a text into windows of at most `max_tokens` tokens, special ones included,
/// between words. `encoding` is that of the text, without special tokens and with
/// byte offsets.
///
/// Returns ranges of bytes of the text; together they hold every token.
pub(super) fn windows(encoding: &Encoding, length: usize, max_tokens: usize) -> Vec<Range<usize>> {
    let room = max_tokens.saturating_sub(SPECIAL).max(1);
    let offsets = encoding.get_offsets();
    if offsets.len() <= room {
        return std::iter::once(0..length).collect();
    }
    let starts = word_starts(encoding);
    let mut windows = Vec::new();
    let mut from = 0;
    loop {
        let to = word_start_before(&starts, from + room, from).unwrap_or(from + room);
        let to = if from + room >= offsets.len() { offsets.len() } else { to };
        let first = offsets.get(from).map_or(length, |offset| offset.0);
        let last =
            to.checked_sub(1).and_then(|last| offsets.get(last)).map_or(length, |offset| offset.1);
        windows.push(first..last);
        if to >= offsets.len() {
            return windows;
        }
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
