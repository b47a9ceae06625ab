use roaring::RoaringTreemap;

use super::ContentId;

/// A set of texts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContentSet(RoaringTreemap);

impl ContentSet {
    /// Adds a text.
    pub fn insert(&mut self, content: ContentId) {
        self.0.insert(key(content));
    }

    /// Whether a text is in it.
    pub fn contains(&self, content: ContentId) -> bool {
        self.0.contains(key(content))
    }

    /// Texts in it.
    pub fn len(&self) -> usize {
        self.0.len() as usize
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Its texts from `first` to `last`, both included, ascending.
    pub fn within(&self, first: ContentId, last: ContentId) -> impl Iterator<Item = ContentId> {
        let mut contents = self.0.iter();
        contents.advance_to(key(first));
        contents
            .take_while(move |&content| content <= key(last))
            .map(|content| ContentId(content as i64))
    }
}

impl FromIterator<ContentId> for ContentSet {
    fn from_iter<T: IntoIterator<Item = ContentId>>(contents: T) -> Self {
        Self(contents.into_iter().map(key).collect())
    }
}

/// Keys start at 1 and grow.
fn key(content: ContentId) -> u64 {
    u64::try_from(content.0).unwrap_or(0)
}
