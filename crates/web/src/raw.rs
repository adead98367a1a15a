use actix_web::ResponseError;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use metrics::counter;

use crate::error::ApiError;
use crate::headers;
use crate::request_id::{REQUEST_ID, REQUESTS};

/// Writes an error as the bytes of an HTTP response, after which the connection closes. For
/// connections whose request never reaches the API: it is not HTTP, it does not arrive, or there is
/// no room for it.
///
/// Also logs and counts the error, as [`crate::observe`] does for requests; `request_id` takes the
/// place of the missing request's id.
pub fn raw_answer(status: u16, request_id: &str) -> Vec<u8> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let error = ApiError::of_connection(status);
    let mut response = error.error_response();
    headers::protect(response.headers_mut());
    let body = error.to_json();
    let label = status.as_str().to_owned();
    counter!("exit3_connection_errors_total", "http_response_status_code" => label).increment(1);
    tracing::info!(
        target: REQUESTS,
        request_id,
        status = status.as_u16(),
        bytes = body.len(),
        "no request"
    );
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let reason = status.canonical_reason().unwrap_or_default();
    let mut raw = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).into_bytes();
    for (name, value) in response.headers() {
        raw.extend_from_slice(name.as_str().as_bytes());
        raw.extend_from_slice(b": ");
        raw.extend_from_slice(value.as_bytes());
        raw.extend_from_slice(b"\r\n");
    }
    let end = format!("content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    raw.extend_from_slice(end.as_bytes());
    raw
}
