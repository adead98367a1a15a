//! Copies contract files.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use exit3_archive::ArchiveError;
use exit3_domain::clients::is_contract_path;
use exit3_ports::{ContractError, ContractStaging, ContractStore};
use sha2::{Digest, Sha256};

/// The source and the target of contract files.
#[derive(Debug, Clone)]
pub struct Contracts {
    media: Option<PathBuf>,
    here: Arc<dyn ContractStore>,
}

/// The directory of uploaded files is missing or unreadable.
#[derive(Debug, thiserror::Error)]
#[error("the media directory {} cannot be used: {source}", path.display())]
pub struct ContractsError {
    path: PathBuf,
    source: io::Error,
}

impl Contracts {
    /// Copies files from below `media` (none if it is `None`) to `here`.
    ///
    /// # Errors
    /// [`ContractsError`] if `media` is not a directory.
    pub fn new(media: Option<&Path>, here: Arc<dyn ContractStore>) -> Result<Self, ContractsError> {
        let media = media.map(|path| {
            path.canonicalize()
                .and_then(|path| path.read_dir().map(|_| path))
                .map_err(|source| ContractsError { path: path.to_owned(), source })
        });
        Ok(Self { media: media.transpose()?, here })
    }

    /// Prepares to copy files.
    pub(crate) fn stage(&self, replace: bool) -> Bringing<'_> {
        Bringing { media: self.media.as_deref(), staging: self.here.stage(replace), brought: 0 }
    }
}

/// Copied files that wait for their final names.
pub(crate) struct Bringing<'a> {
    media: Option<&'a Path>,
    staging: Box<dyn ContractStaging>,
    brought: u64,
}

impl Bringing<'_> {
    /// Copies the file at `path` to a temporary name. The inner error says why it cannot be copied.
    ///
    /// # Errors
    /// [`ContractError::Exists`] if a different file exists; [`ArchiveError::Io`].
    pub(crate) fn bring(&mut self, path: &str) -> Result<Result<(), &'static str>, ArchiveError> {
        let Some(media) = self.media else { return Ok(Ok(())) };
        let mut from = match open(media, path) {
            Ok(from) => from,
            Err(why) => return Ok(Err(why)),
        };
        match self.staging.begin(path.to_owned()) {
            Err(ContractError::Staged(_)) => {
                return Ok(Err("restores use such names for temporary files"));
            }
            begun => begun?,
        }
        let mut hash = Sha256::new();
        let mut bytes = vec![0; 64 << 10];
        loop {
            let read = from.read(&mut bytes)?;
            match bytes.get(..read) {
                Some([]) | None => break,
                Some(bytes) => {
                    hash.update(bytes);
                    self.staging.add(bytes)?;
                }
            }
        }
        let digest = hash.finalize();
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        self.staging.end(&hex)?;
        self.brought += 1;
        Ok(Ok(()))
    }

    /// Gives all files their final names; returns how many there are.
    pub(crate) fn finish(self) -> Result<u64, ArchiveError> {
        self.staging.finish()?;
        Ok(self.brought)
    }
}

/// Opens the file, which must lie below the directory.
fn open(media: &Path, path: &str) -> Result<File, &'static str> {
    const OUTSIDE: &str = "it leads out of its directory";
    if !is_contract_path(path) {
        return Err(OUTSIDE);
    }
    let real = fs::canonicalize(media.join(path)).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "there is no such file",
        _ => "it cannot be read",
    })?;
    if !real.starts_with(media) {
        return Err(OUTSIDE);
    }
    if !real.is_file() {
        return Err("it is not a file");
    }
    File::open(real).map_err(|_| "it cannot be read")
}

#[cfg(test)]
mod tests {
    use super::*;
    use exit3_files::ContractDirectory;
    use std::os::unix::fs::symlink;

    #[test]
    fn contracts_outside_of_the_directory_are_not_copied() {
        let scratch = tempfile::tempdir().unwrap();
        let (media, here) = (scratch.path().join("media"), scratch.path().join("here"));
        fs::create_dir_all(media.join("contracts")).unwrap();
        fs::write(scratch.path().join("secret"), "secret").unwrap();
        fs::write(media.join("contracts/a.pdf"), "a").unwrap();
        fs::write(media.join("contracts/.restore-a1B2c3.partial"), "a").unwrap();
        symlink(scratch.path().join("secret"), media.join("contracts/out")).unwrap();
        symlink(scratch.path(), media.join("up")).unwrap();
        symlink("a.pdf", media.join("contracts/in")).unwrap();
        let contracts =
            Contracts::new(Some(&media), Arc::new(ContractDirectory::new(&here))).unwrap();
        let mut bringing = contracts.stage(false);
        let outside = Err("it leads out of its directory");
        for (path, expected) in [
            ("contracts/a.pdf", Ok(())),
            ("contracts/in", Ok(())),
            ("contracts/out", outside),
            ("up/secret", outside),
            ("../secret", outside),
            ("contracts/../../secret", outside),
            (scratch.path().join("secret").to_str().unwrap(), outside),
            ("contracts/none.pdf", Err("there is no such file")),
            ("contracts", Err("it is not a file")),
            (
                "contracts/.restore-a1B2c3.partial",
                Err("restores use such names for temporary files"),
            ),
        ] {
            assert_eq!(bringing.bring(path).unwrap(), expected, "{path}");
        }
        assert!(!here.join("contracts/a.pdf").exists(), "no file gets its name before the end");
        assert_eq!(bringing.finish().unwrap(), 2);
        assert_eq!(fs::read_to_string(here.join("contracts/a.pdf")).unwrap(), "a");
        assert!(fs::symlink_metadata(here.join("contracts/in")).unwrap().is_file());
        assert!(!here.join("contracts/out").exists() && !here.join("up").exists());
    }

    #[test]
    fn a_different_contract_is_not_overwritten() {
        let scratch = tempfile::tempdir().unwrap();
        let (media, here) = (scratch.path().join("media"), scratch.path().join("here"));
        for (directory, text) in [(&media, "there"), (&here, "here")] {
            fs::create_dir(directory).unwrap();
            fs::write(directory.join("a.pdf"), text).unwrap();
        }
        let contracts =
            Contracts::new(Some(&media), Arc::new(ContractDirectory::new(&here))).unwrap();
        let refused = contracts.stage(false).bring("a.pdf");
        assert!(
            matches!(refused, Err(ArchiveError::Contract(ContractError::Exists(_)))),
            "{refused:?}"
        );
        let mut bringing = contracts.stage(true);
        bringing.bring("a.pdf").unwrap().unwrap();
        bringing.finish().unwrap();
        assert_eq!(fs::read_to_string(here.join("a.pdf")).unwrap(), "there");
    }
}
