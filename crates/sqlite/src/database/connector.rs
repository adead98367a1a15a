//! How a connection is opened and set up.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::OpenError;
use super::file::OpenFile;
use crate::error::Refusal;
use crate::readers::teach_deadline;
use crate::sql::Sql;

/// How long a connection waits for a lock of another process; less than a
/// caller has patience for.
const BUSY: &str = "PRAGMA busy_timeout = 1500;";
/// The same for migrations, which may be running in that other process.
const BUSY_MIGRATOR: &str = "PRAGMA busy_timeout = 300000;";

/// `FULL`: an answered write survives a power cut. The caches (in KiB) are
/// small because the file cache of the system is behind them.
const WRITER: &str = "PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA cache_size = -8192;
    PRAGMA wal_autocheckpoint = 8192;
    PRAGMA journal_size_limit = 67108864;";

const READER: &str = "PRAGMA foreign_keys = ON;
    PRAGMA query_only = ON;
    PRAGMA cache_size = -4096;";

/// How long two processes that begin a new file together may be in each
/// other's way.
const CONVERSION: Duration = Duration::from_secs(10);

/// Opens connections to one file, and never makes a new one.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    file: Arc<OpenFile>,
    uri: String,
}

impl Connector {
    /// `None` for a path that is not UTF-8.
    pub(crate) fn new(path: &Path) -> Option<Self> {
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
        Some(Self { file: Arc::new(OpenFile::new(path)), uri })
    }

    /// Whether the file is still the one that was opened, at its place.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        self.file.check()
    }

    pub(crate) fn writer(&self) -> Result<SqliteConnection, OpenError> {
        let mut connection = SqliteConnection::establish(&self.uri)?;
        connection.batch_execute(BUSY)?;
        log_ahead(&mut connection)?;
        connection.batch_execute(WRITER)?;
        Ok(connection)
    }

    pub(crate) fn migrator(&self) -> Result<SqliteConnection, OpenError> {
        let mut connection = self.writer()?;
        connection.batch_execute(BUSY_MIGRATOR)?;
        Ok(connection)
    }

    pub(crate) fn reader(&self) -> Result<SqliteConnection, OpenError> {
        let mut connection = SqliteConnection::establish(&self.uri)?;
        connection.batch_execute(BUSY)?;
        connection.batch_execute(READER)?;
        teach_deadline(&mut connection)?;
        Ok(connection)
    }

    /// A file of somebody else, which is left as it is.
    pub(crate) fn foreign(&self) -> Result<SqliteConnection, OpenError> {
        let uri = self.uri.replace("?mode=rw", "?mode=ro");
        Ok(SqliteConnection::establish(&uri)?)
    }
}

/// Switches a new file to write-ahead logging. SQLite does not wait for others
/// that do the same, however patient the connection is.
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
