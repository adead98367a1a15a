//! Where the spool of this node is.

use std::path::PathBuf;

use super::{Arguments, DatabaseSettings};
use crate::spool;

const MIB: u64 = 1024 * 1024;

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
            is_required: arguments.spool_dir.is_some(),
        };
        let is_needed = arguments.spool_max_mb > 0 || spool::file(&settings.directory).exists();
        (is_needed && !database.is_embedded()).then_some(settings)
    }
}
