//! The request id, which ties together the log lines about one request.

use std::sync::Arc;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The target of the lines about requests. Operators filter by it, so it keeps its name.
pub(crate) const REQUESTS: &str = "exit3_http::requests";
/// The longest id, in characters, that is accepted from a client.
const LONGEST_ID: usize = 64;

tokio::task_local! {
    pub(crate) static CURRENT: HeaderValue;
}

/// The id of the request that is being handled, for log lines; empty outside of a request.
pub fn request_id() -> String {
    let id = CURRENT.try_with(|id| id.to_str().map(str::to_owned));
    id.ok().and_then(Result::ok).unwrap_or_default()
}

/// The id of the request that is being handled, for events; `None` outside of a request.
pub fn current_request() -> Option<Arc<str>> {
    let id = CURRENT.try_with(|id| id.to_str().ok().filter(|id| !id.is_empty()).map(Arc::from));
    id.ok().flatten()
}

/// The id that the client sent, if it is well-formed, otherwise a new one.
pub(crate) fn id(headers: &HeaderMap, new_id: fn() -> String) -> HeaderValue {
    let well_formed = |id: &&HeaderValue| {
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
        (1..=LONGEST_ID).contains(&id.len()) && id.as_bytes().iter().all(allowed)
    };
    let mut given = headers.get_all(REQUEST_ID);
    match (given.next().filter(well_formed), given.next()) {
        (Some(id), None) => id.clone(),
        _ => HeaderValue::try_from(new_id()).unwrap_or_else(|_| HeaderValue::from_static("")),
    }
}
