use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

use crate::corpus::{Caller, Corpus, Limits};
use crate::embed::ClientId;
use crate::proto::v1 as pb;

use super::bound::{Bound, Place};
use super::cost::Cost;
use super::held::{AnswerBytes, Held, Share};
use super::refusal::Refusal;
use super::validate::Check;

/// Answers leave this long before the deadline, at most, so that the caller hears our
/// word and not its own clock's.
const MARGIN: Duration = Duration::from_millis(20);

/// Share of the time until the deadline that this is, at most.
const MARGIN_SHARE: u32 = 32;

/// What the server is ready for.
#[derive(Clone)]
pub(super) enum Stage {
    /// The corpus is being opened.
    Starting,
    /// Requests are answered.
    Serving(Corpus),
    /// What was accepted is finished, nothing else is accepted.
    Draining,
}

/// Where every request comes in: it is let through while the server is serving and
/// not too much is being worked on. Questions and changes have bounds of their own, half of
/// what is published each: however much comes in, questions are answered.
#[derive(Clone)]
pub(super) struct Gate {
    stage: watch::Sender<Stage>,
    questions: Bound,
    changes: Bound,
    /// Streams of ingests: each may have a window full of documents that wait to be read.
    streams: Arc<Semaphore>,
    held: Arc<Held>,
    /// Every call that was let through holds one of these until it is answered.
    calls: Arc<Semaphore>,
}

/// Calls that can be under way at once, more than there can be.
const CALLS: u32 = 1 << 24;

/// A request that was let through.
pub(super) struct Pass {
    pub corpus: Corpus,
    pub deadline: Option<Instant>,
    /// Its place among those that are worked on, free again when this is dropped. A
    /// stream has none: each of its documents takes one.
    pub place: Option<Place>,
    _stream: Option<OwnedSemaphorePermit>,
    _call: Option<OwnedSemaphorePermit>,
}

impl Pass {
    /// Works until the deadline, and answers.
    pub async fn answer<T: Message>(
        self,
        work: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<Response<T>, Status> {
        let answer = match self.deadline {
            None => work.await,
            Some(deadline) => tokio::time::timeout_at(deadline, work)
                .await
                .unwrap_or(Err(Refusal::DeadlineExceeded)),
        };
        let answer = answer?;
        let bytes = AnswerBytes(answer.encoded_len());
        let mut response = Response::new(answer);
        response.extensions_mut().insert(bytes);
        Ok(response)
    }
}

impl Gate {
    pub fn new(limits: &Limits) -> Self {
        let (stage, _) = watch::channel(Stage::Starting);
        let half = || Bound::new(limits.concurrent_requests / 2, limits.concurrent_bytes / 2);
        let calls = Arc::new(Semaphore::new(CALLS as usize));
        let streams = Arc::new(Semaphore::new(limits.ingest_streams));
        let held = Held::new(limits.held_bytes);
        Self { stage, questions: half(), changes: half(), streams, held, calls }
    }

    pub fn set(&self, stage: Stage) {
        self.stage.send_replace(stage);
    }

    /// The corpus, while requests are answered.
    pub fn corpus(&self) -> Option<Corpus> {
        match &*self.stage.borrow() {
            Stage::Serving(corpus) => Some(corpus.clone()),
            Stage::Starting | Stage::Draining => None,
        }
    }

    /// What is held for the connection by which a request came.
    pub fn share_of<T>(&self, request: &Request<T>) -> Share {
        let known = request.extensions().get().cloned();
        known.unwrap_or_else(|| self.held.connection())
    }

    /// What is held for clients.
    pub fn held(&self) -> Arc<Held> {
        Arc::clone(&self.held)
    }

    /// Why requests are not answered, or not all of them, if so.
    pub fn why_not(&self) -> Option<&'static str> {
        match &*self.stage.borrow() {
            Stage::Serving(corpus) if corpus.has_failed_disk() => Some("the disk failed"),
            Stage::Serving(_) => None,
            Stage::Starting => Some("starting"),
            Stage::Draining => Some("draining"),
        }
    }

