//! Observes every request: one log line, metrics, and the root span of its trace. Nothing in them
//! comes from the client unchecked: no path, no query, no headers, no body.

mod words;

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;
use std::time::Instant;

use actix_web::HttpMessage;
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use exit3_app::api_keys::Caller;
use exit3_ports::TRACE;
use futures_util::FutureExt;
use metrics::{Gauge, gauge};
use tracing::{Instrument, Span, field};

use crate::panics::Panicked;
use crate::peer::Peer;
use crate::request_id::{self, CURRENT, REQUEST_ID, REQUESTS};
use crate::route::{self, Served};
pub use words::ClientIp;
use words::method;

/// The status in logs and metrics when a client disconnects before the response; nginx's code.
const GONE: u16 = 499;

/// The functions that observing requests depends on.
#[derive(Debug, Clone, Copy)]
pub struct Observer {
    /// Creates an id for a request that comes without one.
    pub new_id: fn() -> String,
    /// Whether a request with these headers is traced.
    pub traced: fn(&HeaderMap) -> bool,
    /// Makes a span continue the trace that the headers name (W3C Trace Context).
    pub follow: fn(&Span, &HeaderMap),
    /// How much of a client's address is logged.
    pub client_ip: ClientIp,
}

impl Default for Observer {
    /// Creates empty ids and traces nothing.
    fn default() -> Self {
        let client_ip = ClientIp::default();
        Self { new_id: String::new, traced: |_| false, follow: |_, _| (), client_ip }
    }
}

static ACTIVE: LazyLock<Gauge> = LazyLock::new(|| gauge!("http_server_active_requests"));

/// Observes a request, as the outermost middleware, and adds its id to the response.
///
/// # Errors
/// The errors of the inner service; 500 if it panics, or if this middleware does.
pub async fn observe<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let watched = AssertUnwindSafe(watched(request, next)).catch_unwind().await;
    watched.unwrap_or_else(|_| Err(Panicked { id: None }.into()))
}

async fn watched<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let observer =
        request.app_data::<Data<Observer>>().map_or_else(Observer::default, |observer| ***observer);
    let id = request_id::id(request.headers(), observer.new_id);
    let method = method(request.method());
    let span = match (observer.traced)(request.headers()) {
        true => span(method, &id),
        false => Span::none(),
    };
    if !span.is_disabled() {
        (observer.follow)(&span, request.headers());
    }
    let mut watch = Watch {
        began: Instant::now(),
        active: &ACTIVE,
        method,
        id: id.clone(),
        peer: observer.client_ip.shown(Peer::of(&request).address),
        span,
        seen: Seen { status: GONE, route: None, key: None, bytes: 0 },
    };
    watch.active.increment(1);
    // The inner service may panic before it returns a future.
    let next = CURRENT.scope(id.clone(), async move { next.call(request).await });
    let next = AssertUnwindSafe(next.instrument(watch.span.clone())).catch_unwind().await;
    let answer = next.unwrap_or_else(|_| Err(Panicked { id: Some(id.clone()) }.into()));
    let mut response = answer.inspect_err(|error| {
        watch.seen.status = error.as_response_error().status_code().as_u16();
    })?;
    watch.seen = Seen::of(&response);
    response.headers_mut().insert(REQUEST_ID, id);
    Ok(response)
}

/// The root span of a request. If it is disabled, the spans below it are disabled too.
fn span(method: &'static str, id: &HeaderValue) -> Span {
    tracing::info_span!(
        target: TRACE,
        parent: None,
        "request",
        otel.name = method,
        otel.kind = "server",
        otel.status_code = field::Empty,
        http.request.method = method,
        http.route = field::Empty,
        http.response.status_code = field::Empty,
        request_id = id.to_str().unwrap_or_default(),
    )
}

/// Records the route of a request.
pub(crate) fn routed(request: &ServiceRequest, served: Served) {
    let span = Span::current();
    if !span.is_disabled() {
        // Before any child span starts, because the name is fixed from then on.
        span.record("otel.name", format!("{} {}", method(request.method()), served.pattern()));
        span.record("http.route", served.pattern());
    }
    request.extensions_mut().insert(served);
}

/// A request in progress. It is logged on drop, so requests of disconnected clients are too.
struct Watch {
    began: Instant,
    active: &'static Gauge,
    method: &'static str,
    id: HeaderValue,
    peer: Option<IpAddr>,
    span: Span,
    seen: Seen,
}

/// What is known about a request once the response exists.
struct Seen {
    status: u16,
    route: Option<Served>,
    key: Option<Caller>,
    bytes: u64,
}

impl Seen {
    fn of<B: MessageBody>(response: &ServiceResponse<B>) -> Self {
        let extensions = response.request().extensions();
        Self {
            status: response.status().as_u16(),
            route: extensions.get::<Served>().cloned(),
            key: extensions.get::<Caller>().cloned(),
            bytes: match response.response().body().size() {
                BodySize::Sized(bytes) => bytes,
                BodySize::None | BodySize::Stream => 0,
            },
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        let Seen { status, route, key, bytes } = &self.seen;
        tracing::info!(
            target: REQUESTS,
            // Strings, not `Display` values: formatting here would write the line in many small
            // pieces.
            message = "request",
            request_id = self.id.to_str().unwrap_or_default(),
            method = self.method,
            route = route.as_ref().map_or(route::UNMATCHED, Served::pattern),
            status,
            duration_ms = took.as_micros() as f64 / 1000.0,
            client = self.peer.map(|address| address.to_string()),
            key = key.as_ref().map(Caller::name),
            bytes,
        );
        if !self.span.is_disabled() {
            self.span.record("http.response.status_code", *status);
            if *status >= 500 {
                self.span.record("otel.status_code", "ERROR");
            }
        }
        self.active.decrement(1);
        route::measure(route.as_ref(), self.method, *status, took);
    }
}
