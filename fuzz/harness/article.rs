//! Plain texts and lists of paragraphs of any characters, read as articles.

#![allow(clippy::expect_used, reason = "what is not so is a finding")]

use copydesk::article::{Body, Incoming, Metadata, PASSAGE_LIMIT, paragraphs_of, read};
use copydesk::text::{is_visible, normalize};

/// Reads what the bytes are as text: of two lines, a title and the outlet, then the body.
pub fn read_article(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    read_body(Metadata::default(), Body::Text(text.clone().into_owned()));
    let mut lines = text.splitn(3, '\n').map(str::to_owned);
    let (title, source) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let paragraphs = lines.next().unwrap_or_default();
    let paragraphs = paragraphs.split('\n').map(str::to_owned).collect();
    let metadata = Metadata { title, source, ..Metadata::default() };
    read_body(metadata, Body::Paragraphs(paragraphs));
}

/// Nothing that can be seen is lost, and every passage is where it says.
fn read_body(metadata: Metadata, body: Body) {
    let paragraphs = match &body {
        Body::Text(text) => paragraphs_of(text),
        Body::Paragraphs(paragraphs) => paragraphs.clone(),
        Body::Html(_) => Vec::new(),
    };
    let Ok(article) = read(Incoming { id: None, metadata, body }) else {
        return assert!(!paragraphs.iter().any(|text| is_visible(text)));
    };
    assert!(article.paragraphs.iter().map(|paragraph| &paragraph.text).eq(&paragraphs));
    let mut said = vec![String::new(); paragraphs.len()];
    for (ordinal, passage) in article.passages.iter().enumerate() {
        assert_eq!(passage.ordinal as usize, ordinal);
        let (start, end) = (passage.span.start as usize, passage.span.end as usize);
        assert!(start < end && end - start <= PASSAGE_LIMIT, "{:?}", passage.span);
        let paragraph = paragraphs.get(passage.paragraph as usize).expect("it is there");
        let stated: String = paragraph.chars().skip(start).take(end - start).collect();
        assert_eq!(stated, passage.text);
        if let Some(said) = said.get_mut(passage.paragraph as usize) {
            *said += &visible(&passage.text);
        }
    }
    assert!(said.into_iter().eq(paragraphs.iter().map(|text| visible(text))));
}

/// What a reader sees of a text.
fn visible(text: &str) -> String {
    normalize(text).chars().filter(|c| !c.is_whitespace()).collect()
}
