//! Canaries in SQLite.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Text;
use exit3_domain::canaries::CanaryId;
use exit3_domain::events::Act;
use exit3_domain::leads::{Lead, NewLead};
use exit3_ports::{Canaries, StoreError};

use crate::error::from_diesel;
use crate::leads;
use crate::sql::Sql;
use crate::store::SqliteStore;
use crate::values::microseconds;

/// Stores canaries.
#[derive(Clone)]
pub(crate) struct SqliteCanaries {
    store: SqliteStore,
}

impl SqliteCanaries {
    pub(crate) fn new(store: SqliteStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl Canaries for SqliteCanaries {
    async fn create(&self, id: CanaryId, lead: &NewLead, act: &Act) -> Result<Lead, StoreError> {
        let insert_lead = leads::creation(None, lead, act)?;
        let (id, at) = (id.to_string(), microseconds(act.at));
        let create = move |connection: &mut SqliteConnection| {
            execute(connection, "SAVEPOINT canary")?;
            let stored = insert_lead(connection)?;
            execute(connection, "ROLLBACK TO canary")?;
            execute(connection, "RELEASE canary")?;
            let mut insert = Sql::<()>::new("INSERT INTO canaries (id, at) VALUES (");
            insert.text(id).sql(", ").int(at).sql(") ON CONFLICT DO NOTHING");
            insert.execute(connection).map_err(from_diesel)?;
            Ok(stored)
        };
        self.store.write(create).await
    }

    async fn take(&self, id: CanaryId, before: DateTime<Utc>) -> Result<bool, StoreError> {
        let (id, before) = (id.to_string(), microseconds(before));
        let take = move |connection: &mut SqliteConnection| {
            let mut delete = Sql::<Text>::new("DELETE FROM canaries WHERE id = ");
            delete.text(id.clone()).sql(" OR at < ").int(before).sql(" RETURNING id");
            let taken: Vec<String> = delete.load(connection).map_err(from_diesel)?;
            Ok(taken.contains(&id))
        };
        self.store.write(take).await
    }
}

fn execute(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), StoreError> {
    Sql::<()>::new(sql).execute(connection).map(drop).map_err(from_diesel)
}
