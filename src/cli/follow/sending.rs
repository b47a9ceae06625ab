use std::time::Duration;

use prost::Message;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::client::Client;
use crate::proto::v1 as pb;

/// The first and the longest time until a server that is away is asked again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));

/// Gives documents to the server, and waits for it where it is busy or away.
pub struct Sender {
    pub client: Client,
    /// Bytes of a document that it takes.
    pub largest: usize,
    pub stop: CancellationToken,
}

/// What the server made of a document.
pub enum Given {
    Answer(pb::IngestDocumentResponse),
    /// It does not want this one, and says why.
    Refused(String),
}

/// Why a document was not given.
pub enum SendError {
    /// It was not given yet when the end was asked for.
    Interrupted,
    /// The server will take none.
    Fatal(Status),
}

impl Sender {
    pub async fn give(&self, document: pb::Document) -> Result<Given, SendError> {
        if document.encoded_len() > self.largest {
            return Ok(Given::Refused(format!("has more than {} bytes", self.largest)));
        }
        let request = pb::IngestDocumentRequest { document: Some(document), ..Default::default() };
        let mut client = self.client.clone();
        let mut pause = PAUSES.0;
        loop {
            let status = match client.corpus.ingest_document(request.clone()).await {
                Ok(answer) => return Ok(Given::Answer(answer.into_inner())),
                Err(status) => status,
            };
            let wait = match status.code() {
                Code::Unauthenticated | Code::PermissionDenied | Code::Unimplemented => {
                    return Err(SendError::Fatal(status));
                }
                Code::Unavailable
                | Code::ResourceExhausted
                | Code::Aborted
                | Code::Cancelled
                | Code::DeadlineExceeded => wanted(&status).unwrap_or(pause),
                _ if is_of_connection(&status) => pause,
                _ => return Ok(Given::Refused(status.message().to_owned())),
            };
            if pause == PAUSES.0 {
                tracing::warn!(status = status.message(), "the server takes nothing now; waiting");
            }
            pause = (pause * 2).min(PAUSES.1);
            if self.stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                return Err(SendError::Interrupted);
            }
        }
    }
}

/// The time after which the server wants to be asked again.
fn wanted(status: &Status) -> Option<Duration> {
    let delay = status.get_details_retry_info()?.retry_delay?;
    Some(delay.min(PAUSES.1))
}

/// Whether it was not the server that said so.
fn is_of_connection(status: &Status) -> bool {
    std::error::Error::source(status).is_some()
}
