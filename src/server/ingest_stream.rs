use std::future::Future;

use futures::{Stream, StreamExt, stream};
use prost::Message;
use tokio_util::task::AbortOnDropHandle;
use tonic::{Status, Streaming};
use tracing::Instrument;

use crate::corpus::{Corpus, CorpusError, Detail, Limits, Prepared};
use crate::proto::v1 as pb;
use crate::proto::v1::ingest_documents_response::Outcome;

use super::access::Right;
use super::convert;
use super::corpus_service::ingest;
use super::cost::Cost;
use super::gate::{Gate, Pass};
use super::held::{Room, Share};
use super::refusal::{Refusal, ingest_error, undecodable};
use super::validate::Check;

/// Documents of one stream that are prepared side by side. More wait in the
/// transport, which slows the sender.
const AHEAD: usize = 8;

/// A request on its way through the stream.
enum Step {
    /// Ready to be settled, and held until its answer is asked for.
    Prepared { request_id: String, prepared: Box<Prepared>, detail: Detail, _room: Room },
    /// Refused by itself.
    Refused { request_id: String, status: Status },
    /// The stream ends with this.
    End(Status),
}

/// One answer for each request, in their order: several are prepared at once, and
/// settled one after the other. A bad document fails alone. While the server drains,
/// what was read is finished and the stream ends.
pub(super) fn answers(
    gate: Gate,
    pass: Pass,
    right: Right,
    share: Share,
    requests: Streaming<pb::IngestDocumentsRequest>,
) -> impl Stream<Item = Result<pb::IngestDocumentsResponse, Status>> + Send {
    let corpus = pass.corpus.clone();
    let requests = incoming(gate.clone(), requests);
    // In their order: the one that is settled next has its room.
    let limits = *corpus.limits();
    let requests = requests.then(move |request| hold(share.clone(), limits, request));
    // Tasks of their own: what waits for a place must be polled when it gets one, even
    // while this stream is not, because its client does not read.
    let preparing = requests.map(move |request| {
        let preparing = prepare(gate.clone(), corpus.clone(), right, request).in_current_span();
        AbortOnDropHandle::new(tokio::spawn(preparing))
    });
    let steps = preparing.buffered(AHEAD).map(|step| {
        step.unwrap_or_else(|_| Step::End(Refusal::Corpus(CorpusError::Panicked).into()))
    });
    let steps = steps.boxed();
    stream::unfold(Some((pass, steps)), |state| async move {
        let (pass, mut steps) = state?;
        let next = async {
            match steps.next().await? {
                Step::Prepared { request_id, prepared, detail, _room } => {
                    Some(Ok(settle(&pass.corpus, request_id, *prepared, detail).await))
                }
                Step::Refused { request_id, status } => Some(Ok(refused(request_id, &status))),
                Step::End(status) => Some(Err(status)),
            }
        };
        let answer =
            within(pass.deadline, next).await.unwrap_or_else(|status| Some(Err(status)))?;
        let state = answer.is_ok().then_some((pass, steps));
        Some((answer, state))
    })
}

/// The requests as they come, until the client ends, sends what cannot be decoded, or
/// the server drains.
fn incoming(
    gate: Gate,
    requests: Streaming<pb::IngestDocumentsRequest>,
) -> impl Stream<Item = Result<pb::IngestDocumentsRequest, Status>> + Send {
    stream::unfold(Some((gate, requests)), |state| async move {
        let (gate, mut requests) = state?;
        let request = tokio::select! {
            biased;
            () = gate.draining() => Some(Err(Status::from(Refusal::Draining))),
            request = requests.message() => request.map_err(undecodable).transpose(),
        };
        let request = request?;
        let state = request.is_ok().then_some((gate, requests));
        Some((request, state))
    })
}

/// Waits until there is room for a document, until its answer is asked for.
async fn hold(
    share: Share,
    limits: Limits,
    request: Result<pb::IngestDocumentsRequest, Status>,
) -> Result<(pb::IngestDocumentsRequest, Room), Status> {
    let request = request?;
    let room = share.wait(request.cost(&limits)).await;
    Ok((request, room))
}

async fn prepare(
    gate: Gate,
    corpus: Corpus,
    right: Right,
    request: Result<(pb::IngestDocumentsRequest, Room), Status>,
) -> Step {
    let (request, room) = match request {
        Ok(request) => request,
        Err(status) => return Step::End(status),
    };
    let bytes = request.encoded_len();
    let _place = gate.place(&request, corpus.limits()).await;
    let request_id = request.request_id;
    let prepared = async {
        let mut check = Check::new(corpus.limits());
        check.message(bytes);
        check.length("request_id", &request_id);
        check.finish(Some(()))?;
        let request = request.ingest.unwrap_or_default();
        right.check_ingest(request.validate_only)?;
        let ingest = ingest(corpus.limits(), request)?;
        let detail = ingest.detail;
        let prepared = corpus.prepare(ingest).await?;
        Ok::<_, Refusal>((prepared, detail))
    };
    match prepared.await {
        Ok((prepared, detail)) => {
            Step::Prepared { request_id, prepared: Box::new(prepared), detail, _room: room }
        }
        Err(refusal) => Step::Refused { request_id, status: refusal.into() },
    }
}

async fn settle(
    corpus: &Corpus,
    request_id: String,
    prepared: Prepared,
    detail: Detail,
) -> pb::IngestDocumentsResponse {
    match corpus.settle(prepared).await {
        Ok(ingested) => pb::IngestDocumentsResponse {
            request_id,
            outcome: Some(Outcome::Result(convert::ingested(ingested, detail))),
        },
        Err(error) => refused(request_id, &Refusal::from(error).into()),
    }
}

fn refused(request_id: String, status: &Status) -> pb::IngestDocumentsResponse {
    pb::IngestDocumentsResponse { request_id, outcome: Some(Outcome::Error(ingest_error(status))) }
}

async fn within<T>(
    deadline: Option<tokio::time::Instant>,
    work: impl Future<Output = T>,
) -> Result<T, Status> {
    match deadline {
        None => Ok(work.await),
        Some(deadline) => tokio::time::timeout_at(deadline, work)
            .await
            .map_err(|_| Refusal::DeadlineExceeded.into()),
    }
}
