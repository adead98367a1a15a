//! Whether the database can be used.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use exit3_ports::{DatabaseHealth, StoreError};

use crate::database::{Connector, Store};
use crate::error::Refusal;
use crate::migrations;
use crate::sql::Sql;

/// Watches over the database.
#[derive(Clone)]
pub struct SqliteHealth {
    store: Store,
    path: PathBuf,
    identity: Option<Identity>,
}

impl SqliteHealth {
    pub(crate) fn new(store: Store, connector: &Connector) -> Self {
        let path = connector.path().to_owned();
        Self { store, identity: identity(&path), path }
    }
}

#[async_trait]
impl DatabaseHealth for SqliteHealth {
    async fn ping(&self) -> Result<(), StoreError> {
        // SQLite goes on with a file that was removed or replaced, and
        // everything that it then writes is lost.
        if self.identity.is_none() || identity(&self.path) != self.identity {
            return Err(Refusal::FileGone.into());
        }
        let tables = "SELECT count(*) FROM sqlite_schema";
        let read = |connection: &mut SqliteConnection| {
            Sql::<BigInt>::new(tables).get_result::<i64>(connection)
        };
        self.store.readers.run(read).await.map(drop)
    }

    async fn schema_is_current(&self) -> Result<bool, StoreError> {
        self.store.readers.read(migrations::is_current).await
    }
}

/// Which file it is, whatever its name: device and number.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<Identity> {
    std::fs::metadata(path).ok().map(|_| (0, 0))
}
