use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::{Code, Status};
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_web::GrpcWebLayer;
use tower::ServiceBuilder;
use tower::layer::layer_fn;
use tower::util::MapResponseLayer;

use crate::corpus::{self, Corpus, Limits, OpenError, Options};
use crate::embed::Setup;
use crate::fetch::FetchOptions;
use crate::proto::DESCRIPTORS;
use crate::proto::v1::admin_service_server::AdminServiceServer;
use crate::proto::v1::corpus_service_server::CorpusServiceServer;
use crate::proto::v1::similarity_service_server::SimilarityServiceServer;
use crate::proto::v1::story_service_server::StoryServiceServer;

use super::access::{Access, AccessError, AccessOptions};
use super::connections::accepted;
use super::gate::{Gate, Stage};
use super::held::Hold;
use super::operators::Operators;
use super::pages::Pages;
use super::refusal::undecodable;
use super::requests::Observe;
use super::web::{Desk, Hosts, WebOptions};
use super::{admin, corpus_service, figures, health, similarity, story, transport};

/// How long accepted calls have to finish once the server drains: enough for the
/// largest document.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(300);

/// How long connections then have to close: one whose client is gone never does.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// How much larger than the published limit a message may be and still be decoded, so
/// that what is wrong with it can be said.
const DECODED: usize = 4;

/// What to serve, and where.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Where to listen. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where to answer operators' tools over HTTP, if anywhere.
    pub admin: Option<SocketAddr>,
    /// Where to serve the desk, if anywhere.
    pub web: Option<WebOptions>,
    /// The data folder.
    pub data: PathBuf,
    /// Runtime and model.
    pub setup: Setup,
    /// How the corpus is kept.
    pub options: Options,
    /// Who gets in.
    pub access: AccessOptions,
    /// How to fetch pages for clients, if at all. The largest page is the one that has room in a
    /// message, and no proxy is used.
    pub fetch: Option<FetchOptions>,
}

