//! The files of a database: the main file, the log (`-wal`) and the index of the log (`-shm`).
//! SQLite keeps using files that were moved, removed or replaced, and later writes are then lost.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::FilesError;
use super::damage::Marker;
use super::in_use;
use crate::error::Refusal;

/// The free space below which a disk counts as full; the index takes half of it.
const ROOM: usize = 64 << 10;

/// The identities of the files when the database was opened.
#[derive(Debug)]
pub(crate) struct Files {
    main: PathBuf,
    log: PathBuf,
    index: PathBuf,
    /// The path by which the operator knows the main file. A link in it may be changed.
    given: PathBuf,
    identity: Option<Identity>,
    /// Never closed: see [`in_use`].
    main_file: Option<Arc<File>>,
    beside: OnceLock<Beside>,
    trouble: Mutex<Option<Refusal>>,
    others: AtomicUsize,
    marker: Marker,
    /// The marker beside the file that `given` leads to now.
    marker_of_given: Mutex<Option<Marker>>,
}

/// The two files that exist only while the database is open.
#[derive(Debug)]
struct Beside {
    /// Keeps the log readable after its name is gone.
    log: File,
    log_identity: Identity,
    /// Never closed: see [`in_use`].
    index: Arc<File>,
    index_identity: Identity,
}

/// The last change of a file, and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    length: u64,
    at: (i64, i64),
}

impl Change {
    fn of(metadata: &Metadata) -> Self {
        Self { length: metadata.len(), at: (metadata.mtime(), metadata.mtime_nsec()) }
    }

    pub(crate) fn length(self) -> u64 {
        self.length
    }

    /// Whether it happened at least two seconds later.
    pub(crate) fn is_later_than(self, other: Self) -> bool {
        self.at.0 >= other.at.0.saturating_add(2)
    }
}

/// Another connection of this process writes. Several may do so at once.
pub(crate) struct OthersWrite<'a>(&'a AtomicUsize);

impl Drop for OthersWrite<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Files {
    /// The files that belong to `main`, which must exist.
    pub(crate) fn new(main: &Path) -> Self {
        Self::reached_by(main, main)
    }

    /// The same; `given` is another path to `main`.
    pub(crate) fn reached_by(main: &Path, given: &Path) -> Self {
        Self {
            given: std::path::absolute(given).unwrap_or_else(|_| main.to_owned()),
            main: main.to_owned(),
            log: with_suffix(main, "-wal"),
            index: with_suffix(main, "-shm"),
            identity: identity(main),
            main_file: in_use::hold(main).ok(),
            beside: OnceLock::new(),
            trouble: Mutex::default(),
            others: AtomicUsize::new(0),
            marker: Marker::new(with_suffix(main, MARKER)),
            marker_of_given: Mutex::default(),
        }
    }

    /// Whether all processes that have the database open use these files.
    pub(crate) fn are_shared(&self) -> bool {
        in_use::is_shared(&self.main, &self.index)
    }

    /// Whether another process has the database open.
    pub(crate) fn are_open_elsewhere(&self) -> bool {
        in_use::is_open(&self.main)
    }

    /// Fails if another running process has found damage.
    pub(crate) fn check_elsewhere(&self) -> Result<(), FilesError> {
        self.marker.of_others().map_or(Ok(()), |found| Err(FilesError::Damaged(found)))
    }

    /// Fails if the main file is empty or missing although the log is not. SQLite would take the
    /// log for one of a removed database, and remove it.
    pub(crate) fn check_emptied(&self) -> Result<(), FilesError> {
        let length = |path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        match length(&self.main) == 0 && length(&self.log) > 0 {
            true => Err(FilesError::Emptied { main: self.main.clone(), log: self.log.clone() }),
            false => Ok(()),
        }
    }

    /// Remembers the log and the index, once a connection has opened them. While that connection
    /// stays open, SQLite itself neither removes nor replaces them.
    pub(crate) fn remember(&self) -> Result<(), Refusal> {
        if self.beside.get().is_some() {
            return Ok(());
        }
        let log = File::open(&self.log).map_err(|_| Refusal::LogGone)?;
        let log_identity = log.metadata().map(|it| of(&it)).map_err(|_| Refusal::LogGone)?;
        let index = in_use::hold(&self.index).map_err(|_| Refusal::LogGone)?;
        let index_identity = index.metadata().map(|it| of(&it)).map_err(|_| Refusal::LogGone)?;
        let _ = self.beside.set(Beside { log, log_identity, index, index_identity });
        Ok(())
    }

    /// Whether each file is still the one that was opened.
    pub(crate) fn in_place(&self) -> Result<(), Refusal> {
        let is_given = self.given == self.main || identity(&self.given) == self.identity;
        if !self.main_in_place() || !is_given {
            return Err(Refusal::FileGone);
        }
        let Some(beside) = self.beside.get() else { return Ok(()) };
        if identity(&self.log) == Some(beside.log_identity)
            && identity(&self.index) == Some(beside.index_identity)
        {
            return Ok(());
        }
        Err(Refusal::LogGone)
    }

    pub(crate) fn main_in_place(&self) -> bool {
        self.identity.is_some() && identity(&self.main) == self.identity
    }

    /// Whether the main file has no name left, so that it disappears with this process.
    pub(crate) fn main_is_removed(&self) -> bool {
        let metadata = self.main_file.as_ref().and_then(|file| file.metadata().ok());
        metadata.is_some_and(|metadata| metadata.nlink() == 0)
    }

