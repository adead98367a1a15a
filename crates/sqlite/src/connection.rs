//! Connections to one file, and what is known of that file and of those beside it.

mod connector;
mod damage;
mod files;
mod in_use;
mod log;

use std::path::PathBuf;

use exit3_ports::NoWay;

pub(crate) use self::connector::{Connector, look};
pub(crate) use self::files::{Change, Files};
pub(crate) use self::log::Log;
use crate::error;

/// Why a database could not be opened or migrated.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be made or reached.
    #[error("cannot open the database file {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// There is no place for what is only for the moment.
    #[error(
        "nothing temporary can be kept in {}: {source}; set TMPDIR to a directory that can be \
         written to",
        place.display()
    )]
    Temporary {
        /// The directory.
        place: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The path cannot be given to SQLite.
    #[error("the path of the database file is not UTF-8: {}", .0.display())]
    Path(PathBuf),
    /// SQLite does not open it.
    #[error("cannot open the SQLite database: {0}")]
    Connection(#[from] diesel::ConnectionError),
    /// A statement that sets a connection up failed.
    #[error("cannot set up the SQLite database: {0}")]
    Setup(#[from] diesel::result::Error),
    /// The file system cannot do write-ahead logging (some network mounts).
    #[error("the file system of the database cannot do write-ahead logging (it is in mode {0})")]
    NoWal(String),
    /// What is written would be lost.
    #[error("{0}")]
    Files(#[from] FilesError),
    /// The thread that writes cannot be started.
    #[error("cannot start the thread that writes to the database: {0}")]
    Thread(std::io::Error),
    /// There is no way to the schema that was asked for.
    #[error(transparent)]
    NoWay(#[from] NoWay),
    /// A migration failed; the schema is as it was.
    #[error("the migration {name} could not be applied: {source}")]
    Migration {
        /// Which one.
        name: &'static str,
        /// What SQLite says.
        source: diesel::result::Error,
    },
}

impl OpenError {
    /// Whether trying again later makes sense: others hold the file, the disk is full, or a
    /// migration failed, which left everything as it was.
    pub fn may_pass(&self) -> bool {
        let passes = |message: &str| error::is_busy(message) || error::is_of_disk(message);
        match self {
            Self::Connection(error) => passes(&error.to_string()),
            Self::Setup(error) => passes(&error.to_string()),
            // The other process may end, and it may hold the file for itself alone.
            Self::Files(FilesError::NotShared(_) | FilesError::Damaged(_))
            | Self::Migration { .. } => true,
            _ => false,
        }
    }
}

/// What is wrong with the files of a database.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// Others write to files that are not to be seen here.
    #[error(
        "another process has {} open, but that file or those beside it (their names end in \
         -wal and -shm) were moved, replaced or removed since: what it writes is not to be \
         seen here. Stop that process, or restart the service",
        .0.display()
    )]
    NotShared(PathBuf),
    /// Another process, which is still running, has found that they were damaged.
    #[error(
        "a running service has found damage and stopped writing: {0}. A copy made now may lack \
         rows. docs/OPERATIONS.md says how to save the data; restart the service afterwards"
    )]
    Damaged(String),
    /// They changed while they were used.
    #[error("{0}")]
    Changed(String),
}
