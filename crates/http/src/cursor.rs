//! Cursors: the position of a walk, signed, so that a client can hand back only
//! what it was given.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use exit3_domain::paging::Direction;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::error::ApiError;

/// Bytes of the signature that are kept.
const TAG: usize = 16;

/// Signs cursors.
#[derive(Clone)]
pub struct CursorKey {
    mac: Hmac<Sha256>,
}

/// What a cursor says: a row's place in the order of a list, and which way to
/// go from there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The list and its order, so that a cursor fits no other.
    pub list: String,
    /// Whether to go against the order.
    pub back: bool,
    /// The values that the row is sorted by.
    pub key: Vec<String>,
    /// The row's id.
    pub id: i64,
    /// Up to where the database has been seen that the walk goes through, where that
    /// makes a difference: none that lacks something of it may go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<u64>,
}

impl Cursor {
    /// The way to go.
    pub fn direction(&self) -> Direction {
        if self.back { Direction::Backward } else { Direction::Forward }
    }
}

impl CursorKey {
    /// Derives the key from the service's secret.
    pub fn new(secret: &SecretString) -> Self {
        let mut mac = keyed(secret.expose_secret().as_bytes());
        mac.update(b"exit3 cursor");
        Self { mac: keyed(&mac.finalize().into_bytes()) }
    }

    fn sign(&self, payload: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(payload);
        mac
    }

    /// Writes a cursor.
    pub fn encode(&self, cursor: &Cursor) -> String {
        // A struct of strings and numbers always serializes.
        let payload = serde_json::to_vec(cursor).unwrap_or_default();
        let tag = self.sign(&payload).finalize().into_bytes();
        let mut token: Vec<u8> = tag.into_iter().take(TAG).collect();
        token.extend(payload);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Reads a cursor of `list`.
    ///
    /// # Errors
    /// 400 for anything that [`Self::encode`] did not make for that list.
    pub fn decode(&self, token: &str, list: &str) -> Result<Cursor, ApiError> {
        self.read(token).filter(|cursor| cursor.list == list).ok_or_else(invalid)
    }

    fn read(&self, token: &str) -> Option<Cursor> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (tag, payload) = bytes.split_at_checked(TAG)?;
        self.sign(payload).verify_truncated_left(tag).ok()?;
        serde_json::from_slice(payload).ok()
    }
}

/// 400 for a cursor that leads nowhere.
pub(crate) fn invalid() -> ApiError {
    ApiError::bad_request("Invalid cursor.")
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    // HMAC takes keys of any length: longer ones are hashed, shorter ones padded.
    #[allow(clippy::expect_used, reason = "cannot fail, see above")]
    Hmac::new_from_slice(key).expect("any length of key")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str) -> CursorKey {
        CursorKey::new(&SecretString::from(secret.to_owned()))
    }

    fn cursor() -> Cursor {
        Cursor {
            list: "leads -created_at".into(),
            back: false,
            key: vec!["1790000000000001".into()],
            id: 7,
            seen: Some(u64::MAX),
        }
    }

    #[test]
    fn reads_what_it_wrote() {
        let token = key("s").encode(&cursor());
        assert_eq!(key("s").decode(&token, "leads -created_at").unwrap(), cursor());
    }

    #[test]
    fn refuses_what_it_did_not_write() {
        let token = key("s").encode(&cursor());
        assert!(key("other").decode(&token, "leads -created_at").is_err());
        assert!(key("s").decode(&token, "leads created_at").is_err());
        for forged in ["", "x", "AAAA", &token[1..], &format!("{token}A")] {
            assert!(key("s").decode(forged, "leads -created_at").is_err());
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let token = URL_SAFE_NO_PAD.decode(key("s").encode(&cursor())).unwrap();
        for place in 0..token.len() {
            let mut forged = token.clone();
            forged[place] ^= 1;
            let forged = URL_SAFE_NO_PAD.encode(forged);
            assert!(key("s").decode(&forged, "leads -created_at").is_err());
        }
    }
}
