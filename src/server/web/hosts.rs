use std::net::IpAddr;

use http::Request;
use http::header::HOST;
use http::uri::Authority;

/// What who called by another name is told.
pub(super) const REFUSED: &str = "this server does not go by that name; start it with --web-name NAME, \
     or with tokens or TLS";

/// Names by which the desk may be called. A page of anybody's can have its own name lead to
/// this server ("DNS rebinding") and is then of one origin with it; so where nothing else
/// tells who asks, the name has to be one that nobody else can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) enum Hosts {
    /// Any: tokens or a certificate tell who is meant.
    Any,
    /// Addresses, `localhost`, and these.
    Ours(Vec<String>),
}

impl Hosts {
    /// Whether a request came by a name that it may come by.
    pub fn allow<B>(&self, request: &Request<B>) -> bool {
        let Self::Ours(names) = self else { return true };
        let given = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let authority = request.uri().authority().cloned();
        let authority = authority.or_else(|| given?.parse::<Authority>().ok());
        authority.is_some_and(|authority| is_ours(authority.host(), names))
    }
}

fn is_ours(host: &str, names: &[String]) -> bool {
    let host = host.to_ascii_lowercase();
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host);
    address.parse::<IpAddr>().is_ok()
        || host == "localhost"
        || host.ends_with(".localhost")
        || names.iter().any(|name| name.eq_ignore_ascii_case(&host))
}

#[cfg(test)]
mod tests {
    use super::Hosts;
    use http::Request;

    fn allows(hosts: &Hosts, host: &str) -> bool {
        hosts.allow(&Request::builder().uri("/").header("host", host).body(()).unwrap())
    }

    #[test]
    fn only_names_that_nobody_else_can_have_are_taken() {
        let ours = Hosts::Ours(vec!["Desk.example".into()]);
        for good in [
            "127.0.0.1:80",
            "[::1]:7152",
            "localhost",
            "LOCALHOST:1",
            "a.localhost",
            "desk.example:80",
        ] {
            assert!(allows(&ours, good), "{good}");
        }
        for bad in
            ["rebound.example", "desk.example.org", "127.0.0.1.example", "notlocalhost", "", "a b"]
        {
            assert!(!allows(&ours, bad), "{bad}");
            assert!(allows(&Hosts::Any, bad), "{bad}");
        }
    }

    #[test]
    fn a_request_without_a_name_is_of_nobody() {
        let nameless = Request::builder().uri("/").body(()).unwrap();
        assert!(!Hosts::Ours(Vec::new()).allow(&nameless));
        let named = Request::builder().uri("http://127.0.0.1:1/").body(()).unwrap();
        assert!(Hosts::Ours(Vec::new()).allow(&named));
    }
}
