use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode, Uri, header};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body};
use url::Url;

use super::network::Admitted;
use super::robots::product;
use super::{FetchError, FetchOptions, retry_after, without_secret};

/// Requests at once, to whatever hosts.
pub(super) const AT_ONCE: usize = 16;

/// For a connection, of the time that a request has.
const CONNECT: Duration = Duration::from_secs(10);

/// Bytes of what comes before the body.
const HEAD_BYTES: usize = 64 << 10;

/// What feeds and pages are asked for as.
const ACCEPT: &str = "application/rss+xml, application/atom+xml, application/feed+json, \
    text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.1";

/// What a host said of an answer, for asking later whether it is another one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    /// `ETag`, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub etag: String,
    /// `Last-Modified`, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last_modified: String,
}

/// An answer; its body only where there is one to use.
#[derive(Debug)]
pub(super) struct Response {
    pub status: StatusCode,
    pub content_type: String,
    pub location: Option<String>,
    pub retry_after: Option<Duration>,
    pub validators: Validators,
    pub body: Vec<u8>,
}

/// Requests, one by one, without redirects.
#[derive(Debug)]
pub(super) struct Transport {
    /// Connects to all addresses.
    anywhere: Agent,
    /// Connects to those that are admitted.
    admitted: Agent,
    /// One for each request that may be made.
    places: Arc<Semaphore>,
    user_agent: String,
    timeout: Duration,
    largest: usize,
}

impl Transport {
    pub fn new(options: &FetchOptions, admitted: &Admitted) -> Self {
        let config = || {
            let builder = match options.uses_proxy {
                true => Config::builder(),
                false => Config::builder().proxy(None),
            };
            builder
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .timeout_global(Some(options.timeout))
                .timeout_connect(Some(CONNECT.min(options.timeout)))
                .max_response_header_size(HEAD_BYTES)
                .max_idle_connections(16)
                .max_idle_connections_per_host(1)
                .user_agent(options.user_agent.as_str())
                .accept(ACCEPT)
                .build()
        };
        let connector = DefaultConnector::default;
        let resolver =
            AdmittingResolver { resolver: DefaultResolver::default(), admitted: admitted.clone() };
        Self {
            anywhere: Agent::with_parts(config(), connector(), DefaultResolver::default()),
            admitted: Agent::with_parts(config(), connector(), resolver),
            places: Arc::new(Semaphore::new(AT_ONCE)),
            user_agent: options.user_agent.clone(),
            timeout: options.timeout,
            largest: options.largest,
        }
    }

    /// What robots.txt calls us.
    pub fn product(&self) -> &str {
        product(&self.user_agent)
    }

    /// One request, on a thread for blocking work. If it is given up, the thread ends when
    /// its time is over, and keeps its place until then.
    pub async fn get(
        &self,
        url: &Url,
        is_private_allowed: bool,
        validators: &Validators,
    ) -> Result<Response, FetchError> {
        // It is never closed.
        let place = Arc::clone(&self.places).acquire_owned().await;
        let agent = if is_private_allowed { &self.anywhere } else { &self.admitted };
        let request = request(agent, url, validators);
        let (largest, timeout) = (self.largest, self.timeout);
        let asking = tokio::task::spawn_blocking(move || {
            let _place = place;
            let response = request.call().map_err(|error| failed(error, timeout))?;
            read(response, largest, timeout)
        });
        asking.await.map_err(|error| FetchError::Unreachable(error.to_string()))?
    }
}

fn request(
    agent: &Agent,
    url: &Url,
    validators: &Validators,
) -> ureq::RequestBuilder<ureq::typestate::WithoutBody> {
    let mut bare = without_secret(url);
    bare.set_fragment(None);
    let mut request = agent.get(bare.as_str());
    if !url.username().is_empty() {
        let (name, password) = (unescaped(url.username()), unescaped(url.password().unwrap_or("")));
        let secret = STANDARD.encode(format!("{name}:{password}"));
        request = request.header(header::AUTHORIZATION, format!("Basic {secret}"));
    }
    for (name, value) in [
        (header::IF_NONE_MATCH, &validators.etag),
        (header::IF_MODIFIED_SINCE, &validators.last_modified),
    ] {
        if !value.is_empty() {
            request = request.header(name, value.as_str());
        }
    }
    request
}

