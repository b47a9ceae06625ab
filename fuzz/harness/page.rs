//! Pages of any bytes.

use copydesk::page;

/// Reads a page of any bytes. What is found in it is bounded and can be shown.
pub fn read_page(bytes: &[u8]) {
    let Ok(page) = page::read(bytes, "") else { return };
    assert!(!page.paragraphs.is_empty());
    assert!(page.title.chars().count() <= 1_000);
    for text in [&page.title, &page.outlet, &page.author, &page.url] {
        assert!(!text.contains(char::is_control), "{text:?}");
    }
    for paragraph in &page.paragraphs {
        assert_eq!(paragraph.text.trim(), paragraph.text);
        assert!(!paragraph.text.is_empty());
    }
}
