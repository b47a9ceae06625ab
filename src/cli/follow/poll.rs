use std::time::Duration;

use super::sending::{Given, SendError};
use super::settings::FeedSettings;
use super::state::{FeedState, Seen};
use super::{Following, Tally, story};
use crate::cli::failure::Failure;
use crate::cli::input::{document, take_page};
use crate::feed::{self, Entry, Feed, FeedError};
use crate::fetch::{FetchError, Fetched, Found, Named, Validators};
use crate::proto::v1 as pb;

/// How often the page of an entry is tried to be fetched before what the feed has of its text
/// is taken.
const TRIES: u32 = 3;

/// How a poll ended.
pub enum Polled {
    Done,
    /// By Ctrl-C. What was not taken in comes with the next one.
    Interrupted,
}

/// Why a poll failed.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    #[error("{0}")]
    Fetch(FetchError),
    #[error("what is at its address {0}")]
    Feed(#[from] FeedError),
    #[error("its host says that it is gone for good; take it out of the file")]
    Gone,
    /// There is no point in going on with any feed.
    #[error(transparent)]
    Fatal(Failure),
}

impl PollError {
    /// When to try again, if the host says so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Fetch(error) => error.retry_after(),
            _ => None,
        }
    }
}

impl From<FetchError> for PollError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Status { status: 410, .. } => Self::Gone,
            error => Self::Fetch(error),
        }
    }
}

/// What became of an entry.
enum Taken {
    /// The server has it, or wants nothing of it.
    Yes,
    /// Its page may come later.
    Later,
    Interrupted,
}

/// Asks for a feed once and takes in what is new in it.
pub async fn poll(
    following: &Following,
    feed: &FeedSettings,
    state: &mut FeedState,
    tally: &mut Tally,
) -> Result<Polled, PollError> {
    if state.url != feed.url.as_str() {
        state.url = feed.url.to_string();
        state.validators = Validators::default();
    }
    let fetching = following.fetcher.get(&feed.url, Named::ByOperator, &state.validators);
    let found = match following.stop.run_until_cancelled(fetching).await {
        None => return Ok(Polled::Interrupted),
        Some(fetched) => match fetched? {
            Fetched::Unchanged => return Ok(Polled::Done),
            Fetched::Found(found) => *found,
        },
    };
    if let Some(to) = &found.moved_to {
        let to = format!("{}{}", to.host_str().unwrap_or_default(), to.path());
        tracing::warn!(
            feed = feed.name,
            to,
            "a feed has moved for good; change its url in the file"
        );
    }
    let validators = found.validators.clone();
    let read = read(found, feed).await?;
    let mut poll = Poll { following, settings: feed, feed: &read, seen: state.seen(), tally };
    let identity = feed.identity();
    let mut held = Vec::new();
    let mut is_whole = true;
    let mut ended = Polled::Done;
    for entry in in_order(&read.entries) {
        let id = entry.document_id(&identity);
        match poll.take(entry, &id, state).await? {
            Taken::Yes => {
                state.tries.remove(&id);
                held.push((id, entry.fingerprint()));
            }
            Taken::Later => is_whole = false,
            Taken::Interrupted => {
                (is_whole, ended) = (false, Polled::Interrupted);
                break;
            }
        }
    }
    state.remember(held);
    // Else the host would say that nothing changed, and what is missing would never come.
    state.validators = if is_whole { validators } else { Validators::default() };
    if is_whole {
        state.tries.clear();
    }
    Ok(ended)
}

/// Reads a feed where that keeps nobody waiting.
async fn read(found: Found, feed: &FeedSettings) -> Result<Feed, PollError> {
    let url = feed.url.clone();
    let reading = move || feed::read(&found.body, &found.content_type, Some(&url));
    let read = tokio::task::spawn_blocking(reading).await;
    Ok(read.map_err(|error| PollError::Fatal(Failure::Other(error.to_string())))??)
}

/// The earliest first, so that verdicts tell who came after whom; without dates, the last one
/// of the feed first.
fn in_order(entries: &[Entry]) -> Vec<&Entry> {
    let mut entries: Vec<&Entry> = entries.iter().rev().collect();
    if entries.iter().all(|entry| entry.published_at.is_some()) {
        entries.sort_by_key(|entry| entry.published_at);
    }
    entries
}

/// One poll of one feed, once it is read.
struct Poll<'a> {
    following: &'a Following,
    settings: &'a FeedSettings,
    feed: &'a Feed,
    seen: Seen,
    tally: &'a mut Tally,
}

