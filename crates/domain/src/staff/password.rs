//! Passwords: hashed with Argon2id, and verified as Django hashed them.
//!
//! Hashing and verifying take a fraction of a second on purpose: whoever serves
//! others as well puts them on a thread that may block.

use std::fmt;

use argon2::{Argon2, Params, PasswordHasher, PasswordVerifier};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pbkdf2::pbkdf2_hmac_array;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// How many random bytes a hash begins with.
pub const SALT: usize = 16;

/// What a password is compared with, as text: of the form `$argon2id$…` (PHC) or
/// Django's `pbkdf2_sha256$iterations$salt$digest`. Any other text, such as the one
/// by which Django marks an account without a password, is kept, and no password
/// agrees with it. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// A password that was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Whether it should be hashed anew, because this hash was not made as
    /// [`PasswordHash::of`] makes them.
    pub needs_rehash: bool,
}

/// A password that is too long to be hashed (4 GiB), or no memory to hash it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the password cannot be hashed")]
pub struct NotHashed;

impl PasswordHash {
    /// Hashes a password with Argon2id, with 19 MiB and two passes (what OWASP asks
    /// for at least). Blocks for some hundredths of a second.
    ///
    /// # Errors
    /// [`NotHashed`].
    pub fn of(password: &str, salt: &[u8; SALT]) -> Result<Self, NotHashed> {
        let hashed = Argon2::default().hash_password_with_salt(password.as_bytes(), salt);
        hashed.map(|hash: argon2::PasswordHash| Self(hash.to_string())).map_err(|_| NotHashed)
    }

    /// A hash as it was kept.
    pub fn kept(text: String) -> Self {
        Self(text)
    }

    /// The hash as it is kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `password` is the one; `None` where it is not. Blocks for up to a
    /// second.
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

/// `pbkdf2_sha256$iterations$salt$digest`: the salt is taken as it stands there, the
/// digest is base64 of 32 bytes.
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

    /// As Django's `PBKDF2PasswordHasher().encode("čšž & <b>", "salt1234", 1000)` has
    /// it; usual are a million iterations.
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
    fn verifies_what_django_hashed_and_wants_it_hashed_anew() {
        let hash = kept(DJANGO);
        assert_eq!(hash.verify("čšž & <b>"), Some(Verified { needs_rehash: true }));
        assert_eq!(hash.verify("čšž & <b> "), None);
        assert_eq!(hash.verify(""), None);
    }

    #[test]
    fn wants_a_weaker_argon2_hashed_anew() {
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
