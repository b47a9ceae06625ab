//! Answers that go out one after the other, to a reader who may be slow.

use std::future::Future;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use prost::Message;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tracing::Instrument;

use crate::corpus::Corpus;

use super::gate::Pass;
use super::held::{Room, Share};
use super::refusal::Refusal;

/// Answers that wait for a reader that is slow.
const AHEAD: usize = 8;

/// How long they wait for it: then the work gives its place to others, and ends.
const WAITS: Duration = Duration::from_secs(30);

/// Takes answers for a reader, and holds each until it is taken to be sent.
pub(super) struct Outgoing<T> {
    sender: mpsc::Sender<(Result<T, Status>, Room)>,
    share: Share,
}

impl<T: Message> Outgoing<T> {
    /// Sends an answer; `false` if the reader is gone.
    pub async fn send(&self, answer: T) -> Result<bool, Refusal> {
        let room = timeout(WAITS, self.share.wait(answer.encoded_len())).await;
        let room = room.map_err(|_| Refusal::NotRead(WAITS))?;
        match self.sender.send_timeout((Ok(answer), room), WAITS).await {
            Ok(()) => Ok(true),
            Err(SendTimeoutError::Closed(_)) => Ok(false),
            Err(SendTimeoutError::Timeout(_)) => Err(Refusal::NotRead(WAITS)),
        }
    }
}

/// What `work` sends, until it ends or its deadline comes.
pub(super) fn outgoing<T, W>(
    mut pass: Pass,
    share: Share,
    work: impl FnOnce(Corpus, Outgoing<T>) -> W,
) -> BoxStream<'static, Result<T, Status>>
where
    T: Message + 'static,
    W: Future<Output = Result<(), Refusal>> + Send + 'static,
{
    let place = pass.place.take();
    let (sender, receiver) = mpsc::channel(AHEAD);
    let work = work(pass.corpus.clone(), Outgoing { sender: sender.clone(), share: share.clone() });
    let deadline = pass.deadline;
    let working = async move {
        let result = match deadline {
            None => work.await,
            Some(deadline) => tokio::time::timeout_at(deadline, work)
                .await
                .unwrap_or(Err(Refusal::DeadlineExceeded)),
        };
        if let Err(refusal) = result {
            // The last word may wait for long.
            drop(place);
            let _ = sender.send((Err(refusal.into()), share.empty())).await;
        }
    };
    tokio::spawn(working.in_current_span());
    // The call is under way until its last answer is taken.
    let answers = ReceiverStream::new(receiver).map(move |(answer, _room)| {
        let _pass = &pass;
        answer
    });
    answers.boxed()
}
