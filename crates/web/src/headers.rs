//! Security headers, which every response carries, errors included.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::peer::Peer;
use crate::policy::NO_PAGE;
use crate::route;
use crate::site::Site;

/// Restrictions for browsers, the same for every response.
const FIXED: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Adds the missing security headers to a response that is not an HTML page.
pub(crate) fn protect(headers: &mut HeaderMap) {
    add(headers, NO_PAGE);
}

fn add(headers: &mut HeaderMap, security: &'static str) {
    for (name, value) in FIXED.into_iter().chain([(header::CONTENT_SECURITY_POLICY, security)]) {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// Whether a response is HTML.
fn is_page(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
    content_type.starts_with(b"text/html")
}

/// Middleware: adds the missing security headers to every response.
pub(crate) async fn handle<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let hsts = request.app_data::<Data<Site>>().and_then(|site| site.hsts);
    // RFC 6797: HSTS is sent over encrypted connections only.
    let hsts = hsts.filter(|_| Peer::of(&request).https);
    let mut response = next.call(request).await?;
    let security = match is_page(response.headers()) {
        true => route::policy(response.request()).page_security,
        false => NO_PAGE,
    };
    let headers = response.headers_mut();
    add(headers, security);
    // CORS headers make sense only together with an allowed origin.
    if !headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        headers.remove(header::ACCESS_CONTROL_ALLOW_CREDENTIALS);
        headers.remove(header::ACCESS_CONTROL_EXPOSE_HEADERS);
    }
    if let Some(value) = hsts.and_then(|hsts| HeaderValue::from_str(&hsts.to_string()).ok()) {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    Ok(response)
}
