//! Health checks.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use exit3_ports::{DatabaseHealth, Obstacle, SchemaState, StoreError};

use crate::connection::Connector;
use crate::error::Refusal;
use crate::migrations::{self, OWN};
use crate::sql::Sql;
use crate::store::SqliteStore;

/// Checks the health of the database.
#[derive(Clone)]
pub(crate) struct SqliteHealth {
    store: SqliteStore,
    connector: Connector,
}

impl SqliteHealth {
    pub(crate) fn new(store: SqliteStore, connector: Connector) -> Self {
        Self { store, connector }
    }

    /// Checks the files. A full disk or a lock of another program still allows reading.
    fn checked(&self) -> Result<Option<Obstacle>, StoreError> {
        match self.connector.check() {
            Ok(()) => Ok(None),
            Err(refusal @ (Refusal::DiskFull | Refusal::Locked)) => {
                Ok(Some(Obstacle::WritesFail(refusal.to_string())))
            }
            Err(other) => Err(other.into()),
        }
    }
}

#[async_trait]
impl DatabaseHealth for SqliteHealth {
    async fn ping(&self) -> Result<(), StoreError> {
        self.checked()?;
        let tables = "SELECT count(*) FROM sqlite_schema";
        let read = |connection: &mut SqliteConnection| {
            Sql::<BigInt>::new(tables).get_result::<i64>(connection)
        };
        self.store.readers.run(read).await.map(drop)
    }

    async fn schema_is_current(&self) -> Result<bool, StoreError> {
        self.checked()?;
        let state = self.store.read(|it| migrations::state(it, &OWN)).await?;
        Ok(state == SchemaState::Current)
    }

    async fn obstacle(&self) -> Result<Option<Obstacle>, StoreError> {
        self.checked()
    }
}
