use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::pattern;

/// Tags of HTML that stand in running text, and character references.
///
/// Only names that HTML knows, in lower case: agencies write "<IBM>" for a company.
static MARKUP: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"</?(?:a|abbr|article|b|blockquote|br|cite|code|div|em|figcaption|figure|font|footer|h[1-6]|header|hr|i|img|li|ol|p|q|s|script|section|small|span|strong|style|sub|sup|table|tbody|td|th|tr|u|ul)(?:\s[^<>]{0,2000})?/?>|&(?:amp|apos|gt|lt|mdash|ndash|nbsp|quot|[lr][ds]quo|#\d{1,6}|#x[0-9a-f]{1,5});",
    )
});

/// A text without markup that was left in it.
pub fn without_markup(text: &str) -> Cow<'_, str> {
    if text.contains(['<', '&']) { MARKUP.replace_all(text, " ") } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::without_markup;

    #[test]
    fn markup_goes_and_what_looks_like_it_stays() {
        let left = "<p class=\"body\">Shares of <b>Sun</b>&nbsp;rose.</p>";
        assert_eq!(without_markup(left).split_whitespace().count(), 4);
        for kept in ["Sun <SUN> rose", "a < b > c", "AT&T said", "R&D; more"] {
            assert_eq!(without_markup(kept), kept);
        }
    }
}
