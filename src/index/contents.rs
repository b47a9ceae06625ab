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

    /// Adds texts that ascend. Those whose keys follow one another, as the keys of texts that
    /// came together do, cost little more than one.
    pub fn extend_ascending(&mut self, contents: &[ContentId]) {
        for run in contents.chunk_by(|a, b| a.0 + 1 == b.0) {
            if let (Some(&first), Some(&last)) = (run.first(), run.last()) {
                self.0.insert_range(key(first)..=key(last));
            }
        }
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

    /// How many of its texts are from `first` to `last`, both included.
    pub fn count_within(&self, first: ContentId, last: ContentId) -> usize {
        let before = key(first).checked_sub(1).map_or(0, |before| self.0.rank(before));
        self.0.rank(key(last)).saturating_sub(before) as usize
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
