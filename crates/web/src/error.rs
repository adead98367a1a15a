//! Error responses. This is the only file that maps errors to status codes.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use exit3_app::contracts::ContractError;
use exit3_app::{FindError, ListError, SaveError, UpdateError};
use exit3_domain::validation::{Invalid, Violation};
use exit3_ports::{StoreError, with_causes};
use serde_json::{Map, Value, json};

use crate::request_id::request_id;

/// `Retry-After`, in seconds, when the database is unavailable.
const RETRY_AFTER: &str = "2";

/// An error as the client sees it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{status}")]
pub struct ApiError {
    status: StatusCode,
    content: Value,
    headers: Vec<(header::HeaderName, String)>,
    /// Whether to close the connection afterwards, since the rest of the request is not read.
    closes: bool,
}

impl ApiError {
    /// An error with one sentence as its `detail`.
    fn detail(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            content: json!({ "detail": detail.into() }),
            headers: Vec::new(),
            closes: false,
        }
    }

    fn with(mut self, name: header::HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn closing(mut self) -> Self {
        self.closes = true;
        self
    }

    /// 400.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::detail(StatusCode::BAD_REQUEST, detail)
    }

    /// 400 about one query parameter.
    pub fn parameter(name: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Invalid::field(name, Violation::new("invalid", message)).into()
    }

    /// 401 for a page that asks for a password.
    pub fn unauthorized() -> Self {
        Self::detail(StatusCode::UNAUTHORIZED, "Sign in first.")
    }

    /// 409.
    pub fn conflict() -> Self {
        Self::detail(StatusCode::CONFLICT, "Somebody else changed the same fields.")
    }

    /// 403.
    pub fn forbidden(detail: &'static str) -> Self {
        Self::detail(StatusCode::FORBIDDEN, detail)
    }

    /// 403 for a key that lacks the required scope.
    pub fn no_permission() -> Self {
        Self::forbidden("You do not have permission to perform this action.")
    }

    /// 429; the client may try again after `wait`.
    pub fn throttled(wait: Duration) -> Self {
        let seconds = whole_seconds(wait);
        let unit = if seconds == 1 { "second" } else { "seconds" };
        let detail = format!("Request was throttled. Expected available in {seconds} {unit}.");
        Self::detail(StatusCode::TOO_MANY_REQUESTS, detail)
            .with(header::RETRY_AFTER, seconds.to_string())
    }

    /// 408, and closes the connection.
    pub fn too_slow() -> Self {
        Self::detail(StatusCode::REQUEST_TIMEOUT, "The request took too long to arrive.").closing()
    }

    /// An error on a connection without a readable request: it is not HTTP, it did not arrive in
    /// time, or there is no room for it.
    pub(crate) fn of_connection(status: StatusCode) -> Self {
        match status {
            StatusCode::REQUEST_TIMEOUT => Self::too_slow(),
            StatusCode::SERVICE_UNAVAILABLE => Self::busy(),
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
                Self::detail(status, "Request header fields are too large.")
            }
            _ => Self::detail(status, "Malformed request."),
        }
    }

    /// 404.
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::detail(StatusCode::NOT_FOUND, detail)
    }

    /// 405; `allow` lists the allowed methods.
    pub fn method_not_allowed(method: &Method, allow: &str) -> Self {
        let detail = format!("Method \"{method}\" not allowed.");
        Self::detail(StatusCode::METHOD_NOT_ALLOWED, detail).with(header::ALLOW, allow)
    }

    /// 412.
    pub fn precondition_failed() -> Self {
        let detail = "Precondition failed: the stored version is not one that the request allows.";
        Self::detail(StatusCode::PRECONDITION_FAILED, detail)
    }

    /// 413, and closes the connection.
    pub fn too_large() -> Self {
        Self::detail(StatusCode::PAYLOAD_TOO_LARGE, "Request body is too large.").closing()
    }

    /// 415.
    pub fn unsupported_media_type(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
    }

    /// Renders the error as `application/problem+json` (RFC 9457).
    pub fn problem(&self) -> HttpResponse {
        let mut problem = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "errors": self.content,
        });
        if let (Some(detail), Some(problem)) = (self.content.get("detail"), problem.as_object_mut())
        {
            problem.insert("detail".to_owned(), detail.clone());
        }
        self.builder().content_type("application/problem+json").body(problem.to_string())
    }

    /// Renders the error as a complete, unstyled HTML page with all text escaped.
    pub fn page(&self) -> HttpResponse {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let mut lines = String::new();
        for (field, told) in self.content.as_object().into_iter().flatten() {
            let one = std::slice::from_ref(told);
            for message in told.as_array().map_or(one, Vec::as_slice) {
                let message = escaped(message.as_str().unwrap_or_default());
                lines.push_str(&match field.as_str() {
                    "detail" | "non_field_errors" => format!("<p>{message}</p>\n"),
                    field => format!("<p>{}: {message}</p>\n", escaped(field)),
                });
            }
        }
        let (status, title) = (self.status.as_u16(), escaped(title));
        self.builder().content_type("text/html; charset=utf-8").body(format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <title>{status} {title}</title>\n</head>\n<body>\n<h1>{title}</h1>\n\
             {lines}</body>\n</html>\n"
        ))
    }

    /// The error's content as JSON.
    pub(crate) fn to_json(&self) -> String {
        self.content.to_string()
    }

    fn builder(&self) -> HttpResponseBuilder {
        let mut response = HttpResponse::build(self.status);
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.as_str()));
        }
        if self.closes {
            response.force_close();
        }
        response
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        self.builder().content_type("application/json").body(self.to_json())
    }
}

impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> Self {
        let messages = |violations: &[Violation]| -> Value {
            violations.iter().map(|violation| violation.message.as_ref()).collect()
        };
        let mut content: Map<String, Value> = invalid
            .fields()
            .map(|(field, violations)| (field.to_owned(), messages(violations)))
            .collect();
        if !invalid.of_the_whole().is_empty() {
            content.insert("non_field_errors".to_owned(), messages(invalid.of_the_whole()));
        }
        Self {
            status: StatusCode::BAD_REQUEST,
            content: Value::Object(content),
            headers: Vec::new(),
            closes: false,
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) => {
                let (request_id, cause) = (request_id(), with_causes(cause.as_ref()));
                tracing::warn!(request_id, cause, "the database is not available");
                Self::busy()
            }
            StoreError::NotFound => Self::not_found("Not found."),
            StoreError::Conflict(constraint) => {
                tracing::error!(
                    request_id = request_id(),
                    ?constraint,
                    "a conflict that no use case expects"
                );
                Self::internal()
            }
            StoreError::Other(cause) => {
                let (request_id, cause) = (request_id(), with_causes(cause.as_ref()));
                tracing::error!(request_id, cause, "the database refused");
                Self::internal()
            }
        }
    }
}

impl ApiError {
    /// 503.
    fn busy() -> Self {
        Self::detail(
            StatusCode::SERVICE_UNAVAILABLE,
            "Service temporarily unavailable, try again later.",
        )
        .with(header::RETRY_AFTER, RETRY_AFTER)
    }

    /// 503 for a route of a module that is off; the client may try again in half a minute.
    pub fn module_off(module: &str) -> Self {
        let detail = format!("The module {module} does not work at the moment.");
        Self::detail(StatusCode::SERVICE_UNAVAILABLE, detail).with(header::RETRY_AFTER, "30")
    }

    /// 503 with its own sentence.
    fn unavailable(detail: &'static str) -> Self {
        Self::detail(StatusCode::SERVICE_UNAVAILABLE, detail).with(header::RETRY_AFTER, RETRY_AFTER)
    }

    /// 500.
    pub fn internal() -> Self {
        Self::detail(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error.")
    }
}

impl From<ContractError> for ApiError {
    fn from(error: ContractError) -> Self {
        match error {
            ContractError::Forbidden(_) => Self::no_permission(),
            ContractError::Refused(refused) => {
                Invalid::field("file", Violation::new(refused.code(), refused.to_string())).into()
            }
            ContractError::NotFound => Self::not_found("Not found."),
            ContractError::Unexpected => Self::precondition_failed(),
            ContractError::Contended => Self::busy(),
            ContractError::NotScanned => {
                Self::unavailable("The virus scanner does not answer, so nothing was stored.")
            }
            ContractError::Files => Self::unavailable("Contract files are not available now."),
            ContractError::Store(error) => error.into(),
        }
    }
}

impl From<SaveError> for ApiError {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::Invalid(invalid) => invalid.into(),
            SaveError::KeyReused => Self::detail(
                StatusCode::UNPROCESSABLE_ENTITY,
                "This Idempotency-Key was used with another request.",
            ),
            SaveError::Store(error) => error.into(),
        }
    }
}

impl From<ListError> for ApiError {
    fn from(error: ListError) -> Self {
        match error {
            ListError::PastTheEnd => Self::not_found("Invalid page."),
            ListError::Store(error) => error.into(),
        }
    }
}

/// "Not found" errors for one kind of resource, by the replaced service's name for it.
#[derive(Debug, Clone, Copy)]
pub struct Absent(pub &'static str);

impl Absent {
    fn error(self) -> ApiError {
        ApiError::not_found(format!("No {} matches the given query.", self.0))
    }

    /// Maps the error of a use case that finds a row.
    pub fn find(self, error: FindError) -> ApiError {
        match error {
            FindError::NotFound => self.error(),
            FindError::Store(error) => error.into(),
        }
    }

    /// Maps the error of a use case that updates or deletes a row.
    pub fn update(self, error: UpdateError) -> ApiError {
        match error {
            UpdateError::Invalid(invalid) => invalid.into(),
            UpdateError::NotFound => self.error(),
            UpdateError::Unexpected => ApiError::precondition_failed(),
            UpdateError::Contended => ApiError::busy(),
            UpdateError::Store(error) => error.into(),
        }
    }
}

/// Escapes text for HTML, in content and in quoted attributes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// `wait` in seconds, rounded up, at least 1.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0 || wait.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_internal_reaches_a_client() {
        let error = ApiError::from(StoreError::Other("relation things, password hunter2".into()));
        assert_eq!(error.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(error.content, json!({"detail": "Internal server error."}));
    }

    #[test]
    fn an_unavailable_database_is_a_503_with_retry_after() {
        let response = ApiError::from(StoreError::Unavailable("x".into())).error_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers().get(header::RETRY_AFTER).unwrap(), RETRY_AFTER);
    }

    #[test]
    fn field_errors_and_general_errors_stand_side_by_side() {
        let mut invalid = Invalid::whole(Violation::new("b", "whole"));
        invalid.push("email", Violation::new("a", "one"));
        invalid.push("email", Violation::new("a", "two"));
        let error = ApiError::from(invalid);
        assert_eq!(error.content, json!({"email": ["one", "two"], "non_field_errors": ["whole"]}));
    }

    #[test]
    fn retry_after_covers_the_whole_wait() {
        assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(36)), 36);
        assert_eq!(whole_seconds(Duration::from_millis(36_001)), 37);
        assert_eq!(whole_seconds(Duration::ZERO), 1);
    }
}
