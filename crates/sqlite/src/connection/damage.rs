//! Tells other processes that the database files were damaged.
//!
//! Only a process that had the files open before can detect damage. It writes a description to a
//! marker file beside the database and locks that file. The lock ends with the process, so a marker
//! left by a crash means nothing.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

/// The longest text that is read from a marker, in bytes.
const LONGEST: u64 = 1024;
/// How often to try to get the lock.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(2);

/// The marker file.
#[derive(Debug)]
pub(super) struct Marker {
    path: PathBuf,
    /// The open and locked file, while this process knows of damage.
    ours: Mutex<Option<File>>,
}

impl Marker {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, ours: Mutex::default() }
    }

    /// Writes the description. On a full disk the marker stays empty, and still counts.
    pub(super) fn set(&self, found: &str) {
        let mut ours = self.ours.lock().unwrap_or_else(PoisonError::into_inner);
        if ours.is_none() {
            match self.lock() {
                Ok(file) => *ours = Some(file),
                Err(error) => {
                    tracing::error!(
                        %error,
                        "cannot tell other processes about the damage: run no commands by hand \
                         before a restart"
                    );
                    return;
                }
            }
        }
        let written = ours.as_ref().map_or(Ok(()), |mut file| {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(found.as_bytes())
        });
        if let Err(error) = written {
            tracing::warn!(%error, "cannot write the damage to the marker file");
        }
    }

    /// Opens and locks the file. Processes that read the marker hold its lock for a moment.
    fn lock(&self) -> io::Result<File> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&self.path)?;
        for _ in 1..TRIES {
            if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
                return Ok(file);
            }
            std::thread::sleep(PAUSE);
        }
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(file)
    }

    /// Removes the marker.
    pub(super) fn clear(&self) {
        let mut ours = self.ours.lock().unwrap_or_else(PoisonError::into_inner);
        if ours.is_some() {
            // Remove it before unlocking; afterwards the file may belong to another process.
            let _ = std::fs::remove_file(&self.path);
            *ours = None;
        }
    }

    /// The damage that another running process has found.
    pub(super) fn of_others(&self) -> Option<String> {
        if self.ours.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return None;
        }
        let file = File::open(&self.path).ok()?;
        // A shared lock, so that two readers do not take each other for the finder.
        flock(&file, FlockOperation::NonBlockingLockShared).err()?;
        let mut found = String::new();
        let _ = file.take(LONGEST).read_to_string(&mut found);
        Some(if found.is_empty() { "its files were damaged".to_owned() } else { found })
    }
}

impl Drop for Marker {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The locks belong to open files, so two markers in one process behave like two processes.
    fn two() -> (tempfile::TempDir, Marker, Marker) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kept-damaged");
        let (ours, others) = (Marker::new(path.clone()), Marker::new(path));
        (directory, ours, others)
    }

    #[test]
    fn others_see_the_marker_until_it_is_cleared() {
        let (_directory, ours, others) = two();
        assert_eq!(others.of_others(), None);
        ours.set("first, and at length");
        ours.set("then");
        assert_eq!(others.of_others().as_deref(), Some("then"));
        assert_eq!(ours.of_others(), None);
        ours.clear();
        assert_eq!(others.of_others(), None);
        assert!(!others.path.exists());
    }

    #[test]
    fn an_unlocked_file_means_nothing() {
        let (_directory, ours, others) = two();
        std::fs::write(&ours.path, "left by a crash").unwrap();
        assert_eq!(others.of_others(), None);
        // It does not hide the next finding.
        ours.set("found");
        assert_eq!(others.of_others().as_deref(), Some("found"));
    }

    #[test]
    fn concurrent_readers_do_not_prevent_a_new_marker() {
        let (_directory, ours, others) = two();
        std::fs::write(&ours.path, "").unwrap();
        let asking = File::open(&others.path).unwrap();
        flock(&asking, FlockOperation::NonBlockingLockShared).unwrap();
        let asked = std::thread::spawn(move || {
            std::thread::sleep(PAUSE * 5);
            drop(asking);
        });
        ours.set("found");
        asked.join().unwrap();
        assert_eq!(others.of_others().as_deref(), Some("found"));
    }
}
