use unicode_normalization::UnicodeNormalization;

/// The form in which two texts count as the same, letter for letter.
///
/// Unicode NFKC (UAX #15); typographic quotes and dashes become their ASCII
/// forms; control and invisible format characters vanish; every run of white
/// space becomes one space, and none stands at either end. Case stays, because
/// it can carry meaning and models may see it.
///
/// Normalising twice changes nothing. The result is empty if nothing visible is
/// in `text`.
pub fn normalize(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let visible = text.chars().filter(|&c| !is_invisible(c));
    // NFKC leaves ASCII as it is.
    match text.is_ascii() {
        true => folded(visible, text.len()),
        false => folded(visible.nfkc(), text.len()),
    }
}

/// Whether all of `text` is ASCII in its normal form already, as most of what is stored is.
fn is_plain(text: &str) -> bool {
    let is_plain = |byte: u8| byte == b' ' || (byte.is_ascii_graphic() && byte != b'`');
    text.bytes().all(is_plain)
        && !text.starts_with(' ')
        && !text.ends_with(' ')
        && !text.contains("  ")
}

/// Punctuation and white space in one form.
fn folded(text: impl Iterator<Item = char>, length: usize) -> String {
    let mut out = String::with_capacity(length);
    let mut space_pending = false;
    for c in text {
        if c.is_whitespace() {
            space_pending = true;
        } else if !is_invisible(c) {
            if space_pending && !out.is_empty() {
                out.push(' ');
            }
            space_pending = false;
            out.push(fold_punctuation(c));
        }
    }
    out
}

/// Whether `text` holds anything that a reader can see: whether its normal form is not
/// empty.
pub fn is_visible(text: &str) -> bool {
    text.chars().any(|c| !c.is_whitespace() && !is_invisible(c))
}

/// Control and format characters that a reader cannot see: zero-width and
/// directional marks, soft hyphens, variation selectors, tags.
fn is_invisible(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{180E}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}')
}

fn fold_punctuation(c: char) -> char {
    match c {
        '\u{2018}'..='\u{201B}' | '\u{2032}' | '\u{02BC}' | '\u{00B4}' | '`' => '\'',
        '\u{201C}'..='\u{201F}' | '\u{2033}' | '\u{00AB}' | '\u{00BB}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_visible, normalize};
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    #[test]
    fn typography_and_spacing_do_not_make_a_text_different() {
        let curly = "\u{FEFF}\u{201C}It\u{2019}s\u{00A0}over\u{201D} \u{2014}  he\u{00AD} said\r\n";
        assert_eq!(normalize(curly), "\"It's over\" - he said");
    }

    #[test]
    fn invisible_text_is_empty() {
        assert_eq!(normalize("\u{200B}\u{202E}\0 \u{FEFF}\t"), "");
    }

    proptest! {
        #[test]
        fn ascii_is_normalised_like_all_else(text in "[\\x00-\\x7F]{0,40}") {
            let visible = text.chars().filter(|&c| !super::is_invisible(c));
            prop_assert_eq!(normalize(&text), super::folded(visible.nfkc(), 0));
        }

        #[test]
        fn normalising_twice_changes_nothing(text in any::<String>()) {
            let once = normalize(&text);
            prop_assert_eq!(normalize(&once), once);
        }

        #[test]
        fn what_is_visible_has_a_normal_form(text in "\\PC{0,4}|[\\s\u{200B}-\u{200F}\u{AD}\0]{0,4}") {
            prop_assert_eq!(is_visible(&text), !normalize(&text).is_empty());
        }
    }
}
