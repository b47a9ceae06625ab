//! A client of the server: the generated ones over one connection, ready to use.
//!
//! [`Client`] has a field for each service of the contract; messages are those of
//! [`proto::v1`](crate::proto::v1), whose documentation is the contract's own.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/embedded.rs"));
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let desk = embedded().await?;
//! # let address = desk.address.as_str();
//! use copydesk::client::Client;
//! use copydesk::proto::v1 as pb;
//!
//! let mut client = Client::connect(address).await?;
//! let report = "The central bank raised its key interest rate by half a point on Monday.";
//! for (id, expected) in [("one", pb::Verdict::New), ("two", pb::Verdict::ExactDuplicate)] {
//!     let document = pb::Document {
//!         document_id: id.to_owned(),
//!         text: Some(report.to_owned()),
//!         ..Default::default()
//!     };
//!     let request = pb::IngestDocumentRequest { document: Some(document), ..Default::default() };
//!     let answer = client.corpus.ingest_document(request).await?.into_inner();
//!     assert_eq!(answer.verdict.unwrap_or_default().verdict(), expected);
//! }
//!
//! let question = pb::FindRelatedPassagesRequest {
//!     query: Some(pb::find_related_passages_request::Query::Text("interest rates".to_owned())),
//!     limit: 5,
//!     ..Default::default()
//! };
//! let answer = client.similarity.find_related_passages(question).await?.into_inner();
//! assert_eq!(answer.passages.len(), 1, "the copy folds into what it copies");
//! # Ok(())
//! # }
//! ```
//!
//! # Streams
//!
//! A stream of ingests has one answer for each document, in their order; what is wrong with one
//! is its answer. Flow control slows the sender, so answers are read while it sends.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/embedded.rs"));
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let desk = embedded().await?;
//! # let mut client = copydesk::client::Client::connect(&desk.address).await?;
//! use copydesk::proto::v1 as pb;
//! use copydesk::proto::v1::ingest_documents_response::Outcome;
//!
//! let requests = ["Corn prices fell in the capital on Monday.", " "].map(|text| {
//!     let document = pb::Document { text: Some(text.to_owned()), ..Default::default() };
//!     let ingest = pb::IngestDocumentRequest { document: Some(document), ..Default::default() };
//!     pb::IngestDocumentsRequest { ingest: Some(ingest), request_id: String::new() }
//! });
//! let stream = tokio_stream::iter(requests);
//! let mut answers = client.corpus.ingest_documents(stream).await?.into_inner();
//! let mut refused = Vec::new();
//! while let Some(answer) = answers.message().await? {
//!     if let Some(Outcome::Error(error)) = answer.outcome {
//!         refused.extend(error.violations.into_iter().map(|violation| violation.field));
//!     }
//! }
//! assert_eq!(refused, ["document.text"]);
//! # Ok(())
//! # }
//! ```
//!
//! # What is refused
//!
//! A [`Status`] has details: the fields that are wrong, a reason for programs, and when to try
//! again. What is refused with a delay was not done, and may be asked once more; so may any
//! ingest whose answer is lost, for the same document again changes nothing.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/embedded.rs"));
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let desk = embedded().await?;
//! # let mut client = copydesk::client::Client::connect(&desk.address).await?;
//! use copydesk::proto::v1::GetDocumentRequest;
//! use tonic_types::StatusExt;
//!
//! let request = GetDocumentRequest { document_id: "unknown".to_owned(), view: 0 };
//! let Err(refusal) = client.corpus.get_document(request).await else {
//!     panic!("there is no such document");
//! };
//! let details = refusal.get_error_details();
//! assert_eq!(details.error_info().map(|info| info.reason.as_str()), Some("UNKNOWN_DOCUMENT"));
//! assert!(details.retry_info().is_none(), "asking again would not help");
//! # Ok(())
//! # }
//! ```

use std::convert::Infallible;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::{fmt, io};

use tokio_rustls::rustls;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status};

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
    /// What is for TLS is given, and the address is without.
    #[error("{0:?} is without TLS, and certificates are given; write https://, or leave them out")]
    NoTls(String),
    /// A token with characters that none has.
    #[error("the token has characters that no token has; copy it again")]
    Token,
    /// A file cannot be read, or used.
    #[error("{} cannot be used for TLS: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// Who answers there has a certificate that proves nothing.
    #[error(
        "the server at {address} cannot be trusted: {cause}; name the authority that its certificate is of with --tls-ca"
    )]
    Untrusted {
        /// The address.
        address: String,
        /// Why.
        cause: String,
    },
    /// Nobody answers there, or not as it should be.
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

/// A secret that lets a client in. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl FromStr for Token {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// What a client shows to a server, and asks of it.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// Its token, if the server asks for one.
    pub token: Option<Token>,
    /// In PEM, the authority that the server's certificate has to be of; without, a public
    /// one.
    pub authority: Option<PathBuf>,
    /// Its own certificate, if the server asks for one.
    pub identity: Option<Identity>,
}

