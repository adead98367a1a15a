//! The token by which a client is sure to see what it has written and seen, wherever its
//! next request is answered.
//!
//! It is a position in the database's history. It needs no signature: who makes one up
//! changes only which database answers, and what is read there is never too old.

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use exit3_app::api_keys::Caller;
use exit3_ports::{Position, Session};

pub(crate) const TOKEN: HeaderName = HeaderName::from_static("consistency-token");

/// The session of a request: whose it is, and what it must see.
pub(crate) fn session(caller: &Caller, request: &ServiceRequest) -> Session {
    let session = Session::new(caller.number());
    for token in request.headers().get_all(TOKEN) {
        // Of another make, as a newer node may have: the primary has it for sure.
        session.has_seen(position(token).unwrap_or(Position::NEVER));
    }
    session
}

fn position(token: &HeaderValue) -> Option<Position> {
    let token = token.to_str().ok().filter(|token| token.len() == 16)?;
    u64::from_str_radix(token, 16).ok().map(Position)
}

/// Gives the client the token of what was done, where it makes a difference.
pub(crate) fn tell(session: &Session, headers: &mut HeaderMap) {
    let token = session.reached().map(|Position(position)| format!("{position:016x}"));
    if let Some(token) = token.and_then(|token| HeaderValue::try_from(token).ok()) {
        headers.insert(TOKEN, token);
    }
}
