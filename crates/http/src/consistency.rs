//! The consistency token. A caller that sends it reads its own writes, and no older rows than it has
//! read before, from every node.
//!
//! The token is a position in the log of the database. It needs no signature: a forged token only
//! changes which database answers, and no database returns rows that are too old.

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use exit3_app::api_keys::Caller;
use exit3_ports::{Consistency, LogPosition};

pub(crate) const TOKEN: HeaderName = HeaderName::from_static("consistency-token");

/// The consistency of a request: its caller, and what it must see.
pub(crate) fn of(caller: &Caller, request: &ServiceRequest) -> Consistency {
    let consistency = Consistency::new(caller.number());
    for token in request.headers().get_all(TOKEN) {
        // An unknown format, perhaps of a newer node: only the primary is sure to have the
        // position.
        consistency.has_seen(position(token).unwrap_or(LogPosition::NEVER));
    }
    consistency
}

fn position(token: &HeaderValue) -> Option<LogPosition> {
    let token = token.to_str().ok().filter(|token| token.len() == 16)?;
    u64::from_str_radix(token, 16).ok().map(LogPosition)
}

/// Sends the caller a new token, if the work for it has reached a position.
pub(crate) fn tell(consistency: &Consistency, headers: &mut HeaderMap) {
    let token = consistency.reached().map(|LogPosition(position)| format!("{position:016x}"));
    if let Some(token) = token.and_then(|token| HeaderValue::try_from(token).ok()) {
        headers.insert(TOKEN, token);
    }
}
