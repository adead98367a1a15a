//! Why an import fails.

use exit3_archive::ArchiveError;
use exit3_ports::StoreError;

use crate::decide::Conflict;

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The source is not a database of the Django service.
    #[error("the source is not a database of the Django service: it lacks {}", .0.join(", "))]
    Missing(Vec<String>),
    /// Changes made here would be lost.
    #[error(
        "{} cannot be imported because of changes made here meanwhile; nothing was changed \
         (--overwrite lets the source win, except for conflicting keys)", rows(.0.len())
    )]
    Conflicts(Vec<Conflict>),
    /// The stored rows differ from those of the source.
    #[error("table {0} differs from what was imported; nothing was changed")]
    Differs(&'static str),
    /// An error of contract files or of row hashes.
    #[error("{0}")]
    Archive(#[from] ArchiveError),
    /// An error of one of the databases.
    #[error("{0}")]
    Store(#[from] StoreError),
}

fn rows(count: usize) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}
