//! The address under which a client sees the service.

use std::net::Ipv6Addr;

use actix_web::dev::{RequestHead, ServiceRequest};
use actix_web::http::header::{self, HeaderName};
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpRequest};

use crate::client::{self, Client, TrustedProxies};
use crate::error::ApiError;

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// How clients reach the service.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// The hosts that are answered.
    pub allowed_hosts: AllowedHosts,
    /// Who is believed what it says of its clients.
    pub trusted_proxies: TrustedProxies,
    /// Whether a trusted proxy names the host in `X-Forwarded-Host`.
    pub use_forwarded_host: bool,
    /// Whether who comes without encryption is sent to where there is.
    pub ssl_redirect: bool,
    /// How long browsers are to come with encryption only.
    pub hsts: Option<Hsts>,
}

/// `Strict-Transport-Security` (RFC 6797).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hsts {
    /// For so many seconds.
    pub seconds: u64,
    /// Whatever is below the host as well.
    pub include_subdomains: bool,
    /// Browsers may know it beforehand.
    pub preload: bool,
}

/// The hosts that the service answers to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts {
    patterns: Vec<String>,
}

impl AllowedHosts {
    /// Takes the patterns of `ALLOWED_HOSTS`: a name, `.example.com` for a
    /// domain and everything below it, `*` for any. None at all allows any.
    pub fn new(patterns: impl IntoIterator<Item = String>) -> Self {
        Self { patterns: patterns.into_iter().map(|p| p.to_ascii_lowercase()).collect() }
    }

    /// The patterns, in lower case.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// Whether every host is answered.
    pub fn allow_any(&self) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| pattern == "*")
    }

    fn allow(&self, host: &str) -> bool {
        let name = without_port(host).to_ascii_lowercase();
        let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        // An address of IPv6 has many spellings.
        let name = match address.and_then(|address| address.parse::<Ipv6Addr>().ok()) {
            Some(address) => format!("[{address}]"),
            None => name,
        };
        let name = name.trim_end_matches('.');
        self.patterns.is_empty()
            || self.patterns.iter().any(|pattern| match pattern.strip_prefix('.') {
                _ if pattern == "*" => true,
                Some(domain) => name == domain || name.ends_with(pattern.as_str()),
                None => name == pattern,
            })
    }
}

impl Site {
    /// Checks the host that a request is meant for.
    ///
    /// # Errors
    /// 400 for one that is not allowed, is no host at all, or is not the only one.
    pub(crate) fn check_host(&self, request: &ServiceRequest) -> Result<(), ApiError> {
        let refused = Err(ApiError::bad_request("Invalid host."));
        let head = request.head();
        let mut named = head.headers().get_all(header::HOST);
        let (first, second) = (named.next(), named.next());
        let in_line = head.uri.authority().map(|authority| authority.as_str().as_bytes());
        // Two that differ: whoever stands before us may have looked at the other.
        if second.is_some()
            || in_line.is_some_and(|uri| first.is_some_and(|host| host.as_bytes() != uri))
        {
            return refused;
        }
        match self.host(head, Client::of(request)) {
            Some(host) if is_host(host) => {
                // A load balancer asks by address.
                let health = is_health(request.path()) && is_address(host);
                if health || self.allowed_hosts.allow(host) { Ok(()) } else { refused }
            }
            // Old ways of asking for health name no host.
            None if self.allowed_hosts.patterns.is_empty() || is_health(request.path()) => Ok(()),
            _ => refused,
        }
    }

    /// The host that the client named, to us or to a trusted proxy. A header that is not text
    /// names no host, and is never allowed.
    fn host<'a>(&self, head: &'a RequestHead, client: Client) -> Option<&'a str> {
        if self.use_forwarded_host
            && client.via_proxy
            && let Some(host) = client::last(head.headers(), &FORWARDED_HOST)
        {
            return Some(host);
        }
        match head.headers().get(header::HOST).filter(|host| !host.is_empty()) {
            Some(host) => Some(host.to_str().unwrap_or("\u{fffd}")),
            None => head.uri.authority().map(|authority| authority.as_str()),
        }
    }

    /// Where a client that came without encryption is to go. Its host has been
    /// checked.
    pub(crate) fn redirect(&self, request: &ServiceRequest) -> Option<String> {
        let client = Client::of(request);
        if !self.ssl_redirect || client.https || is_health(request.path()) {
            return None;
        }
        let host = self.host(request.head(), client)?;
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        Some(format!("https://{host}{path}"))
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn is_host(host: &str) -> bool {
    let name = without_port(host);
    let literal = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    match literal {
        Some(address) => address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.'),
        None => {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        }
    }
}

/// Whether a path is one of health's, with its last slash or without.
fn is_health(path: &str) -> bool {
    let below = path.strip_prefix("/backend/health");
    below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
}

/// Whether a host is not a name.
fn is_address(host: &str) -> bool {
    let name = without_port(host);
    name == "localhost" || name.starts_with('[') || name.parse::<std::net::Ipv4Addr>().is_ok()
}

/// The absolute address of the requested path, without its query.
pub(crate) fn address(request: &HttpRequest) -> String {
    let client = request.extensions().get::<Client>().copied();
    let site = request.app_data::<Data<Site>>();
    let host = site.zip(client).and_then(|(site, client)| site.host(request.head(), client));
    let scheme = if client.is_some_and(|client| client.https) { "https" } else { "http" };
    format!("{scheme}://{}{}", host.unwrap_or("localhost"), request.path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("api.example.com", true)]
    #[case("API.Example.com:8000", true)]
    #[case("example.com", true)]
    #[case("a.example.com.", true)]
    #[case("notexample.com", false)]
    #[case("example.com.evil.org", false)]
    #[case("[::1]:80", true)]
    #[case("[0:0:0:0:0:0:0:1]", true)]
    #[case("[::2]", false)]
    fn a_leading_dot_allows_a_domain_and_what_is_below(#[case] host: &str, #[case] allowed: bool) {
        let hosts = AllowedHosts::new([".example.com".to_owned(), "[::1]".to_owned()]);
        assert_eq!(hosts.allow(host), allowed);
    }

    #[rstest]
    #[case("localhost:8000", true)]
    #[case("[::1]:8000", true)]
    #[case("a/b", false)]
    #[case("a@b", false)]
    #[case("", false)]
    #[case("a b", false)]
    #[case("\"", false)]
    fn a_host_is_a_name_or_an_address(#[case] host: &str, #[case] valid: bool) {
        assert_eq!(is_host(host), valid);
    }
}
