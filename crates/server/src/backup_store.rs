//! The store of archives: a directory or a bucket.

mod bucket;
mod names;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use exit3_files::is_stale;
use tempfile::NamedTempFile;

use self::bucket::Bucket;
pub(crate) use self::names::{name_of, time_of};
use crate::ownership::{self, adopt};
use crate::secrets::ensure_directory;

/// Prefix and suffix of the names of unfinished archives.
const DRAFT: (&str, &str) = (".exit3-", ".partial");
/// How far apart the clocks of machines that share a store may be. An archive from later than that
/// was named by a wrong clock, and would count as the newest forever.
const CLOCKS: TimeDelta = TimeDelta::hours(1);

/// How many of the newest archives stay. The age of others is counted from the last of these: if it
/// were counted from now, a clock that leaps ahead would make all of them old.
const KEPT: usize = 7;

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupStoreError {
    #[error("{place}: {error}")]
    Io { place: String, error: io::Error },
    #[error(
        "temporary files cannot be created in {place}: {error}; set TMPDIR to a directory that can \
         be written to"
    )]
    NoTemporary { place: String, error: io::Error },
    /// A bucket's error may have many lines.
    #[error("{}", .0.to_string().lines().next().unwrap_or_default())]
    Bucket(#[from] object_store::Error),
    #[error("{0} was not answered in time; nothing was stored")]
    Silent(String),
    #[error("{0} holds no backup: none was made yet, or all were removed")]
    Empty(String),
    /// There are files, but none of them can be the newest backup.
    #[error("{place} holds no usable backup, although there are {files} files: {why}")]
    NoneCounts { place: String, files: usize, why: &'static str },
    #[error("{0:?} is neither a directory nor of the form s3://bucket/prefix")]
    Form(String),
}

/// A store of archives.
pub(crate) enum BackupStore {
    Directory(PathBuf),
    Bucket(Bucket),
}

impl BackupStore {
    /// Parses the name of a directory, or `s3://bucket/prefix`.
    pub(crate) fn parse(text: &str) -> Result<Self, BackupStoreError> {
        match text.strip_prefix("s3://") {
            Some(_) => Ok(Self::Bucket(Bucket::open(text)?)),
            None if Self::is_one(text) => Ok(Self::Directory(PathBuf::from(text))),
            None => Err(BackupStoreError::Form(text.to_owned())),
        }
    }

    /// The store that an archive lies in, which [`Self::fetch`] would open.
    pub(crate) fn around(archive: &str) -> Result<Self, BackupStoreError> {
        match archive.strip_prefix("s3://") {
            Some(_) => {
                let prefix = archive.rsplit_once('/').map_or(archive, |(prefix, _)| prefix);
                Ok(Self::Bucket(Bucket::open(prefix)?))
            }
            None => {
                // A link may lead elsewhere.
                let archive = Path::new(archive);
                let place = archive.canonicalize().map_err(|error| at(archive, error))?;
                Ok(Self::Directory(place.parent().unwrap_or(&place).to_path_buf()))
            }
        }
    }

    /// Whether `text` has one of these forms. The other settings of S3 are not checked.
    pub(crate) fn is_one(text: &str) -> bool {
        match text.strip_prefix("s3://") {
            Some(_) => Bucket::parse(text).is_ok(),
            None => !text.is_empty() && !text.contains("://"),
        }
    }

    /// Opens the archive at `text`, which names a file or an object.
    pub(crate) async fn fetch(text: &str) -> Result<File, BackupStoreError> {
        match text.strip_prefix("s3://") {
            Some(_) => Bucket::open(text)?.fetch().await,
            None => open(Path::new(text)).map_err(|error| at(Path::new(text), error)),
        }
    }

    /// Creates an unfinished archive that only its owner can read. Dropping it removes it, unless
    /// [`Self::keep`] was called.
    pub(crate) fn draft(&self) -> Result<NamedTempFile, BackupStoreError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(DRAFT.0).suffix(DRAFT.1);
        match self {
            Self::Directory(directory) => {
                let made = ensure_directory(directory);
                let draft = made.and_then(|()| builder.tempfile_in(directory));
                let draft = draft.and_then(|draft| adopt(draft.as_file()).map(|()| draft));
                draft.map_err(|error| at(directory, error))
            }
            Self::Bucket(_) => builder.tempfile().map_err(no_temporary),
        }
    }

    /// Why the service could not write there. Only checked as root, because root itself can.
    pub(crate) fn obstacle(&self) -> Option<String> {
        match self {
            Self::Directory(directory) => ownership::obstacle(directory),
            Self::Bucket(_) => None,
        }
    }

    /// Stores a complete archive as `name`; returns its full name.
    pub(crate) async fn keep(
        &self,
        draft: NamedTempFile,
        name: &str,
    ) -> Result<String, BackupStoreError> {
        match self {
            Self::Directory(directory) => {
                let path = directory.join(name);
                let kept = draft.as_file().sync_all().and_then(|()| {
                    draft.persist_noclobber(&path).map_err(|error| error.error)?;
                    File::open(directory)?.sync_all()
                });
                kept.map_err(|error| at(&path, error))?;
                Ok(path.display().to_string())
            }
            Self::Bucket(bucket) => bucket.keep(draft.path(), name).await,
        }
    }

    /// The full name of the newest archive.
    pub(crate) async fn newest(&self, now: DateTime<Utc>) -> Result<String, BackupStoreError> {
        let all = self.all_names().await?;
        let newest = all.iter().filter(|name| was_begun_by(name, now)).max();
        let newest = newest.ok_or_else(|| self.without_any(&all))?;
        Ok(self.full_name(newest))
    }

    /// Removes archives that are more than `days` older than the [`KEPT`] newest; returns their
    /// names. The archive of the last successful verification stays as well.
    pub(crate) async fn expire(
        &self,
        days: u32,
        now: DateTime<Utc>,
        verified_at: Option<DateTime<Utc>>,
    ) -> Result<Vec<String>, BackupStoreError> {
        let mut names = self.names(now).await?;
        names.sort();
        let kept = names.len().checked_sub(KEPT).and_then(|at| time_of(names.get(at)?));
        let proven = verified_at.and_then(|verified_at| {
            let before = |name: &&String| time_of(name).is_some_and(|time| time <= verified_at);
            names.iter().filter(before).max()
        });
        // An overflow means that nothing is old enough.
        let age = TimeDelta::try_days(days.into());
        let first = kept.zip(age).and_then(|(kept, age)| kept.checked_sub_signed(age));
        let is_old = |name: &&String| {
            let old = time_of(name).zip(first).is_some_and(|(time, first)| time < first);
            old && Some(*name) != proven
        };
        let old: Vec<String> = names.iter().filter(is_old).cloned().collect();
        for name in &old {
            self.remove(name).await?;
        }
        Ok(old)
    }

    /// Removes leftovers of interrupted commands. A failure does not prevent a backup.
    pub(crate) fn sweep(&self) {
        match self {
            Self::Directory(directory) => drop(remove_stale(directory)),
            Self::Bucket(_) => tidy_up(),
        }
    }

    /// The content of the file `name`.
    pub(crate) async fn read(&self, name: &str) -> Result<Vec<u8>, BackupStoreError> {
        let full = self.full_name(name);
        let mut file = Self::fetch(&full).await?;
        let mut content = Vec::new();
        let read = file.rewind().and_then(|()| file.read_to_end(&mut content));
        read.map_err(|error| at(Path::new(&full), error))?;
        Ok(content)
    }

    /// Removes the file `name`, unless somebody else has.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), BackupStoreError> {
        match self {
            Self::Directory(directory) => {
                let path = directory.join(name);
                remove(&path).map_err(|error| at(&path, error))
            }
            Self::Bucket(bucket) => bucket.remove(name).await,
        }
    }

    fn full_name(&self, name: &str) -> String {
        match self {
            Self::Directory(directory) => directory.join(name).display().to_string(),
            Self::Bucket(bucket) => bucket.full_name(name),
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Directory(directory) => directory.display().to_string(),
            Self::Bucket(bucket) => bucket.full_name(""),
        }
    }

    /// The names of all archives that were begun by now.
    async fn names(&self, now: DateTime<Utc>) -> Result<Vec<String>, BackupStoreError> {
        let mut names = self.all_names().await?;
        names.retain(|name| was_begun_by(name, now));
        Ok(names)
    }

    /// The names of all files, including other ones.
    pub(crate) async fn all_names(&self) -> Result<Vec<String>, BackupStoreError> {
        match self {
            Self::Directory(directory) => files(directory).map_err(|error| at(directory, error)),
            Self::Bucket(bucket) => bucket.names().await,
        }
    }

    fn without_any(&self, names: &[String]) -> BackupStoreError {
        let place = self.describe();
        let why = if names.is_empty() {
            return BackupStoreError::Empty(place);
        } else if names.iter().any(|name| time_of(name).is_some()) {
            "by their names, all backups were begun later than now, so a clock was or \
             is wrong"
        } else if names.iter().all(|name| is_draft(name.as_ref())) {
            "all of them were never finished"
        } else {
            "none has the name of a backup (exit3-….backup)"
        };
        BackupStoreError::NoneCounts { place, files: names.len(), why }
    }
}