    /// Lets a request of a client through, or says why not.
    pub fn enter<M: Cost>(
        &self,
        metadata: &MetadataMap,
        client: ClientId,
        message: &M,
    ) -> Result<Pass, Refusal> {
        let pass = self.pass(metadata, Caller { client, is_patient: false })?;
        let limits = pass.corpus.limits();
        let mut check = Check::new(limits);
        check.message(message.encoded_len());
        check.finish(Some(()))?;
        let bound = if M::IS_CHANGE { &self.changes } else { &self.questions };
        let place = bound.take(message.cost(limits))?;
        Ok(Pass { place: Some(place), ..pass })
    }

    /// Lets a stream of ingests through. Its documents are slowed and never refused for load.
    pub fn enter_stream(&self, metadata: &MetadataMap, client: ClientId) -> Result<Pass, Refusal> {
        let pass = self.pass(metadata, Caller { client, is_patient: true })?;
        let stream = Arc::clone(&self.streams).try_acquire_owned();
        let limit = pass.corpus.limits().ingest_streams;
        let stream = stream.map_err(|_| Refusal::TooManyStreams { limit })?;
        Ok(Pass { _stream: Some(stream), ..pass })
    }

    fn pass(&self, metadata: &MetadataMap, caller: Caller) -> Result<Pass, Refusal> {
        let corpus = match &*self.stage.borrow() {
            Stage::Serving(corpus) => corpus.called_by(caller),
            Stage::Starting => return Err(Refusal::Starting),
            Stage::Draining => return Err(Refusal::Draining),
        };
        let timeout =
            metadata.get("grpc-timeout").and_then(|value| parse_timeout(value.to_str().ok()?));
        let deadline =
            timeout.map(|timeout| Instant::now() + timeout - MARGIN.min(timeout / MARGIN_SHARE));
        let call = Arc::clone(&self.calls).try_acquire_owned().ok();
        Ok(Pass { corpus, deadline, place: None, _stream: None, _call: call })
    }

    /// A place for one document of a stream, as soon as there is one. `None` once the server
    /// has ended.
    pub async fn place(
        &self,
        document: &pb::IngestDocumentsRequest,
        limits: &Limits,
    ) -> Option<Place> {
        self.changes.wait(document.cost(limits)).await
    }

    /// Lets a request through, works on it until its deadline, and answers.
    pub async fn answer<M, T, W>(
        &self,
        request: Request<M>,
        work: impl FnOnce(Corpus, M) -> W,
    ) -> Result<Response<T>, Status>
    where
        M: Cost,
        T: Message,
        W: Future<Output = Result<T, Refusal>>,
    {
        let client = client_of(&request);
        let (metadata, _, message) = request.into_parts();
        let pass = self.enter(&metadata, client, &message)?;
        let work = work(pass.corpus.clone(), message);
        pass.answer(work).await
    }

    /// Returns when no call is under way.
    pub async fn idle(&self) {
        // It is never closed.
        let _ = self.calls.acquire_many(CALLS).await;
    }

    /// Returns when the server is on its way out.
    pub async fn draining(&self) {
        let mut stage = self.stage.subscribe();
        // It only fails once the gate is gone, and this holds it.
        let _ = stage.wait_for(|stage| matches!(stage, Stage::Draining)).await;
    }
}

/// Tells the clients apart by their connections.
pub(super) fn client_of<T>(request: &Request<T>) -> ClientId {
    let mut hasher = DefaultHasher::new();
    request.remote_addr().hash(&mut hasher);
    ClientId(hasher.finish())
}

/// The value of a `grpc-timeout` header: up to eight digits and a unit.
fn parse_timeout(value: &str) -> Option<Duration> {
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    let count: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    match unit {
        "H" => Some(Duration::from_secs(count * 3_600)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::parse_timeout;
    use std::time::Duration;

    #[test]
    fn timeouts_are_read_as_the_protocol_writes_them() {
        assert_eq!(parse_timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(parse_timeout("1H"), Some(Duration::from_secs(3_600)));
        for wrong in ["", "m", "12", "123456789S", "-1S", "1\u{e9}"] {
            assert_eq!(parse_timeout(wrong), None, "{wrong}");
        }
    }
}
