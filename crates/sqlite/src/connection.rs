//! Connections to one file, and the state of that file and of the files beside it.

mod connector;
mod damage;
mod files;
mod in_use;
mod log;

use std::path::PathBuf;

use exit3_ports::NoWay;

pub(crate) use self::connector::{BUSY, Connector, look};
pub(crate) use self::files::{Change, Files};
pub(crate) use self::log::{Header, Log};
use crate::error;

/// Why the database could not be opened or migrated.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be created or opened.
    #[error("cannot open the database file {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// Temporary files cannot be created.
    #[error(
        "temporary files cannot be created in {}: {source}; set TMPDIR to a directory that can be \
         written to",
        place.display()
    )]
    Temporary {
        /// The directory.
        place: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The path is not UTF-8, which SQLite requires.
    #[error("the path of the database file is not UTF-8: {}", .0.display())]
    Path(PathBuf),
    /// SQLite cannot open the file.
    #[error("cannot open the SQLite database: {0}")]
    Connection(#[from] diesel::ConnectionError),
    /// A connection could not be configured.
    #[error("cannot set up the SQLite database: {0}")]
    Setup(#[from] diesel::result::Error),
    /// The file system does not support write-ahead logging (some network mounts).
    #[error(
        "the file system of the database does not support write-ahead logging (it is in mode {0})"
    )]
    NoWal(String),
    /// The files are unsafe, and writes would be lost.
    #[error("{0}")]
    Files(#[from] FilesError),
    /// The writer thread cannot be started.
    #[error("cannot start the writer thread of the database: {0}")]
    Thread(std::io::Error),
    /// There is no path of migrations to the requested schema.
    #[error(transparent)]
    NoWay(#[from] NoWay),
    /// A migration failed; the schema is unchanged.
    #[error("the migration {name} could not be applied: {source}")]
    Migration {
        /// The migration's name.
        name: String,
        /// SQLite's error.
        source: diesel::result::Error,
    },
}

impl OpenError {
    /// Whether trying again later can help: another process holds the file, the disk is full, or a
    /// migration failed, which changed nothing.
    pub fn may_pass(&self) -> bool {
        let passes = |message: &str| error::is_busy(message) || error::is_of_disk(message);
        match self {
            Self::Connection(error) => passes(&error.to_string()),
            Self::Setup(error) => passes(&error.to_string()),
            // The other process may end, and it may hold an exclusive lock until then.
            Self::Files(FilesError::NotShared(_) | FilesError::Damaged(_))
            | Self::Migration { .. } => true,
            _ => false,
        }
    }
}

/// What is wrong with the files of a database.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// Another process writes to other files than those in place.
    #[error(
        "another process has {} open, but that file or those beside it (their names end in \
         -wal and -shm) were moved, replaced or removed since: its writes are not \
         visible here. Stop that process, or restart the service",
        .0.display()
    )]
    NotShared(PathBuf),
    /// Another running process has found that the files were damaged.
    #[error(
        "a running service has found damage and stopped writing: {0}. A copy made now may lack \
         rows. docs/OPERATIONS.md says how to save the data; restart the service afterwards"
    )]
    Damaged(String),
    /// The main file has no contents, but its log has.
    #[error(
        "the database file {} is empty or missing, but {} holds data, which opening the database \
         would remove. Put the database file back, or restore a backup into another directory",
        main.display(), log.display()
    )]
    Emptied {
        /// The main file.
        main: PathBuf,
        /// The log.
        log: PathBuf,
    },
    /// The files changed while the database was open.
    #[error("{0}")]
    Changed(String),
}
