//! Label values for logs and metrics: a small, fixed set, independent of what clients send.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use actix_web::http::Method;

/// How much of a client's address is logged (`LOG_CLIENT_IP`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientIp {
    /// The whole address.
    Full,
    /// The network only: /24 for IPv4, /48 for IPv6.
    #[default]
    Truncated,
    /// Nothing.
    Off,
}

impl ClientIp {
    pub(super) fn shown(self, address: IpAddr) -> Option<IpAddr> {
        match (self, address) {
            (Self::Full, address) => Some(address),
            (Self::Truncated, IpAddr::V4(v4)) => {
                Some(Ipv4Addr::from_bits(v4.to_bits() & !0xff).into())
            }
            (Self::Truncated, IpAddr::V6(v6)) => {
                Some(Ipv6Addr::from_bits(v6.to_bits() & (!0 << 80)).into())
            }
            (Self::Off, _) => None,
        }
    }
}

/// The method's name, or one common word for unknown methods.
pub(super) fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(ClientIp::Full, "192.0.2.77", Some("192.0.2.77"))]
    #[case(ClientIp::Truncated, "192.0.2.77", Some("192.0.2.0"))]
    #[case(ClientIp::Truncated, "2001:db8:1:2:3::4", Some("2001:db8:1::"))]
    #[case(ClientIp::Off, "192.0.2.77", None)]
    fn shows_as_much_of_an_address_as_the_setting_allows(
        #[case] shown: ClientIp,
        #[case] address: &str,
        #[case] expected: Option<&str>,
    ) {
        let expected = expected.map(|text| text.parse().unwrap());
        assert_eq!(shown.shown(address.parse().unwrap()), expected);
    }
}
