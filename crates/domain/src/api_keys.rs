//! API keys: their holders, scopes and restrictions.

mod scope;
mod token;

use chrono::{DateTime, Utc};
use url::Url;

use crate::quotas::Rate;

pub use scope::{NotAScope, Scope, Scopes};
pub use token::{ENTROPY, KeyToken, TokenDigest, TokenPrefix};

/// The word for API keys in events.
pub const RESOURCE: &str = "api_key";

/// Identifies a key. The database assigns it and never reuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiKeyId(pub i64);

/// The maximum length of a key's name, in characters.
pub const MAX_NAME: usize = 50;

/// The properties of a key, before its secret is generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyDraft {
    /// The holder's name, for operators: 1 to [`MAX_NAME`] characters of `a-z A-Z 0-9 . _ -`. Names
    /// are not unique, so that a key can be replaced by another one of the same name.
    pub name: String,
    /// The scopes that the key grants; at least one.
    pub scopes: Scopes,
    /// The web origins that may use the key. A key with origins is publishable: web pages contain
    /// it, so everybody can read it, and it may only create.
    pub origins: Vec<String>,
    /// The key's own rate limit; `None` means the default.
    pub rate: Option<Rate>,
    /// Whether the service trusts the holder to name the visitors that it sends requests for.
    pub forwards_visitors: bool,
    /// When the key expires.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Why a draft of a key is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the texts say it")]
pub enum DraftError {
    #[error("a name has 1 to 50 of the characters a-z, A-Z, 0-9, dot, underscore and hyphen")]
    Name,
    #[error("a key without a scope opens nothing")]
    NoScope,
    #[error("a publishable key may only have scopes for creating, such as leads:create")]
    PublishableScope,
    #[error("a publishable key cannot forward visitors: every reader could forge addresses")]
    PublishableForwards,
    #[error(
        "an origin is a scheme, a host and perhaps a port that is not the scheme's own, such as https://exit3.agency"
    )]
    Origin,
    #[error("a key cannot expire before it is made")]
    Expired,
}

impl ApiKeyDraft {
    /// Whether the key is publishable: it has origins, so web pages contain it.
    pub fn is_publishable(&self) -> bool {
        !self.origins.is_empty()
    }

    /// Checks that the properties are valid together, at the time `now`.
    ///
    /// # Errors
    /// The first [`DraftError`].
    pub fn check(&self, now: DateTime<Utc>) -> Result<(), DraftError> {
        let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let publishable = self.is_publishable();
        if !(1..=MAX_NAME).contains(&self.name.len()) || !self.name.chars().all(in_name) {
            Err(DraftError::Name)
        } else if self.scopes.is_empty() {
            Err(DraftError::NoScope)
        } else if publishable && !self.scopes.only_create() {
            Err(DraftError::PublishableScope)
        } else if publishable && self.forwards_visitors {
            Err(DraftError::PublishableForwards)
        } else if !self.origins.iter().all(|origin| is_origin(origin)) {
            Err(DraftError::Origin)
        } else if self.expires_at.is_some_and(|end| end <= now) {
            Err(DraftError::Expired)
        } else {
            Ok(())
        }
    }
}

/// Whether `text` is an origin exactly as browsers send it: a scheme, a host in lower case, and the
/// port unless it is the scheme's default. Any other spelling would never match.
pub fn is_origin(text: &str) -> bool {
    // The URL parser allows more characters in a host, such as `*`; a pattern is not an origin.
    let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-:[]_/".contains(&b);
    text.bytes().all(known)
        && Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text
        })
}

/// Which keys are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhichKeys {
    /// All with this name, or the one with this prefix.
    Called(String),
    /// The one with this id.
    One(ApiKeyId),
}

impl From<&str> for WhichKeys {
    fn from(name_or_prefix: &str) -> Self {
        Self::Called(name_or_prefix.to_owned())
    }
}

/// A key that is not stored yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// Its properties.
    pub draft: ApiKeyDraft,
    /// The public part of the token, by which the key is looked up; unique.
    pub prefix: TokenPrefix,
    /// The digest of the token, for verification.
    pub digest: TokenDigest,
    /// When the key was created.
    pub created_at: DateTime<Utc>,
}

