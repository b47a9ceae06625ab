use std::sync::LazyLock;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use regex::bytes::Regex;

use super::PageError;

/// Bytes at the start of a page in which it may name its character set. The standard says
/// 1,024; pages put more before it.
const HEAD: usize = 4_096;

/// `<meta charset="...">`, `<meta ... content="text/html; charset=...">`, `<?xml encoding="..."?>`.
#[allow(clippy::expect_used, reason = "the pattern is a constant that the tests compile")]
static DECLARED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?i)<meta\b[^>]{0,300}?charset\s*=\s*["']?\s*([a-z0-9_:-]+)|^\s*<\?xml\b[^>]{0,100}?encoding\s*=\s*["']([a-z0-9_:-]+)"#,
    )
    .expect("constant pattern")
});

/// The text of a page. Its character set is named by a byte-order mark, else by the
/// Content-Type, else it is UTF-8 if its bytes are, else what the page declares, else what
/// the bytes look like. What is wrong in it becomes U+FFFD.
///
/// UTF-8 goes before what a page declares because few bytes of other sets happen to be valid
/// UTF-8, while pages that were saved or passed on keep their old declaration.
///
/// # Errors
///
/// If the Content-Type is that of something else than a page.
pub fn decode(bytes: &[u8], content_type: &str) -> Result<String, PageError> {
    check_type(content_type)?;
    Ok(decode_any(bytes, content_type))
}

/// `Ok` if a Content-Type is that of a page, or empty.
///
/// # Errors
///
/// If it is that of something else.
pub fn check_type(content_type: &str) -> Result<(), PageError> {
    let (media_type, _) = parts_of(content_type);
    match is_page(media_type) {
        true => Ok(()),
        false => Err(PageError::NotAPage(media_type.chars().take(64).collect())),
    }
}

/// The same of anything that is marked up, whatever its Content-Type says that it is.
pub fn decode_any(bytes: &[u8], content_type: &str) -> String {
    let (_, charset) = parts_of(content_type);
    // Decoding looks for a byte-order mark first, whatever the encoding.
    let encoding = charset
        .and_then(|label| Encoding::for_label(label.as_bytes()))
        .unwrap_or_else(|| encoding_of(bytes));
    encoding.decode(bytes).0.into_owned()
}

/// Media type and character set of a Content-Type header.
fn parts_of(content_type: &str) -> (&str, Option<&str>) {
    let mut parts = content_type.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    let charset = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let named = name.trim().eq_ignore_ascii_case("charset");
        named.then(|| value.trim().trim_matches(['"', '\'']))
    });
    (media_type, charset)
}

fn is_page(media_type: &str) -> bool {
    let media_type = media_type.to_ascii_lowercase();
    media_type.is_empty()
        || media_type.starts_with("text/")
        || ["application/xhtml+xml", "application/xml", "application/octet-stream"]
            .contains(&media_type.as_str())
}

fn encoding_of(bytes: &[u8]) -> &'static Encoding {
    if std::str::from_utf8(bytes).is_ok() && !bytes.is_ascii() {
        return UTF_8;
    }
    let head = bytes.get(..HEAD).unwrap_or(bytes);
    let declared = DECLARED.captures(head).and_then(|found| found.get(1).or(found.get(2)));
    match declared.and_then(|label| Encoding::for_label(label.as_bytes())) {
        // What could be read as ASCII so far is not UTF-16 (HTML standard, "prescan").
        Some(encoding) if [UTF_16BE, UTF_16LE].contains(&encoding) => UTF_8,
        Some(encoding) => encoding,
        None => guessed(bytes),
    }
}

fn guessed(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Allow)
}

#[cfg(test)]
mod tests {
    use encoding_rs::{EUC_JP, Encoding, SHIFT_JIS, UTF_16LE, WINDOWS_1251, WINDOWS_1252};

    use super::decode;
    use crate::page::PageError;

