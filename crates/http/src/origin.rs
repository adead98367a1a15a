//! The address under which a client sees the service.

use actix_web::HttpRequest;
use actix_web::dev::RequestHead;
use actix_web::http::header;

use crate::error::ApiError;

/// The hosts that the service answers to.
#[derive(Debug, Clone, Default)]
pub struct AllowedHosts {
    patterns: Vec<String>,
}

impl AllowedHosts {
    /// Takes the patterns of `ALLOWED_HOSTS`: a name, `.example.com` for a
    /// domain and everything below it, `*` for any. None at all allows any.
    pub fn new(patterns: impl IntoIterator<Item = String>) -> Self {
        Self { patterns: patterns.into_iter().map(|p| p.to_ascii_lowercase()).collect() }
    }

    fn allow(&self, host: &str) -> bool {
        let name = without_port(host).to_ascii_lowercase();
        let name = name.trim_end_matches('.');
        self.patterns.is_empty()
            || self.patterns.iter().any(|pattern| match pattern.strip_prefix('.') {
                _ if pattern == "*" => true,
                Some(domain) => name == domain || name.ends_with(pattern.as_str()),
                None => name == pattern,
            })
    }

    /// Checks the host that a request is meant for.
    ///
    /// # Errors
    /// 400 for one that is not allowed, or is no host at all.
    pub fn check(&self, request: &RequestHead) -> Result<(), ApiError> {
        match host(request) {
            Some(host) if is_host(host) && self.allow(host) => Ok(()),
            None if self.patterns.is_empty() => Ok(()),
            _ => Err(ApiError::bad_request("Invalid host.")),
        }
    }
}

/// The host that the client named. Headers that a proxy would add are not
/// looked at: anyone can send them.
fn host(request: &RequestHead) -> Option<&str> {
    match request.headers().get(header::HOST) {
        Some(host) => host.to_str().ok(),
        None => request.uri.authority().map(|authority| authority.as_str()),
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

/// The absolute address of the requested path, without its query.
pub(crate) fn address(request: &HttpRequest) -> String {
    let host = host(request.head()).unwrap_or("localhost");
    format!("http://{host}{}", request.path())
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
