//! Cursors: encrypted positions of walks. Clients can only send cursors that they were given, and
//! links do not reveal names or addresses.
//!
//! A cursor is a version byte, a nonce, and the position encrypted with XChaCha20-Poly1305, with
//! the list and its order as associated data. The nonce is a keyed hash of all of these, so
//! different cursors never share a nonce.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit as _, XChaCha20Poly1305, XNonce};
use exit3_domain::paging::Direction;
use exit3_web::ApiError;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// The current format. Releases before 0.2 signed cursors without encrypting them; those are
/// refused.
const VERSION: u8 = 2;
/// The length of the nonce in bytes.
const NONCE: usize = 24;
/// The maximum length of a token that is decoded. The longest one that is written contains a name
/// of 255 four-byte characters and is shorter than 1,500.
const LONGEST: usize = 2048;

/// Encrypts and decrypts cursors.
#[derive(Clone)]
pub struct CursorKey {
    cipher: XChaCha20Poly1305,
    nonces: Hmac<Sha256>,
}

/// The content of a cursor: a position in the order of a list, and a direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Whether to go against the order.
    pub back: bool,
    /// The sort values of the row.
    pub key: Vec<String>,
    /// The id of the row.
    pub id: i64,
    /// The log position that the walk has seen, if the database has replicas. The walk continues
    /// only on a server that has reached it.
    pub seen: Option<u64>,
}

impl Cursor {
    /// The direction.
    pub fn direction(&self) -> Direction {
        if self.back { Direction::Backward } else { Direction::Forward }
    }

    /// Two flags, the numbers, and each value preceded by its length.
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![u8::from(self.back), u8::from(self.seen.is_some())];
        bytes.extend(self.id.to_be_bytes());
        bytes.extend(self.seen.unwrap_or_default().to_be_bytes());
        for value in &self.key {
            // A value is a field of a row, with a few hundred characters.
            bytes.extend(u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend(value.as_bytes());
        }
        bytes
    }

    fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (&[back, has_seen], bytes) = bytes.split_first_chunk()?;
        let (id, bytes) = bytes.split_first_chunk()?;
        let (seen, mut bytes) = bytes.split_first_chunk()?;
        let seen = (has_seen == 1).then(|| u64::from_be_bytes(*seen));
        let mut key = Vec::new();
        while let Some((length, rest)) = bytes.split_first_chunk() {
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let (value, rest) = rest.split_at_checked(length)?;
            key.push(std::str::from_utf8(value).ok()?.to_owned());
            bytes = rest;
        }
        let id = i64::from_be_bytes(*id);
        bytes.is_empty().then_some(Self { back: back == 1, key, id, seen })
    }
}

impl CursorKey {
    /// Derives the keys from the secret in the settings.
    pub fn new(secret: &SecretString) -> Self {
        let derive = |purpose: &[u8]| {
            let mut mac = keyed(secret.expose_secret().as_bytes());
            mac.update(purpose);
            mac.finalize().into_bytes()
        };
        let key = derive(b"exit3 cursor encryption");
        let nonces = keyed(&derive(b"exit3 cursor nonces"));
        Self { cipher: XChaCha20Poly1305::new(Key::from_slice(&key)), nonces }
    }

    /// Encodes a cursor for `list`.
    pub fn encode(&self, cursor: &Cursor, list: &str) -> String {
        let bytes = cursor.to_bytes();
        let mut nonce = self.nonces.clone();
        nonce.update(list.as_bytes());
        nonce.update(&[0]);
        nonce.update(&bytes);
        let nonce: Vec<u8> = nonce.finalize().into_bytes().into_iter().take(NONCE).collect();
        let payload = Payload { msg: &bytes, aad: &bound(list) };
        // Fails only for messages of many gigabytes.
        let sealed = self.cipher.encrypt(XNonce::from_slice(&nonce), payload).unwrap_or_default();
        URL_SAFE_NO_PAD.encode([&[VERSION], nonce.as_slice(), sealed.as_slice()].concat())
    }

    /// Decodes a cursor for `list`.
    ///
    /// # Errors
    /// 400 for anything that [`Self::encode`] did not make for that list.
    pub fn decode(&self, token: &str, list: &str) -> Result<Cursor, ApiError> {
        self.read(token, list).ok_or_else(invalid)
    }

