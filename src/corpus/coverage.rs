use jiff::Timestamp;

use crate::embed::UnitVector;
use crate::store::{Filter, StoredDocument, StoredStory, StoryKey, View};

use super::{Corpus, CorpusError, Parts};

/// Documents of a story among which the one is chosen that names it, those published last.
const CENTRE_OF: usize = 24;

/// A story.
#[derive(Debug, Clone, PartialEq)]
pub struct StoryAnswer {
    /// Headline of the document that is nearest to its centre.
    pub title: String,
    /// The story.
    pub story: StoredStory,
}

/// A story with some of its documents.
#[derive(Debug, Clone, PartialEq)]
pub struct CoveragePage {
    /// The story.
    pub story: StoryAnswer,
    /// Earliest published first.
    pub documents: Vec<StoredDocument>,
    /// Where the next page goes on; `None` on the last one.
    pub next: Option<i64>,
}

/// Some of the stories that were asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct StoryPage {
    /// Latest changed first.
    pub stories: Vec<StoryAnswer>,
    /// Where the next page goes on; `None` on the last one.
    pub next: Option<i64>,
}

impl Corpus {
    /// A story, or the one that it was merged into, with its documents from place `from` on.
    ///
    /// # Errors
    ///
    /// If there is no such story.
    pub async fn story(
        &self,
        key: StoryKey,
        from: i64,
        size: usize,
    ) -> Result<CoveragePage, CorpusError> {
        self.blocking(move |parts| {
            let reader = parts.store.reader()?;
            let view = reader.view();
            let story = view.story(key)?.ok_or(CorpusError::UnknownStory(key))?;
            let mut documents = view.coverage(story.key, from, size + 1)?;
            let has_more = documents.len() > size;
            documents.truncate(size);
            let next = has_more.then_some(from + documents.len() as i64);
            Ok(CoveragePage { story: parts.titled(view, story)?, documents, next })
        })
        .await
    }

    /// Stories of which a document passes `filter`, latest changed first, of at least
    /// `distinct` documents that are not copies.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn stories(
        &self,
        filter: Filter,
        distinct: i64,
        after: Option<i64>,
        size: usize,
    ) -> Result<StoryPage, CorpusError> {
        self.blocking(move |parts| {
            let reader = parts.store.reader()?;
            let view = reader.view();
            let mut stories = view.stories(&filter, distinct, after, size + 1)?;
            let has_more = stories.len() > size;
            stories.truncate(size);
            let next = stories.last().filter(|_| has_more).map(|last| last.change);
            let titled = stories.into_iter().map(|story| parts.titled(view, story));
            Ok(StoryPage { stories: titled.collect::<Result<_, _>>()?, next })
        })
        .await
    }
}

impl Parts {
    /// A story with the headline of its centre.
    fn titled(&self, view: View<'_>, story: StoredStory) -> Result<StoryAnswer, CorpusError> {
        let keys = view.distinct_coverage(story.key, CENTRE_OF)?;
        let documents = view.documents(&keys.iter().copied().collect())?;
        let mut members: Vec<(Timestamp, String, Option<UnitVector>)> = Vec::new();
        for document in documents.values().filter(|document| !document.metadata.title.is_empty()) {
            let mean = match documents.len() {
                1 => None,
                _ => self.subject(view, document)?.mean.clone(),
            };
            members.push((document.published_at, document.metadata.title.clone(), mean));
        }
        let means = members.iter().filter_map(|(_, _, mean)| mean.as_ref());
        let centre = UnitVector::mean(means.map(|mean| (mean, 1.0)));
        let nearness = |mean: &Option<UnitVector>| {
            centre.as_ref().zip(mean.as_ref()).map_or(-1.0, |(centre, mean)| centre.cosine(mean))
        };
        let nearest = members.iter().max_by(|(at, a, x), (by, b, y)| {
            nearness(x).total_cmp(&nearness(y)).then(by.cmp(at)).then(b.cmp(a))
        });
        Ok(StoryAnswer {
            title: nearest.map(|(_, title, _)| title.clone()).unwrap_or_default(),
            story,
        })
    }
}
