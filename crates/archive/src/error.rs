use std::io;
use std::path::PathBuf;

use exit3_ports::{StoreError, with_causes};

/// Why an archive could not be made, read or brought into a database.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It does not begin as an archive does.
    #[error("this is not an archive of exit3")]
    Foreign,
    /// A newer program made it.
    #[error("the archive is of a newer version of exit3 ({0}); restore it with that version")]
    Newer(String),
    /// It is not what was written.
    #[error("the archive is damaged: {0}")]
    Damaged(String),
    /// There is no key for it.
    #[error("the archive is encrypted: set BACKUP_IDENTITY or BACKUP_PASSPHRASE")]
    Locked,
    /// The keys are others.
    #[error("the archive is encrypted for another key or passphrase")]
    WrongKey,
    /// A key is not one.
    #[error("{0}")]
    BadKey(String),
    /// There are rows already.
    #[error("the database is not empty: table {0} has rows")]
    NotEmpty(&'static str),
    /// There is a file already.
    #[error("the contract file {0} is there already, and another one")]
    FileExists(String),
    /// A path that leaves the directory, or leads through a link.
    #[error("the contract file {0:?} would not be inside of its directory")]
    Outside(String),
    /// A path that would be taken for what an interrupted restore left, and removed.
    #[error("the contract file {0:?} is called as files are that wait in a restore: rename it")]
    Waits(String),
    /// The contract files are not to be had.
    #[error("the directory of contract files {} cannot be read: {source}; mount or make it, or \
             correct CONTRACT_DIR", path.display())]
    NoDirectory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system refuses.
    #[error("the contract file {name} cannot be put in its place: {source}")]
    NotPlaced {
        /// Its path below the directory.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// All else has been restored.
    #[error("{0}; all else has been restored: mend that, and restore again with --replace")]
    HalfPlaced(Box<ArchiveError>),
    /// The database contradicts itself.
    #[error("the database is damaged: {0}")]
    Unsound(String),
    /// Anybody may have made it.
    #[error(
        "the archive is not encrypted, though a key or passphrase for backups is set: \
             whoever can write to where it is kept may have made it. If you know that it is \
             yours, say --allow-plain"
    )]
    Plain,
    /// More than an archive takes.
    #[error("row {id} of table {table} is too long for an archive: it takes more than 32 MiB")]
    TooLong {
        /// The table.
        table: &'static str,
        /// The id of the row.
        id: i64,
    },
    /// What was copied is not what there was.
    #[error("table {0} is not the same after it was copied; nothing was changed")]
    Differs(&'static str),
    /// The database does not take what it is to take.
    #[error("table {table}: {source}")]
    Refused {
        /// Of what table.
        table: &'static str,
        /// What the database says.
        source: StoreError,
    },
    /// The commit was not answered.
    #[error("it is not known whether the rows are there, all or none: {0}")]
    Uncertain(#[source] StoreError),
    /// The database belongs to a newer program.
    #[error("the database is of a newer version of exit3 ({0}); use that version")]
    NewerDatabase(String),
    /// A file cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The database.
    #[error("{}", with_causes(.0))]
    Store(#[from] StoreError),
}

impl ArchiveError {
    pub(crate) fn damaged(how: impl Into<String>) -> Self {
        Self::Damaged(how.into())
    }
}

/// What is read from an archive that is whole may still not make sense.
pub(crate) fn unreadable(error: io::Error) -> ArchiveError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::Other => {
            ArchiveError::Damaged(error.to_string())
        }
        _ => ArchiveError::Io(error),
    }
}
