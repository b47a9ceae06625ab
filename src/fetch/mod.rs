//! Fetching from the web as a guest: one request at a time for each host, with its delay
//! between them; robots.txt; bounds for time, size and redirects; conditional requests; and no
//! way from what strangers write into one's own network.
//!
//! The transport is ureq's, on threads for blocking work; what may be asked when, and of whom,
//! is decided here.

mod error;
mod hosts;
mod network;
mod robots;
mod transport;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use ipnet::IpNet;
use url::Url;

use hosts::{Gate, Hosts};
use network::{Admitted, Authority, Reach};
use robots::Robots;
use transport::{Response, Transport};

pub use error::FetchError;
pub use transport::Validators;

/// Redirects that are followed.
const REDIRECTS: usize = 5;

/// How a host is waited for where it says 429 or 503, and not for how long.
const BUSY: Duration = Duration::from_secs(60);

/// How to fetch.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// What to call oneself. robots.txt is read for its first word: `copydesk/1.0 (...)`.
    pub user_agent: String,
    /// For a whole request and its answer, without redirects.
    pub timeout: Duration,
    /// Bytes of an answer, unpacked.
    pub largest: usize,
    /// Between two requests to one host, at least.
    pub delay: Duration,
    /// Whether links may lead into private networks and to this machine.
    pub allow_private: bool,
    /// Private networks that they may lead into in any case.
    pub networks: Vec<IpNet>,
    /// Whether a proxy is used that the environment names. A proxy looks names up itself: what
    /// they lead to is then for it to decide.
    pub uses_proxy: bool,
}

impl Default for FetchOptions {
    fn default() -> Self {
        Self {
            user_agent: concat!("copydesk/", env!("CARGO_PKG_VERSION")).to_owned(),
            timeout: Duration::from_secs(30),
            largest: 8 << 20,
            delay: Duration::from_secs(1),
            allow_private: false,
            networks: Vec::new(),
            uses_proxy: true,
        }
    }
}

/// Who named an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named<'a> {
    /// The operator. It is fetched as a browser would: robots.txt is for robots, and is not
    /// asked.
    ByOperator,
    /// A feed, which strangers write, at this address, if it has one. Only what robots.txt
    /// allows and what is in public networks, or where the feed is, is fetched, and only by
    /// ports that the web uses.
    ByFeed(Option<&'a Url>),
    /// Whoever asks a server for it. Likewise, and there is no feed.
    ByClient,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// It is as it was when the validators came.
    Unchanged,
    /// It is there.
    Found(Box<Found>),
}

impl Fetched {
    /// What was found, for whoever did not ask whether it changed.
    ///
    /// # Errors
    ///
    /// If the host says, unasked, that it did not.
    pub fn found(self) -> Result<Found, FetchError> {
        match self {
            Self::Found(found) => Ok(*found),
            Self::Unchanged => Err(FetchError::Status { status: 304, retry_after: None }),
        }
    }
}

/// What was found at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where, after redirects; without a secret.
    pub url: Url,
    /// Where it is for good from now on, if its host says so.
    pub moved_to: Option<Url>,
    /// Content-Type, or empty.
    pub content_type: String,
    /// To ask later whether it changed.
    pub validators: Validators,
    /// Unpacked.
    pub body: Vec<u8>,
}

/// Fetches. Clones share what is known of hosts.
#[derive(Debug, Clone)]
pub struct Fetcher(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: FetchOptions,
    transport: Transport,
    admitted: Admitted,
    hosts: Hosts,
}

impl Fetcher {
    /// Requests that it makes at once; further ones wait.
    pub const AT_ONCE: usize = transport::AT_ONCE;

    /// One that knows no host yet.
    pub fn new(options: FetchOptions) -> Self {
        let admitted = Admitted::new(&options.networks);
        let transport = Transport::new(&options, &admitted);
        let hosts = Hosts::new(options.delay);
        Self(Arc::new(Shared { options, transport, admitted, hosts }))
    }

    /// Fetches what is at `url`, or learns that it is as it was.
    ///
    /// # Errors
    ///
    /// If it cannot be had, or may not: see [`FetchError`].
    pub async fn get(
        &self,
        url: &Url,
        named: Named<'_>,
        validators: &Validators,
    ) -> Result<Fetched, FetchError> {
        let reach = self.reach(url, named);
        let obeys_robots = named != Named::ByOperator;
        let mut next = url.clone();
        let mut moved_to = None;
        let mut only_moved = true;
        let mut seen = vec![url.clone()];
        loop {
            let authority = Authority::of(&next)?;
            let gate = self.0.hosts.gate(&authority);
            if obeys_robots && !self.robots(&gate, authority, &next, &reach).await?.allows(&next) {
                return Err(FetchError::Robots);
            }
            let response = self.ask(&gate, &next, &reach, validators).await?;
            match response.status {
                StatusCode::OK => {
                    return Ok(Fetched::Found(Box::new(Found {
                        url: without_secret(&next),
                        moved_to,
                        content_type: response.content_type,
                        validators: response.validators,
                        body: response.body,
                    })));
                }
                StatusCode::NOT_MODIFIED => return Ok(Fetched::Unchanged),
                status if status.is_redirection() => {
                    let to = response.location.and_then(|to| next.join(&to).ok());
                    let to = to.ok_or(FetchError::NoLocation(status.as_u16()))?;
                    if seen.contains(&to) {
                        return Err(FetchError::Circle);
                    }
                    if seen.len() > REDIRECTS {
                        return Err(FetchError::Redirects(REDIRECTS));
                    }
                    let is_permanent = [301, 308].contains(&status.as_u16());
                    only_moved &= is_permanent;
                    if only_moved {
                        moved_to = Some(to.clone());
                    }
                    seen.push(to.clone());
                    next = to;
                }
                status => return Err(refused(&gate, status, response.retry_after)),
            }
        }
    }

