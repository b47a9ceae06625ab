use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::AccessError;
use super::files::Content;

/// What gRPC speaks, for the negotiation in the handshake.
const HTTP_2: &[u8] = b"h2";

/// The contents of the files of TLS.
#[derive(PartialEq)]
pub(super) struct Pem {
    pub chain: Content,
    pub key: Content,
    pub clients: Option<Content>,
}

/// What answers handshakes.
pub(super) fn config(pem: &Pem) -> Result<Arc<ServerConfig>, AccessError> {
    let Pem { chain, key, clients } = pem;
    let wrong = |error| chain.wrong(error);
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(wrong)?;
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authorities) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates(authorities)? {
                roots.add(authority).map_err(|error| authorities.wrong(error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            let verifier = verifier.build().map_err(|error| authorities.wrong(error))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let private = PrivateKeyDer::from_pem_slice(&key.bytes)
        .map_err(|error| key.wrong(format!("{error}; give a private key in PEM")))?;
    let mut config = builder.with_single_cert(certificates(chain)?, private).map_err(wrong)?;
    config.alpn_protocols.push(HTTP_2.to_vec());
    Ok(Arc::new(config))
}

fn certificates(pem: &Content) -> Result<Vec<CertificateDer<'static>>, AccessError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem.bytes).collect();
    match found.map_err(|error| pem.wrong(error))? {
        none if none.is_empty() => Err(pem.wrong("holds no certificate in PEM")),
        found => Ok(found),
    }
}
