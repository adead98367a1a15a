//! Copies the database as a whole.

pub(crate) mod bulk;
mod damage;

use async_trait::async_trait;
use exit3_ports::{Load, Migration, Snapshot, StoreError, Transfer};

use self::bulk::SqliteBulkTransaction;
pub(crate) use self::bulk::{last_id, overwrite_what_goes};
use crate::connection::Connector;
use crate::migrations::MIGRATIONS;

/// Copies the whole database over connections of its own.
#[derive(Clone)]
pub struct SqliteTransfer {
    connector: Connector,
}

impl SqliteTransfer {
    pub(crate) fn new(connector: Connector) -> Self {
        Self { connector }
    }
}

#[async_trait]
impl Transfer for SqliteTransfer {
    fn newest_schema(&self) -> &'static str {
        MIGRATIONS.last().map(Migration::version).unwrap_or_default()
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        // One transaction reads one state of the database. Writers do not disturb it and are not
        // blocked.
        let transaction =
            SqliteBulkTransaction::begin(&self.connector, Connector::reader, "BEGIN").await?;
        Ok(Box::new(transaction))
    }

    async fn load(&self) -> Result<Box<dyn Load>, StoreError> {
        // A process that loads a whole database does nothing else.
        std::mem::forget(self.connector.files().expect_others());
        let begin = "BEGIN IMMEDIATE";
        let transaction =
            SqliteBulkTransaction::begin(&self.connector, Connector::migrator, begin).await?;
        Ok(Box::new(transaction))
    }
}
