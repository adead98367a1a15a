//! Settings that name addresses, networks, hosts and origins. Every spelling is either normalised
//! to the form that requests are compared with, or refused. A spelling that is accepted but never
//! matches would lock everybody out, or make all visitors share one limit.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use exit3_domain::api_keys::is_origin;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

use super::telemetry::MetricsBind;
use super::{SettingsError, words};

/// The networks of a setting. An IPv4 address written as IPv6 counts as IPv4, like the address of a
/// peer.
pub(super) fn networks(variable: &'static str, text: &str) -> Result<Vec<IpNet>, SettingsError> {
    let mut all = Vec::new();
    for word in words::list(text) {
        let wrong = |problem: &str| {
            SettingsError::new(variable, format!("holds {word:?}, which is {problem}"))
        };
        let networks = network(&word).ok_or_else(|| {
            wrong("neither an address such as 10.0.0.1 nor a network such as 10.0.0.0/8")
        })?;
        if networks.first().is_some_and(is_nobody) {
            return Err(wrong("not an address that a machine can have"));
        }
        all.extend(networks);
    }
    Ok(all)
}

/// Parses a network; returns two if it contains all of IPv4 as well.
fn network(word: &str) -> Option<Vec<IpNet>> {
    let (address, length) = match word.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (word, None),
    };
    let length = match length {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse::<u8>().ok()?)
        }
        Some(_) => return None,
        None => None,
    };
    match unbracketed(address).parse().ok()? {
        IpAddr::V4(address) => {
            Some(vec![Ipv4Net::new(address, length.unwrap_or(32)).ok()?.trunc().into()])
        }
        IpAddr::V6(address) => {
            let length = length.unwrap_or(128);
            if let (Some(address), Some(length)) =
                (address.to_ipv4_mapped(), length.checked_sub(96))
            {
                return Some(vec![Ipv4Net::new(address, length).ok()?.trunc().into()]);
            }
            let network = Ipv6Net::new(address, length).ok()?.trunc();
            let holds_ipv4 = network.contains(&Ipv4Addr::UNSPECIFIED.to_ipv6_mapped());
            let ipv4 = holds_ipv4.then(|| IpNet::V4(Ipv4Net::default()));
            Some([IpNet::V6(network)].into_iter().chain(ipv4).collect())
        }
    }
}

/// Whether no connection can come from that network.
fn is_nobody(network: &IpNet) -> bool {
    let address = network.addr();
    let is_one = network.prefix_len() == network.max_prefix_len();
    // People write 0.0.0.0 to mean all addresses.
    let is_none = is_one && address.is_unspecified();
    let is_old_form = match address {
        // ::10.0.0.1, a form that has been obsolete since 2006.
        IpAddr::V6(it) => {
            network.prefix_len() >= 96 && it.segments().starts_with(&[0; 6]) && !it.is_loopback()
        }
        IpAddr::V4(it) => is_one && it.is_broadcast(),
    };
    is_none || is_old_form || address.is_multicast()
}

fn unbracketed(text: &str) -> &str {
    text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text)
}

/// The hosts of `ALLOWED_HOSTS`, as clients name them.
pub(super) fn hosts(text: &str) -> Result<Vec<String>, SettingsError> {
    let host = |word: String| {
        host_pattern(&word).ok_or_else(|| {
            let problem =
                format!("holds {word:?}, which is none of example.com, .example.com and *");
            SettingsError::new("ALLOWED_HOSTS", problem)
        })
    };
    words::list(text).into_iter().map(host).collect()
}

/// Parses a name, an address without a port, or a star.
fn host_pattern(word: &str) -> Option<String> {
    if word == "*" {
        return Some(word.to_owned());
    }
    if let Ok(address) = unbracketed(word).parse::<Ipv6Addr>() {
        return Some(format!("[{address}]"));
    }
    let known = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let (dot, name) = word.strip_prefix('.').map_or(("", word), |name| (".", name));
    let name = name.strip_suffix('.').unwrap_or(name);
    if !name.chars().all(known) || name.split('.').any(str::is_empty) {
        return None;
    }
    match Host::parse(name).ok()? {
        Host::Domain(name) => Some(format!("{dot}{name}")),
        // 010.0.0.1 is not what it looks like.
        Host::Ipv4(address) if name.parse() == Ok(address) && dot.is_empty() => {
            Some(address.to_string())
        }
        _ => None,
    }
}

