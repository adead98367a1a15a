//! Gives files that root creates, by running a command by hand, to the user of the service, who
//! owns `DATA_DIR`. Files of root would break the nightly backup or the next start.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::OnceLock;

use rustix::fs::{Gid, Uid, fchown};
use rustix::process::geteuid;

/// The user and group of the service, if this process is root and the service is not.
static OWNER: OnceLock<Option<(u32, u32)>> = OnceLock::new();

/// Looks up the owner of `data_dir`. Only the first call in a process counts.
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

/// Whether this process creates files for another user.
pub(crate) fn is_foreign() -> bool {
    owner().is_some()
}

/// Gives a new file or directory to the user of the service.
///
/// # Errors
/// The owner cannot be changed.
pub(crate) fn adopt(made: &File) -> io::Result<()> {
    match owner() {
        Some((user, group)) => {
            Ok(fchown(made, Some(Uid::from_raw(user)), Some(Gid::from_raw(group)))?)
        }
        None => Ok(()),
    }
}

/// Why the service could not write to `directory`. Only checked as root, because root itself can.
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
