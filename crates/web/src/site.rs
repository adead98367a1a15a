//! How clients reach the service, from the settings.

use std::net::Ipv6Addr;

use crate::proxies::TrustedProxies;

/// How clients reach the service.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// The hosts that the service answers to.
    pub allowed_hosts: AllowedHosts,
    /// The proxies whose forwarding headers are trusted.
    pub trusted_proxies: TrustedProxies,
    /// Whether trusted proxies send the host in `X-Forwarded-Host`.
    pub use_forwarded_host: bool,
    /// Whether plain HTTP is redirected to HTTPS.
    pub ssl_redirect: bool,
    /// `Strict-Transport-Security`; `None` sends no header.
    pub hsts: Option<Hsts>,
    /// The path that load balancers probe, together with all paths below it. Probes name an address
    /// as the host, or no host, and do not follow redirects.
    pub probes: Option<&'static str>,
}

/// The `Strict-Transport-Security` header (RFC 6797).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hsts {
    /// `max-age`, in seconds.
    pub seconds: u64,
    /// `includeSubDomains`.
    pub include_subdomains: bool,
    /// `preload`: browsers may ship the host in their built-in list.
    pub preload: bool,
}

/// The hosts that the service answers to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts {
    patterns: Vec<String>,
}

impl AllowedHosts {
    /// Takes the patterns of `ALLOWED_HOSTS`: a name, `.example.com` for a domain and all its
    /// subdomains, or `*` for any host. An empty list allows any host.
    pub fn new(patterns: impl IntoIterator<Item = String>) -> Self {
        Self { patterns: patterns.into_iter().map(|p| p.to_ascii_lowercase()).collect() }
    }

    /// The patterns, in lower case.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// Whether every host is allowed.
    pub fn allow_any(&self) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| pattern == "*")
    }

    /// Whether a host, with or without a port, is allowed.
    pub(crate) fn allow(&self, host: &str) -> bool {
        let name = without_port(host).to_ascii_lowercase();
        let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        // An IPv6 address has many spellings.
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

impl std::fmt::Display for Hsts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "max-age={}", self.seconds)?;
        if self.include_subdomains {
            formatter.write_str("; includeSubDomains")?;
        }
        if self.preload {
            formatter.write_str("; preload")?;
        }
        Ok(())
    }
}

/// A host without its port.
pub(crate) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
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
    fn a_leading_dot_allows_a_domain_and_its_subdomains(#[case] host: &str, #[case] allowed: bool) {
        let hosts = AllowedHosts::new([".example.com".to_owned(), "[::1]".to_owned()]);
        assert_eq!(hosts.allow(host), allowed);
    }
}
