//! Contract files: a directory, and everything below it.

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

/// How the names of files begin and end that wait to be put in their places. Between that is
/// [`RANDOM`]: nobody's contract is called so by chance.
const STAGE: (&str, &str) = (".restore-", ".partial");
/// How many letters and digits.
const RANDOM: usize = 6;
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// A directory of contract files.
#[derive(Debug, Clone)]
pub struct ContractFiles {
    directory: PathBuf,
    required: bool,
}

/// What is found in the directory.
pub(crate) enum Found {
    /// A file, by its path below the directory.
    File(String, PathBuf),
    /// What is no file, or has no name in UTF-8, for a person.
    Other(String),
}

impl ContractFiles {
    /// The files below `directory`, which need not be there while there are none.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), required: false }
    }

    /// As [`Self::new`], but a directory that is not there is no empty one: its disk may
    /// not be mounted.
    pub fn required(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), required: true }
    }

    /// Makes sure that what is found is all there is.
    pub(crate) fn check(&self) -> Result<(), ArchiveError> {
        match fs::read_dir(&self.directory) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.required => Ok(()),
            Err(source) => Err(ArchiveError::NoDirectory { path: self.directory.clone(), source }),
        }
    }

    /// Whether there is a file of that path, which a backup takes.
    pub(crate) fn has(&self, name: &str) -> bool {
        !is_stage(Path::new(name))
            && place_of(&self.directory, name).is_ok_and(|place| place.is_file())
    }

    /// Everything there, in order. Links are not followed.
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

    /// Begins to put files there. With `replace`, those of the same name give way. What
    /// waits there since long, of a restore that was killed, is removed.
    pub fn stage(&self, replace: bool) -> Staging {
        self.sweep();
        let directory = self.directory.clone();
        Staging { directory, replace, open: None, waiting: Vec::new(), made: Made::default() }
    }

    /// Removes files that wait and that nobody comes for.
    fn sweep(&self) {
        // What cannot be looked at or removed stays, and is no reason to fail.
        for entry in WalkDir::new(&self.directory).min_depth(1).into_iter().flatten() {
            if waits(&entry) && entry.metadata().is_ok_and(|metadata| is_stale(&metadata)) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Whether what is only for a while has been there for so long, a day, that the command
/// that made it must have been interrupted.
pub fn is_stale(metadata: &Metadata) -> bool {
    let age = metadata.modified().ok().and_then(|modified| modified.elapsed().ok());
    age.is_some_and(|age| age > STALE)
}

fn waits(entry: &DirEntry) -> bool {
    entry.file_type().is_file() && is_stage(entry.path())
}

/// Whether a file of that path is one that waits: no backup takes it, and it is removed when
/// it is old.
pub(crate) fn is_stage(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str);
    let name = name.and_then(|name| name.strip_prefix(STAGE.0)?.strip_suffix(STAGE.1));
    name.is_some_and(|name| {
        name.len() == RANDOM && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Files that have been read and wait to be put in their places, all at the end. Each waits
/// in the directory that it belongs in, so that nothing is left to be done but to give it
/// its name, whatever is mounted there. What is dropped before leaves nothing.
pub struct Staging {
    directory: PathBuf,
    replace: bool,
    open: Option<Open>,
    waiting: Vec<Waiting>,
    /// After the files: a directory is removed when it is empty.
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
    /// Begins the file of that path below the directory.
    ///
    /// # Errors
    /// [`ArchiveError::Waits`]; [`ArchiveError::Outside`]; [`ArchiveError::NotPlaced`], where
    /// it cannot be written.
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

    /// Adds bytes to it.
    ///
    /// # Errors
    /// [`ArchiveError::NotPlaced`].
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        open.file.write_all(bytes).map_err(|source| open.waiting.not_placed(source))
    }

    /// Ends the file, whose content has this SHA-256.
    ///
    /// # Errors
    /// [`ArchiveError::FileExists`], where another one is there that must not give way;
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

    /// Makes sure that every file can still be put in its place.
    ///
    /// # Errors
    /// [`ArchiveError::Outside`], where there is a directory by now.
    pub fn check(&self) -> Result<(), ArchiveError> {
        match self.waiting.iter().find(|waiting| waiting.place.is_dir()) {
            Some(waiting) => Err(ArchiveError::Outside(waiting.name.clone())),
            None => Ok(()),
        }
    }

    /// Puts everything in its place, or as much of it as can be.
    ///
    /// # Errors
    /// [`ArchiveError::NotPlaced`] for the first file that could not be.
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

/// Where a file belongs, which is inside of the directory, and not behind a link.
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

/// Directories that were not there before. Unless they are kept, they go again.
#[derive(Default)]
struct Made(Vec<PathBuf>);

impl Made {
    /// Makes a directory, and those that it is in.
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
            // By somebody else, a moment ago.
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
            // What somebody has put there meanwhile stays.
            let _ = fs::remove_dir(directory);
        }
    }
}
