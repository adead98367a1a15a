//! Stores contract files below one directory.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use exit3_ports::{
    ContractContent, ContractError, ContractFound, ContractStaging, ContractStore, ContractUpload,
    is_staged_name,
};
use walkdir::{DirEntry, WalkDir};

use crate::staging::{Staging, place_of};
use crate::upload::DirectoryUpload;

/// Staged files of this age are left over from an interrupted command.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// A directory of contract files.
#[derive(Debug, Clone)]
pub struct ContractDirectory {
    directory: PathBuf,
    required: bool,
}

impl ContractDirectory {
    /// Uses the files below `directory`. A missing directory contains no files.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), required: false }
    }

    /// Like [`Self::new`], but a missing directory is an error: its disk may not be mounted.
    pub fn required(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), required: true }
    }

    /// The place of a file that a backup would include; `None` if the name leads elsewhere.
    fn place(&self, name: &str) -> Option<PathBuf> {
        let place = place_of(&self.directory, name).ok()?;
        (!is_staged_name(Path::new(name))).then_some(place)
    }
}

impl ContractStore for ContractDirectory {
    fn check(&self) -> Result<(), ContractError> {
        match fs::read_dir(&self.directory) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.required => Ok(()),
            Err(source) => {
                let place = self.directory.display().to_string();
                Err(ContractError::Unreachable { place, source })
            }
        }
    }

    fn has(&self, name: &str) -> bool {
        self.place(name).is_some_and(|place| place.is_file())
    }

    /// Links are not followed.
    fn list<'a>(&'a self) -> Box<dyn Iterator<Item = io::Result<ContractFound>> + 'a> {
        let there = self
            .directory
            .is_dir()
            .then(|| WalkDir::new(&self.directory).sort_by_file_name().into_iter());
        let entries = there.into_iter().flatten();
        let entries = entries.filter(|entry| {
            entry.as_ref().map_or(true, |entry| !entry.file_type().is_dir() && !is_staged(entry))
        });
        Box::new(entries.map(|entry| {
            let entry = entry?;
            let path = entry.path().strip_prefix(&self.directory).unwrap_or(entry.path());
            Ok(match path.to_str() {
                Some(name) if entry.file_type().is_file() => {
                    let written = entry.metadata().ok().and_then(|file| file.modified().ok());
                    ContractFound::File { name: name.to_owned(), written: written.map(Into::into) }
                }
                _ => ContractFound::Other(path.display().to_string()),
            })
        }))
    }

    fn open(&self, name: &str) -> io::Result<Option<ContractContent>> {
        let Some(place) = self.place(name) else { return Ok(None) };
        let file = match File::open(place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let size = file.metadata()?.len();
        Ok(Some(ContractContent { size, bytes: Box::new(file) }))
    }

    fn receive(&self) -> io::Result<Box<dyn ContractUpload>> {
        if self.required {
            fs::read_dir(&self.directory)?;
        }
        Ok(Box::new(DirectoryUpload::begin(&self.directory)?))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let Some(place) = self.place(name) else { return Ok(()) };
        match fs::remove_file(place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    fn sweep(&self) {
        // Entries that cannot be read or removed are left; they are no reason to fail.
        for entry in WalkDir::new(&self.directory).min_depth(1).into_iter().flatten() {
            if is_staged(&entry) && entry.metadata().is_ok_and(|metadata| is_stale(&metadata)) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn stage(&self, replace: bool) -> Box<dyn ContractStaging> {
        self.sweep();
        Box::new(Staging::new(self.directory.clone(), replace))
    }
}

/// Whether a temporary file is older than a day, which means that the command that made it was
/// interrupted.
pub fn is_stale(metadata: &Metadata) -> bool {
    let age = metadata.modified().ok().and_then(|modified| modified.elapsed().ok());
    age.is_some_and(|age| age > STALE)
}

fn is_staged(entry: &DirEntry) -> bool {
    entry.file_type().is_file() && is_staged_name(entry.path())
}