/// Files in PEM.
#[derive(Debug, Clone)]
pub struct Identity {
    /// A certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// A connection that shows a token with every call.
pub type Connection = InterceptedService<Channel, Authorization>;

/// Puts a token, if there is one, on every call.
#[derive(Debug, Clone)]
pub struct Authorization(Option<MetadataValue<Ascii>>);

impl Authorization {
    fn new(token: Option<&Token>) -> Result<Self, ConnectError> {
        let value = |Token(token): &Token| {
            let value: Result<MetadataValue<Ascii>, _> = format!("Bearer {token}").parse();
            let mut value = value.map_err(|_| ConnectError::Token)?;
            // Neither shown where headers are logged, nor kept where they are compressed.
            value.set_sensitive(true);
            Ok(value)
        };
        // A variable of the environment that is empty is none.
        let token = token.filter(|Token(token)| !token.is_empty());
        Ok(Self(token.map(value).transpose()?))
    }
}

impl Interceptor for Authorization {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request.metadata_mut().insert("authorization", value.clone());
        }
        Ok(request)
    }
}

/// The services of one server. Clones share the connection.
#[derive(Debug, Clone)]
pub struct Client {
    /// What goes in and out.
    pub corpus: CorpusServiceClient<Connection>,
    /// Questions.
    pub similarity: SimilarityServiceClient<Connection>,
    /// Stories: documents about the same events.
    pub story: StoryServiceClient<Connection>,
    /// For operators.
    pub admin: AdminServiceClient<Connection>,
}

impl Client {
    /// Connects to the server at `address`, e.g. `http://127.0.0.1:7151`, and shows nothing;
    /// see [`Client::connect_with`].
    ///
    /// # Errors
    ///
    /// If `address` is not an address, or nobody answers there.
    pub async fn connect(address: &str) -> Result<Self, ConnectError> {
        Self::connect_with(address, &Credentials::default()).await
    }

    /// Connects to the server at `address`. Without a scheme, `https` is meant where there
    /// are certificates, else `http`.
    ///
    /// ```no_run
    /// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
    /// use copydesk::client::{Client, Credentials};
    ///
    /// let credentials = Credentials {
    ///     token: Some(std::env::var("COPYDESK_TOKEN")?.parse()?),
    ///     authority: Some("ca.pem".into()),
    ///     identity: None,
    /// };
    /// let client = Client::connect_with("https://desk.example:7151", &credentials).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If `address` is not an address, or what is shown cannot be used, or nobody answers
    /// there who is of the right authority.
    pub async fn connect_with(
        address: &str,
        credentials: &Credentials,
    ) -> Result<Self, ConnectError> {
        let has_certificates = credentials.authority.is_some() || credentials.identity.is_some();
        let url = match (address.contains("://"), has_certificates) {
            (true, _) => address.to_owned(),
            (false, true) => format!("https://{address}"),
            (false, false) => format!("http://{address}"),
        };
        let mut endpoint = Endpoint::from_shared(url.clone())
            .map_err(|_| ConnectError::Address(address.to_owned()))?;
        let failed = |error: tonic::transport::Error| failed(url.clone(), &error);
        if endpoint.uri().scheme_str() == Some("https") {
            endpoint = endpoint.tls_config(tls(credentials)?).map_err(failed)?;
        } else if has_certificates {
            return Err(ConnectError::NoTls(url));
        }
        let authorization = Authorization::new(credentials.token.as_ref())?;
        let channel = endpoint.connect().await.map_err(failed)?;
        let connection = InterceptedService::new(channel, authorization);
        Ok(Self {
            corpus: CorpusServiceClient::new(connection.clone())
                .max_decoding_message_size(ANSWER_BYTES),
            similarity: SimilarityServiceClient::new(connection.clone())
                .max_decoding_message_size(ANSWER_BYTES),
            story: StoryServiceClient::new(connection.clone())
                .max_decoding_message_size(ANSWER_BYTES),
            admin: AdminServiceClient::new(connection),
        })
    }
}

fn tls(credentials: &Credentials) -> Result<ClientTlsConfig, ConnectError> {
    let config = match &credentials.authority {
        Some(path) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(path)?)),
        None => ClientTlsConfig::new().with_webpki_roots(),
    };
    let Some(Identity { certificate, key }) = &credentials.identity else { return Ok(config) };
    let identity = tonic::transport::Identity::from_pem(read(certificate)?, read(key)?);
    Ok(config.identity(identity))
}

fn read(path: &Path) -> Result<Vec<u8>, ConnectError> {
    std::fs::read(path)
        .map_err(|error| ConnectError::File { path: path.to_owned(), cause: error.to_string() })
}

fn failed(address: String, error: &(dyn Error + 'static)) -> ConnectError {
    let innermost = innermost(error);
    let cause = innermost.to_string();
    let of_tls = innermost.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match of_tls.and_then(|error| error.downcast_ref()) {
        Some(rustls::Error::InvalidCertificate(_)) => ConnectError::Untrusted { address, cause },
        _ => ConnectError::Unreachable { address, cause },
    }
}

/// What is at the bottom of an error: there it says what happened.
pub(crate) fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    error.source().map_or(error, innermost)
}
