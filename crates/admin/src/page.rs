//! Renders templates as responses.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;
use exit3_web::{ApiError, ErrorShape, RoutePolicy, hosts};
use flate2::Compression;

use crate::BASE;
use crate::assets::{accepts_gzip, gzip};
use crate::errors::PageError;

/// What pages accept, and what they may load: their own files only, and no inline styles or scripts.
pub(crate) const POLICY: RoutePolicy = RoutePolicy {
    body_bytes: 1024 * 1024,
    body_time: Duration::from_secs(20),
    content_types: &["application/x-www-form-urlencoded", "multipart/form-data"],
    page_security: "default-src 'none'; base-uri 'none'; form-action 'self'; \
        frame-ancestors 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
        connect-src 'self'",
    errors: ErrorShape::Html,
    is_streamed: false,
};

/// Shorter responses are not worth compressing.
const WORTH_COMPRESSING: usize = 1024;

/// Renders a page with status 200.
pub(crate) fn page(
    request: &HttpRequest,
    template: &impl Template,
) -> Result<HttpResponse, PageError> {
    page_with(request, None, template)
}

/// Renders a page that tells an error, with the status and the headers that the API would send.
pub(crate) fn page_with(
    request: &HttpRequest,
    error: Option<&ApiError>,
    template: &impl Template,
) -> Result<HttpResponse, PageError> {
    let html = template.render()?;
    let status = error.map_or(StatusCode::OK, ApiError::status_code);
    let mut response = respond(request, status, html);
    let told = error.map(ApiError::error_response);
    for (name, value) in told.iter().flat_map(|told| told.headers()) {
        if [header::RETRY_AFTER, header::ALLOW].contains(name) {
            response.headers_mut().insert(name.clone(), value.clone());
        }
    }
    Ok(response)
}

fn respond(request: &HttpRequest, status: StatusCode, html: String) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    response
        .content_type("text/html; charset=utf-8")
        .insert_header((header::VARY, "Accept-Encoding, Cookie"));
    // No page contains a secret that a guess in its address could be compared with.
    if html.len() >= WORTH_COMPRESSING
        && accepts_gzip(request)
        && let Some(bytes) = gzip(html.as_bytes(), Compression::fast())
    {
        return response.insert_header((header::CONTENT_ENCODING, "gzip")).body(bytes);
    }
    response.body(html)
}

/// Sends the browser to another page with a GET.
pub fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, path)).finish()
}

/// The address of the service as the person reaches it, such as `https://exit3.agency`.
pub(crate) fn site(request: &HttpRequest) -> String {
    let here = hosts::address(request);
    here.strip_suffix(request.path()).map(str::to_owned).unwrap_or_default()
}

/// A path that a form names, if it is one of the back office: nobody else's page. It must be fit for a
/// header.
pub fn own_path(path: &str) -> Option<&str> {
    let is_fit = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (path.starts_with(BASE) && is_fit).then_some(path)
}

/// Lets a response that is not what the script expects take the place of the whole page.
pub(crate) fn instead_of_page(request: &HttpRequest, mut response: HttpResponse) -> HttpResponse {
    if is_partial(request) {
        for (name, value) in
            [("hx-retarget", "body"), ("hx-reselect", "body"), ("hx-reswap", "outerHTML")]
        {
            let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Whether htmx sent the request, and puts the response into the page.
pub(crate) fn is_partial(request: &HttpRequest) -> bool {
    request.headers().contains_key(HeaderName::from_static("hx-request"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/backend/admin/leads/?q=a", true)]
    #[case("/backend/admin/", true)]
    #[case("https://evil.hr/backend/admin/", false)]
    #[case("//evil.hr/backend/admin/", false)]
    #[case("/backend/api/docs/", false)]
    #[case("/backend/admin/\\evil.hr", false)]
    #[case("/backend/admin/\r\nSet-Cookie: a=b", false)]
    #[case("", false)]
    fn forms_lead_to_own_pages_only(#[case] path: &str, #[case] own: bool) {
        assert_eq!(own_path(path), own.then_some(path));
    }
}
