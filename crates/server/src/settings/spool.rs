//! Where the spool of this node is.

use std::path::PathBuf;

use super::{Arguments, DatabaseSettings};

const MIB: u64 = 1024 * 1024;

const FILE: &str = "spool.sqlite3";

/// The spool of this node.
#[derive(Debug, Clone)]
pub struct SpoolSettings {
    /// The directory of its file.
    pub directory: PathBuf,
    /// The size from which on it takes no more entries.
    pub most_bytes: u64,
    /// Whether the directory was given. If it cannot be used, the service does not start.
    pub is_required: bool,
}

impl SpoolSettings {
    /// The embedded database needs no spool: if its disk fails, that of the spool does too. A spool
    /// that was turned off is still emptied.
    pub(super) fn of(arguments: &Arguments, database: &DatabaseSettings) -> Option<Self> {
        let settings = Self {
            directory: match &arguments.spool_dir {
                Some(directory) => directory.clone(),
                None => arguments.data_dir.join("spool"),
            },
            most_bytes: u64::from(arguments.spool_max_mb) * MIB,
            is_required: arguments.spool_dir.is_some() && arguments.spool_max_mb > 0,
        };
        let is_there = || settings.file().try_exists().unwrap_or(true);
        let is_needed = arguments.spool_max_mb > 0 || is_there();
        (is_needed && !database.is_embedded()).then_some(settings)
    }
    /// The file of the spool.
    pub(crate) fn file(&self) -> PathBuf {
        self.directory.join(FILE)
    }
}