/// A stored key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The id.
    pub id: ApiKeyId,
    /// Its properties.
    pub draft: ApiKeyDraft,
    /// The public part of the token, by which the key is looked up.
    pub prefix: TokenPrefix,
    /// The digest of the token, for verification.
    pub digest: TokenDigest,
    /// When the key was created.
    pub created_at: DateTime<Utc>,
    /// When the key was revoked; `None` if it was not.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Approximately when the key was last used.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl ApiKey {
    /// Whether the key is neither revoked nor expired at the time `now`.
    pub fn is_alive(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.draft.expires_at.is_none_or(|end| now < end)
    }

    /// Whether a page of `origin` may use the key. Without an origin: whether requests that do not
    /// come from a browser's page may.
    pub fn admits(&self, origin: Option<&str>) -> bool {
        let origins = &self.draft.origins;
        origins.is_empty() || origin.is_some_and(|origin| origins.iter().any(|own| own == origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn draft() -> ApiKeyDraft {
        ApiKeyDraft {
            name: "website".to_owned(),
            scopes: Scopes::of([Scope::create("leads")]),
            origins: Vec::new(),
            rate: None,
            forwards_visitors: false,
            expires_at: None,
        }
    }

    fn second(number: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(number, 0).unwrap()
    }

    #[rstest]
    #[case::plain(|_: &mut ApiKeyDraft| (), Ok(()))]
    #[case::longest_name(|d: &mut ApiKeyDraft| d.name = "a".repeat(50), Ok(()))]
    #[case::reader(|d: &mut ApiKeyDraft| d.scopes = Scopes::of([Scope::read("leads")]), Ok(()))]
    #[case::forwarder(|d: &mut ApiKeyDraft| d.forwards_visitors = true, Ok(()))]
    #[case::no_name(|d: &mut ApiKeyDraft| d.name.clear(), Err(DraftError::Name))]
    #[case::long_name(|d: &mut ApiKeyDraft| d.name = "a".repeat(51), Err(DraftError::Name))]
    #[case::spaced_name(|d: &mut ApiKeyDraft| d.name = "a b".into(), Err(DraftError::Name))]
    #[case::no_scope(|d: &mut ApiKeyDraft| d.scopes = Scopes::NONE, Err(DraftError::NoScope))]
    #[case::publishable(|d: &mut ApiKeyDraft| d.origins = vec!["https://a.hr".into()], Ok(()))]
    #[case::publishable_reader(
        |d: &mut ApiKeyDraft| {
            d.origins = vec!["https://a.hr".into()];
            d.scopes = Scopes::of([Scope::create("leads"), Scope::read("leads")]);
        },
        Err(DraftError::PublishableScope)
    )]
    #[case::publishable_forwarder(
        |d: &mut ApiKeyDraft| {
            d.origins = vec!["https://a.hr".into()];
            d.forwards_visitors = true;
        },
        Err(DraftError::PublishableForwards)
    )]
    #[case::no_origin(|d: &mut ApiKeyDraft| d.origins = vec!["a.hr".into()], Err(DraftError::Origin))]
    #[case::over(|d: &mut ApiKeyDraft| d.expires_at = Some(second(10)), Err(DraftError::Expired))]
    #[case::soon(|d: &mut ApiKeyDraft| d.expires_at = Some(second(11)), Ok(()))]
    fn a_key_is_made_of_parts_that_go_together(
        #[case] change: fn(&mut ApiKeyDraft),
        #[case] outcome: Result<(), DraftError>,
    ) {
        let mut draft = draft();
        change(&mut draft);
        assert_eq!(draft.check(second(10)), outcome);
    }

    #[rstest]
    #[case("https://exit3.agency", true)]
    #[case("https://exit3.agency:8443", true)]
    #[case("http://localhost:3000", true)]
    #[case("http://[::1]:3000", true)]
    #[case("https://xn--strae-oqa.de", true)]
    #[case("exit3.agency", false)]
    #[case("https://", false)]
    #[case("https://exit3.agency/", false)]
    #[case("https://exit3.agency/page", false)]
    #[case("https://Exit3.agency", false)]
    #[case("https://exit3.agency:443", false)]
    #[case("http://exit3.agency:80", false)]
    #[case("https://exit3.agency:", false)]
    #[case("https://exit3.agency:080", false)]
    #[case("https://a:b:c", false)]
    #[case("https://a:70000", false)]
    #[case("https://[::1", false)]
    #[case("https://*.exit3.agency", false)]
    #[case("https://ana@exit3.agency", false)]
    #[case("ftp://exit3.agency", false)]
    #[case("null", false)]
    fn an_origin_is_spelled_as_browsers_send_it(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(is_origin(text), valid);
    }

    fn key(change: impl FnOnce(&mut ApiKey)) -> ApiKey {
        let token = KeyToken::secret(&[7; ENTROPY]);
        let mut key = ApiKey {
            id: ApiKeyId(1),
            draft: draft(),
            prefix: token.prefix().clone(),
            digest: token.digest(),
            created_at: second(0),
            revoked_at: None,
            last_used_at: None,
        };
        change(&mut key);
        key
    }

    #[test]
    fn a_key_lives_until_it_expires_or_is_revoked() {
        assert!(key(|_| ()).is_alive(second(10)));
        let expiring = key(|key| key.draft.expires_at = Some(second(10)));
        assert!(expiring.is_alive(second(9)) && !expiring.is_alive(second(10)));
        assert!(!key(|key| key.revoked_at = Some(second(3))).is_alive(second(10)));
    }

    #[rstest]
    #[case(Some("https://exit3.agency"), true)]
    #[case(Some("https://exit3.agency.evil.org"), false)]
    #[case(Some("http://exit3.agency"), false)]
    #[case(Some("null"), false)]
    #[case(None, false)]
    fn a_publishable_key_serves_its_origins_only(#[case] origin: Option<&str>, #[case] may: bool) {
        let publishable = key(|key| key.draft.origins = vec!["https://exit3.agency".into()]);
        assert_eq!(publishable.admits(origin), may);
        assert!(key(|_| ()).admits(origin));
    }
}
