//! The versioned paths of data, and the deprecated ones without a version.

use actix_web::dev::ServiceRequest;
use actix_web::http::header;
use actix_web::web::Data;
use chrono::{DateTime, Utc};

/// The prefix of the deprecated paths.
pub(crate) const OLD: &str = "/backend/api/";
/// The prefix of the paths that replace them.
pub(crate) const NEW: &str = "/backend/api/v1/";

/// The path that replaces an old one.
fn successor(old: &str) -> String {
    format!("{NEW}{}", old.strip_prefix(OLD).unwrap_or(old))
}

/// When the paths without a version were deprecated: 2026-11-24, with the first release of this
/// service.
const DEPRECATED_SINCE: &str = "@1795478400";

/// When the paths without a version will be removed; `None` until that is decided.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sunset(pub Option<DateTime<Utc>>);

/// Announces that a path is deprecated (RFC 9745), its successor, and when it will be removed (RFC
/// 8594).
pub(crate) struct Announcement {
    successor: String,
    sunset: Option<DateTime<Utc>>,
}

impl Announcement {
    pub(crate) fn of(request: &ServiceRequest) -> Self {
        let sunset = request.app_data::<Data<Sunset>>().and_then(|sunset| sunset.0);
        Self { successor: successor(request.path()), sunset }
    }

    pub(crate) fn make(self, headers: &mut header::HeaderMap) {
        let mut set = |name: &'static str, value: String| {
            if let Ok(value) = header::HeaderValue::from_str(&value) {
                headers.insert(header::HeaderName::from_static(name), value);
            }
        };
        set("deprecation", DEPRECATED_SINCE.to_owned());
        set("link", format!("<{}>; rel=\"successor-version\"", self.successor));
        if let Some(sunset) = self.sunset {
            set("sunset", sunset.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
        }
    }
}
