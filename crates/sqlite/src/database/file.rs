//! The file behind the path.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Refusal;

/// A file that was opened. SQLite goes on with one that was moved, removed or replaced,
/// and what it then writes is lost.
#[derive(Debug)]
pub(super) struct OpenFile {
    path: PathBuf,
    identity: Option<Identity>,
    told: AtomicBool,
}

impl OpenFile {
    /// The file that is at `path` now.
    pub(super) fn new(path: &Path) -> Self {
        let identity = identity(path);
        Self { path: path.to_owned(), identity, told: AtomicBool::new(false) }
    }

    /// Whether it is still there. That it is not is logged once.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        if self.identity.is_some() && identity(&self.path) == self.identity {
            self.told.store(false, Ordering::Relaxed);
            return Ok(());
        }
        if !self.told.swap(true, Ordering::Relaxed) {
            tracing::error!(
                "the database file was moved, replaced or removed: nothing is written until it \
                 is back or the service is restarted"
            );
        }
        Err(Refusal::FileGone)
    }
}

/// Which file it is, whatever its name: device and number.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<Identity> {
    std::fs::metadata(path).ok().map(|_| (0, 0))
}
