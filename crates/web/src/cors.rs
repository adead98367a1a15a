//! CORS: what pages of other origins may do with the API from a browser.

use actix_cors::Cors;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The request headers that pages may send: those of the replaced service, the consistency token,
/// conditions, and headers that tracing libraries add to every request. The service ignores most of those, but a
/// browser sends no request at all if one is missing here.
const SENT: [&str; 43] = [
    "accept",
    "accept-language",
    "authorization",
    "b3",
    "baggage",
    "cache-control",
    "consistency-token",
    "content-language",
    "content-type",
    "correlation-context",
    "elastic-apm-traceparent",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "newrelic",
    "pragma",
    "prefer",
    "request-context",
    "request-id",
    "sentry-trace",
    "traceparent",
    "traceresponse",
    "tracestate",
    "uber-trace-id",
    "user-agent",
    "x-amzn-trace-id",
    "x-b3-flags",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-spanid",
    "x-b3-traceid",
    "x-cloud-trace-context",
    "x-correlation-id",
    "x-csrftoken",
    "x-datadog-origin",
    "x-datadog-parent-id",
    "x-datadog-sampling-priority",
    "x-datadog-tags",
    "x-datadog-trace-id",
    "x-dtpc",
    "x-idempotency-key",
    "x-request-id",
    "x-requested-with",
];

/// The response headers that pages may read.
const SEEN: [&str; 8] = [
    "retry-after",
    "ratelimit",
    "ratelimit-policy",
    "consistency-token",
    "etag",
    "exit3-intake",
    "idempotency-replayed",
    "x-request-id",
];

/// Which origins may call the API from a browser.
#[derive(Debug, Clone, Default)]
pub struct CorsSettings {
    /// The allowed origins.
    pub origins: Vec<String>,
    /// Whether pages may send cookies and other credentials.
    pub credentials: bool,
}

impl CorsSettings {
    /// The actix-cors middleware around the routes.
    pub(crate) fn middleware(&self) -> Cors {
        let mut cors = Cors::default()
            .allowed_methods(METHODS)
            .allowed_headers(SENT)
            .expose_headers(SEEN)
            .max_age(86_400)
            // An unknown origin gets no CORS headers, and the browser does the rest.
            .block_on_origin_mismatch(false);
        if self.credentials {
            cors = cors.supports_credentials();
        }
        self.origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
    }

    /// Adds CORS headers to a response that the middleware does not see, for a request with these
    /// headers.
    pub(crate) fn show(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        answer.insert(header::VARY, HeaderValue::from_static("Origin"));
        let mut named = request.get_all(header::ORIGIN);
        let (Some(origin), None) = (named.next(), named.next()) else {
            return;
        };
        if !self.origins.iter().any(|own| own.as_bytes() == origin.as_bytes()) {
            return;
        }
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if let Ok(seen) = HeaderValue::try_from(SEEN.join(", ")) {
            answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, seen);
        }
        if self.credentials {
            let may = HeaderValue::from_static("true");
            answer.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, may);
        }
    }
}

/// Lets a preflight ask for `HEAD` as for `GET`: browsers allow both without asking, so the list of
/// methods does not name `HEAD`.
///
/// Rewrites the list of requested headers into the form that actix-cors can read: one line, no
/// empty elements, and no header at all if the list is empty (RFC 9110, 5.6.1).
pub(crate) fn tidy(request: &mut ServiceRequest) {
    const LIST: header::HeaderName = header::ACCESS_CONTROL_REQUEST_HEADERS;
    if request.method() != Method::OPTIONS {
        return;
    }
    let method = header::ACCESS_CONTROL_REQUEST_METHOD;
    if request.headers().get(&method).is_some_and(|asked| asked == "HEAD") {
        request.headers_mut().insert(method, HeaderValue::from_static("GET"));
    }
    if !request.headers().contains_key(LIST) {
        return;
    }
    let mut tidy = Vec::new();
    for line in request.headers().get_all(LIST) {
        let elements = line.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        for element in elements.filter(|element| !element.is_empty()) {
            tidy.extend_from_slice(if tidy.is_empty() { b"" } else { b"," });
            tidy.extend_from_slice(element);
        }
    }
    let headers = request.headers_mut();
    headers.remove(LIST);
    if let Ok(list) = HeaderValue::from_bytes(&tidy)
        && !list.is_empty()
    {
        headers.insert(LIST, list);
    }
}
