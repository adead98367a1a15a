//! Sign-ins of staff, and invitations to choose a password.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};

use crate::api_keys::TokenDigest;
use crate::staff::{Role, Staff, StaffId};

/// The number of random bytes in a token.
pub const TOKEN: usize = 32;
/// The most characters of the name of a browser that are kept.
pub const AGENT: usize = 255;
/// The most characters of an address that are kept.
pub const ADDRESS: usize = 64;
/// How far the noted time of the last request may be behind, so that reading pages writes little.
pub const NOTED_WITHIN: TimeDelta = TimeDelta::seconds(60);
/// A person who opens no page for this time has left. So a visit has pauses, but a night ends it.
pub const AWAY: TimeDelta = TimeDelta::hours(4);
/// For how long an invitation to a person is valid.
pub const INVITATION: TimeDelta = TimeDelta::hours(72);
/// For how long the invitation to make the first account is valid.
pub const FIRST_INVITATION: TimeDelta = TimeDelta::hours(1);

/// A secret of 256 random bits, written as 43 letters, digits, hyphens and underscores: the cookie
/// of a sign-in, or the last part of the address of an invitation.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretToken(String);

impl SecretToken {
    /// A token made of `random` bytes.
    pub fn of(random: &[u8; TOKEN]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(random))
    }

    /// The whole token, which is secret.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The digest that is stored instead of the token.
    pub fn digest(&self) -> TokenDigest {
        TokenDigest::of(self.0.as_bytes())
    }

    /// The digest of a token that somebody has sent; `None` if it is no token, which needs no query.
    pub fn digest_of(presented: &str) -> Option<TokenDigest> {
        let bytes = URL_SAFE_NO_PAD.decode(presented).ok()?;
        (bytes.len() == TOKEN).then(|| TokenDigest::of(presented.as_bytes()))
    }
}

impl fmt::Debug for SecretToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretToken(…)")
    }
}

/// Identifies a sign-in. The database assigns it and never reuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignInId(pub i64);

/// A sign-in that is not stored yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSignIn {
    /// The digest of its token.
    pub digest: TokenDigest,
    /// Who signed in.
    pub staff: StaffId,
    /// The digest of the hash of the password, so that the sign-in ends whenever the password is
    /// replaced, also by an earlier release or an import.
    pub password: TokenDigest,
    /// When, in whole microseconds.
    pub created_at: DateTime<Utc>,
    /// When it ends at the latest, in whole microseconds.
    pub ends_at: DateTime<Utc>,
    /// The name of the browser, at most [`AGENT`] characters without NUL; may be empty.
    pub agent: String,
    /// The address, at most [`ADDRESS`] characters without NUL.
    pub address: String,
}

/// A stored sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The id.
    pub id: SignInId,
    /// Who signed in.
    pub staff: StaffId,
    /// The digest of the hash of the password that was valid then.
    pub password: TokenDigest,
    /// When, in whole microseconds.
    pub created_at: DateTime<Utc>,
    /// When it was last used, up to [`NOTED_WITHIN`] too early.
    pub seen_at: DateTime<Utc>,
    /// When it ends at the latest, in whole microseconds.
    pub ends_at: DateTime<Utc>,
    /// The name of the browser.
    pub agent: String,
    /// The address.
    pub address: String,
}

impl SignIn {
    /// Whether it is valid at this time. One that is not used for the time `idle` ends.
    pub fn is_alive(&self, now: DateTime<Utc>, idle: TimeDelta) -> bool {
        now < self.ends_at && now - self.seen_at < idle
    }

    /// Whether the time of its last use must be noted again.
    pub fn must_be_noted(&self, now: DateTime<Utc>) -> bool {
        now - self.seen_at >= NOTED_WITHIN
    }
}

/// The role in which this account may work now; `None` if it may not sign in.
pub fn admitted(staff: &Staff) -> Option<Role> {
    staff.profile.works_as().filter(|_| staff.profile.is_active)
}

/// An invitation that is not stored yet. It can be used once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvitation {
    /// The digest of its token.
    pub digest: TokenDigest,
    /// Whose password it sets; `None` to make the account of the first owner.
    pub staff: Option<StaffId>,
    /// When it was made, in whole microseconds.
    pub created_at: DateTime<Utc>,
    /// When it ends, in whole microseconds.
    pub ends_at: DateTime<Utc>,
}

/// A text without the characters that are not stored, of at most `most` characters.
pub fn shortened(text: &str, most: usize) -> String {
    text.chars().filter(|character| !character.is_control()).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_secs(1_790_000_000 + seconds).unwrap()
    }

    #[test]
    fn a_token_is_known_by_its_digest_and_is_not_printed() {
        let token = SecretToken::of(&[0xfb; TOKEN]);
        assert_eq!(token.expose(), "-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s");
        assert_eq!(SecretToken::digest_of(token.expose()), Some(token.digest()));
        assert_eq!(format!("{token:?}"), "SecretToken(…)");
        for other in
            ["", "a", &"a".repeat(42), &"a".repeat(44), &"č".repeat(43), "/".repeat(43).as_str()]
        {
            assert_eq!(SecretToken::digest_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_sign_in_ends_when_it_is_idle_and_in_any_case_at_its_end() {
        let sign_in = SignIn {
            id: SignInId(1),
            staff: StaffId(1),
            password: TokenDigest::of(b""),
            created_at: time(0),
            seen_at: time(0),
            ends_at: time(1_000),
            agent: String::new(),
            address: String::new(),
        };
        let alive = |now, idle| sign_in.is_alive(time(now), TimeDelta::seconds(idle));
        assert!(alive(0, 1) && alive(99, 100) && alive(999, 5_000));
        assert!(!alive(100, 100) && !alive(1_000, 5_000));
        // The clock of another node is behind.
        assert!(alive(-5, 100));
        assert!(!sign_in.must_be_noted(time(59)) && sign_in.must_be_noted(time(60)));
    }

    #[test]
    fn texts_of_strangers_are_shortened() {
        assert_eq!(shortened("Moz\0illa\r\n \u{1f98a}ab", 10), "Mozilla \u{1f98a}a");
    }
}
