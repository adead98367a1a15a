//! Contract files: all files below one directory.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use tempfile::{Builder, TempPath};
use walkdir::{DirEntry, WalkDir};

use crate::error::ArchiveError;
use crate::hash;

/// Prefix and suffix of the names of temporary files, with [`RANDOM`] letters and digits between
/// them. No contract has that name by accident.
const STAGE: (&str, &str) = (".restore-", ".partial");
/// The number of random letters and digits.
const RANDOM: usize = 6;
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// A directory of contract files.
#[derive(Debug, Clone)]
pub struct ContractFiles {
    directory: PathBuf,
    required: bool,
}

/// An entry of the directory.
pub(crate) enum Found {
    /// A file: its path relative to the directory, and its full path.
    File(String, PathBuf),
    /// Not a regular file, or without a UTF-8 name; described for a person.
    Other(String),
}

impl ContractFiles {
    /// The files below `directory`. If the directory is missing, there are no files.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), required: false }
    }

    /// Like [`Self::new`], but a missing directory is an error: its disk may not be mounted.
    pub fn required(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), required: true }
    }

    /// Checks that the directory can be read, so that an empty list means that it is empty.
    pub(crate) fn check(&self) -> Result<(), ArchiveError> {
        match fs::read_dir(&self.directory) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.required => Ok(()),
            Err(source) => Err(ArchiveError::NoDirectory { path: self.directory.clone(), source }),
        }
    }

    /// Whether the directory has a file at that path that a backup includes.
    pub(crate) fn has(&self, name: &str) -> bool {
        !is_stage(Path::new(name))
            && place_of(&self.directory, name).is_ok_and(|place| place.is_file())
    }

    /// All entries, sorted. Links are not followed.
    pub(crate) fn list(&self) -> impl Iterator<Item = io::Result<Found>> {
        let there = self
            .directory
            .is_dir()
            .then(|| WalkDir::new(&self.directory).sort_by_file_name().into_iter());
        let entries = there.into_iter().flatten();
        let entries = entries.filter(|entry| {
            entry.as_ref().map_or(true, |entry| !entry.file_type().is_dir() && !waits(entry))
        });
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

    /// Prepares to write files. With `replace`, existing files of the same name are replaced. Also
    /// removes old temporary files that a killed restore has left.
    pub fn stage(&self, replace: bool) -> Staging {
        self.sweep();
        let directory = self.directory.clone();
        Staging { directory, replace, open: None, waiting: Vec::new(), made: Made::default() }
    }

    /// Removes stale temporary files.
    fn sweep(&self) {
        // Entries that cannot be read or removed are left; they are no reason to fail.
        for entry in WalkDir::new(&self.directory).min_depth(1).into_iter().flatten() {
            if waits(&entry) && entry.metadata().is_ok_and(|metadata| is_stale(&metadata)) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Whether a temporary file is older than a day, which means that the command that made it was
/// interrupted.
pub fn is_stale(metadata: &Metadata) -> bool {
    let age = metadata.modified().ok().and_then(|modified| modified.elapsed().ok());
    age.is_some_and(|age| age > STALE)
}

fn waits(entry: &DirEntry) -> bool {
    entry.file_type().is_file() && is_stage(entry.path())
}

/// Whether the path is that of a temporary file. Backups skip such files, and old ones are removed.
pub(crate) fn is_stage(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str);
    let name = name.and_then(|name| name.strip_prefix(STAGE.0)?.strip_suffix(STAGE.1));
    name.is_some_and(|name| {
        name.len() == RANDOM && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Files that have been read and get their final names together at the end. Each waits in its final
/// directory, so that renaming works even if another disk is mounted there. Dropping this removes
/// the temporary files.
pub struct Staging {
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
    /// Starts a file. `name` is its path relative to the directory.
    ///
    /// # Errors
    /// [`ArchiveError::Waits`], [`ArchiveError::Outside`], or [`ArchiveError::NotPlaced`] if it
    /// cannot be written.
    pub fn begin(&mut self, name: String) -> Result<(), ArchiveError> {
        if is_stage(Path::new(&name)) {
            return Err(ArchiveError::Waits(name));
        }
        let place = place_of(&self.directory, &name)?;
        let parent = place.parent().unwrap_or(&self.directory);
        let made = self.made.directory(parent);
        let mut builder = Builder::new();
        builder.prefix(STAGE.0).rand_bytes(RANDOM).suffix(STAGE.1);
        let file = made.and_then(|()| builder.tempfile_in(parent));
        match file {
            Ok(file) => {
                let (file, path) = file.into_parts();
                self.open = Some(Open { file, waiting: Waiting { name, path, place } });
                Ok(())
            }
            Err(source) => Err(ArchiveError::NotPlaced { name, source }),
        }
    }

    /// Appends bytes to the current file.
    ///
    /// # Errors
    /// [`ArchiveError::NotPlaced`].
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        open.file.write_all(bytes).map_err(|source| open.waiting.not_placed(source))
    }

    /// Completes the current file, whose content has this SHA-256 (hexadecimal digits).
    ///
    /// # Errors
    /// [`ArchiveError::FileExists`] if a different file exists and may not be replaced;
    /// [`ArchiveError::NotPlaced`].
    pub fn end(&mut self, sha256: &str) -> Result<(), ArchiveError> {
        let Some(Open { file, waiting }) = self.open.take() else { return Ok(()) };
        let there = file.sync_all().and_then(|()| match File::open(&waiting.place) {
            Ok(there) => Ok(Some(hex::encode(hash::of(there)?))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        });
        match there.map_err(|source| waiting.not_placed(source))? {
            Some(there) if there == sha256 => Ok(()),
            Some(_) if !self.replace => Err(ArchiveError::FileExists(waiting.name)),
            _ => {
                self.waiting.push(waiting);
                Ok(())
            }
        }
    }

    /// Checks that every file can still get its final name.
    ///
    /// # Errors
    /// [`ArchiveError::Outside`] if there is a directory of that name now.
    pub fn check(&self) -> Result<(), ArchiveError> {
        match self.waiting.iter().find(|waiting| waiting.place.is_dir()) {
            Some(waiting) => Err(ArchiveError::Outside(waiting.name.clone())),
            None => Ok(()),
        }
    }

    /// Gives all files their final names, as many as possible.
    ///
    /// # Errors
    /// [`ArchiveError::NotPlaced`] for the first file that failed.
    pub fn finish(mut self) -> Result<(), ArchiveError> {
        self.made.keep();
        let mut outcome = Ok(());
        for Waiting { name, path, place } in self.waiting {
            let parent = place.parent().unwrap_or(&self.directory);
            let placed = path.persist(&place).map_err(|error| error.error);
            let placed = placed.and_then(|()| File::open(parent)?.sync_all());
            if let Err(source) = placed {
                outcome = outcome.and(Err(ArchiveError::NotPlaced { name, source }));
            }
        }
        outcome
    }
}

/// The final path of a file. It must lie inside of the directory, and not behind a link.
fn place_of(directory: &Path, name: &str) -> Result<PathBuf, ArchiveError> {
    let outside = || ArchiveError::Outside(name.to_owned());
    let mut place = directory.to_owned();
    for component in Path::new(name).components() {
        let Component::Normal(step) = component else { return Err(outside()) };
        place.push(step);
        match fs::symlink_metadata(&place) {
            Ok(there) if there.is_symlink() => return Err(outside()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => {
                return Err(ArchiveError::NotPlaced { name: name.to_owned(), source });
            }
        }
    }
    if place == directory || place.is_dir() { Err(outside()) } else { Ok(place) }
}

impl Waiting {
    fn not_placed(&self, source: io::Error) -> ArchiveError {
        ArchiveError::NotPlaced { name: self.name.clone(), source }
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
            // A directory that somebody has put a file into stays.
            let _ = fs::remove_dir(directory);
        }
    }
}