/// The origins of `CORS_ALLOWED_ORIGINS`.
pub(super) fn origins(text: &str) -> Result<Vec<String>, SettingsError> {
    let origins = words::list(text);
    let Some(wrong) = origins.iter().find(|origin| !is_origin(origin)) else {
        return Ok(origins);
    };
    let meant = Url::parse(wrong).ok().map(|url| url.origin().ascii_serialization());
    let problem = match meant.filter(|meant| is_origin(meant)) {
        Some(meant) => format!("holds {wrong:?}: browsers send {meant}"),
        None => format!("holds {wrong:?}, which is not an origin such as https://exit3.agency"),
    };
    Err(SettingsError::new("CORS_ALLOWED_ORIGINS", problem))
}

/// The address of `HOST`.
pub(super) fn host(text: &str) -> Result<IpAddr, SettingsError> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    let address = unbracketed(text).parse::<IpAddr>();
    address.map(|address| address.to_canonical()).map_err(|_| {
        let problem =
            format!("is not an IP address such as 127.0.0.1 or ::1, without a port: {text}");
        SettingsError::new("HOST", problem)
    })
}

/// The value of `METRICS_BIND`.
pub(super) fn metrics_bind(text: &str) -> Result<MetricsBind, String> {
    if text.eq_ignore_ascii_case("off") {
        return Ok(MetricsBind::Off);
    }
    let local = text.rsplit_once(':').filter(|(host, _)| host.eq_ignore_ascii_case("localhost"));
    let address = match local {
        Some((_, port)) => format!("127.0.0.1:{port}").parse::<SocketAddr>(),
        None => text.parse(),
    };
    let mut address =
        address.map_err(|_| "neither an address such as 127.0.0.1:9464 nor off".to_owned())?;
    address.set_ip(address.ip().to_canonical());
    Ok(MetricsBind::At(address))
}

/// The host of `DB_HOST`: a name, an address, or a socket directory.
pub(super) fn database_host(text: &str) -> Result<&str, SettingsError> {
    let host = unbracketed(text);
    let has_port = host.contains(':') && host.parse::<Ipv6Addr>().is_err();
    if has_port && !host.starts_with('/') {
        let problem = "is neither a name nor an address, without a port: DB_PORT has that";
        return Err(SettingsError::new("DB_HOST", problem));
    }
    Ok(host)
}

