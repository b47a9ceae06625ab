//! A client of the server: the generated ones over one connection, ready to use.

use tonic::transport::{Channel, Endpoint};

use crate::proto::v1::admin_service_client::AdminServiceClient;
use crate::proto::v1::corpus_service_client::CorpusServiceClient;
use crate::proto::v1::similarity_service_client::SimilarityServiceClient;
use crate::proto::v1::story_service_client::StoryServiceClient;

/// Bytes that an answer may have.
const ANSWER_BYTES: usize = 64 << 20;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address is not one.
    #[error("{0:?} is not the address of a server; give one such as http://127.0.0.1:7151")]
    Address(String),
    /// Nobody answers there.
    #[error(
        "cannot reach the server at {address}: {cause}; start it with `copydesk serve` or name another one with --server"
    )]
    Unreachable {
        /// The address.
        address: String,
        /// Why.
        cause: String,
    },
}

/// The services of one server. Clones share the connection.
#[derive(Debug, Clone)]
pub struct Client {
    /// What goes in and out.
    pub corpus: CorpusServiceClient<Channel>,
    /// Questions.
    pub similarity: SimilarityServiceClient<Channel>,
    /// Stories: documents about the same events.
    pub story: StoryServiceClient<Channel>,
    /// For operators.
    pub admin: AdminServiceClient<Channel>,
}

impl Client {
    /// Connects to the server at `address`, e.g. `http://127.0.0.1:7151`; without a
    /// scheme, `http` is meant.
    ///
    /// # Errors
    ///
    /// If `address` is not an address, or nobody answers there.
    pub async fn connect(address: &str) -> Result<Self, ConnectError> {
        let url = match address.contains("://") {
            true => address.to_owned(),
            false => format!("http://{address}"),
        };
        let endpoint = Endpoint::from_shared(url.clone())
            .map_err(|_| ConnectError::Address(address.to_owned()))?;
        let channel = endpoint.connect().await.map_err(|error| ConnectError::Unreachable {
            address: url,
            cause: innermost(&error),
        })?;
        Ok(Self {
            corpus: CorpusServiceClient::new(channel.clone())
                .max_decoding_message_size(ANSWER_BYTES),
            similarity: SimilarityServiceClient::new(channel.clone())
                .max_decoding_message_size(ANSWER_BYTES),
            story: StoryServiceClient::new(channel.clone()).max_decoding_message_size(ANSWER_BYTES),
            admin: AdminServiceClient::new(channel),
        })
    }
}

/// What is at the bottom of an error: there it says what happened.
fn innermost(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), innermost)
}