impl Poll<'_> {
    /// Takes an entry in, unless it was, and says so.
    async fn take(
        &mut self,
        entry: &Entry,
        id: &str,
        state: &mut FeedState,
    ) -> Result<Taken, PollError> {
        let before = self.seen.fingerprint(id);
        // What another feed of the same host brought is not asked for again.
        let is_known = match before {
            Some(before) => before == entry.fingerprint(),
            None => self.following.known.get(id).is_some(),
        };
        if is_known {
            return Ok(Taken::Yes);
        }
        if self.following.stop.is_cancelled() {
            return Ok(Taken::Interrupted);
        }
        let own = document(entry, self.feed, &self.settings.identity());
        let page = match self.page(entry, &own).await {
            None => return Ok(Taken::Interrupted),
            Some(Ok(page)) => page,
            Some(Err(error)) => {
                let tries = state.tries.entry(id.to_owned()).or_default();
                *tries += 1;
                if error.is_passing() && *tries < TRIES {
                    return Ok(Taken::Later);
                }
                self.tell(entry, &error.to_string(), "the page of an entry was not fetched");
                None
            }
        };
        let own = Some(own).filter(|_| !entry.html.is_empty());
        self.give(entry, [page, own].into_iter().flatten()).await
    }

    /// The document that the page of an entry is, if pages are wanted; `None` if interrupted.
    async fn page(
        &self,
        entry: &Entry,
        own: &pb::Document,
    ) -> Option<Result<Option<pb::Document>, FetchError>> {
        let Some(link) = entry.link.as_ref().filter(|_| self.settings.follow_links) else {
            return Some(Ok(None));
        };
        let named = Named::ByFeed(Some(&self.settings.url));
        let validators = Validators::default();
        let fetching = self.following.fetcher.get(link, named, &validators);
        let fetched = self.following.stop.run_until_cancelled(fetching).await?;
        Some(fetched.and_then(Fetched::found).map(|found| {
            let mut document = own.clone();
            take_page(&mut document, found);
            Some(document)
        }))
    }

    /// Gives the server the first of the entry's documents that it takes.
    async fn give(
        &mut self,
        entry: &Entry,
        documents: impl Iterator<Item = pb::Document>,
    ) -> Result<Taken, PollError> {
        let mut refusal = "it has no text; follow its link (follow_links)".to_owned();
        for mut document in documents {
            self.complete(&mut document);
            let (id, source) = (document.document_id.clone(), document.source.clone());
            match self.following.sender.give(document).await {
                Ok(Given::Answer(answer)) => {
                    self.following.known.insert(id, ());
                    self.tell_story(entry, source, answer)?;
                    return Ok(Taken::Yes);
                }
                Ok(Given::Refused(reason)) => refusal = reason,
                Err(SendError::Interrupted) => return Ok(Taken::Interrupted),
                Err(SendError::Fatal(status)) => return Err(PollError::Fatal(status.into())),
            }
        }
        self.tell(entry, &refusal, "an entry was not taken in");
        Ok(Taken::Yes)
    }

    /// Puts in what the operator says of the feed.
    fn complete(&self, document: &mut pb::Document) {
        let FeedSettings { source, language, labels, .. } = self.settings;
        if !source.is_empty() {
            document.source.clone_from(source);
        }
        if !language.is_empty() {
            document.language.clone_from(language);
        }
        let labels = labels.iter().map(|(key, value)| (key.clone(), value.clone()));
        document.labels.extend(labels);
    }

    fn tell_story(
        &mut self,
        entry: &Entry,
        source: String,
        answer: pb::IngestDocumentResponse,
    ) -> Result<(), PollError> {
        match answer.outcome() {
            pb::IngestOutcome::Created => self.tally.new += 1,
            pb::IngestOutcome::Replaced => self.tally.changed += 1,
            // It was there already, from before the state began.
            _ => return Ok(()),
        }
        let source = if source.is_empty() { self.feed.title.clone() } else { source };
        story::tell(&self.settings.name, entry, source, answer, self.following.as_json)
            .map_err(PollError::Fatal)
    }

    fn tell(&self, entry: &Entry, reason: &str, what: &str) {
        let link = entry.link.as_ref();
        let host = link.and_then(|link| link.host_str()).unwrap_or_default();
        let path = link.map_or(entry.id.as_str(), |link| link.path());
        tracing::warn!(
            feed = self.settings.name,
            entry = format!("{host}{path}"),
            reason,
            "{what}"
        );
    }
}