    const FRENCH: &str =
        "L'été dernier, le ministre a été reçu à l'Élysée ; ça s'est passé très tôt.";
    const RUSSIAN: &str = "Министр прибыл в столицу на переговоры о торговле и безопасности.";
    const JAPANESE: &str = "大臣は貿易について話し合うために首都に到着しました。";

    fn encoded(encoding: &'static Encoding, text: &str) -> Vec<u8> {
        let (bytes, _, unmappable) = encoding.encode(text);
        assert!(!unmappable);
        bytes.into_owned()
    }

    #[test]
    fn a_byte_order_mark_goes_before_everything() {
        let utf8 = [b"\xEF\xBB\xBF".as_slice(), FRENCH.as_bytes()].concat();
        assert_eq!(decode(&utf8, "text/html; charset=windows-1251").unwrap(), FRENCH);
        let utf16: Vec<u8> =
            [0xFEFF].into_iter().chain(RUSSIAN.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&utf16, "").unwrap(), RUSSIAN);
    }

    #[test]
    fn the_content_type_goes_before_what_the_page_declares() {
        let page = format!("<meta charset=\"iso-8859-1\"><p>{RUSSIAN}");
        let bytes = encoded(WINDOWS_1251, &page);
        assert_eq!(decode(&bytes, "text/html; Charset=\"Windows-1251\"").unwrap(), page);
        let utf16: Vec<u8> = RUSSIAN.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let label = format!("text/html;charset={}", UTF_16LE.name());
        assert_eq!(decode(&utf16, &label).unwrap(), RUSSIAN);
    }

    #[test]
    fn a_page_may_declare_its_character_set_in_several_ways() {
        for (encoding, head) in [
            (WINDOWS_1251, "<html><head><meta charset=windows-1251>"),
            (WINDOWS_1251, "<meta http-equiv='Content-Type' content='text/html; charset=cp1251'>"),
            (WINDOWS_1251, "<?xml version='1.0' encoding='windows-1251'?><html>"),
        ] {
            let page = format!("{head}<p>{RUSSIAN}</p>");
            assert_eq!(decode(&encoded(encoding, &page), "text/html").unwrap(), page, "{head}");
        }
        let page = format!("<meta charset='euc-jp'><p>{JAPANESE}");
        assert_eq!(decode(&encoded(EUC_JP, &page), "").unwrap(), page);
    }

    #[test]
    fn a_page_that_was_saved_as_utf_8_may_still_declare_its_old_set() {
        let page = format!("<meta charset=euc-jp><p>{JAPANESE}");
        assert_eq!(decode(page.as_bytes(), "text/html").unwrap(), page);
    }

    #[test]
    fn without_a_word_about_it_the_bytes_decide() {
        for (encoding, text) in
            [(WINDOWS_1252, FRENCH), (WINDOWS_1251, RUSSIAN), (SHIFT_JIS, JAPANESE)]
        {
            let page = format!("<p>{text}</p>").repeat(4);
            assert_eq!(decode(&encoded(encoding, &page), "").unwrap(), page, "{}", encoding.name());
        }
    }

    #[test]
    fn what_is_wrong_is_replaced_and_unknown_names_are_passed_over() {
        assert_eq!(
            decode(b"<meta charset=utf-8>a\xFFb", "").unwrap(),
            "<meta charset=utf-8>a\u{FFFD}b"
        );
        assert_eq!(decode(FRENCH.as_bytes(), "text/html; charset=klingon").unwrap(), FRENCH);
        // A declaration that could not be read if it were true.
        let page = "<meta charset=\"utf-16\"><p>plain";
        assert_eq!(decode(page.as_bytes(), "").unwrap(), page);
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for content_type in ["application/pdf", "image/png; charset=utf-8", "application/json"] {
            let refused = decode(b"%PDF", content_type);
            assert!(matches!(refused, Err(PageError::NotAPage(_))), "{content_type}");
        }
        assert!(decode(b"<p>", "TEXT/HTML").is_ok());
    }
}