    fn read(&self, token: &str, list: &str) -> Option<Cursor> {
        if token.len() > LONGEST {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (&version, bytes) = bytes.split_first()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE)?;
        let payload = Payload { msg: sealed, aad: &bound(list) };
        let bytes = self.cipher.decrypt(XNonce::from_slice(nonce), payload).ok()?;
        (version == VERSION).then(|| Cursor::of_bytes(&bytes))?
    }
}

/// The associated data of a cursor, which binds it to the list, the order and the version.
fn bound(list: &str) -> Vec<u8> {
    [&[VERSION], list.as_bytes()].concat()
}

/// The error for an invalid cursor: 400.
pub(crate) fn invalid() -> ApiError {
    ApiError::bad_request("Invalid cursor.")
}

pub(crate) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    // HMAC accepts keys of any length: longer ones are hashed, shorter ones padded.
    #[allow(clippy::expect_used, reason = "cannot fail, see above")]
    Hmac::new_from_slice(key).expect("any length of key")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str) -> CursorKey {
        CursorKey::new(&SecretString::from(secret.to_owned()))
    }

    const LIST: &str = "leads -created_at";

    fn cursor() -> Cursor {
        Cursor { back: false, key: vec!["1790000000000001".into()], id: 7, seen: Some(u64::MAX) }
    }

    #[test]
    fn reads_what_it_wrote() {
        let key = key("s");
        for cursor in [
            cursor(),
            Cursor { back: true, key: vec![], id: i64::MIN, seen: None },
            Cursor { key: vec![String::new(), "Đ \"\0".into()], seen: Some(0), ..cursor() },
        ] {
            assert_eq!(key.decode(&key.encode(&cursor, LIST), LIST).unwrap(), cursor);
        }
    }

    #[test]
    fn refuses_what_it_did_not_write() {
        let token = key("s").encode(&cursor(), LIST);
        assert!(key("other").decode(&token, LIST).is_err());
        assert!(key("s").decode(&token, "leads created_at").is_err());
        let long = "A".repeat(100_000);
        for forged in ["", "x", "AAAA", "é", &token[1..], &format!("{token}A"), &long] {
            assert!(key("s").decode(forged, LIST).is_err());
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let token = URL_SAFE_NO_PAD.decode(key("s").encode(&cursor(), LIST)).unwrap();
        for bit in 0..token.len() * 8 {
            let mut forged = token.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            let forged = URL_SAFE_NO_PAD.encode(forged);
            assert!(key("s").decode(&forged, LIST).is_err());
        }
        for length in 0..token.len() {
            let cut = URL_SAFE_NO_PAD.encode(&token[..length]);
            assert!(key("s").decode(&cut, LIST).is_err());
        }
    }

    #[test]
    fn a_cursor_reveals_nothing_of_the_row() {
        let key = key("s");
        let cursor = Cursor { key: vec!["ana.horvat@acme.hr".into()], ..cursor() };
        let token = key.encode(&cursor, LIST);
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for part in ["ana", "horvat", "acme", "leads", "created_at"] {
            let found = bytes.windows(part.len()).any(|window| window == part.as_bytes());
            assert!(!found && !token.contains(part), "{part} in {token}");
        }
        // A different row gives a different nonce, and thus a different key stream.
        let other = Cursor { id: 8, ..cursor };
        let other = URL_SAFE_NO_PAD.decode(key.encode(&other, LIST)).unwrap();
        assert_ne!(bytes[1..=NONCE], other[1..=NONCE]);
    }

    #[test]
    fn the_longest_name_makes_a_token_that_is_read() {
        let key = key("s");
        for character in ["a", "\"", "\n", "đ", "語", "🦀"] {
            let cursor = Cursor { key: vec![character.repeat(255)], ..cursor() };
            let token = key.encode(&cursor, LIST);
            assert!(token.len() < 1500, "{} characters", token.len());
            assert_eq!(key.decode(&token, LIST).unwrap(), cursor);
        }
    }

    /// A cursor of release 0.1, signed with the secret `s`.
    #[test]
    fn refuses_a_cursor_of_an_earlier_release() {
        let payload =
            br#"{"list":"leads -created_at","back":false,"key":["1790000000000001"],"id":7}"#;
        let mut mac = keyed(b"s");
        mac.update(b"exit3 cursor");
        let mut mac = keyed(&mac.finalize().into_bytes());
        mac.update(payload);
        let tag = mac.finalize().into_bytes();
        let token = URL_SAFE_NO_PAD.encode([&tag[..16], payload].concat());
        assert!(key("s").decode(&token, LIST).is_err());
    }
}
