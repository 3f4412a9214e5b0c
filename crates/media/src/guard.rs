//! The URL guard: which addresses on the network may be asked on behalf of a client.
//!
//! Invariants: a connection goes only to an address that was checked (names are resolved here, and the client connects
//! to what was resolved); if any answer for a name is private, the name is refused; every redirect is checked anew.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use storyboard::Class;
use url::{Host, Url};

use crate::SourceError;

/// What the operator allows for addresses that clients name.
#[derive(Debug, Clone)]
pub struct UrlPolicy {
    /// Plain `http://` too.
    pub allow_http: bool,
    /// Private, loopback and literal addresses, and any port. For development and closed networks.
    pub allow_private: bool,
    /// Ports that may be named; 443 and, with `allow_http`, 80 always may.
    pub ports: Vec<u16>,
    /// Redirects followed for media; webhooks follow none.
    pub redirects: usize,
    /// Most bytes of an object that has to be downloaded as a whole.
    pub max_download: u64,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest silence while reading.
    pub read_timeout: Duration,
    /// Longest download of a whole object.
    pub download_timeout: Duration,
}

impl Default for UrlPolicy {
    /// https to public addresses on port 443, 3 redirects, downloads up to 4 GiB in 10 minutes.
    fn default() -> Self {
        Self {
            allow_http: false,
            allow_private: false,
            ports: Vec::new(),
            redirects: 3,
            max_download: 4 << 30,
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(20),
            download_timeout: Duration::from_secs(600),
        }
    }
}

/// Longest URL in bytes.
const MAX_URL: usize = 4096;

impl UrlPolicy {
    /// Checks all of a URL that can be checked without the network.
    ///
    /// # Errors
    /// `URL_NOT_ALLOWED` with the reason.
    pub fn check(&self, url: &Url) -> Result<(), SourceError> {
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            "http" => return Err(refused("Plain http:// is not allowed.", "Use https://.")),
            _ => return Err(refused("Only https:// is allowed.", "Use https://.")),
        }
        if url.as_str().len() > MAX_URL {
            return Err(refused("The URL is too long.", "Use a URL of at most 4096 bytes."));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("The URL contains a user name or a password.", "Remove them."));
        }
        match url.host() {
            None => return Err(refused("The URL names no host.", "Use a full https:// URL.")),
            Some(Host::Domain(name)) => self.check_name(name)?,
            Some(Host::Ipv4(ip)) => self.check_literal(IpAddr::V4(ip))?,
            Some(Host::Ipv6(ip)) => self.check_literal(IpAddr::V6(ip))?,
        }
        let port = url.port_or_known_default().unwrap_or_default();
        let allowed = port == 443
            || (self.allow_http && port == 80)
            || self.allow_private
            || self.ports.contains(&port);
        if allowed {
            Ok(())
        } else {
            Err(refused(format!("Port {port} is not allowed."), "Use the default port."))
        }
    }

    fn check_name(&self, name: &str) -> Result<(), SourceError> {
        if self.allow_private {
            return Ok(());
        }
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let inner = ["localhost", "local", "internal", "intranet", "lan", "home.arpa"].iter().any(|suffix| {
            name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        });
        if inner || !name.contains('.') {
            return Err(refused("The URL names a host of a private network.", "Use a public host."));
        }
        Ok(())
    }

    fn check_literal(&self, ip: IpAddr) -> Result<(), SourceError> {
        if self.allow_private {
            return Ok(());
        }
        let message = if is_public(ip) {
            "The URL names a host by its number."
        } else {
            "The URL names a private address."
        };
        Err(refused(message, "Use a public host's name."))
    }
}

/// A refusal of the guard.
pub(crate) fn refused(message: impl Into<String>, fix: &str) -> SourceError {
    SourceError::new(Class::Access, "URL_NOT_ALLOWED", message).fix(fix)
}

/// Whether an address belongs to the public network: not private, loopback, link-local (metadata services), shared,
/// reserved, documentation or multicast, also when written inside an IPv6 address.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    const DENIED: [(Ipv4Addr, u32); 15] = [
        (Ipv4Addr::new(0, 0, 0, 0), 8),
        (Ipv4Addr::new(10, 0, 0, 0), 8),
        (Ipv4Addr::new(100, 64, 0, 0), 10),
        (Ipv4Addr::new(127, 0, 0, 0), 8),
        (Ipv4Addr::new(169, 254, 0, 0), 16),
        (Ipv4Addr::new(172, 16, 0, 0), 12),
        (Ipv4Addr::new(192, 0, 0, 0), 24),
        (Ipv4Addr::new(192, 0, 2, 0), 24),
        (Ipv4Addr::new(192, 88, 99, 0), 24),
        (Ipv4Addr::new(192, 168, 0, 0), 16),
        (Ipv4Addr::new(198, 18, 0, 0), 15),
        (Ipv4Addr::new(198, 51, 100, 0), 24),
        (Ipv4Addr::new(203, 0, 113, 0), 24),
        (Ipv4Addr::new(224, 0, 0, 0), 4),
        (Ipv4Addr::new(240, 0, 0, 0), 4),
    ];
    let bits = ip.to_bits();
    !DENIED.iter().any(|(net, length)| (bits ^ net.to_bits()) >> (32 - length) == 0)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(inner) = ip.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let bits = ip.to_bits();
    let within = |net: u128, length: u32| (bits ^ net) >> (128 - length) == 0;
    // NAT64, then 6to4: the address inside is the one that is reached.
    if within(0x0064_ff9b_u128 << 96, 96) {
        return is_public_v4(Ipv4Addr::from_bits(bits as u32));
    }
    if within(0x2002_u128 << 112, 16) {
        return is_public_v4(Ipv4Addr::from_bits((bits >> 80) as u32));
    }
    within(0x2000_u128 << 112, 3)
        && !within(0x2001_u128 << 112, 23)
        && !within(0x2001_0db8_u128 << 96, 32)
        && !within(0x3fff_u128 << 112, 20)
}

