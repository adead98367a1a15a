//! Secrets that the service generates on its first start.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;
use secrecy::SecretString;

use crate::ownership::adopt;
use crate::variables::trim;

/// A secret, and whether it was just generated.
pub(crate) struct Kept {
    pub(crate) secret: SecretString,
    pub(crate) is_new: bool,
}

/// Creates `directory`, for its owner only, if it is missing.
pub(crate) fn ensure_directory(directory: &Path) -> io::Result<()> {
    let missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let new: Vec<&Path> = directory.ancestors().take_while(missing).collect();
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    new.into_iter().try_for_each(|made| adopt(&fs::File::open(made)?))
}

/// Whether [`ensure_directory`] would succeed. Checking settings creates nothing, because often
/// root checks them, and the service is not root.
pub(crate) fn look_at_directory(directory: &Path) -> io::Result<()> {
    match fs::metadata(directory) {
        Ok(found) if found.is_dir() => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Ok(_) => return Err(io::ErrorKind::NotADirectory.into()),
        Err(error) => return Err(error),
    }
    let there = directory.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    Ok(rustix::fs::access(there, rustix::fs::Access::WRITE_OK)?)
}

/// Returns the secret in the file `name`, and generates it if the file is missing. Two processes
/// that start together get the same secret: the file appears complete or not at all, and only one
/// process can create it.
pub(crate) fn keep(directory: &Path, name: &str) -> io::Result<Kept> {
    let path = directory.join(name);
    if let Some(secret) = read(&path)? {
        return Ok(Kept { secret, is_new: false });
    }
    ensure_directory(directory)?;
    let secret = random();
    // Readable by its owner only, and removed on drop, for example if the disk is full.
    let mut draft = tempfile::Builder::new().prefix(&format!(".{name}.")).tempfile_in(directory)?;
    adopt(draft.as_file())?;
    draft.write_all(secret.as_bytes())?;
    draft.as_file().sync_all()?;
    match draft.persist_noclobber(&path) {
        Ok(_) => {
            fs::File::open(directory)?.sync_all()?;
            Ok(Kept { secret: secret.into(), is_new: true })
        }
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => {
            let secret = read(&path)?.ok_or(failed.error)?;
            Ok(Kept { secret, is_new: false })
        }
        Err(failed) => Err(failed.error),
    }
}

fn read(path: &Path) -> io::Result<Option<SecretString>> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let secret = trim(&text);
            let wrong = |problem| Err(io::Error::new(io::ErrorKind::InvalidData, problem));
            if secret.is_empty() {
                return wrong("the file is empty");
            }
            if secret.chars().any(char::is_control) {
                return wrong("the file has more than one line, or a control character");
            }
            Ok(Some(secret.to_owned().into()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// 256 random bits from the operating system.
fn random() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<32>())
}

/// Unpredictable bytes.
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill_random(&mut bytes);
    bytes
}

/// Fills bytes with unpredictable ones.
#[allow(clippy::disallowed_methods, reason = "this is where randomness comes in")]
pub(crate) fn fill_random(bytes: &mut [u8]) {
    rand::rng().fill_bytes(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn is_generated_once_and_only_the_owner_may_read_it() {
        let directory = tempfile::tempdir().unwrap();
        let first = keep(directory.path(), "key").unwrap();
        let second = keep(directory.path(), "key").unwrap();
        assert!(first.is_new && !second.is_new);
        assert_eq!(first.secret.expose_secret(), second.secret.expose_secret());
        let mode = fs::metadata(directory.path().join("key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn blanks_that_editors_add_are_not_part_of_a_secret() {
        let directory = tempfile::tempdir().unwrap();
        for text in ["s3cret\r\n", "\u{feff}s3cret", " s3cret\u{a0}\n\n", "\ts3cret\u{200b}"] {
            fs::write(directory.path().join("key"), text).unwrap();
            let kept = keep(directory.path(), "key").unwrap();
            assert_eq!(kept.secret.expose_secret(), "s3cret", "{text:?}");
        }
        for text in ["\u{feff}\r\n", "two\nlines", "a\u{7}bell", "a\0"] {
            fs::write(directory.path().join("key"), format!("{text}b")).unwrap();
            let refused = keep(directory.path(), "key").is_err();
            assert_eq!(refused, !text.starts_with('\u{feff}'), "{text:?}");
        }
    }

    #[test]
    fn an_empty_file_is_not_a_secret() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("key"), "\n").unwrap();
        assert!(keep(directory.path(), "key").is_err());
    }
}
