//! Whose files are that root makes by running a command by hand: those of the user that the
//! service runs as, to whom `DATA_DIR` belongs. Left to root, they would stop that user: a
//! backup every night, or the start.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::OnceLock;

use rustix::fs::{Gid, Uid, fchown};
use rustix::process::geteuid;

/// The user that the service runs as, where this process is root and that user is not.
static OWNER: OnceLock<Option<(u32, u32)>> = OnceLock::new();

/// Finds out to whom `data_dir` belongs. Only the first call in a process counts.
pub(crate) fn learn(data_dir: &Path) {
    let owner = || {
        let owner = fs::metadata(data_dir).ok().filter(|_| geteuid().is_root())?;
        (owner.uid() != 0).then(|| (owner.uid(), owner.gid()))
    };
    let _ = OWNER.get_or_init(owner);
}

fn owner() -> Option<(u32, u32)> {
    OWNER.get().copied().flatten()
}

/// Whether what this process makes is to belong to somebody else.
pub(crate) fn is_foreign() -> bool {
    owner().is_some()
}

/// Gives a file or directory that was made just now to the user that the service runs as.
///
/// # Errors
/// It stays root's.
pub(crate) fn adopt(made: &File) -> io::Result<()> {
    match owner() {
        Some((user, group)) => {
            Ok(fchown(made, Some(Uid::from_raw(user)), Some(Gid::from_raw(group)))?)
        }
        None => Ok(()),
    }
}

/// Why the service could not write to `directory`. Only root is told so, since root can.
pub(crate) fn obstacle(directory: &Path) -> Option<String> {
    let (user, group) = owner()?;
    let found = fs::metadata(directory).ok()?;
    let mode = found.mode();
    let writes = (found.uid() == user && mode & 0o300 == 0o300)
        || (found.gid() == group && mode & 0o030 == 0o030)
        || mode & 0o003 == 0o003;
    let path = directory.display();
    let owner = found.uid();
    (!writes).then(|| {
        format!(
            "{path} belongs to user {owner}, and DATA_DIR to user {user}: the service cannot \
             write there; chown {user}:{group} {path}"
        )
    })
}
