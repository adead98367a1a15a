use std::io;

use exit3_ports::{ContractError, StoreError, with_causes};

/// Why an archive could not be written, read or restored.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It does not begin like an archive.
    #[error("this is not an archive of exit3")]
    Foreign,
    /// A newer version wrote it.
    #[error(
        "the archive was written by a newer version of exit3 ({0}); restore it with that version"
    )]
    Newer(String),
    /// A newer version of a module wrote it.
    #[error(
        "the archive was written by a newer version of the module {module} ({version}); restore \
         it with that version"
    )]
    NewerModule {
        /// The module.
        module: String,
        /// Its version.
        version: String,
    },
    /// The database to copy has a module that the other one lacks, or has in an older version.
    #[error(
        "the database has the module {module} ({version}): promote it with a program that has \
         this version of it"
    )]
    WithoutModule {
        /// The module.
        module: String,
        /// Its version.
        version: String,
    },
    /// Its content is not what was written.
    #[error("the archive is damaged: {0}")]
    Damaged(String),
    /// It is encrypted, and no key is set.
    #[error("the archive is encrypted: set BACKUP_IDENTITY or BACKUP_PASSPHRASE")]
    Locked,
    /// None of the keys opens it.
    #[error("the archive is encrypted for another key or passphrase")]
    WrongKey,
    /// A malformed key or key file.
    #[error("{0}")]
    BadKey(String),
    /// The target database has rows.
    #[error("the database is not empty: table {0} has rows")]
    NotEmpty(&'static str),
    /// A contract file, or the store that keeps them.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// A contract file could not be written, but everything else has been restored.
    #[error(
        "{0}; everything else has been restored: fix the cause and restore again with --replace"
    )]
    HalfPlaced(ContractError),
    /// The database contains contradictory or unreadable data.
    #[error("the database is damaged: {0}")]
    Unsound(String),
    /// It is not encrypted, although keys are set, so anybody may have written it.
    #[error(
        "the archive is not encrypted, though a key or passphrase for backups is set: \
             anybody with write access to the storage may have made it. If you know that it is \
             yours, say --allow-plain"
    )]
    Plain,
    /// A row exceeds the longest line of an archive.
    #[error("row {id} of table {table} is too long for an archive: it takes more than 32 MiB")]
    TooLong {
        /// The table.
        table: &'static str,
        /// The id of the row.
        id: i64,
    },
    /// Reading the rows back gave other rows than were written.
    #[error("table {0} differs after copying; nothing was changed")]
    Differs(&'static str),
    /// The database refused to store rows.
    #[error("table {table}: {source}")]
    Refused {
        /// The table.
        table: &'static str,
        /// The database's error.
        source: StoreError,
    },
    /// The commit may or may not have happened, because its answer is missing.
    #[error("it is not known whether all rows were written or none: {0}")]
    Uncertain(#[source] StoreError),
    /// The database has a newer schema than this program knows.
    #[error("the database belongs to a newer version of exit3 ({0}); use that version")]
    NewerDatabase(String),
    /// A file cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The database's error.
    #[error("{}", with_causes(.0))]
    Store(#[from] StoreError),
}

impl ArchiveError {
    pub(crate) fn damaged(how: impl Into<String>) -> Self {
        Self::Damaged(how.into())
    }
}

/// Maps errors of decompression and parsing: an archive with a correct hash may still be malformed.
pub(crate) fn unreadable(error: io::Error) -> ArchiveError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::Other => {
            ArchiveError::Damaged(error.to_string())
        }
        _ => ArchiveError::Io(error),
    }
}
