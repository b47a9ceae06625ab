//! Who gets in, and what they may do: TLS, tokens and their rights.

mod files;
mod guard;
mod rights;
mod tls;
mod tokens;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;
use tokio_rustls::rustls;
use tonic::Request;

use super::refusal::Refusal;
use files::{Content, File, Followed, follow};
use tls::Pem;
use tokens::Tokens;

pub(super) use guard::Guard;
pub use rights::Right;
pub use tokens::NewToken;

/// Who gets in. By default anybody does, which suits a server on loopback.
#[derive(Debug, Clone, Default)]
pub struct AccessOptions {
    /// The tokens file: who has none of its tokens can ask for health only.
    pub tokens: Option<PathBuf>,
    /// TLS, if connections are to be encrypted.
    pub tls: Option<TlsFiles>,
    /// Listen beyond loopback, even where anybody gets in.
    pub is_forced: bool,
}

impl AccessOptions {
    /// Whether tokens or certificates tell who gets in.
    pub(super) fn is_closed(&self) -> bool {
        self.tokens.is_some() || self.tls.is_some()
    }
}

/// Files in PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The server's certificate, and the chain that leads to its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Authorities of which a client's certificate has to be; without, clients need none.
    pub clients: Option<PathBuf>,
}

/// Why it cannot be said who gets in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// A file cannot be read.
    #[error("{setting}: {} cannot be read: {source}; name a file that the server may read", path.display())]
    Unreadable {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds what it should not.
    #[error("{setting}: {} cannot be used: {cause}", path.display())]
    Unusable {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        cause: String,
    },
    /// Anybody would get in from elsewhere.
    #[error(
        "anybody could reach {0}: give --tokens or --tls-cert, or listen on 127.0.0.1; \
         --allow-anybody listens there all the same"
    )]
    Exposed(SocketAddr),
    /// Anybody would get at the figures from elsewhere.
    #[error(
        "anybody could reach {0}, where --admin asks for nothing: answer on 127.0.0.1; \
         --allow-anybody answers there all the same"
    )]
    ExposedAdmin(SocketAddr),
}

/// Who gets in, with the files read.
pub(super) struct Access {
    tokens: Option<Followed<Tokens>>,
    tls: Option<Followed<Arc<rustls::ServerConfig>>>,
}

impl Access {
    /// Reads the files, and follows their changes for as long as this lives.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or used, or anybody could reach one of `addresses`, or `admin`,
    /// which asks for neither tokens nor TLS.
    pub fn open(
        options: &AccessOptions,
        addresses: &[SocketAddr],
        admin: Option<SocketAddr>,
    ) -> Result<Self, AccessError> {
        let exposed = addresses.iter().find(|address| !is_local(**address));
        if let Some(address) = exposed.filter(|_| !options.is_closed() && !options.is_forced) {
            return Err(AccessError::Exposed(*address));
        }
        if let Some(admin) = admin.filter(|admin| !is_local(*admin) && !options.is_forced) {
            return Err(AccessError::ExposedAdmin(admin));
        }
        let access = Self {
            tokens: options.tokens.as_deref().map(tokens_of).transpose()?,
            tls: options.tls.as_ref().map(tls_of).transpose()?,
        };
        if exposed.is_some() {
            warn(options);
        }
        Ok(access)
    }

    /// What makes a [`Guard`] of each service.
    pub fn guard<S>(&self) -> impl Fn(S) -> Guard<S> + Clone + Send + 'static {
        let tokens = self.tokens.as_ref().map(|tokens| tokens.present.clone());
        move |service| Guard::new(service, tokens.clone())
    }

    /// What answers handshakes, where connections are encrypted.
    pub fn tls(&self) -> Option<watch::Receiver<Arc<rustls::ServerConfig>>> {
        self.tls.as_ref().map(|tls| tls.present.clone())
    }
}

/// Whether nobody elsewhere can reach an address.
fn is_local(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// Says what else might not be meant, when the server can be reached from elsewhere.
fn warn(options: &AccessOptions) {
    let asks_for_certificates = options.tls.as_ref().is_some_and(|tls| tls.clients.is_some());
    if options.tokens.is_none() && !asks_for_certificates {
        tracing::warn!("anybody who reaches this server may do anything; --tokens asks for tokens");
    }
    if options.tls.is_none() && options.tokens.is_some() {
        tracing::warn!("tokens and articles can be read on their way here; --tls-cert encrypts");
    }
}

fn tokens_of(path: &Path) -> Result<Followed<Tokens>, AccessError> {
    let file = File { setting: "--tokens", path: path.to_owned() };
    let make = |content: &Content| {
        let text = str::from_utf8(&content.bytes).map_err(|error| content.wrong(error))?;
        Tokens::parse(text).map_err(|cause| content.wrong(cause))
    };
    follow("tokens", move || file.read(), make)
}

fn tls_of(tls: &TlsFiles) -> Result<Followed<Arc<rustls::ServerConfig>>, AccessError> {
    let file = |setting, path: &PathBuf| File { setting, path: path.clone() };
    let chain = file("--tls-cert", &tls.certificate);
    let key = file("--tls-key", &tls.key);
    let clients = tls.clients.as_ref().map(|path| file("--tls-client-ca", path));
    let read = move || {
        let clients = clients.as_ref().map(File::read).transpose()?;
        Ok(Pem { chain: chain.read()?, key: key.read()?, clients })
    };
    follow("certificates", read, tls::config)
}

/// What the caller of a request may do, as the guard found out.
pub(super) fn right_of<T>(request: &Request<T>) -> Right {
    request.extensions().get().copied().unwrap_or(Right::Read)
}
