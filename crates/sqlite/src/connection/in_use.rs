//! Finds out whether another process has the database open, and whether it sees the same files.
//!
//! SQLite uses POSIX locks, which a process loses as soon as it closes any descriptor of the file.
//! Therefore files that are opened here are never closed.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Flock, FlockOffsetType, FlockType, fcntl_getlk};

use super::files::{Identity, of};

/// The bytes of the main file that every process locks while it has the database open.
const MAIN: (u64, u64) = (0x4000_0002, 510);
/// The byte of the index that every process locks while it has the database open.
const INDEX: (u64, u64) = (128, 1);
/// The byte of the index that a process locks while it moves the log to the main file.
const CHECKPOINT: (u64, u64) = (121, 1);
/// How often to check the locks, because another process may be opening or closing the database.
const LOOKS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// The files that have been opened so far.
static HELD: LazyLock<Mutex<HashMap<Identity, Arc<File>>>> = LazyLock::new(Mutex::default);

/// Opens the file at `path` and keeps it open.
pub(super) fn hold(path: &Path) -> io::Result<Arc<File>> {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(file) = held.get(&of(&std::fs::metadata(path)?)) {
        return Ok(Arc::clone(file));
    }
    let file = File::open(path)?;
    let identity = of(&file.metadata()?);
    Ok(Arc::clone(held.entry(identity).or_insert(Arc::new(file))))
}

/// Whether all processes that have the database open use the files that are in place now. If one
/// uses a removed index, neither sees the other's writes, and both write to the same place.
pub(super) fn is_shared(main: &Path, index: &Path) -> bool {
    for look in 0..LOOKS {
        let main = hold(main).ok();
        let main_is_open = main.as_ref().is_some_and(|file| is_locked(file, MAIN));
        let index_is_open = hold(index).is_ok_and(|file| is_locked(&file, INDEX));
        let has_index = main.is_none_or(|file| logs_ahead(&file));
        if main_is_open == index_is_open || (main_is_open && !has_index) {
            return true;
        }
        if look + 1 < LOOKS {
            std::thread::sleep(PAUSE);
        }
    }
    false
}

/// Whether another process has the database open.
pub(super) fn is_open(main: &Path) -> bool {
    hold(main).is_ok_and(|file| is_locked(&file, MAIN))
}

/// Whether another process is moving the log to the main file.
pub(super) fn is_moving(index: &File) -> bool {
    is_locked(index, CHECKPOINT)
}

/// Whether the main file is in write-ahead mode, which implies an index.
fn logs_ahead(main: &File) -> bool {
    let mut versions = [0; 2];
    main.read_exact_at(&mut versions, 18).is_ok() && versions == [2, 2]
}

/// Whether another process holds a lock on these bytes.
fn is_locked(file: &File, (start, length): (u64, u64)) -> bool {
    let lock = Flock {
        start,
        length,
        pid: None,
        typ: FlockType::WriteLock,
        offset_type: FlockOffsetType::Set,
    };
    fcntl_getlk(file, &lock).is_ok_and(|found| found.is_some())
}
