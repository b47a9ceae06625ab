use std::collections::HashMap;

use futures::stream;
use futures::{Stream, StreamExt};
use prost::Message;
use tokio::sync::mpsc;

use super::report::Failed;
use crate::cli::input::{Article, InputError, Item, take_page};
use crate::client::Client;
use crate::fetch::{FetchError, Fetcher, Named, Validators};
use crate::proto::v1 as pb;
use crate::proto::v1::ingest_documents_response::Outcome;

/// Articles of which the server is asked at once whether it has them.
const TOGETHER: usize = 64;

/// Pages that are fetched at once, each of another host.
const PAGES: usize = 8;

/// An article on the point of being sent.
pub enum Ready {
    Document {
        name: String,
        document: Box<pb::Document>,
        bytes: u64,
        /// Why it has what its feed has of its text, where it should be a page.
        unfetched: Option<InputError>,
    },
    /// It need not be: the server has it.
    Known { answer: pb::IngestDocumentsResponse, bytes: u64 },
    /// It cannot be.
    Failed { failed: Box<Failed>, bytes: u64 },
}

/// What makes articles ready.
#[derive(Clone)]
pub struct Making {
    pub client: Client,
    pub fetcher: Fetcher,
    /// Bytes of a document that the server takes.
    pub largest: usize,
    /// Whether the server is asked what it has already.
    pub asks_first: bool,
}

impl Making {
    /// Articles in their order, with the pages that they link to.
    pub fn ready(self, items: mpsc::Receiver<Item>) -> impl Stream<Item = Ready> + Send + 'static {
        let batches = stream::unfold(items, |mut items| async move {
            let mut batch = Vec::new();
            let count = items.recv_many(&mut batch, TOGETHER).await;
            (count > 0).then_some((batch, items))
        });
        let asking = self.clone();
        let items =
            batches.then(move |batch| asking.clone().with_known(batch)).flat_map(stream::iter);
        items.map(move |(item, known)| self.clone().one(item, known)).buffered(PAGES)
    }

    /// Finds out which of these the server has.
    async fn with_known(mut self, batch: Vec<Item>) -> Vec<(Item, Option<pb::DocumentSummary>)> {
        let ids = batch.iter().filter_map(|item| known_by(item).map(str::to_owned));
        let document_ids: Vec<String> = ids.collect();
        let mut known = HashMap::new();
        if self.asks_first && !document_ids.is_empty() {
            let request = pb::BatchGetDocumentsRequest { document_ids };
            // If it does not say, all are sent, and it says why then.
            if let Ok(found) = self.client.corpus.batch_get_documents(request).await {
                let found = found.into_inner().documents.into_iter();
                known.extend(found.map(|found| (found.document_id.clone(), found)));
            }
        }
        let with = |item: Item| {
            let found = known_by(&item).and_then(|id| known.remove(id));
            (item, found)
        };
        batch.into_iter().map(with).collect()
    }

    async fn one(self, item: Item, known: Option<pb::DocumentSummary>) -> Ready {
        let Item { name, article, bytes } = item;
        if let Some(known) = known {
            return Ready::Known { answer: answer(name, known), bytes };
        }
        let failed = |failed| Ready::Failed { failed: Box::new(failed), bytes };
        let mut article = match article {
            Ok(article) => article,
            Err(error) => return failed(Failed::unreadable(&name, &error)),
        };
        let filled = self.fill(&mut article).await;
        let unfetched =
            filled.err().map(|source| InputError::NotFetched { name: name.clone(), source });
        if let Some(error) = unfetched.as_ref().filter(|_| !article.has_text) {
            return failed(Failed::unreadable(&name, error));
        }
        let document = article.document;
        match document.encoded_len() > self.largest {
            true => failed(Failed::too_large(&name, self.largest)),
            false => Ready::Document { name, document, bytes, unfetched },
        }
    }

    /// Fetches the page that an article links to.
    async fn fill(&self, article: &mut Article) -> Result<(), FetchError> {
        let Some(link) = article.page.take() else { return Ok(()) };
        let named = Named::ByFeed(article.feed.as_ref());
        let fetched = self.fetcher.get(&link, named, &Validators::default()).await?;
        take_page(&mut article.document, fetched.found()?);
        Ok(())
    }
}

/// The id by which the server can tell that it has an article.
fn known_by(item: &Item) -> Option<&str> {
    let article = item.article.as_ref().ok().filter(|article| article.is_known_by_id)?;
    Some(article.document.document_id.as_str())
}

/// What the server would say if it were sent again.
fn answer(name: String, known: pb::DocumentSummary) -> pb::IngestDocumentsResponse {
    let verdict = pb::DocumentVerdict {
        verdict: known.verdict,
        canonical_document_id: known.canonical_document_id,
        story_id: known.story_id,
        ..pb::DocumentVerdict::default()
    };
    let result = pb::IngestDocumentResponse {
        document_id: known.document_id,
        verdict: Some(verdict),
        outcome: pb::IngestOutcome::Unchanged.into(),
        revision: known.revision,
    };
    pb::IngestDocumentsResponse { request_id: name, outcome: Some(Outcome::Result(result)) }
}
