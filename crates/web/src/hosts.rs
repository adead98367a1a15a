//! The host of a request, and the address under which its client sees the service.

use actix_web::dev::{RequestHead, ServiceRequest};
use actix_web::http::header::{self, HeaderName};
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpRequest};

use crate::error::ApiError;
use crate::peer::Peer;
use crate::proxies;
use crate::site::{Site, without_port};

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

impl Site {
    /// Checks the host that a request names.
    ///
    /// # Errors
    /// 400 for a host that is not allowed or malformed, or for two different hosts.
    pub(crate) fn check_host(&self, request: &ServiceRequest) -> Result<(), ApiError> {
        let refused = Err(ApiError::bad_request("Invalid host."));
        let head = request.head();
        let mut named = head.headers().get_all(header::HOST);
        let (first, second) = (named.next(), named.next());
        let in_line = head.uri.authority().map(|authority| authority.as_str().as_bytes());
        // Two different hosts: a proxy in front of the service may have checked the other one.
        if second.is_some()
            || in_line.is_some_and(|uri| first.is_some_and(|host| host.as_bytes() != uri))
        {
            return refused;
        }
        match self.host(head, Peer::of(request)) {
            Some(host) if is_host(host) => {
                // Load balancers probe by address.
                let probe = self.is_probe(request.path()) && is_address(host);
                if probe || self.allowed_hosts.allow(host) { Ok(()) } else { refused }
            }
            // HTTP/1.0 probes name no host.
            None if self.allowed_hosts.patterns().is_empty() || self.is_probe(request.path()) => {
                Ok(())
            }
            _ => refused,
        }
    }

    /// Whether load balancers probe that path, with or without a final slash.
    fn is_probe(&self, path: &str) -> bool {
        let below = self.probes.and_then(|probes| path.strip_prefix(probes));
        below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
    }

    /// The host that the client named, to the service or to a trusted proxy. A header that is not
    /// text names no host and is never allowed.
    fn host<'a>(&self, head: &'a RequestHead, peer: Peer) -> Option<&'a str> {
        if self.use_forwarded_host
            && peer.via_proxy
            && let Some(host) = proxies::last(head.headers(), &FORWARDED_HOST)
        {
            return Some(host);
        }
        match head.headers().get(header::HOST).filter(|host| !host.is_empty()) {
            Some(host) => Some(host.to_str().unwrap_or("\u{fffd}")),
            None => head.uri.authority().map(|authority| authority.as_str()),
        }
    }

    /// The HTTPS address for a request that came over plain HTTP. Its host has been checked
    /// already.
    pub(crate) fn redirect(&self, request: &ServiceRequest) -> Option<String> {
        let peer = Peer::of(request);
        if !self.ssl_redirect || peer.https || self.is_probe(request.path()) {
            return None;
        }
        let host = self.host(request.head(), peer)?;
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        Some(format!("https://{host}{path}"))
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

/// Whether a host is an address or `localhost`.
fn is_address(host: &str) -> bool {
    let name = without_port(host);
    name == "localhost" || name.starts_with('[') || name.parse::<std::net::Ipv4Addr>().is_ok()
}

/// The host that the client named, with its port, to the service or to a trusted proxy.
pub fn host(request: &HttpRequest) -> Option<String> {
    let peer = request.extensions().get::<Peer>().copied()?;
    let site = request.app_data::<Data<Site>>()?;
    site.host(request.head(), peer).map(str::to_owned)
}

/// The absolute address of the requested path, without the query.
pub fn address(request: &HttpRequest) -> String {
    let https = request.extensions().get::<Peer>().is_some_and(|peer| peer.https);
    let scheme = if https { "https" } else { "http" };
    let host = host(request);
    format!("{scheme}://{}{}", host.as_deref().unwrap_or("localhost"), request.path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

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
