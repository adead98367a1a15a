//! Who sent a request: over which connection, and on whose behalf.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::web::Data;

use crate::proxies::{TrustedProxies, forwarded_https, walk};
use crate::site::Site;

/// What the server below knows of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Connection {
    /// Whether it is encrypted.
    pub tls: bool,
}

/// Who sent a request.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// The address that trusted proxies name, or that of the connection.
    pub address: IpAddr,
    /// Whether its request came encrypted.
    pub https: bool,
    /// Whether a trusted proxy passed the request on.
    pub(crate) via_proxy: bool,
}

impl Peer {
    /// Finds out who sent a request, once.
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

    /// The visitor that this peer names, provided that the peer itself is believed as well.
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
