//! Feeds of any bytes.

use copydesk::feed;

/// Reads a feed of any bytes. What is found in it is bounded and can be shown.
pub fn read_feed(bytes: &[u8]) {
    feed::looks_like_one(bytes, "");
    let Ok(feed) = feed::read(bytes, "", None) else { return };
    assert!(feed.entries.len() <= feed::MOST_ENTRIES);
    for entry in feed.entries {
        assert!(entry.title.chars().count() <= 1_000);
        for text in [&entry.title, &entry.author] {
            assert!(!text.contains(char::is_control), "{text:?}");
        }
        // Years from 1 on, as the contract can say them.
        let published_at = entry.published_at.map(|time| time.as_second());
        assert!(published_at.is_none_or(|seconds| seconds >= -62_135_596_800));
        assert_eq!(entry.document_id("https://a.example/").len(), 32);
        assert!(entry.page().contains(&entry.html));
    }
}
