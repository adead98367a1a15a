//! Files that wait for their final names.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};

use exit3_ports::{ContractError, ContractStaging, STAGED_LETTERS, STAGED_NAME, is_staged_name};
use sha2::{Digest, Sha256};
use tempfile::{Builder, NamedTempFile, TempPath};

/// Files that have been read and get their final names together at the end. Each waits in its final
/// directory, so that renaming works even if another disk is mounted there. Dropping this removes
/// the temporary files.
pub(crate) struct Staging {
    directory: PathBuf,
    replace: bool,
    open: Option<Open>,
    waiting: Vec<Waiting>,
    /// Dropped after the files, because only an empty directory can be removed.
    made: Made,
}

struct Open {
    file: File,
    waiting: Waiting,
}

struct Waiting {
    name: String,
    path: TempPath,
    place: PathBuf,
}

impl Staging {
    pub(crate) fn new(directory: PathBuf, replace: bool) -> Self {
        Self { directory, replace, open: None, waiting: Vec::new(), made: Made::default() }
    }
}

impl ContractStaging for Staging {
    fn begin(&mut self, name: String) -> Result<(), ContractError> {
        if is_staged_name(Path::new(&name)) {
            return Err(ContractError::Staged(name));
        }
        let place = place_of(&self.directory, &name)?;
        let parent = place.parent().unwrap_or(&self.directory);
        let made = self.made.directory(parent);
        match made.and_then(|()| temporary(parent)) {
            Ok(file) => {
                let (file, path) = file.into_parts();
                self.open = Some(Open { file, waiting: Waiting { name, path, place } });
                Ok(())
            }
            Err(source) => Err(ContractError::NotPlaced { name, source }),
        }
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), ContractError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        open.file.write_all(bytes).map_err(|source| open.waiting.not_placed(source))
    }

    fn end(&mut self, sha256: &str) -> Result<(), ContractError> {
        let Some(Open { file, waiting }) = self.open.take() else { return Ok(()) };
        let there = file.sync_all().and_then(|()| match File::open(&waiting.place) {
            Ok(there) => Ok(Some(hash_of(there)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        });
        match there.map_err(|source| waiting.not_placed(source))? {
            Some(there) if there != sha256 && !self.replace => {
                Err(ContractError::Exists(waiting.name))
            }
            // Also if it is there: a sweep may remove it before the rows name it.
            _ => {
                self.waiting.push(waiting);
                Ok(())
            }
        }
    }

    fn check(&self) -> Result<(), ContractError> {
        match self.waiting.iter().find(|waiting| waiting.place.is_dir()) {
            Some(waiting) => Err(ContractError::Outside(waiting.name.clone())),
            None => Ok(()),
        }
    }

    fn finish(mut self: Box<Self>) -> Result<(), ContractError> {
        self.made.keep();
        let mut outcome = Ok(());
        for Waiting { name, path, place } in std::mem::take(&mut self.waiting) {
            let parent = place.parent().unwrap_or(&self.directory);
            let placed = path.persist(&place).map_err(|error| error.error);
            let placed = placed.and_then(|()| File::open(parent)?.sync_all());
            if let Err(source) = placed {
                outcome = outcome.and(Err(ContractError::NotPlaced { name, source }));
            }
        }
        outcome
    }
}

/// A file with a temporary name, for its owner only.
pub(crate) fn temporary(directory: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(STAGED_NAME.0).rand_bytes(STAGED_LETTERS).suffix(STAGED_NAME.1);
    builder.tempfile_in(directory)
}

/// The final path of a file. It must be inside of the directory and not behind a link.
pub(crate) fn place_of(directory: &Path, name: &str) -> Result<PathBuf, ContractError> {
    let outside = || ContractError::Outside(name.to_owned());
    let mut place = directory.to_owned();
    for component in Path::new(name).components() {
        let Component::Normal(step) = component else { return Err(outside()) };
        place.push(step);
        match fs::symlink_metadata(&place) {
            Ok(there) if there.is_symlink() => return Err(outside()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => {
                return Err(ContractError::NotPlaced { name: name.to_owned(), source });
            }
        }
    }
    if place == directory || place.is_dir() { Err(outside()) } else { Ok(place) }
}

/// The SHA-256 of a file, in hex.
pub(crate) fn hash_of(mut file: impl Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut bytes = vec![0; 64 << 10];
    loop {
        let read = file.read(&mut bytes)?;
        match bytes.get(..read) {
            Some([]) | None => return Ok(hex::encode(hash.finalize())),
            Some(bytes) => hash.update(bytes),
        }
    }
}

impl Waiting {
    fn not_placed(&self, source: io::Error) -> ContractError {
        ContractError::NotPlaced { name: self.name.clone(), source }
    }
}

/// Directories that this process has created. They are removed on drop, unless kept.
#[derive(Default)]
struct Made(Vec<PathBuf>);

impl Made {
    /// Creates a directory and its parents.
    fn directory(&mut self, directory: &Path) -> io::Result<()> {
        if directory.as_os_str().is_empty() || directory.is_dir() {
            return Ok(());
        }
        if let Some(parent) = directory.parent() {
            self.directory(parent)?;
        }
        match DirBuilder::new().mode(0o700).create(directory) {
            Ok(()) => {
                self.0.push(directory.to_owned());
                Ok(())
            }
            // Another process has just created it.
            Err(_) if directory.is_dir() => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn keep(&mut self) {
        self.0.clear();
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for directory in self.0.iter().rev() {
            // A directory that contains a file of somebody else is kept.
            let _ = fs::remove_dir(directory);
        }
    }
}
