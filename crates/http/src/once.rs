//! Requests that clients may send again: `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07),
//! and forms of pages that somebody clicks twice.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse};
use chrono::TimeDelta;
use exit3_app::App;
use exit3_app::api_keys::Caller;
use exit3_app::once::{Made, sent_at};
use exit3_domain::events::{Author, BatchId};
use exit3_domain::raw::RawValue;
use exit3_web::ApiError;
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sfv::{BareItem, Item, Parser};
use sha2::Sha256;

use crate::auth::Visitor;
use crate::cursor::keyed;
use crate::versions::{NEW, OLD};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const INTAKE: HeaderName = HeaderName::from_static("exit3-intake");
/// RFC 7240.
const PREFER: HeaderName = HeaderName::from_static("prefer");
const APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const ASYNC: &str = "respond-async";
const MALFORMED: &str = "Idempotency-Key must be one text of 1 to 255 characters in double quotes.";

/// Two equal forms of one visitor within this time are one click too many.
const CLICKS: TimeDelta = TimeDelta::seconds(10);

/// The key of marks. Without it, a mark could be compared with guesses of what a request said and of
/// who sent it.
#[derive(Clone)]
pub(crate) struct MarkKey(Hmac<Sha256>);

impl MarkKey {
    /// Derives the key from the secret in the settings.
    pub(crate) fn new(secret: &SecretString) -> Self {
        let mut mac = keyed(secret.expose_secret().as_bytes());
        mac.update(b"exit3 requests that may come twice");
        Self(keyed(&mac.finalize().into_bytes()))
    }

    fn mark(&self, texts: &[String]) -> u128 {
        let mut mac = self.0.clone();
        for text in texts {
            mac.update(&(text.len() as u64).to_be_bytes());
            mac.update(text.as_bytes());
        }
        let mark: [u8; 32] = mac.finalize().into_bytes().into();
        u128::from_be_bytes(*mark.first_chunk().unwrap_or(&[0; 16]))
    }
}

/// Recognises a request that creates a row if the client sends it again. Handlers of a
/// [`Resource`](crate::Resource) take it as a parameter.
pub struct Once {
    marks: Data<MarkKey>,
    sender: Sender,
    /// The path behind the version, which is the same in all of them.
    path: String,
    /// The text in `Idempotency-Key`.
    key: Option<String>,
    is_form: bool,
    /// Whether the client would rather have 202 than wait.
    prefers_async: bool,
}

/// Whose keys are compared with each other.
#[derive(Clone, Copy)]
struct Sender {
    /// The API key.
    caller: u64,
    /// The visitor, if the API key belongs to many of them.
    visitor: Option<u64>,
}

impl FromRequest for Once {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl Once {
    fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let extensions = request.extensions();
        let caller = extensions.get::<Caller>().ok_or_else(ApiError::internal)?;
        let shared = caller.is_publishable() || caller.forwards_visitors();
        let visitor = extensions.get::<Visitor>().filter(|_| shared).map(|Visitor(number)| *number);
        let mut keys = request.headers().get_all(KEY);
        let key = match (keys.next(), keys.next()) {
            (None, _) => None,
            (Some(key), None) => Some(text_of(key.as_bytes())?),
            _ => return Err(ApiError::bad_request(MALFORMED)),
        };
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
        let is_form = content_type.is_some_and(|it| {
            let it = it.trim_start().to_ascii_lowercase();
            it.starts_with("application/x-www-form-urlencoded") || it.starts_with("multipart/")
        });
        let sender = Sender { caller: caller.number(), visitor };
        let marks = request.app_data::<Data<MarkKey>>().ok_or_else(ApiError::internal)?.clone();
        let path = request.path();
        let path = [NEW, OLD].iter().find_map(|version| path.strip_prefix(version)).unwrap_or(path);
        let prefers_async = prefers_async(request);
        Ok(Self { marks, sender, path: path.to_owned(), key, is_form, prefers_async })
    }

    /// Answers a request whose row may wait in the spool: like [`created`], with
    /// `Exit3-Intake: spooled` if it waits, and then with 202 if the client prefers that.
    pub(crate) fn accepted(&self, made: Made<impl Serialize>) -> HttpResponse {
        let is_spooled = made.is_spooled;
        let mut response = created(made);
        if is_spooled {
            response.headers_mut().insert(INTAKE, HeaderValue::from_static("spooled"));
        }
        if is_spooled && self.prefers_async {
            *response.status_mut() = StatusCode::ACCEPTED;
            let applied = HeaderValue::from_static(ASYNC);
            response.headers_mut().insert(APPLIED, applied);
        }
        response
    }

