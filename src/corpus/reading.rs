use std::sync::Arc;

use crate::article::{self, Article, Body, Incoming, ReadError};
use crate::embed::Lane;
use crate::page::PageError;

use super::{Corpus, CorpusError, Limits, Parts, Which};

/// Reads a document. A page may hold more than its size tells, so what is found in it is
/// bounded like the paragraphs of any other document.
pub(super) fn read(limits: &Limits, document: Incoming) -> Result<Article, CorpusError> {
    let is_page = matches!(document.body, Body::Html(_));
    let article = article::read(document).map_err(|error| match error {
        ReadError::Empty(error) => CorpusError::Empty(error),
        ReadError::Page(error) => CorpusError::Page { which: Which::Only, error },
    })?;
    match is_page.then(|| excess(limits, &article)).flatten() {
        Some(error) => Err(CorpusError::Page { which: Which::Only, error }),
        None => Ok(article),
    }
}

fn excess(limits: &Limits, article: &Article) -> Option<PageError> {
    let bytes: usize = article.paragraphs.iter().map(|paragraph| paragraph.text.len()).sum();
    if article.paragraphs.len() > limits.paragraphs {
        return Some(PageError::TooManyParagraphs(limits.paragraphs));
    }
    (bytes > limits.document_bytes).then_some(PageError::TooLong(limits.document_bytes))
}

impl Corpus {
    /// Reads a document that is asked about, where work may block: a page takes a while.
    pub(super) async fn read(
        &self,
        parts: &Arc<Parts>,
        document: Incoming,
    ) -> Result<Article, CorpusError> {
        let limits = *self.limits();
        self.blocking_on(parts, Lane::Question, move |_| read(&limits, document)).await
    }
}
