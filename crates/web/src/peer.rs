//! The sender of a request: its address, and whether the request was encrypted.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::web::Data;

use crate::proxies::{TrustedProxies, forwarded_https, walk};
use crate::site::Site;

/// What the server knows about a connection.
#[derive(Debug, Clone, Copy)]
pub struct Connection {
    /// Whether the connection uses TLS.
    pub tls: bool,
}

/// The sender of a request.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// The address that trusted proxies report, or the other end of the connection.
    pub address: IpAddr,
    /// Whether the request was sent over HTTPS, to this service or to a trusted proxy.
    pub https: bool,
    /// Whether a trusted proxy forwarded the request.
    pub(crate) via_proxy: bool,
}

impl Peer {
    /// Determines the sender on the first call, and remembers it in the request.
    pub fn of(request: &ServiceRequest) -> Self {
        if let Some(known) = request.extensions().get::<Self>() {
            return *known;
        }
        let site = request.app_data::<Data<Site>>();
        let nobody = TrustedProxies::default();
        let proxies = site.map_or(&nobody, |site| &site.trusted_proxies);
        let remote = remote(request);
        let via_proxy = proxies.trust(remote);
        let tls = request.conn_data::<Connection>().is_some_and(|connection| connection.tls);
        let headers = request.headers();
        let peer = Self {
            address: walk(remote, headers, |address| proxies.trust(address)),
            https: tls || (via_proxy && forwarded_https(headers)),
            via_proxy,
        };
        request.extensions_mut().insert(peer);
        peer
    }

    /// The visitor that this peer reports in `X-Forwarded-For`, provided that the peer is trusted.
    pub fn visitor(&self, request: &ServiceRequest) -> IpAddr {
        let site = request.app_data::<Data<Site>>();
        let trusts = |address| {
            address == self.address || site.is_some_and(|site| site.trusted_proxies.trust(address))
        };
        walk(remote(request), request.headers(), trusts)
    }
}

/// The address at the other end of the connection.
fn remote(request: &ServiceRequest) -> IpAddr {
    let peer = request.peer_addr().map(|address| address.ip().to_canonical());
    peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}