    /// The author of what the request creates, with a mark by which a second request is recognised.
    ///
    /// A request without a key gets no mark, unless it is a form whose visitor is known: then it
    /// counts as the same as an equal one that came within 10 seconds.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn mark(
        &self,
        app: &App,
        author: Author,
        fields: &[(String, RawValue)],
    ) -> Result<Author, ApiError> {
        let request = || self.marks.mark(&content(&self.path, fields));
        let batch = match (&self.key, self.sender.visitor) {
            (Some(key), _) => BatchId::of_request(self.key_of("key", key), request()),
            (None, Some(_)) if self.is_form => self.of_clicks(app, request()).await?,
            _ => return Ok(author),
        };
        Ok(Author { batch: Some(batch), ..author })
    }

    /// The batch of an equal form that came just before, or else a new one.
    async fn of_clicks(&self, app: &App, request: u128) -> Result<BatchId, ApiError> {
        let now = app.clock.now();
        let window = now.timestamp().div_euclid(CLICKS.num_seconds());
        let batch = |window: i64| {
            let key = self.key_of("form", &format!("{request:032x} {window}"));
            BatchId::of_request(key, request)
        };
        // A click may come before the end of a window, and the next one behind it.
        let before = batch(window - 1);
        let sent = sent_at(app, &before).await?;
        let is_recent = sent.is_some_and(|at| now - at < CLICKS);
        Ok(if is_recent { before } else { batch(window) })
    }

    fn key_of(&self, kind: &str, text: &str) -> u128 {
        let Sender { caller, visitor } = self.sender;
        let (caller, visitor) = (caller.to_string(), visitor.map(|it| it.to_string()));
        let texts = [kind, &caller, visitor.as_deref().unwrap_or_default(), text];
        self.marks.mark(&texts.map(str::to_owned))
    }
}

/// Answers a request that has created a row: 201, with `Idempotency-Replayed: true` if an earlier
/// request with the same key has created it.
pub fn created(made: Made<impl Serialize>) -> HttpResponse {
    let mut response = HttpResponse::Created();
    if made.is_repeated {
        response.insert_header((REPLAYED, "true"));
    }
    response.json(made.row)
}

fn prefers_async(request: &HttpRequest) -> bool {
    let preferences = request.headers().get_all(PREFER).filter_map(|it| it.to_str().ok());
    let mut names = preferences.flat_map(|it| it.split(',')).filter_map(|it| it.split(';').next());
    names.any(|name| name.trim().eq_ignore_ascii_case(ASYNC))
}

/// The text of a header, which is a string of RFC 8941. Its parameters mean nothing.
fn text_of(header: &[u8]) -> Result<String, ApiError> {
    match Parser::new(header).parse::<Item>() {
        Ok(Item { bare_item: BareItem::String(text), .. })
            if (1..=255).contains(&text.as_str().len()) =>
        {
            Ok(text.as_str().to_owned())
        }
        _ => Err(ApiError::bad_request(MALFORMED)),
    }
}

/// What a request says. Values of one field keep their order, because the last one of a form counts.
fn content(path: &str, fields: &[(String, RawValue)]) -> Vec<String> {
    let mut fields: Vec<_> =
        fields.iter().map(|(name, value)| [name.clone(), said(value)]).collect();
    fields.sort_by(|[one, _], [other, _]| one.cmp(other));
    [path.to_owned()].into_iter().chain(fields.into_iter().flatten()).collect()
}

/// A value, such that no two different ones are the same text.
fn said(value: &RawValue) -> String {
    match value {
        RawValue::Missing => String::new(),
        RawValue::Null => "null".to_owned(),
        RawValue::Unfilled => "empty".to_owned(),
        RawValue::Text(text) => format!("text {text}"),
        RawValue::Number(number) => format!("number {number}"),
        RawValue::Bool(is_true) => format!("bool {is_true}"),
        RawValue::Other(other) => format!("other {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise anybody who sees an event could compare its mark with guesses.
    #[test]
    fn a_mark_depends_on_the_secret() {
        let mark = |secret: &str| MarkKey::new(&secret.to_owned().into()).mark(&["ana".to_owned()]);
        assert_eq!(mark("one"), mark("one"));
        assert_ne!(mark("one"), mark("other"));
    }
}
