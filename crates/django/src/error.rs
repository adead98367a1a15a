//! Why an import fails.

use exit3_archive::ArchiveError;
use exit3_ports::StoreError;

use crate::decide::Conflict;

/// Why nothing was brought.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The source is no database of the service.
    #[error("the source is not a database of the Django service: it lacks {}", .0.join(", "))]
    Missing(Vec<String>),
    /// What was written here would be lost.
    #[error(
        "{} cannot be brought because of what was written here meanwhile; nothing was changed \
         (--overwrite lets the source win, where it is not about a key)", rows(.0.len())
    )]
    Conflicts(Vec<Conflict>),
    /// What was written is not what was read.
    #[error("table {0} is not here as it was brought; nothing was changed")]
    Differs(&'static str),
    /// The archive's part of the work.
    #[error("{0}")]
    Archive(#[from] ArchiveError),
    /// One of the databases.
    #[error("{0}")]
    Store(#[from] StoreError),
}

fn rows(count: usize) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}
