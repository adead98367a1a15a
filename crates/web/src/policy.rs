//! Route policies: what a route accepts and how its responses look. Each route has its own, so a
//! route for large files or for pages changes nothing for the others.

use std::time::Duration;

/// `Content-Security-Policy` of a response that is not a page: nothing may be loaded or run.
pub(crate) const NO_PAGE: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The policy of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoutePolicy {
    /// The largest body, in bytes. A larger one is refused with 413.
    pub body_bytes: usize,
    /// The longest time for a body to arrive, before it is refused with 408. The server may close
    /// the connection earlier.
    pub body_time: Duration,
    /// The accepted content types, in lower case and without parameters. Others are refused with
    /// 415.
    pub content_types: &'static [&'static str],
    /// `Content-Security-Policy` of HTML responses. Other responses allow nothing.
    pub page_security: &'static str,
    /// How errors are rendered.
    pub errors: ErrorShape,
    /// Whether the handler reads the body piece by piece, so that nothing before it may read it.
    pub is_streamed: bool,
}

/// How errors are rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorShape {
    /// JSON, or problem details for clients that prefer them.
    Json,
    /// Problem details (RFC 9457).
    Problem,
    /// An HTML page.
    Html,
}

impl RoutePolicy {
    /// The policy of a route that sets none: at most 1 MiB of JSON or of a form, within 20 seconds,
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
        is_streamed: false,
    };

    /// The policy of a route that takes a file of up to `most` bytes, and shows errors in this shape.
    /// A slow line gets ten minutes.
    pub const fn upload(most: u64, errors: ErrorShape, page_security: &'static str) -> Self {
        Self {
            // The other fields of the form, and what separates them.
            body_bytes: most as usize + 64 * 1024,
            body_time: Duration::from_secs(600),
            content_types: &["multipart/form-data"],
            page_security,
            errors,
            is_streamed: true,
        }
    }
}
