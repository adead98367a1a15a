use std::fmt;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// The number of random bytes in a token.
pub const ENTROPY: usize = 40;

/// How many of the random bytes form the prefix.
const PREFIX_ENTROPY: usize = 8;
/// Characters of the prefix.
const PREFIX: usize = 12;
/// Characters of the secret part.
const SECRET: usize = 32;
/// Characters of the checksum; 62^6 is more than 2^32.
const CHECKSUM: usize = 6;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The token of a key, as its holder sends it: `exit3_sk_` (`exit3_pk_` if the key is publishable),
/// 12 characters of prefix, 32 secret characters, and a CRC-32 over all of these as six characters
/// in base 62. With the checksum, secret scanners can recognize a token offline.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyToken {
    text: String,
    prefix: TokenPrefix,
}

impl KeyToken {
    /// The token of a secret key, made of `random` bytes.
    pub fn secret(random: &[u8; ENTROPY]) -> Self {
        Self::new("exit3_sk_", random)
    }

    /// The token of a publishable key, made of `random` bytes.
    pub fn publishable(random: &[u8; ENTROPY]) -> Self {
        Self::new("exit3_pk_", random)
    }

    fn new(kind: &str, random: &[u8; ENTROPY]) -> Self {
        let mut random = *random;
        let (prefix, secret) = random.split_at_mut(PREFIX_ENTROPY);
        let mut text = String::from(kind);
        text.extend(base62::<PREFIX>(prefix).map(char::from));
        text.extend(base62::<SECRET>(secret).map(char::from));
        text.extend(checksum(text.as_bytes()).map(char::from));
        let prefix = text.split_at(kind.len()).1.chars().take(PREFIX).collect();
        Self { text, prefix: TokenPrefix(prefix) }
    }

    /// The whole token, which is secret.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The prefix by which the key is looked up; not secret.
    pub fn prefix(&self) -> &TokenPrefix {
        &self.prefix
    }

    /// The digest that is stored instead of the token. 190 bits of the token are random and secret,
    /// so brute force is hopeless and a fast digest is enough.
    pub fn digest(&self) -> TokenDigest {
        TokenDigest::of(self.text.as_bytes())
    }
}

impl fmt::Debug for KeyToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyToken({}…)", self.prefix)
    }
}

/// The prefix by which a key is looked up: twelve letters and digits, not secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenPrefix(pub String);

impl TokenPrefix {
    /// Parses what a client sent; `None` if it is not a well-formed token, which needs no query.
    pub fn of(presented: &[u8]) -> Option<Self> {
        let secret = presented.strip_prefix(b"exit3_sk_");
        let rest = secret.or_else(|| presented.strip_prefix(b"exit3_pk_"))?;
        // Checking every byte is faster than stopping at the first wrong one.
        let belong = || rest.iter().fold(true, |all, byte| all & byte.is_ascii_alphanumeric());
        if rest.len() != PREFIX + SECRET + CHECKSUM || !belong() {
            return None;
        }
        let (body, end) = presented.split_last_chunk()?;
        let (prefix, _) = rest.split_at(PREFIX);
        let prefix = std::str::from_utf8(prefix).ok()?;
        (*end == checksum(body)).then(|| Self(prefix.to_owned()))
    }
}

impl fmt::Display for TokenPrefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The SHA-256 of a token. Comparisons take constant time.
#[derive(Clone, Copy, Eq)]
pub struct TokenDigest(pub [u8; 32]);

impl TokenDigest {
    /// The digest of `presented`, which need not be a token.
    pub fn of(presented: &[u8]) -> Self {
        Self(Sha256::digest(presented).into())
    }

    fn words(&self) -> impl Iterator<Item = u64> {
        let (words, _) = self.0.as_chunks();
        words.iter().map(|word| u64::from_ne_bytes(*word))
    }
}

impl PartialEq for TokenDigest {
    /// Compares whole words: comparing single bytes would take longer than computing the digest.
    fn eq(&self, other: &Self) -> bool {
        let pairs = self.words().zip(other.words());
        pairs.fold(Choice::from(1), |equal, (own, other)| equal & own.ct_eq(&other)).into()
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TokenDigest(…)")
    }
}

/// The last digits of a number in base 62. `number` is overwritten.
fn base62<const DIGITS: usize>(number: &mut [u8]) -> [u8; DIGITS] {
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0;
        for byte in number.iter_mut() {
            let value = rest * 256 + u32::from(*byte);
            // Less than 256, because the remainder before it is less than 62.
            *byte = (value / 62) as u8;
            rest = value % 62;
        }
        *digit = ALPHABET.get(rest as usize).copied().unwrap_or(b'0');
    }
    digits
}

fn checksum(text: &[u8]) -> [u8; CHECKSUM] {
    base62(&mut crc32fast::hash(text).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_token_is_recognised_by_its_form() {
        let token = KeyToken::secret(&[7; ENTROPY]);
        assert_eq!(token.expose().len(), 9 + 12 + 32 + 6);
        assert!(token.expose().starts_with(&format!("exit3_sk_{}", token.prefix())));
        assert!(KeyToken::publishable(&[7; ENTROPY]).expose().starts_with("exit3_pk_"));
    }

    #[test]
    fn base_62_has_the_expected_digits() {
        assert_eq!(base62(&mut [0]), *b"00");
        assert_eq!(base62(&mut [61]), *b"0z");
        assert_eq!(base62(&mut [1, 0]), *b"048");
    }

    #[test]
    fn a_digest_differs_in_any_byte() {
        let digest = TokenDigest::of(b"key");
        assert_eq!(digest, TokenDigest::of(b"key"));
        for at in 0..32 {
            let mut other = digest;
            other.0[at] ^= 1;
            assert_ne!(digest, other, "byte {at}");
            // Two differences must not cancel each other out.
            other.0[(at + 8) % 32] ^= 1;
            assert_ne!(digest, other, "byte {at} and another");
        }
    }

    #[test]
    fn a_token_does_not_show_itself() {
        let token = KeyToken::secret(&[7; ENTROPY]);
        let shown = format!("{token:?} {:?}", token.digest());
        let (_, secret) = token.expose().split_at(9 + PREFIX);
        assert!(!shown.contains(secret));
        assert_eq!(shown, format!("KeyToken({}\u{2026}) TokenDigest(\u{2026})", token.prefix()));
    }

    proptest! {
        #[test]
        fn generated_tokens_are_recognized(random in prop::array::uniform32(any::<u8>()), more: u64) {
            let mut all = [0; ENTROPY];
            all[..32].copy_from_slice(&random);
            all[32..].copy_from_slice(&more.to_be_bytes());
            let token = KeyToken::secret(&all);
            let found = TokenPrefix::of(token.expose().as_bytes());
            prop_assert_eq!(found.as_ref(), Some(token.prefix()));
        }

        #[test]
        fn a_wrong_character_is_noticed(at in 0_usize..59, other in "[0-9A-Za-z_]") {
            let token = KeyToken::secret(&[9; ENTROPY]);
            let mut text = token.expose().to_owned();
            text.replace_range(at..=at, &other);
            let changed = text != token.expose();
            prop_assert_eq!(TokenPrefix::of(text.as_bytes()).is_none(), changed);
        }

        #[test]
        fn random_bytes_are_never_a_token(bytes: Vec<u8>) {
            prop_assert_eq!(TokenPrefix::of(&bytes), None);
        }
    }
}
