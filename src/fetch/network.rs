use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use url::{Host, Url};

use super::FetchError;

/// Host and port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Authority(String, u16);

impl Authority {
    /// Of an address of the web.
    pub fn of(url: &Url) -> Result<Self, FetchError> {
        match (url.scheme(), url.host_str(), url.port_or_known_default()) {
            ("http" | "https", Some(host), Some(port)) => Ok(Self(host.to_owned(), port)),
            _ => Err(FetchError::Scheme),
        }
    }
}

/// The addresses that what strangers name may be at: those of the public internet, and those of
/// networks that the operator allows.
#[derive(Debug, Clone, Default)]
pub(super) struct Admitted(Vec<IpNet>);

impl Admitted {
    pub fn new(networks: &[IpNet]) -> Self {
        Self(networks.to_vec())
    }

    /// Whether something may be at this address.
    pub fn admits(&self, address: IpAddr) -> bool {
        // An address of version 4 stays one, in whatever way it is written.
        let plain = address.to_canonical();
        is_public(address) || self.0.iter().any(|network| network.contains(&plain))
    }
}

/// Where a chain of links and redirects may lead: to addresses that are admitted, and to where it
/// began because the operator said so.
#[derive(Debug)]
pub(super) struct Reach<'a> {
    pub home: Option<Authority>,
    pub allow_private: bool,
    pub admitted: &'a Admitted,
}

impl Reach<'_> {
    /// Whether `url` may be in any network.
    ///
    /// # Errors
    ///
    /// If it may not and plainly is where nothing is admitted, or if its port is one of other
    /// services than the web's.
    pub fn allows_private(&self, url: &Url) -> Result<bool, FetchError> {
        let authority = Authority::of(url)?;
        if self.allow_private || self.home.as_ref() == Some(&authority) {
            return Ok(true);
        }
        if !matches!(authority.1, 80 | 443 | 1024..) {
            return Err(FetchError::Port(authority.1));
        }
        // Names are looked at when they are resolved; a proxy may be the one who does that.
        let is_admitted = match url.host() {
            Some(Host::Ipv4(address)) => self.admitted.admits(address.into()),
            Some(Host::Ipv6(address)) => self.admitted.admits(address.into()),
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                let is_own = name == "localhost" || name.ends_with(".localhost");
                let own: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
                !is_own || own.iter().any(|address| self.admitted.admits(*address))
            }
            None => false,
        };
        if is_admitted { Ok(false) } else { Err(FetchError::Private) }
    }
}

/// Whether an address is one of the public internet: none that IANA lists as special, and
/// none that stands for such a one.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b))
        || a >= 240)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    match address.segments() {
        // Ways to write addresses of version 4: NAT64 and 6to4.
        [0x64, 0xFF9B, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            is_public_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
        }
        // Teredo and other protocols; documentation.
        [0x2001, 0..0x200, ..] | [0x2001, 0xDB8, ..] | [0x3FFF, 0..0x1000, ..] => false,
        // All that is handed out to be public.
        [first, ..] => first & 0xE000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::{Admitted, Authority, Reach, is_public};
    use crate::fetch::FetchError;

    #[test]
    fn addresses_that_are_not_of_the_public_internet_are_known() {
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "198.20.0.1",
            "192.0.1.1",
            "2a00:1450::1",
            "2606:4700::1",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "::ffff:8.8.8.8",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn strangers_lead_only_to_public_networks_and_back_to_where_they_are() {
        let url = |url: &str| Url::parse(url).unwrap();
        let admitted = Admitted::default();
        let home = Authority::of(&url("http://10.0.0.5/feed")).ok();
        let reach = Reach { home, allow_private: false, admitted: &admitted };
        assert_eq!(reach.allows_private(&url("http://10.0.0.5/article")), Ok(true));
        assert_eq!(reach.allows_private(&url("https://news.example/")), Ok(false));
        for private in [
            "http://10.0.0.6/",
            "http://10.0.0.5:6379/",
            "http://127.1/",
            "http://0x7f000001/",
            "http://[::1]/",
            "http://localhost/",
            "http://x.localhost./",
            "http://2130706433/",
        ] {
            assert_eq!(reach.allows_private(&url(private)), Err(FetchError::Private), "{private}");
        }
        assert_eq!(reach.allows_private(&url("file:///etc/passwd")), Err(FetchError::Scheme));
        for (other, expected) in [("news.example:25", Err(25)), ("news.example:8080", Ok(false))] {
            let reached = reach.allows_private(&url(&format!("http://{other}/")));
            assert_eq!(reached, expected.map_err(FetchError::Port), "{other}");
        }
        let reach = Reach { home: None, allow_private: true, admitted: &admitted };
        assert_eq!(reach.allows_private(&url("http://10.0.0.6/")), Ok(true));
        assert_eq!(reach.allows_private(&url("ftp://10.0.0.6/")), Err(FetchError::Scheme));
    }

    #[test]
    fn a_network_that_the_operator_allows_is_reached_and_no_other() {
        let networks = ["10.1.0.0/16", "::1/128"].map(|network| network.parse().unwrap());
        let admitted = Admitted::new(&networks);
        let reach = Reach { home: None, allow_private: false, admitted: &admitted };
        for (host, expected) in [
            ("10.1.2.3", Ok(false)),
            ("[::ffff:10.1.2.3]", Ok(false)),
            ("[::1]", Ok(false)),
            ("localhost", Ok(false)),
            ("10.2.0.1", Err(FetchError::Private)),
            ("127.0.0.1", Err(FetchError::Private)),
        ] {
            let url = Url::parse(&format!("http://{host}/")).unwrap();
            assert_eq!(reach.allows_private(&url), expected, "{host}");
        }
    }
}