    fn reach(&self, url: &Url, named: Named<'_>) -> Reach<'_> {
        let home = match named {
            Named::ByOperator => Some(url),
            Named::ByFeed(feed) => feed,
            Named::ByClient => None,
        };
        let home = home.and_then(|home| Authority::of(home).ok());
        let allow_private = self.0.options.allow_private;
        Reach { home, allow_private, admitted: &self.0.admitted }
    }

    /// One request, when it is its turn.
    async fn ask(
        &self,
        gate: &Gate,
        url: &Url,
        reach: &Reach<'_>,
        validators: &Validators,
    ) -> Result<Response, FetchError> {
        let is_private_allowed = reach.allows_private(url)?;
        let turn = gate.turn().await?;
        let fetched = self.0.transport.get(url, is_private_allowed, validators).await;
        drop(turn);
        fetched
    }

    /// What the host's robots.txt says, asked for at most once a day.
    ///
    /// As RFC 9309 has it: where there is none, all is allowed; where the host cannot tell,
    /// nothing is, for now.
    async fn robots(
        &self,
        gate: &Gate,
        authority: Authority,
        url: &Url,
        reach: &Reach<'_>,
    ) -> Result<Arc<Robots>, FetchError> {
        let _asking = gate.asking().await;
        let robots = match self.0.hosts.robots(&authority) {
            Some(robots) => robots,
            None => {
                let address = url.join("/robots.txt").map_err(|_| FetchError::Scheme)?;
                let robots = self.fetch_robots(gate, address, reach).await?;
                self.0.hosts.learn(authority, robots)
            }
        };
        gate.slow_down(robots.delay());
        Ok(robots)
    }

    async fn fetch_robots(
        &self,
        gate: &Gate,
        mut address: Url,
        reach: &Reach<'_>,
    ) -> Result<Robots, FetchError> {
        for _ in 0..=REDIRECTS {
            let response = match self.ask(gate, &address, reach, &Validators::default()).await {
                Ok(response) => response,
                Err(FetchError::TooLarge(_)) => return Ok(Robots::nothing()),
                Err(error) if error.is_passing() => return Err(error),
                Err(_) => return Ok(Robots::everything()),
            };
            match response.status {
                StatusCode::OK => {
                    return Ok(Robots::parse(&response.body, self.0.transport.product()));
                }
                status if status.is_redirection() => {
                    let to = response.location.and_then(|to| address.join(&to).ok());
                    // Another host's gate is not ours to pass here.
                    match to.filter(|to| Authority::of(to).ok() == Authority::of(&address).ok()) {
                        Some(to) => address = to,
                        None => return Ok(Robots::everything()),
                    }
                }
                StatusCode::TOO_MANY_REQUESTS => {
                    return Err(refused(gate, response.status, response.retry_after));
                }
                status if status.is_server_error() => {
                    return Err(refused(gate, status, response.retry_after));
                }
                _ => return Ok(Robots::everything()),
            }
        }
        Ok(Robots::everything())
    }
}

/// An address without the name and password in it.
pub fn without_secret(url: &Url) -> Url {
    let mut bare = url.clone();
    // Neither fails for what has a host, and what has none has no secret.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    bare
}

/// What an answer that refuses means; a host that is busy is left alone for a while.
fn refused(gate: &Gate, status: StatusCode, retry_after: Option<Duration>) -> FetchError {
    let is_busy =
        [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&status);
    let after = retry_after.or(is_busy.then_some(BUSY));
    if let Some(after) = after {
        gate.leave_alone(after);
    }
    FetchError::Status { status: status.as_u16(), retry_after: after }
}

/// The time that a `Retry-After` field names: seconds, or a date.
fn retry_after(value: &str) -> Option<Duration> {
    /// No host is believed that wants to be left alone for longer.
    const LONGEST: Duration = Duration::from_secs(24 * 3_600);
    let seconds = || value.trim().parse().ok().map(Duration::from_secs);
    let until = || {
        let time = crate::text::written_time(value)?;
        Some(SystemTime::from(time).duration_since(SystemTime::now()).unwrap_or_default())
    };
    seconds().or_else(until).map(|after| after.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::retry_after;

    #[test]
    fn a_host_says_in_seconds_or_by_a_date_when_to_come_back() {
        assert_eq!(retry_after(" 120"), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!(retry_after("99999999999"), Some(Duration::from_secs(86_400)));
        let later = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(10);
        let found = retry_after(&later.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()).unwrap();
        assert!(found > Duration::from_secs(500) && found <= Duration::from_secs(600), "{found:?}");
        assert_eq!(retry_after("soon"), None);
    }
}
