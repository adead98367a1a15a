//! The store of archives: a directory or a bucket.

mod bucket;
mod names;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
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
        Ok(match self {
            Self::Directory(directory) => directory.join(newest).display().to_string(),
            Self::Bucket(bucket) => bucket.full_name(newest),
        })
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
            match self {
                Self::Directory(directory) => {
                    let path = directory.join(name);
                    remove(&path).map_err(|error| at(&path, error))?;
                }
                Self::Bucket(bucket) => bucket.remove(name).await?,
            }
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
    async fn all_names(&self) -> Result<Vec<String>, BackupStoreError> {
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

fn files(directory: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            names.extend(entry.file_name().into_string().ok());
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
mod tests {
    use super::*;

    #[tokio::test]
    async fn old_archives_are_removed_unless_they_are_needed() {
        let directory = tempfile::tempdir().unwrap();
        let put = |name: &str| fs::write(directory.path().join(name), "").unwrap();
        let archives = nights("2026-01-01T00:00:00Z", 9);
        archives.iter().for_each(|name| put(name));
        put("notes.txt");
        let store = BackupStore::parse(directory.path().to_str().unwrap()).unwrap();
        let now = time("2026-03-01T00:00:00Z");
        // Named by a wrong clock; and not a file.
        put("exit3-20990101T000000.000Z.backup");
        fs::create_dir(directory.path().join("exit3-20260101T000001.000Z.backup")).unwrap();
        let newest = store.newest(now).await.unwrap();
        assert!(newest.ends_with(&archives[8]), "{newest}");
        assert!(store.expire(u32::MAX, now, None).await.unwrap().is_empty());
        // Last verified on the second of January.
        let proven = Some(time("2026-01-02T12:00:00Z"));
        assert_eq!(store.expire(0, now, proven).await.unwrap(), archives[..1]);
        assert_eq!(store.expire(0, now, None).await.unwrap(), archives[1..2]);
        assert!(store.expire(0, now, None).await.unwrap().is_empty(), "seven stay");
        assert!(directory.path().join("notes.txt").exists());
    }

    #[tokio::test]
    async fn a_clock_that_leaps_ahead_removes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let put = |name: &String| fs::write(directory.path().join(name), "").unwrap();
        let store = BackupStore::parse(directory.path().to_str().unwrap()).unwrap();
        let archives = nights("2026-01-01T00:00:00Z", 30);
        archives.iter().for_each(put);
        for name in nights("2040-01-01T00:00:00Z", KEPT - 1) {
            put(&name);
            let now = time_of(&name).unwrap();
            assert_eq!(store.expire(30, now, None).await.unwrap(), [""; 0], "{name}");
        }
        // Once the clock is right again, everything continues as before.
        let mut removed = Vec::new();
        for name in nights("2026-01-31T00:00:00Z", 10) {
            put(&name);
            removed.extend(store.expire(30, time_of(&name).unwrap(), None).await.unwrap());
        }
        assert_eq!(removed, archives[..3], "archives that are 37 days old");
    }

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// The names of nightly archives.
    fn nights(first: &str, count: usize) -> Vec<String> {
        let days = time(first).date_naive().iter_days().take(count);
        days.map(|day| name_of(day.and_time(chrono::NaiveTime::MIN).and_utc())).collect()
    }

    #[test]
    fn a_store_is_a_directory_or_a_bucket() {
        for text in ["", "S3://bucket/prefix", "https://example.com", "s3://", "s3:///prefix"] {
            let refused = BackupStore::parse(text).err().map(|error| error.to_string());
            assert!(refused.is_some_and(|error| error.contains("s3://bucket/prefix")), "{text}");
        }
    }

    #[test]
    fn old_leftovers_of_interrupted_commands_are_removed() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let made = fs::metadata(directory.path()).unwrap().modified().unwrap();
        let old = made - std::time::Duration::from_secs(25 * 60 * 60);
        fs::create_dir(path(".exit3-new.partial")).unwrap();
        fs::create_dir(path(".exit3-old.partial")).unwrap();
        fs::write(path(".exit3-file.partial"), "").unwrap();
        fs::write(path("notes.txt"), "").unwrap();
        for name in [".exit3-old.partial", ".exit3-file.partial", "notes.txt"] {
            File::open(path(name)).unwrap().set_modified(old).unwrap();
        }
        remove_stale(directory.path()).unwrap();
        let mut left: Vec<_> = fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, [".exit3-new.partial", "notes.txt"]);
    }
}