/// Whether the name is that of an archive that was begun by now.
fn was_begun_by(name: &str, now: DateTime<Utc>) -> bool {
    time_of(name).is_some_and(|time| time <= now + CLOCKS)
}

fn open(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(file)
}

/// The names of files, and of links other than to archives. A link to an archive is no archive of
/// this store. A link that leads nowhere counts, so that a reader of the file notices.
fn files(directory: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let (kind, name) = (entry.file_type()?, entry.file_name().into_string().ok());
        let is_archive = name.as_deref().is_some_and(|name| time_of(name).is_some());
        if kind.is_file() || kind.is_symlink() && !is_archive {
            names.extend(name);
        }
    }
    Ok(names)
}

/// Removes a file, unless another backup was faster.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Removes leftovers of interrupted commands from `directory`.
fn remove_stale(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if !is_draft(&entry.file_name()) {
            continue;
        }
        if is_stale(&entry.metadata()?) {
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                remove(&entry.path())?;
            }
        }
    }
    Ok(())
}

/// Removes leftovers of interrupted commands from the directory of temporary files.
fn tidy_up() {
    // Files of others stay; that is no reason to fail.
    let _ = remove_stale(&tempfile::env::temp_dir());
}

/// Makes sure that there is a directory for temporary files: if the default one is unusable and
/// TMPDIR is not set, it is `instead`.
pub(crate) fn make_do(instead: &Path) {
    let named = std::env::var_os("TMPDIR").is_some_and(|place| !place.is_empty());
    if !named && tempfile::tempfile().is_err() && instead.is_dir() {
        // Nothing has set it before.
        let _ = tempfile::env::override_temp_dir(instead);
    }
}

fn no_temporary(error: io::Error) -> BackupStoreError {
    BackupStoreError::NoTemporary { place: tempfile::env::temp_dir().display().to_string(), error }
}

/// A temporary directory for its owner only, which is removed on drop.
pub(crate) fn scratch() -> Result<tempfile::TempDir, BackupStoreError> {
    tidy_up();
    let owner_only = fs::Permissions::from_mode(0o700);
    let mut builder = tempfile::Builder::new();
    builder.prefix(DRAFT.0).suffix(DRAFT.1).permissions(owner_only).tempdir().map_err(no_temporary)
}

fn is_draft(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with(DRAFT.0) && name.ends_with(DRAFT.1)
}

fn at(place: &Path, error: io::Error) -> BackupStoreError {
    BackupStoreError::Io { place: place.display().to_string(), error }
}

#[cfg(test)]
mod tests;