    /// Whether another program has started a log of its own in place of ours.
    pub(crate) fn has_foreign_log(&self) -> bool {
        let ours = self.beside.get().map(|beside| beside.log_identity);
        std::fs::metadata(&self.log).is_ok_and(|log| log.len() > 0 && Some(of(&log)) != ours)
    }

    /// Announces that another connection of this process writes as well, until the result is dropped.
    pub(crate) fn expect_others(&self) -> OthersWrite<'_> {
        self.others.fetch_add(1, Ordering::Relaxed);
        OthersWrite(&self.others)
    }

    /// Whether another connection is, or may be, moving the log to the main file.
    pub(crate) fn is_being_moved(&self) -> bool {
        self.others.load(Ordering::Relaxed) > 0
            || self.beside.get().is_some_and(|beside| in_use::is_moving(&beside.index))
    }

    pub(crate) fn main_change(&self) -> Option<Change> {
        std::fs::metadata(&self.main).ok().map(|metadata| Change::of(&metadata))
    }

    /// The log that was opened, even if its name is gone, and its last change.
    pub(crate) fn log(&self) -> Option<(&File, Change)> {
        let log = &self.beside.get()?.log;
        Some((log, Change::of(&log.metadata().ok()?)))
    }

    /// Whether the log is empty or missing.
    pub(crate) fn has_no_log(&self) -> bool {
        std::fs::metadata(&self.log).map_or(true, |log| log.len() == 0)
    }

    /// Whether the disk has no room for another write.
    pub(crate) fn disk_is_full(&self) -> bool {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        let Some(directory) = self.main.parent() else { return false };
        let written = tempfile::tempfile_in(directory)
            .and_then(|mut file| file.write_all(&[1; ROOM]).map(|()| file));
        written.is_err_and(|error| matches!(error.kind(), StorageFull | QuotaExceeded))
    }

    /// A free path for a copy of data that would be lost with this process. An earlier process may
    /// have had the same process id; in containers it usually has.
    pub(crate) fn rescue(&self) -> PathBuf {
        let place = |more: String| {
            with_suffix(&self.main, &format!("{RESCUED}{}{more}", std::process::id()))
        };
        let first = place(String::new());
        let others = (2..).map(|number: u64| place(format!("-{number}")));
        let mut places = std::iter::once(first.clone()).chain(others);
        places.find(|place| place.symlink_metadata().is_err()).unwrap_or(first)
    }

    /// The copies that earlier processes have rescued.
    pub(crate) fn rescued(&self) -> Vec<PathBuf> {
        let (Some(directory), Some(name)) = (self.main.parent(), self.main.file_name()) else {
            return Vec::new();
        };
        let mut beginning = name.to_owned();
        beginning.push(RESCUED);
        let beginning = beginning.to_string_lossy().into_owned();
        let names = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let mut rescued: Vec<_> = names
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(&beginning))
            .map(|entry| entry.path())
            .collect();
        rescued.sort();
        rescued
    }

    /// The known reason why writes are refused, if there is one.
    pub(crate) fn trouble(&self) -> Option<Refusal> {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes why writes are refused, or that they are accepted. Each change is logged once.
    pub(crate) fn note(&self, trouble: Option<Refusal>) {
        let mut known = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if *known == trouble {
            return;
        }
        match trouble {
            Some(trouble) if trouble.is_of_files() => {
                tracing::error!(
                    "{trouble}: writes are refused until this is undone or the service is restarted"
                );
                self.marker.set(&trouble.to_string());
                self.mark_given(trouble);
            }
            Some(trouble) => tracing::error!("{trouble}: writes are refused until this passes"),
            None => {
                self.marker.clear();
                *self.marker_of_given.lock().unwrap_or_else(PoisonError::into_inner) = None;
                tracing::info!("the database accepts writes again");
            }
        }
        *known = trouble;
    }
}

impl Files {
    /// Tells commands that follow a changed link to other files. Those lack newer writes.
    fn mark_given(&self, trouble: Refusal) {
        let Some((directory, name)) = self.given.parent().zip(self.given.file_name()) else {
            return;
        };
        let in_directory = || Some(directory.canonicalize().ok()?.join(name));
        let Some(main) = self.given.canonicalize().ok().or_else(in_directory) else { return };
        let mut known = self.marker_of_given.lock().unwrap_or_else(PoisonError::into_inner);
        if main != self.main && known.is_none() {
            known.insert(Marker::new(with_suffix(&main, MARKER))).set(&trouble.to_string());
        }
    }
}

/// The suffix of the marker file.
const MARKER: &str = "-damaged";
/// The suffix of rescued copies, followed by the process id.
const RESCUED: &str = "-rescued-";

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Identifies a file under any name: its device and inode number.
pub(super) type Identity = (u64, u64);

fn identity(path: &Path) -> Option<Identity> {
    std::fs::metadata(path).ok().map(|metadata| of(&metadata))
}

pub(super) fn of(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_write_until_the_last_of_them_has_ended() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::new(&directory.path().join("exit3.sqlite3"));
        let (one, other) = (files.expect_others(), files.expect_others());
        drop(one);
        assert!(files.is_being_moved());
        drop(other);
        assert!(!files.is_being_moved());
    }
}
