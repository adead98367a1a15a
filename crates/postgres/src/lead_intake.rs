//! When leads came through the API, in PostgreSQL.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Timestamptz};
use diesel::{OptionalExtension, QueryResult};
use diesel_async::RunQueryDsl;
use exit3_domain::silence::Counts;
use exit3_ports::{LeadIntake, StoreError};

use crate::pool::PgPool;
use crate::sql::{Sql, Value};

/// Those whose author is an API key, as [`exit3_domain::events::Actor`] writes it.
const CAME: &str = " FROM events WHERE resource = 'lead' AND verb = 'lead.created' \
                    AND (actor = 'basic_key' OR actor >= 'api_key:' AND actor < 'api_key;')";

/// Reads when leads came.
#[derive(Clone)]
pub(crate) struct PgLeadIntake {
    pool: PgPool,
}

impl PgLeadIntake {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    async fn time(&self, select: Sql<Timestamptz>) -> Result<Option<DateTime<Utc>>, StoreError> {
        let found = self.pool.read(|mut connection| {
            let select = select.clone();
            async move {
                let found: QueryResult<DateTime<Utc>> = select.get_result(&mut *connection).await;
                connection.done(found.optional())
            }
        });
        found.await
    }
}

#[async_trait]
impl LeadIntake for PgLeadIntake {
    async fn first(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.time(Sql::cached("SELECT at").sql(CAME).sql(" ORDER BY at LIMIT 1")).await
    }

    async fn last(
        &self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let select = Sql::cached("SELECT at")
            .sql(CAME)
            .sql(" AND at >= ")
            .value(Value::time(from))
            .sql(" AND at <= ")
            .value(Value::time(until))
            .sql(" ORDER BY at DESC LIMIT 1");
        self.time(select).await
    }

    async fn count(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Counts, StoreError> {
        // 1970 began on a Thursday.
        let select = Sql::<(BigInt, BigInt)>::planned(
            "SELECT (floor(extract(epoch FROM at) / 3600)::bigint + 72) % 168, count(*)",
        )
        .sql(CAME)
        .sql(" AND at >= ")
        .value(Value::time(from))
        .sql(" AND at < ")
        .value(Value::time(until))
        .sql(" GROUP BY 1");
        let counted = self.pool.read(|mut connection| {
            let select = select.clone();
            async move {
                let counted: QueryResult<Vec<(i64, i64)>> = select.load(&mut *connection).await;
                connection.done(counted)
            }
        });
        Ok(counted.await?.into_iter().collect())
    }
}
