//! Conditional requests (RFC 9110, 13): `ETag`, `If-Match` and `If-None-Match` of single rows.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use exit3_domain::versions::{Expected, Version, Versions};
use exit3_web::ApiError;
use serde::Serialize;

/// The conditions of a request that changes or deletes a row. A malformed one is 400, because the
/// client wants to be kept from overwriting a version that it has not seen.
pub struct Conditions(pub Expected);

impl FromRequest for Conditions {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let headers = request.headers();
        let expected = if_match(headers)
            .and_then(|only| Ok(Expected { only, except: if_none_match(headers)? }));
        ready(expected.map(Self))
    }
}

/// Answers a request for a row: 200 with its representation, 412 if it is not a version in
/// `If-Match`, or 304 if it is one in `If-None-Match`. A malformed `If-None-Match` is ignored,
/// because the representation is right in any case.
///
/// # Errors
/// Those of a malformed or unmet `If-Match`.
pub fn show(
    request: &HttpRequest,
    version: &Version,
    representation: impl Serialize,
) -> Result<HttpResponse, ApiError> {
    if if_match(request.headers())?.is_some_and(|only| !only.contain(version)) {
        return Err(ApiError::precondition_failed());
    }
    let except = if_none_match(request.headers()).unwrap_or_default();
    if except.is_some_and(|except| except.contain(version)) {
        return Ok(HttpResponse::NotModified().insert_header(etag(version)).finish());
    }
    Ok(show_changed(version, representation))
}

/// Answers a request that has changed a row.
pub fn show_changed(version: &Version, representation: impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header(etag(version)).json(representation)
}

/// The tag of a version. It is strong: two answers for one address with the same tag are equal byte
/// by byte.
fn etag(version: &Version) -> (HeaderName, String) {
    (header::ETAG, format!("\"{}\"", version.as_str()))
}

/// The versions in `If-Match`. A weak tag matches none, as RFC 9110 demands.
fn if_match(headers: &HeaderMap) -> Result<Option<Versions>, ApiError> {
    versions(headers, header::IF_MATCH, |tag| !tag.is_weak)
        .ok_or_else(|| ApiError::bad_request(format!("If-Match {MALFORMED}")))
}

/// The versions in `If-None-Match`. A weak tag counts as the strong one.
fn if_none_match(headers: &HeaderMap) -> Result<Option<Versions>, ApiError> {
    versions(headers, header::IF_NONE_MATCH, |_| true)
        .ok_or_else(|| ApiError::bad_request(format!("If-None-Match {MALFORMED}")))
}

const MALFORMED: &str = "must be * or a list of entity tags in double quotes.";

/// The versions that a header names, over all its lines; `None` if it is malformed.
#[allow(clippy::option_option, reason = "malformed and missing headers differ")]
fn versions(
    headers: &HeaderMap,
    name: HeaderName,
    counts: fn(&Tag<'_>) -> bool,
) -> Option<Option<Versions>> {
    if !headers.contains_key(&name) {
        return Some(None);
    }
    let lines = headers.get_all(&name).map(|line| line.as_bytes().trim_ascii());
    let lines: Vec<&[u8]> = lines.collect();
    if lines == [b"*"] {
        return Some(Some(Versions::Any));
    }
    let mut tags = Vec::new();
    for line in lines {
        tags.append(&mut list(line)?);
    }
    if tags.is_empty() {
        return None;
    }
    // A tag that is not UTF-8 is none of this service, and no text equals its replacement.
    let version = |tag: &Tag<'_>| Version::named(&String::from_utf8_lossy(tag.text));
    Some(Some(Versions::These(tags.iter().filter(|tag| counts(tag)).map(version).collect())))
}

/// An entity tag.
struct Tag<'a> {
    is_weak: bool,
    text: &'a [u8],
}

/// The tags of a list with commas between them; `None` if it is malformed. Lists may have empty
/// elements.
fn list(mut rest: &[u8]) -> Option<Vec<Tag<'_>>> {
    let mut tags = Vec::new();
    loop {
        rest = rest.trim_ascii_start();
        while let Some(behind) = rest.strip_prefix(b",") {
            rest = behind.trim_ascii_start();
        }
        if rest.is_empty() {
            return Some(tags);
        }
        let is_weak = rest.starts_with(b"W/");
        let quoted = rest.strip_prefix(b"W/").unwrap_or(rest).strip_prefix(b"\"")?;
        let end = quoted.iter().position(|byte| *byte == b'"')?;
        let (text, behind) = quoted.split_at_checked(end)?;
        // Blanks and controls are not allowed in a tag.
        if !text.iter().all(|byte| *byte > b' ' && *byte != 0x7f) {
            return None;
        }
        tags.push(Tag { is_weak, text });
        rest = behind.strip_prefix(b"\"")?.trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(b",") {
            return None;
        }
    }
}
