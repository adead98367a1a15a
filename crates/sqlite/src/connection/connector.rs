//! Opens and configures connections.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::files::Files;
use super::{FilesError, OpenError};
use crate::deadline;
use crate::error::Refusal;
use crate::sql::Sql;

/// How long a connection waits for a lock of another process, in milliseconds. Shorter than a
/// caller's patience.
pub(crate) const BUSY: &str = "PRAGMA busy_timeout = 1500;";
/// The same for migrations, since the other process may be running one.
const BUSY_MIGRATOR: &str = "PRAGMA busy_timeout = 300000;";

/// `FULL`: an answered write survives a power cut. The caches (in KiB) are small, because the
/// operating system caches the file as well.
const WRITER: &str = "PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA cache_size = -8192;
    PRAGMA wal_autocheckpoint = 8192;
    PRAGMA journal_size_limit = 67108864;";

const READER: &str = "PRAGMA foreign_keys = ON;
    PRAGMA query_only = ON;
    PRAGMA cache_size = -4096;";

/// How long to retry when two processes initialise a new file at the same time.
const CONVERSION: Duration = Duration::from_secs(10);

/// Opens connections to one existing file; it never creates one.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    files: Arc<Files>,
    uri: String,
}

impl Connector {
    /// `None` if the path is not UTF-8.
    pub(crate) fn new(path: &Path) -> Option<Self> {
        Self::reached_by(path, path)
    }

    /// The same; `given` is another path to the file, which must lead to it as long as it is used.
    pub(crate) fn reached_by(path: &Path, given: &Path) -> Option<Self> {
        let mut uri = "file:".to_owned();
        for character in path.to_str()?.chars() {
            match character {
                '%' => uri.push_str("%25"),
                '?' => uri.push_str("%3f"),
                '#' => uri.push_str("%23"),
                _ => uri.push(character),
            }
        }
        uri.push_str("?mode=rw");
        Some(Self { files: Arc::new(Files::reached_by(path, given)), uri })
    }

    pub(crate) fn files(&self) -> &Files {
        &self.files
    }

    /// Whether a write would last: the files are still in place, and no other trouble is known.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        self.files.in_place()?;
        self.files.trouble().map_or(Ok(()), Err)
    }

    /// Refuses to open files that have been replaced: SQLite would take the index, which other
    /// connections here have mapped, for an unused one, and truncate it.
    fn may_open(&self) -> Result<(), FilesError> {
        self.files.check_emptied()?;
        self.files.in_place().map_err(|refusal| FilesError::Changed(refusal.to_string()))
    }

    pub(crate) fn writer(&self) -> Result<SqliteConnection, OpenError> {
        self.may_open()?;
        let mut connection = SqliteConnection::establish(&self.uri)?;
        connection.batch_execute(BUSY)?;
        log_ahead(&mut connection)?;
        connection.batch_execute(WRITER)?;
        Ok(connection)
    }

    /// A writer that never moves the log to the main file by itself: its owner checks the log
    /// before.
    pub(crate) fn careful_writer(&self) -> Result<SqliteConnection, OpenError> {
        let mut connection = self.writer()?;
        connection.batch_execute("PRAGMA wal_autocheckpoint = 0")?;
        Ok(connection)
    }

    pub(crate) fn migrator(&self) -> Result<SqliteConnection, OpenError> {
        let mut connection = self.writer()?;
        connection.batch_execute(BUSY_MIGRATOR)?;
        Ok(connection)
    }

    pub(crate) fn reader(&self) -> Result<SqliteConnection, OpenError> {
        Ok(self.lasting_reader()?.0)
    }

    /// Opens a reader, and tells whether it will see later writes. A full disk has no room for the
    /// index that connections share. If the log is empty, the main file can be read without it;
    /// otherwise the connection builds an index in memory.
    pub(crate) fn lasting_reader(&self) -> Result<(SqliteConnection, bool), OpenError> {
        self.may_open()?;
        match set_up_reader(&self.uri) {
            Err(_) if self.files.disk_is_full() => {
                let uri = match self.files.has_no_log() {
                    true => self.uri_with("?mode=ro&immutable=1"),
                    false => self.uri_with("?mode=ro&readonly_shm=1"),
                };
                Ok((set_up_reader(&uri)?, false))
            }
            connected => Ok((connected?, true)),
        }
    }

    /// Opens another application's file, without changing it.
    pub(crate) fn foreign(&self) -> Result<SqliteConnection, OpenError> {
        self.files.check_emptied()?;
        Ok(SqliteConnection::establish(&self.uri_with("?mode=ro"))?)
    }

    fn uri_with(&self, mode: &str) -> String {
        self.uri.replace("?mode=rw", mode)
    }
}

fn set_up_reader(uri: &str) -> Result<SqliteConnection, OpenError> {
    let mut connection = SqliteConnection::establish(uri)?;
    connection.batch_execute(BUSY)?;
    connection.batch_execute(READER)?;
    deadline::teach(&mut connection)?;
    look(&mut connection)?;
    Ok(connection)
}

/// Reads something, so that SQLite opens all files.
pub(crate) fn look(connection: &mut SqliteConnection) -> QueryResult<()> {
    let tables = "SELECT count(*) FROM sqlite_schema";
    Sql::<BigInt>::new(tables).get_result::<i64>(connection).map(drop)
}

/// Switches a new file to write-ahead logging. SQLite ignores the busy timeout for this.
fn log_ahead(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let begun = Instant::now();
    loop {
        match Sql::<Text>::new("PRAGMA journal_mode = WAL").get_result::<String>(connection) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => return Err(OpenError::NoWal(mode)),
            Err(error) if !is_locked(&error) || begun.elapsed() > CONVERSION => {
                return Err(error.into());
            }
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

fn is_locked(error: &diesel::result::Error) -> bool {
    matches!(error, diesel::result::Error::DatabaseError(_, information)
        if information.message() == "database is locked")
}
