//! The fields of a form that was sent.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use exit3_domain::raw::RawValue;
use exit3_web::ApiError;

/// Names that begin with this character belong to the back office itself, not to a page.
const OWN: char = '_';

/// The fields of a form. The gate reads them before it lets the request through, so that nothing
/// is lost if the person has to sign in first, or if the database is away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// The form with these fields.
    pub(crate) fn of(fields: Vec<(String, RawValue)>) -> Self {
        let text = |(name, value)| match value {
            RawValue::Text(text) => Some((name, text)),
            RawValue::Unfilled => Some((name, String::new())),
            _ => None,
        };
        Self { fields: fields.into_iter().filter_map(text).collect() }
    }

    /// The first value of this name, trimmed; empty if there is none.
    pub fn text(&self, name: &str) -> &str {
        self.given(name).unwrap_or_default().trim()
    }

    /// The first value of this name as it was sent, such as a password.
    pub fn given(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// All values of this name, as they were sent.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Whether there is a field of this name.
    pub fn has(&self, name: &str) -> bool {
        self.given(name).is_some()
    }

    /// The fields of the page that the person has changed, apart from passwords.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.own_fields().filter(|(name, value)| {
            let base = self.given(&format!("_base_{name}")).unwrap_or_default();
            let is_same = value.replace("\r\n", "\n") == base.replace("\r\n", "\n");
            !value.is_empty() && !is_same && !is_secret(name)
        })
    }

    /// The fields that belong to the page.
    pub(crate) fn own_fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = self.fields.iter().filter(|(name, _)| !name.starts_with(OWN));
        own.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The same, as raw fields for a use case.
    pub(crate) fn raw(&self) -> Vec<(String, RawValue)> {
        let raw = self.own_fields().map(|(name, value)| {
            let value = match value {
                "" => RawValue::Unfilled,
                text => RawValue::Text(text.to_owned()),
            };
            (name.to_owned(), value)
        });
        raw.collect()
    }

    /// The fields that survive a sign-in in between: all but those of the sign-in itself.
    pub(crate) fn kept(&self) -> Vec<(String, String)> {
        let kept = self.fields.iter().filter(|(name, _)| {
            !matches!(name.as_str(), "_username" | "_password") && !is_secret(name)
        });
        kept.cloned().collect()
    }

    /// The names of the fields that hold passwords.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| name.as_str()).filter(|name| is_secret(name))
    }
}

/// Whether a field holds a password, which is never sent back in a page.
fn is_secret(name: &str) -> bool {
    name.contains("password")
}

impl FromRequest for Form {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(request.extensions().get::<Self>().cloned().unwrap_or_default()))
    }
}
