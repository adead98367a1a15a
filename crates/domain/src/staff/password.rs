//! Password hashes: creates Argon2id, and verifies Django's hashes too.
//!
//! Hashing and verifying take a fraction of a second by design. Call them on a thread that may
//! block.

use std::fmt;

use argon2::{Argon2, Params, PasswordHasher, PasswordVerifier};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pbkdf2::pbkdf2_hmac_array;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::api_keys::TokenDigest;

/// The number of random bytes of salt.
pub const SALT: usize = 16;

/// A password hash as text: `$argon2id$…` (PHC), or Django's
/// `pbkdf2_sha256$iterations$salt$digest`. Any other text, such as Django's marker for accounts
/// without a password, is kept but matches no password. `Debug` does not print the hash.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// The password was correct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Whether to hash the password again, because the parameters differ from those of
    /// [`PasswordHash::of`].
    pub needs_rehash: bool,
}

/// The password is too long (4 GiB), or memory ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the password cannot be hashed")]
pub struct NotHashed;

impl PasswordHash {
    /// Hashes a password with Argon2id, with 19 MiB and two passes (the minimum that OWASP
    /// recommends). Blocks for some hundredths of a second.
    ///
    /// # Errors
    /// [`NotHashed`].
    pub fn of(password: &str, salt: &[u8; SALT]) -> Result<Self, NotHashed> {
        let hashed = Argon2::default().hash_password_with_salt(password.as_bytes(), salt);
        hashed.map(|hash: argon2::PasswordHash| Self(hash.to_string())).map_err(|_| NotHashed)
    }

    /// What is stored for an account without a password, as in Django. It matches no password.
    pub fn none() -> Self {
        Self("!".to_owned())
    }

    /// Wraps a stored hash.
    pub fn kept(text: String) -> Self {
        Self(text)
    }

    /// The hash as it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digest by which a sign-in recognises the hash.
    pub fn digest(&self) -> TokenDigest {
        TokenDigest::of(self.0.as_bytes())
    }

    /// Compares `password` with the hash; `None` if it is wrong. Blocks for up to a second.
    pub fn verify(&self, password: &str) -> Option<Verified> {
        if self.0.starts_with("pbkdf2_sha256$") {
            return verify_pbkdf2(&self.0, password).then_some(Verified { needs_rehash: true });
        }
        let hash = argon2::PasswordHash::new(&self.0).ok()?;
        Argon2::default().verify_password(password.as_bytes(), &hash).ok()?;
        let same = hash.algorithm == argon2::ARGON2ID_IDENT
            && hash.version == Some(argon2::Version::default().into())
            && Params::try_from(&hash)
                .is_ok_and(|params| costs(&params) == costs(&Params::default()));
        Some(Verified { needs_rehash: !same })
    }
}

/// Memory, passes and lanes.
fn costs(params: &Params) -> [u32; 3] {
    [params.m_cost(), params.t_cost(), params.p_cost()]
}

/// Verifies `pbkdf2_sha256$iterations$salt$digest`: the salt is used as it is, the digest is 32
/// bytes in base64.
fn verify_pbkdf2(hash: &str, password: &str) -> bool {
    let mut parts = hash.split('$').skip(1);
    let (Some(iterations), Some(salt), Some(digest), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (Ok(iterations), Ok(digest)) = (iterations.parse::<u32>(), STANDARD.decode(digest)) else {
        return false;
    };
    if iterations == 0 {
        return false;
    }
    let own = pbkdf2_hmac_array::<Sha256, 32>(password.as_bytes(), salt.as_bytes(), iterations);
    own.ct_eq(digest.as_slice()).into()
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// The output of Django's `PBKDF2PasswordHasher().encode("čšž & <b>", "salt1234", 1000)`.
    /// Django's default is a million iterations.
    const DJANGO: &str = "pbkdf2_sha256$1000$salt1234$0MkIbA//XLhl/1pt7bdW78lx9UliMntyd3c6Q+3Cl0Y=";

    fn kept(text: &str) -> PasswordHash {
        PasswordHash::kept(text.to_owned())
    }

    #[test]
    fn verifies_what_it_hashed() {
        let hash = PasswordHash::of("čšž", &[7; SALT]).unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
        assert_eq!(hash.verify("čšž"), Some(Verified { needs_rehash: false }));
        assert_eq!(hash.verify("csz"), None);
        assert_ne!(hash, PasswordHash::of("čšž", &[8; SALT]).unwrap());
    }

    #[test]
    fn verifies_hashes_of_django_and_asks_for_a_rehash() {
        let hash = kept(DJANGO);
        assert_eq!(hash.verify("čšž & <b>"), Some(Verified { needs_rehash: true }));
        assert_eq!(hash.verify("čšž & <b> "), None);
        assert_eq!(hash.verify(""), None);
    }

    #[test]
    fn asks_to_rehash_a_weaker_argon2() {
        let weak = Argon2::new(
            argon2::Algorithm::Argon2id,
            argon2::Version::V0x13,
            Params::new(64, 1, 1, None).unwrap(),
        );
        let hash: argon2::PasswordHash =
            weak.hash_password_with_salt(b"secret", &[7; SALT]).unwrap();
        let hash = kept(&hash.to_string());
        assert_eq!(hash.verify("secret"), Some(Verified { needs_rehash: true }));
    }

    #[rstest]
    #[case::nothing("")]
    #[case::no_password("!pV3bXxUnYcGrkZC2uT4mDkFmLw7YBqQy0sJtHa1e")]
    #[case::plain("secret")]
    #[case::no_iterations("pbkdf2_sha256$0$salt$AAAA")]
    #[case::too_many_iterations("pbkdf2_sha256$99999999999$salt$AAAA")]
    #[case::no_digest("pbkdf2_sha256$1000$salt$")]
    #[case::short("pbkdf2_sha256$1000$salt$AAAA")]
    #[case::one_part_more("pbkdf2_sha256$1$salt$AAAA$AAAA")]
    #[case::other("md5$salt$5ebe2294ecd0e0f08eab7690d2a6ee69")]
    #[case::argon2_without_digest("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA")]
    fn no_password_agrees_with_other_texts(#[case] hash: &str) {
        for password in ["", "secret", hash] {
            assert_eq!(kept(hash).verify(password), None);
        }
    }

    #[test]
    fn is_never_printed() {
        assert_eq!(format!("{:?}", kept(DJANGO)), "PasswordHash(…)");
    }
}