/// Why a server did not start or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Who gets in cannot be said.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {source}; stop what uses it or choose another one with --listen"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The address for operators' tools cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose another one with --admin")]
    Admin {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The address for the desk cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose another one with --web")]
    Web {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The corpus cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The transport failed.
    #[error("the server failed: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// Something that cannot be: the contract's descriptors are damaged.
    #[error("the server's descriptors cannot be read: {0}")]
    Descriptors(#[from] tonic_reflection::server::Error),
}

/// A server whose port is open.
pub struct Serving {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where the desk is.
    pub web: Option<SocketAddr>,
    /// Resolves when the corpus is ready, or is dropped if it cannot be opened.
    pub ready: oneshot::Receiver<()>,
    /// Resolves when the server has ended.
    pub ended: tokio::task::JoinHandle<Result<(), ServeError>>,
}

/// Opens the port at once and the corpus behind it; health says which it is. When
/// `stop` resolves, drains: accepted calls finish, new ones are refused.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let data = folder.path().to_owned();
/// use copydesk::corpus::Options;
/// use copydesk::embed::{Setup, SetupOptions};
/// use copydesk::server::{AccessOptions, ServerConfig, serve};
///
/// let config = ServerConfig {
///     listen: ([127, 0, 0, 1], 0).into(),
///     admin: None,
///     web: None,
///     data,
///     // Fetches the runtime and the model, once; blocks meanwhile.
///     setup: Setup::ensure(&SetupOptions::default(), &|_, _| {})?,
///     options: Options::default(),
///     access: AccessOptions::default(),
///     fetch: None,
/// };
/// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
/// let serving = serve(config, async { stopped.await.unwrap_or(()) }).await?;
/// serving.ready.await?;
/// println!("ready on {}", serving.address);
///
/// drop(stop);
/// serving.ended.await??;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// If the files that say who gets in cannot be used, anybody would get in from elsewhere, the
/// corpus cannot be opened, as far as that shows before, or an address cannot be listened on.
/// What fails later ends the server.
pub async fn serve(
    config: ServerConfig,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<Serving, ServeError> {
    let web = config.web.as_ref().map(|web| web.address);
    let addresses: Vec<SocketAddr> = [Some(config.listen), web].into_iter().flatten().collect();
    let access = Access::open(&config.access, &addresses, config.admin)?;
    preview(config.clone()).await?;
    let (address, calls) = listen(config.listen)
        .await
        .map_err(|source| ServeError::Listen { address: config.listen, source })?;
    let (web_address, web) = match web {
        None => (None, None),
        Some(wanted) => {
            let listening = listen(wanted).await;
            let (address, listener) =
                listening.map_err(|source| ServeError::Web { address: wanted, source })?;
            (Some(address), Some(listener))
        }
    };
    let gate = Gate::new(&Limits::default());
    if let Some(address) = config.admin {
        let operators = Operators::bind(address);
        operators
            .and_then(|operators| operators.answer(gate.clone(), config.data.clone()))
            .map_err(|source| ServeError::Admin { address, source })?;
    }
    let (ready_sender, ready) = oneshot::channel();
    let listeners = Listeners { calls, web };
    let ended = tokio::spawn(run(config, access, listeners, gate, ready_sender, stop));
    Ok(Serving { address, web: web_address, ready, ended })
}

async fn listen(address: SocketAddr) -> io::Result<(SocketAddr, TcpListener)> {
    let listener = TcpListener::bind(address).await?;
    Ok((listener.local_addr()?, listener))
}

/// Ports that are open.
struct Listeners {
    calls: TcpListener,
    web: Option<TcpListener>,
}

async fn run(
    config: ServerConfig,
    access: Access,
    listeners: Listeners,
    gate: Gate,
    ready: oneshot::Sender<()>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let (health, health_service) = health::Reporter::new().await;
    let services = services(health_service, &gate, &config)?;
    let drain = CancellationToken::new();
    let calls = || {
        ServiceBuilder::new()
            .layer(Observe)
            .layer(MapResponseLayer::new(explain_undecodable))
            .layer(layer_fn(access.guard()))
            .layer(layer_fn(Hold))
            .into_inner()
    };
    let router = transport::server().layer(calls()).add_routes(services.clone());
    let incoming = accepted(listeners.calls, access.tls(), gate.held());
    let calling = router.serve_with_incoming_shutdown(incoming, drain.clone().cancelled_owned());
    let desk = listeners.web.map(|listener| {
        // Browsers speak HTTP/1.1 where nothing is encrypted.
        let router = transport::server()
            .accept_http1(true)
            .layer(Desk::new(hosts(&config)))
            .layer(GrpcWebLayer::new())
            .layer(calls())
            .add_routes(services);
        let incoming = accepted(listener, access.tls(), gate.held());
        router.serve_with_incoming_shutdown(incoming, drain.clone().cancelled_owned())
    });
    let mut server = tokio::spawn(async move {
        match desk {
            None => calling.await,
            Some(desk) => tokio::try_join!(calling, desk).map(|((), ())| ()),
        }
    });

    tokio::pin!(stop);
    let is_counted = config.admin.is_some();
    let opened = tokio::select! {
        opened = open(config) => opened,
        () = &mut stop => {
            server.abort();
            return Ok(());
        }
    };
    let corpus = opened.inspect_err(|_| server.abort())?;
    corpus.keep_house();
    let sampling = is_counted.then(|| tokio::spawn(figures::sample(corpus.clone())));
    let _sampling = sampling.map(AbortOnDropHandle::new);
    let failing = tell_failure(corpus.disk_failed(), health.clone());
    gate.set(Stage::Serving(corpus));
    health.serving().await;
    let _failing = AbortOnDropHandle::new(tokio::spawn(failing));
    let _ = ready.send(());

    tokio::select! {
        ended = &mut server => return flatten(ended),
        () = &mut stop => {}
    }
    gate.set(Stage::Draining);
    health.end().await;
    drain.cancel();
    if tokio::time::timeout(DRAIN_TIMEOUT, gate.idle()).await.is_err() {
        tracing::warn!("calls were cut off {DRAIN_TIMEOUT:?} after the shutdown began");
    }
    match tokio::time::timeout(CLOSE_TIMEOUT, &mut server).await {
        Ok(ended) => flatten(ended),
        Err(_) => {
            server.abort();
            Ok(())
        }
    }
}

/// What is answered, on whatever port.
fn services<H: Health>(
    health: HealthServer<H>,
    gate: &Gate,
    config: &ServerConfig,
) -> Result<Routes, ServeError> {
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let most = Limits::default().message_bytes * DECODED;
    let pages = Pages::new(config.fetch.clone());
    let fetches = pages.at_once();
    let mut services = Routes::builder();
    services
        .add_service(health)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .add_service(
            CorpusServiceServer::new(corpus_service::Service { gate: gate.clone(), pages })
                .max_decoding_message_size(most),
        )
        .add_service(
            SimilarityServiceServer::new(similarity::Service { gate: gate.clone() })
                .max_decoding_message_size(most),
        )
        .add_service(StoryServiceServer::new(story::Service { gate: gate.clone() }))
        .add_service(AdminServiceServer::new(admin::Service {
            gate: gate.clone(),
            setup: config.setup.others(),
            fetches,
        }));
    Ok(services.routes())
}

/// By which names the desk may be called.
fn hosts(config: &ServerConfig) -> Hosts {
    match &config.web {
        Some(web) if !config.access.is_closed() => Hosts::Ours(web.names.clone()),
        _ => Hosts::Any,
    }
}

/// Says that the server is not serving once the disk failed. It goes on to answer questions.
async fn tell_failure(failed: impl Future<Output = ()>, health: health::Reporter) {
    failed.await;
    health.not_serving().await;
}

/// Looks at what is to be opened, on a thread that may block.
async fn preview(config: ServerConfig) -> Result<(), OpenError> {
    let previewing = tokio::task::spawn_blocking(move || {
        corpus::preview(&config.data, &config.setup, &config.options)
    });
    previewing.await.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
}

/// Opens the corpus on a thread that may block.
async fn open(config: ServerConfig) -> Result<Corpus, OpenError> {
    let opening = tokio::task::spawn_blocking(move || {
        Corpus::open(&config.data, &config.setup, config.options)
    });
    match opening.await {
        Ok(opened) => opened,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

/// Says in our words, with details, what is wrong with a message that the transport refuses
/// before any service sees it.
fn explain_undecodable(response: http::Response<Body>) -> http::Response<Body> {
    match Status::from_header_map(response.headers()) {
        Some(status) if matches!(status.code(), Code::Internal | Code::OutOfRange) => {
            undecodable(status).into_http()
        }
        _ => response,
    }
}

fn flatten(
    ended: Result<Result<(), tonic::transport::Error>, tokio::task::JoinError>,
) -> Result<(), ServeError> {
    match ended {
        Ok(result) => Ok(result?),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Ok(()),
    }
}
