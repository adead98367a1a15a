//! Telling other processes that the files of the database were damaged.
//!
//! Only the process that had the files open before can tell. It writes what it found to a
//! marker file beside the database and locks that file. The lock ends with the process, so a
//! marker that was left by a crash means nothing.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FlockOperation, flock};

/// The longest text that is read from a marker, in bytes.
const LONGEST: u64 = 1024;

/// The file that says what was found.
#[derive(Debug)]
pub(super) struct Marker {
    path: PathBuf,
    /// Open, and locked, while this process knows of damage.
    ours: Mutex<Option<File>>,
}

impl Marker {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, ours: Mutex::default() }
    }

    /// Says what was found. On a disk without room the marker is empty, and still counts.
    pub(super) fn set(&self, found: &str) {
        let mut ours = self.ours.lock().unwrap_or_else(PoisonError::into_inner);
        let marked = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&self.path)
            .and_then(|file| {
                flock(&file, FlockOperation::NonBlockingLockExclusive)?;
                Ok(file)
            });
        match marked {
            Ok(mut file) => {
                let written = file.set_len(0).and_then(|()| file.write_all(found.as_bytes()));
                if let Err(error) = written {
                    tracing::warn!(%error, "the marker of the damage is incomplete");
                }
                *ours = Some(file);
            }
            // This process may have locked it before.
            Err(_) if ours.is_some() => {}
            Err(error) => tracing::error!(
                %error,
                "other processes cannot be told of the damage: run no backup by hand before a \
                 restart",
            ),
        }
    }

    /// Says that nothing is wrong any more.
    pub(super) fn clear(&self) {
        let mut ours = self.ours.lock().unwrap_or_else(PoisonError::into_inner);
        if ours.take().is_some() {
            let _ = std::fs::remove_file(&self.path);
        }
    }

    /// What another process has found, if that process is still running.
    pub(super) fn of_others(&self) -> Option<String> {
        if self.ours.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return None;
        }
        let file = File::open(&self.path).ok()?;
        // A shared lock, so that two that ask at once do not take each other for the finder.
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