/// Resolves names for the client and lets only checked addresses through.
#[derive(Debug, Clone)]
pub(crate) struct GuardedResolver {
    policy: Arc<UrlPolicy>,
}

impl GuardedResolver {
    pub(crate) fn new(policy: Arc<UrlPolicy>) -> Self {
        Self { policy }
    }
}

/// A name whose addresses are not all public. Found again in the chain of the client's error.
#[derive(Debug, thiserror::Error)]
#[error("the host's name leads to a private address")]
pub(crate) struct PrivateName;

/// A name that the name service says does not exist. Found again in the chain of the client's error.
#[derive(Debug, thiserror::Error)]
#[error("the host's name is unknown")]
pub(crate) struct UnknownName;

/// What C libraries say of a name that does not exist. The standard library keeps only their text, not the code;
/// no locale is ever set, so it is always this one. Any other failure counts as one that may pass.
const UNKNOWN: [&str; 4] = [
    "Name or service not known",
    "No address associated with hostname",
    "Name does not resolve",
    "nodename nor servname provided",
];

fn lookup_error(error: std::io::Error) -> Box<dyn std::error::Error + Send + Sync> {
    let text = error.to_string();
    if UNKNOWN.iter().any(|unknown| text.contains(unknown)) { Box::new(UnknownName) } else { Box::new(error) }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.policy.allow_private;
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await.map_err(lookup_error)?.collect();
            check_answers(&found, allow_private)?;
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

fn check_answers(found: &[SocketAddr], allow_private: bool) -> Result<(), PrivateName> {
    if allow_private || found.iter().all(|address| is_public(address.ip())) {
        Ok(())
    } else {
        Err(PrivateName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_does_not_exist_is_told_from_a_failure_that_may_pass() {
        let error = |text: &str| lookup_error(std::io::Error::other(format!("failed to lookup: {text}")));
        assert!(error("Name or service not known").is::<UnknownName>());
        assert!(!error("Temporary failure in name resolution").is::<UnknownName>());
    }

    #[test]
    fn addresses() {
        let private = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2001::1",
            "2001:1ff::1",
            "2001:db8::1",
            "3fff::1",
            "3fff:fff::1",
            "5f00::1",
            "4000::1",
            "::7f00:1",
            "100::1",
        ];
        for text in private {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        let public = [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:200::1",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "3ffe::1",
        ];
        for text in public {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn urls() {
        let strict = UrlPolicy::default();
        let http = UrlPolicy { allow_http: true, ..UrlPolicy::default() };
        let open = UrlPolicy { allow_http: true, allow_private: true, ..UrlPolicy::default() };
        let table = [
            ("https://example.com/a.mp4", [true, true, true]),
            ("https://example.com:443/a.mp4", [true, true, true]),
            ("http://example.com/a.mp4", [false, true, true]),
            ("https://example.com:8443/a.mp4", [false, false, true]),
            ("http://example.com:22/a.mp4", [false, false, true]),
            ("https://127.0.0.1/a.mp4", [false, false, true]),
            ("https://2130706433/a.mp4", [false, false, true]),
            ("https://0x7f.1/a.mp4", [false, false, true]),
            ("https://8.8.8.8/a.mp4", [false, false, true]),
            ("https://[::1]/a.mp4", [false, false, true]),
            ("https://[2606:4700::1111]/a.mp4", [false, false, true]),
            ("https://localhost/a.mp4", [false, false, true]),
            ("https://a.localhost/a.mp4", [false, false, true]),
            ("https://metadata.google.internal/a", [false, false, true]),
            ("https://intranet/a", [false, false, true]),
            ("https://notlocalhost.example/a", [true, true, true]),
            ("https://user@example.com/a", [false, false, false]),
            ("https://user:secret@example.com/a", [false, false, false]),
            ("ftp://example.com/a", [false, false, false]),
            ("file:///etc/passwd", [false, false, false]),
            ("data:text/plain,x", [false, false, false]),
        ];
        for (text, expected) in table {
            let url = Url::parse(text).unwrap();
            let found = [&strict, &http, &open].map(|policy| policy.check(&url).is_ok());
            assert_eq!(found, expected, "{text}");
        }
        let own_port = UrlPolicy { ports: vec![8443], ..UrlPolicy::default() };
        assert!(own_port.check(&Url::parse("https://example.com:8443/").unwrap()).is_ok());
        assert!(
            strict.check(&Url::parse(&format!("https://example.com/{}", "a".repeat(5000))).unwrap()).is_err()
        );
    }

    #[test]
    fn one_private_answer_spoils_all() {
        let public: SocketAddr = "8.8.8.8:0".parse().unwrap();
        let private: SocketAddr = "169.254.169.254:0".parse().unwrap();
        assert!(check_answers(&[public], false).is_ok());
        assert!(check_answers(&[public, private], false).is_err());
        assert!(check_answers(&[private], true).is_ok());
    }
}
