//! Finds secrets that can be guessed.

use std::collections::BTreeSet;

use secrecy::{ExposeSecret, SecretString};

use super::super::{Arguments, words};
use super::Findings;

/// Characters of a sufficiently long secret.
const LONG: usize = 32;
/// The number of different characters in it; 32 random digits have more.
const DIFFERENT: usize = 7;
/// Characters of a sufficiently long passphrase; age makes guessing slow.
const LONG_ENOUGH: usize = 16;

pub(super) fn find(found: &mut Findings, arguments: &Arguments) {
    let (secret, key) = (&arguments.secret_key, &arguments.basic_api_key);
    let remedy = "make one with `openssl rand -base64 32`";
    let problem = "is shorter than 32 characters, a placeholder, or easy to guess";
    found.danger(secret.as_ref().is_some_and(is_weak), "SECRET_KEY", problem, remedy);
    found.danger(key.as_ref().is_some_and(is_weak), "BASIC_API_KEY", problem, remedy);
    let text =
        |secret: &Option<SecretString>| secret.as_ref().map(|s| s.expose_secret().to_owned());
    found.danger(
        secret.is_some() && text(secret) == text(key),
        "BASIC_API_KEY",
        "is the same as SECRET_KEY",
        remedy,
    );
    let passphrase = arguments.backup_passphrase.as_ref();
    let characters = passphrase.map(|passphrase| passphrase.expose_secret().chars().count());
    found.add(
        characters.is_some_and(|characters| characters < LONG_ENOUGH),
        "BACKUP_PASSPHRASE",
        "is shorter than 16 characters",
        "make one with `openssl rand -base64 32`, and keep this one for existing archives",
    );
}

fn is_weak(secret: &SecretString) -> bool {
    let text = secret.expose_secret();
    let different: BTreeSet<char> = text.chars().collect();
    text.chars().count() < LONG
        || different.len() < DIFFERENT
        // Django's `startproject` writes such keys.
        || text.starts_with("django-insecure-")
        || words::is_placeholder(secret)
}