/// Whether a host is this machine.
pub(super) fn is_local(host: &str) -> bool {
    let host = unbracketed(host).trim_end_matches('.');
    let address = host.parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_a_scheme_and_nothing_after_the_host() {
        assert!(origins("https://exit3.agency, http://localhost:3000,\nhttp://[::1]").is_ok());
        for wrong in ["*", "exit3.agency", "null", "https://", "https://*.exit3.agency"] {
            assert!(origins(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_origin_in_another_spelling_is_refused_with_the_right_one() {
        for (wrong, right) in [
            ("https://exit3.agency/", "https://exit3.agency"),
            ("https://Exit3.Agency", "https://exit3.agency"),
            ("https://exit3.agency:443", "https://exit3.agency"),
            ("https://exit3.agency/contact?a=b", "https://exit3.agency"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("http://[0:0::1]:80", "http://[::1]"),
        ] {
            let problem = origins(wrong).unwrap_err().to_string();
            assert!(problem.ends_with(&format!(": browsers send {right}")), "{problem}");
        }
    }

    #[test]
    fn a_host_is_accepted_in_every_spelling() {
        for (spelling, host) in [
            ("exit3.agency", "exit3.agency"),
            ("Exit3.Agency.", "exit3.agency"),
            (".EXIT3.agency", ".exit3.agency"),
            ("bücher.example", "xn--bcher-kva.example"),
            (".BÜCHER.example", ".xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("my_host", "my_host"),
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "[::1]"),
            ("[0:0:0:0:0:0:0:1]", "[::1]"),
            ("[2001:DB8::A]", "[2001:db8::a]"),
            ("*", "*"),
        ] {
            assert_eq!(hosts(spelling).unwrap(), [host], "{spelling}");
        }
        assert_eq!(hosts("a.example,\n b.example,").unwrap(), ["a.example", "b.example"]);
    }

    #[test]
    fn a_host_has_neither_a_scheme_nor_a_port() {
        for wrong in [
            "https://exit3.agency",
            "exit3.agency:443",
            "[::1]:443",
            "a b",
            "['a.b']",
            "*.exit3.agency",
            "exit3.*",
            "a..b",
            ".",
            "..a",
            "010.0.0.1",
            "127.1",
            "1.2.3.256",
            ".127.0.0.1",
            "[fe80::1%25eth0]",
            "a%2eb",
            "exit3.agency/",
            "api.exit3.agency # our name",
        ] {
            assert!(hosts(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_proxy_is_accepted_in_every_spelling() {
        for (spelling, expected) in [
            ("127.0.0.1", "127.0.0.1/32"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("10.0.0.5/8", "10.0.0.0/8"),
            ("10.0.0.0/08", "10.0.0.0/8"),
            ("::ffff:10.0.0.1", "10.0.0.1/32"),
            ("::FFFF:a00:1", "10.0.0.1/32"),
            ("[::ffff:10.0.0.1]", "10.0.0.1/32"),
            ("::ffff:10.0.0.5/104", "10.0.0.0/8"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("2001:DB8::/32", "2001:db8::/32"),
            ("2001:db8:0:0:0:0:0:1", "2001:db8::1/128"),
            ("[::1]", "::1/128"),
            ("[fd00::]/8", "fd00::/8"),
            ("::/0", "::/0 0.0.0.0/0"),
            ("::ffff:0:0/90", "::ffc0:0:0/90 0.0.0.0/0"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ] {
            let networks = networks("TRUSTED_PROXIES", spelling).unwrap();
            let shown: Vec<_> = networks.iter().map(ToString::to_string).collect();
            assert_eq!(shown.join(" "), expected, "{spelling}");
        }
        assert_eq!(networks("TRUSTED_PROXIES", "127.0.0.1, ::1,\n10.0.0.0/8").unwrap().len(), 3);
    }

    #[test]
    fn invalid_proxies_are_refused() {
        for wrong in [
            "localhost",
            "*",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "10.0.0.0/255.0.0.0",
            "10.0.0.0-10.0.0.9",
            "10.0.0.*",
            "10.0.0",
            "010.0.0.1",
            "10.0.0.1:80",
            "[::1]:80",
            "[::1",
            "fe80::1%eth0",
            "::1/129",
            "unix:/run/nginx.sock",
            "0.0.0.0",
            "::",
            "::ffff:0.0.0.0",
            "::10.0.0.1",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
        ] {
            assert!(networks("TRUSTED_PROXIES", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_address_to_listen_on_is_accepted_in_every_spelling() {
        for (spelling, expected) in [
            ("LocalHost", "127.0.0.1"),
            ("::ffff:127.0.0.1", "127.0.0.1"),
            ("[::1]", "::1"),
            ("0:0::0", "::"),
        ] {
            assert_eq!(host(spelling).unwrap().to_string(), expected, "{spelling}");
        }
        for wrong in ["[::1", "127.0.0.1:80", "fe80::1%eth0", "*", "010.0.0.1", "api.exit3.agency"]
        {
            assert!(host(wrong).is_err(), "{wrong}");
        }
        for (spelling, expected) in [
            ("LOCALHOST:9464", "127.0.0.1:9464"),
            ("[::ffff:127.0.0.1]:9464", "127.0.0.1:9464"),
            ("[0:0::1]:9464", "[::1]:9464"),
        ] {
            let expected = MetricsBind::At(expected.parse().unwrap());
            assert_eq!(metrics_bind(spelling), Ok(expected), "{spelling}");
        }
        for wrong in ["9464", ":9464", "::1:9464", "myhost:9464", "notlocalhost:9464", "off:1"] {
            assert!(metrics_bind(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_database_host_has_no_port() {
        for (spelling, expected) in
            [("[::1]", "::1"), ("fd00::1", "fd00::1"), ("db", "db"), ("/run/p:1", "/run/p:1")]
        {
            assert_eq!(database_host(spelling), Ok(expected));
        }
        assert!(database_host("db:5432").is_err() && database_host("[::1]:5432").is_err());
    }

    #[test]
    fn local_hosts_are_recognised() {
        for here in ["localhost", "LOCALHOST.", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1"] {
            assert!(is_local(here), "{here}");
        }
        assert!(!is_local("db") && !is_local("10.0.0.1") && !is_local("localhost.example"));
    }
}
