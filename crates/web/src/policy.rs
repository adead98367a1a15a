//! What a route takes, and how its answers look. Routes are registered with a policy, so a
//! route that takes large files, or serves pages, changes nothing for the others.

use std::time::Duration;

/// `Content-Security-Policy` of an answer that is no page: nothing may be loaded or run.
pub(crate) const NO_PAGE: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The policy of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoutePolicy {
    /// The largest body, in bytes. A larger one is refused with 413.
    pub body_bytes: usize,
    /// How long a body may take to arrive, before it is refused with 408. The server below may
    /// close the connection earlier.
    pub body_time: Duration,
    /// The content types of bodies, in lower case and without parameters. Others are refused
    /// with 415.
    pub content_types: &'static [&'static str],
    /// `Content-Security-Policy` of answers in HTML. Other answers allow nothing.
    pub page_security: &'static str,
    /// How errors are rendered.
    pub errors: ErrorShape,
}

/// How errors are rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorShape {
    /// JSON, or problem details for clients that prefer them.
    Json,
    /// Problem details (RFC 9457).
    Problem,
    /// A page.
    Html,
}

impl RoutePolicy {
    /// The policy of a route that names none: 1 MiB of JSON or of a form within 20 seconds,
    /// and errors in JSON.
    pub const DEFAULT: Self = Self {
        body_bytes: 1024 * 1024,
        body_time: Duration::from_secs(20),
        content_types: &[
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
        ],
        page_security: NO_PAGE,
        errors: ErrorShape::Json,
    };
}
