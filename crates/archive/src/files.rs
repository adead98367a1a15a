//! Contract files: a directory, and everything below it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use tempfile::TempDir;
use walkdir::WalkDir;

use crate::error::ArchiveError;
use crate::hash;

/// How the names of directories begin in which files wait to be put in their places.
const STAGE: &str = ".restore-";

/// A directory of contract files; it need not be there.
#[derive(Debug, Clone)]
pub struct ContractFiles {
    directory: PathBuf,
}

/// What is found in the directory.
pub(crate) enum Found {
    /// A file, by its path below the directory.
    File(String, PathBuf),
    /// What is no file, or has no name in UTF-8, for a person.
    Other(String),
}

impl ContractFiles {
    /// The files below `directory`.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Everything there, in order. Links are not followed.
    pub(crate) fn list(&self) -> impl Iterator<Item = io::Result<Found>> {
        let is_stage = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with(STAGE);
        let there = self.directory.is_dir().then(|| {
            let walk = WalkDir::new(&self.directory).sort_by_file_name();
            walk.into_iter()
                .filter_entry(move |entry| entry.depth() != 1 || !is_stage(entry.file_name()))
        });
        let entries = there.into_iter().flatten();
        let entries = entries
            .filter(|entry| entry.as_ref().map_or(true, |entry| !entry.file_type().is_dir()));
        entries.map(|entry| {
            let entry = entry?;
            let path = entry.path().strip_prefix(&self.directory).unwrap_or(entry.path());
            Ok(match path.to_str() {
                Some(name) if entry.file_type().is_file() => {
                    Found::File(name.to_owned(), entry.into_path())
                }
                _ => Found::Other(path.display().to_string()),
            })
        })
    }

    /// Begins to put files there. With `replace`, those of the same name give way.
    pub fn stage(&self, replace: bool) -> Staging {
        let directory = self.directory.clone();
        Staging { directory, replace, stage: None, open: None, waiting: Vec::new() }
    }
}

/// Files that have been read and wait to be put in their places, all at the end. What is
/// dropped before leaves nothing.
pub struct Staging {
    directory: PathBuf,
    replace: bool,
    stage: Option<TempDir>,
    open: Option<Open>,
    waiting: Vec<(PathBuf, PathBuf)>,
}

struct Open {
    name: String,
    file: File,
    path: PathBuf,
    place: PathBuf,
}

impl Staging {
    /// Begins the file of that path below the directory.
    ///
    /// # Errors
    /// [`ArchiveError::Outside`]; [`ArchiveError::Io`].
    pub fn begin(&mut self, name: String) -> Result<(), ArchiveError> {
        let place = self.place_of(&name)?;
        let stage = match self.stage.take() {
            Some(stage) => stage,
            None => {
                make_directory(&self.directory)?;
                tempfile::Builder::new().prefix(STAGE).tempdir_in(&self.directory)?
            }
        };
        let path = stage.path().join(self.waiting.len().to_string());
        self.stage = Some(stage);
        let file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        self.open = Some(Open { name, file, path, place });
        Ok(())
    }

    /// Adds bytes to it.
    ///
    /// # Errors
    /// [`ArchiveError::Io`].
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        match &mut self.open {
            Some(open) => Ok(open.file.write_all(bytes)?),
            None => Ok(()),
        }
    }

    /// Ends the file, whose content has this SHA-256.
    ///
    /// # Errors
    /// [`ArchiveError::FileExists`], where another one is there that must not give way.
    pub fn end(&mut self, sha256: &str) -> Result<(), ArchiveError> {
        let Some(open) = self.open.take() else { return Ok(()) };
        open.file.sync_all()?;
        match File::open(&open.place) {
            Ok(ref there) if hex::encode(hash::of(there)?) == sha256 => return Ok(()),
            Ok(_) if !self.replace => return Err(ArchiveError::FileExists(open.name)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        self.waiting.push((open.path, open.place));
        Ok(())
    }

    /// Puts everything in its place.
    ///
    /// # Errors
    /// [`ArchiveError::Io`].
    pub fn finish(self) -> Result<(), ArchiveError> {
        for (from, to) in &self.waiting {
            let parent = to.parent().unwrap_or(&self.directory);
            make_directory(parent)?;
            fs::rename(from, to)?;
            File::open(parent)?.sync_all()?;
        }
        Ok(())
    }

    /// Where a file belongs, which is inside of the directory, and not behind a link.
    fn place_of(&self, name: &str) -> Result<PathBuf, ArchiveError> {
        let outside = || ArchiveError::Outside(name.to_owned());
        let mut place = self.directory.clone();
        for component in Path::new(name).components() {
            let Component::Normal(step) = component else { return Err(outside()) };
            place.push(step);
            match fs::symlink_metadata(&place) {
                Ok(there) if there.is_symlink() => return Err(outside()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        if place == self.directory || place.is_dir() { Err(outside()) } else { Ok(place) }
    }
}

fn make_directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}
