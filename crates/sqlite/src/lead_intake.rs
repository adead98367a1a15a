//! When leads came through the API, in SQLite.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use exit3_domain::silence::Counts;
use exit3_ports::{LeadIntake, StoreError};

use crate::sql::Sql;
use crate::store::SqliteStore;
use crate::values::{microseconds, moment};

/// Those whose author is an API key, as [`exit3_domain::events::Actor`] writes it.
const CAME: &str = " FROM events INDEXED BY events_by_verb \
                    WHERE resource = 'lead' AND verb = 'lead.created' \
                    AND (actor = 'basic_key' OR actor >= 'api_key:' AND actor < 'api_key;')";

/// Reads when leads came.
#[derive(Clone)]
pub(crate) struct SqliteLeadIntake {
    store: SqliteStore,
}

impl SqliteLeadIntake {
    pub(crate) fn new(store: SqliteStore) -> Self {
        Self { store }
    }

    async fn time(&self, select: Sql<BigInt>) -> Result<Option<DateTime<Utc>>, StoreError> {
        let read = move |connection: &mut SqliteConnection| {
            select.get_result::<i64>(connection).optional()
        };
        self.store.read(read).await?.map(moment).transpose()
    }
}

#[async_trait]
impl LeadIntake for SqliteLeadIntake {
    async fn first(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let mut select = Sql::new("SELECT at");
        select.sql(CAME).sql(" ORDER BY at LIMIT 1");
        self.time(select).await
    }

    async fn last(
        &self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let mut select = Sql::new("SELECT at");
        select.sql(CAME).sql(" AND at >= ").int(microseconds(from));
        select.sql(" AND at <= ").int(microseconds(until)).sql(" ORDER BY at DESC LIMIT 1");
        self.time(select).await
    }

    async fn count(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Counts, StoreError> {
        let read = move |connection: &mut SqliteConnection| {
            // 1970 began on a Thursday.
            let mut select =
                Sql::<(BigInt, BigInt)>::new("SELECT (at / 3600000000 + 72) % 168, count(*)");
            select.sql(CAME).sql(" AND at >= ").int(microseconds(from));
            select.sql(" AND at < ").int(microseconds(until)).sql(" GROUP BY 1");
            select.load::<(i64, i64)>(connection)
        };
        Ok(self.store.read(read).await?.into_iter().collect())
    }
}
