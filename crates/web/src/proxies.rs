//! The headers that proxies add, and which proxies are trusted.

use std::net::IpAddr;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The proxies whose forwarding headers are trusted.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Takes the addresses and networks of `TRUSTED_PROXIES`.
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self(networks.into_iter().collect())
    }

    /// The trusted addresses and networks.
    pub fn networks(&self) -> &[IpNet] {
        &self.0
    }

    /// Whether no proxy is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the proxy at that address is trusted.
    pub(crate) fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// Whether the nearest proxy received the request over HTTPS.
pub(crate) fn forwarded_https(headers: &HeaderMap) -> bool {
    last(headers, &FORWARDED_PROTO).is_some_and(|proto| proto.eq_ignore_ascii_case("https"))
}

/// Walks the forwarding list from the peer towards the client, as long as each address is trusted
/// to name the one before it. An entry that is not an address ends the walk; the entries to its
/// right, which proxies have written, still count.
pub(crate) fn walk(peer: IpAddr, headers: &HeaderMap, trusts: impl Fn(IpAddr) -> bool) -> IpAddr {
    if !trusts(peer) {
        return peer;
    }
    let mut reached = peer;
    // Empty list elements mean nothing (RFC 9110, 5.6.1).
    let is_empty = |entry: &Option<&str>| *entry == Some("");
    for entry in from_the_right(headers, &FORWARDED_FOR).filter(|entry| !is_empty(entry)) {
        match entry.and_then(address) {
            Some(before) if trusts(reached) => reached = before,
            _ => break,
        }
    }
    reached
}

/// Parses an address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let address: IpAddr = match text.parse() {
        Ok(address) => address,
        Err(_) => match text.parse::<std::net::SocketAddr>() {
            Ok(address) => address.ip(),
            Err(_) => text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()?,
        },
    };
    Some(address.to_canonical())
}

/// A header's last value, which the nearest proxy added.
pub(crate) fn last<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    from_the_right(headers, name).next()?.filter(|value| !value.is_empty())
}

/// All values of a header across its lines, from the last to the first; `None` for a value that is
/// not text. Lines are split before they are decoded, because a client may write any bytes into the
/// line that a proxy then extends.
fn from_the_right<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = Option<&'a str>> {
    let lines: Vec<&[u8]> = headers.get_all(name).map(HeaderValue::as_bytes).collect();
    let values = lines.into_iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    values.map(|value| std::str::from_utf8(value.trim_ascii()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn headers(name: &HeaderName, lines: &[impl AsRef<[u8]>]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name.clone(), HeaderValue::from_bytes(line.as_ref()).unwrap());
        }
        headers
    }

    #[rstest]
    #[case::nobody_is_trusted("198.51.100.7", &["1.1.1.1"], "198.51.100.7")]
    #[case::one_proxy("10.0.0.1", &["192.0.2.1"], "192.0.2.1")]
    #[case::what_the_client_made_up("10.0.0.1", &["1.1.1.1, 192.0.2.1"], "192.0.2.1")]
    #[case::two_proxies("10.0.0.1", &["1.1.1.1, 192.0.2.1, 10.0.0.2"], "192.0.2.1")]
    #[case::two_lines("10.0.0.1", &["1.1.1.1", "192.0.2.1", "10.0.0.2"], "192.0.2.1")]
    #[case::only_proxies("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3")]
    #[case::no_header("10.0.0.1", &[], "10.0.0.1")]
    #[case::rubbish("10.0.0.1", &["192.0.2.1, <script>"], "10.0.0.1")]
    #[case::rubbish_behind("10.0.0.1", &["<script>, 192.0.2.1"], "192.0.2.1")]
    #[case::a_port("10.0.0.1", &["192.0.2.1:4711"], "192.0.2.1")]
    #[case::ipv6("10.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1")]
    #[case::mapped("10.0.0.1", &["::ffff:192.0.2.1"], "192.0.2.1")]
    #[case::empty("10.0.0.1", &[""], "10.0.0.1")]
    #[case::empty_elements("10.0.0.1", &[",192.0.2.1,", " , 10.0.0.2,,"], "192.0.2.1")]
    #[case::blanks("10.0.0.1", &["  192.0.2.1  ,10.0.0.2"], "192.0.2.1")]
    fn the_client_is_the_last_untrusted_address(
        #[case] peer: &str,
        #[case] lines: &[&str],
        #[case] client: &str,
    ) {
        let proxies = TrustedProxies::new(["10.0.0.0/8".parse().unwrap()]);
        let headers = headers(&FORWARDED_FOR, lines);
        let found = walk(peer.parse().unwrap(), &headers, |a| proxies.trust(a));
        assert_eq!(found, client.parse::<IpAddr>().unwrap());
    }

    /// Encodes in Latin-1, where a header with ÿ is not valid UTF-8.
    fn latin_1(lines: &[&str]) -> Vec<Vec<u8>> {
        let line = |line: &&str| line.chars().map(|c| u8::try_from(c).unwrap()).collect();
        lines.iter().map(line).collect()
    }

    #[rstest]
    #[case::in_the_line_of_the_proxy(&["ÿ, 192.0.2.1"], "192.0.2.1")]
    #[case::after_another_line(&["6.6.6.6", "ÿ, 192.0.2.1"], "192.0.2.1")]
    #[case::between(&["6.6.6.6, ÿ, 192.0.2.1, 10.0.0.2"], "192.0.2.1")]
    #[case::where_the_proxy_writes(&["192.0.2.1, ÿ"], "10.0.0.1")]
    #[case::as_the_last_line(&["192.0.2.1", "ÿ"], "10.0.0.1")]
    #[case::a_tab(&["6.6.6.6\t,\t192.0.2.1"], "192.0.2.1")]
    fn bytes_that_are_not_text_do_not_hide_the_client(
        #[case] lines: &[&str],
        #[case] client: &str,
    ) {
        let proxies = TrustedProxies::new(["10.0.0.0/8".parse().unwrap()]);
        let peer = IpAddr::from([10, 0, 0, 1]);
        let found = walk(peer, &headers(&FORWARDED_FOR, &latin_1(lines)), |a| proxies.trust(a));
        assert_eq!(found, client.parse::<IpAddr>().unwrap());
    }

    #[rstest]
    #[case(&["https"], true)]
    #[case(&["HTTPS"], true)]
    #[case(&["http, Https"], true)]
    #[case(&["ÿ, https"], true)]
    #[case(&["https", "http"], false)]
    #[case(&["https, ÿ"], false)]
    #[case(&["https,"], false)]
    #[case(&[], false)]
    fn the_nearest_proxy_decides_whether_the_request_was_encrypted(
        #[case] lines: &[&str],
        #[case] encrypted: bool,
    ) {
        assert_eq!(forwarded_https(&headers(&FORWARDED_PROTO, &latin_1(lines))), encrypted);
    }
}
