//! What pages of other origins may do with the API from a browser.

use actix_cors::Cors;
use actix_web::http::header::{self, HeaderMap, HeaderValue};

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// What pages may send: as in the replaced service, and the token.
const SENT: [&str; 7] = [
    "accept",
    "authorization",
    "consistency-token",
    "content-type",
    "user-agent",
    "x-csrftoken",
    "x-requested-with",
];

/// What pages see of an answer.
const SEEN: [&str; 5] =
    ["retry-after", "ratelimit", "ratelimit-policy", "consistency-token", "x-request-id"];

/// Which pages may call the API from a browser.
#[derive(Debug, Clone, Default)]
pub struct CorsSettings {
    /// Pages of these origins.
    pub origins: Vec<String>,
    /// Whether they may send what the browser keeps for the service.
    pub credentials: bool,
}

impl CorsSettings {
    /// What stands around the routes.
    pub(crate) fn middleware(&self) -> Cors {
        let mut cors = Cors::default()
            .allowed_methods(METHODS)
            .allowed_headers(SENT)
            .expose_headers(SEEN)
            .max_age(86_400)
            // Whoever is not allowed gets no header; the browser does the rest.
            .block_on_origin_mismatch(false);
        if self.credentials {
            cors = cors.supports_credentials();
        }
        self.origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
    }

    /// Lets pages see an answer that the middleware does not, to a request with these
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