/// A name or password as it was before it was written into an address.
fn unescaped(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn read(
    response: http::Response<Body>,
    largest: usize,
    timeout: Duration,
) -> Result<Response, FetchError> {
    let (head, mut body) = response.into_parts();
    let field = |name: header::HeaderName| field(&head.headers, name);
    let mut read = Response {
        status: head.status,
        content_type: field(header::CONTENT_TYPE),
        location: Some(field(header::LOCATION)).filter(|to| !to.is_empty()),
        retry_after: retry_after(&field(header::RETRY_AFTER)),
        validators: Validators {
            etag: field(header::ETAG),
            last_modified: field(header::LAST_MODIFIED),
        },
        body: Vec::new(),
    };
    if head.status != StatusCode::OK {
        return Ok(read);
    }
    // What is packed with gzip is unpacked already, and does not say so any more.
    let encoding = field(header::CONTENT_ENCODING);
    if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") {
        return Err(FetchError::Packed(encoding));
    }
    if body.content_length().is_some_and(|length| length > largest as u64) {
        return Err(FetchError::TooLarge(largest));
    }
    // Counted as it is unpacked, so that little on the way cannot become much here.
    let mut bytes = body.as_reader().take(largest as u64 + 1);
    bytes.read_to_end(&mut read.body).map_err(|error| broken(error, timeout))?;
    if read.body.len() > largest {
        return Err(FetchError::TooLarge(largest));
    }
    Ok(read)
}

/// A field, if it can be shown, and is not longer than one should be.
fn field(headers: &HeaderMap, name: header::HeaderName) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.filter(|value| value.len() <= 4_096).unwrap_or_default().trim().to_owned()
}

fn broken(error: io::Error, timeout: Duration) -> FetchError {
    failed(ureq::Error::from(error), timeout)
}

fn failed(error: ureq::Error, timeout: Duration) -> FetchError {
    match error {
        ureq::Error::Timeout(_) => FetchError::Slow(timeout),
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
            FetchError::Slow(timeout)
        }
        ureq::Error::Io(error) if is_private(&error) => FetchError::Private,
        error => FetchError::Unreachable(error.to_string()),
    }
}

/// Finds addresses that are admitted only. It is the addresses that it finds which are
/// connected to, so a name cannot come to mean another one in between.
#[derive(Debug)]
struct AdmittingResolver {
    resolver: DefaultResolver,
    admitted: Admitted,
}

impl Resolver for AdmittingResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.resolver.resolve(uri, config, timeout)?;
        // The operator's own way out may well be inside.
        if config.proxy().is_some_and(|proxy| Some(proxy.host()) == uri.host()) {
            return Ok(found);
        }
        let mut admitted = self.empty();
        for &address in found.iter().filter(|address| self.admitted.admits(address.ip())) {
            admitted.push(address);
        }
        match admitted.is_empty() {
            true => Err(ureq::Error::Io(io::Error::other(PrivateAddress))),
            false => Ok(admitted),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("its address is in a private network")]
struct PrivateAddress;

fn is_private(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<PrivateAddress>())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ureq::Agent;
    use ureq::unversioned::resolver::{DefaultResolver, Resolver};
    use ureq::unversioned::transport::NextTimeout;

    use super::{Admitted, AdmittingResolver, failed};
    use crate::fetch::FetchError;

    /// The addresses that a name leads to, if one may go there.
    fn resolved(name: &str, networks: &[&str]) -> Result<Vec<String>, FetchError> {
        let networks: Vec<_> = networks.iter().map(|network| network.parse().unwrap()).collect();
        let resolver = AdmittingResolver {
            resolver: DefaultResolver::default(),
            admitted: Admitted::new(&networks),
        };
        let uri = format!("http://{name}:8080/").parse().unwrap();
        let config = Agent::config_builder().proxy(None).build();
        let (after, reason) = (Duration::from_secs(10).into(), ureq::Timeout::Resolve);
        let found = resolver.resolve(
            &uri,
            &config,
            NextTimeout { after, reason, ..NextTimeout::default() },
        );
        let found = found.map_err(|error| failed(error, Duration::from_secs(10)))?;
        Ok(found.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_name_leads_only_to_addresses_that_are_admitted() {
        assert_eq!(resolved("localhost", &[]), Err(FetchError::Private));
        assert_eq!(resolved("localhost", &["127.0.0.2/32"]), Err(FetchError::Private));
        assert_eq!(resolved("localhost", &["127.0.0.0/8"]), Ok(vec!["127.0.0.1:8080".to_owned()]));
    }
}
