//! Canaries in PostgreSQL.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::sql_types::Text;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use exit3_domain::canaries::CanaryId;
use exit3_domain::events::Act;
use exit3_domain::leads::{Lead, NewLead};
use exit3_ports::{Canaries, StoreError};

use crate::connection::PgConnection;
use crate::leads;
use crate::pool::PgPool;
use crate::sql::{Sql, Value};

/// Stores canaries.
#[derive(Clone)]
pub(crate) struct PgCanaries {
    pool: PgPool,
}

impl PgCanaries {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

/// Inserts the lead and its event, and undoes that with all that triggers have done. What waits for the
/// end of a transaction is checked before.
async fn try_lead(connection: &mut PgConnection, lead: &NewLead, act: &Act) -> QueryResult<Lead> {
    connection.batch_execute("BEGIN; SAVEPOINT canary").await?;
    let stored = leads::insert(connection, None, lead, act).await?;
    let undo = "SET CONSTRAINTS ALL IMMEDIATE; ROLLBACK TO SAVEPOINT canary";
    connection.batch_execute(undo).await?;
    Ok(stored)
}

#[async_trait]
impl Canaries for PgCanaries {
    async fn create(&self, id: CanaryId, lead: &NewLead, act: &Act) -> Result<Lead, StoreError> {
        let created = self.pool.write(|mut connection| {
            let insert = Sql::<()>::cached("INSERT INTO canaries (id, at) VALUES (")
                .value(Value::Text(Some(id.to_string())))
                .sql(", ")
                .value(Value::Time(act.at))
                .sql(") ON CONFLICT DO NOTHING");
            async move {
                let created = async {
                    let stored = try_lead(&mut connection, lead, act).await?;
                    insert.execute(&mut *connection).await?;
                    connection.batch_execute("COMMIT").await?;
                    Ok(stored)
                };
                let created = created.await;
                connection.done_in_transaction(created)
            }
        });
        created.await.map_err(leads::assigned)
    }

    async fn take(&self, id: CanaryId, before: DateTime<Utc>) -> Result<bool, StoreError> {
        let id = id.to_string();
        let taken = self.pool.write(|mut connection| {
            let delete = Sql::<Text>::cached("DELETE FROM canaries WHERE id = ")
                .value(Value::Text(Some(id.clone())))
                .sql(" OR at < ")
                .value(Value::Time(before))
                .sql(" RETURNING id");
            async move {
                let taken: QueryResult<Vec<String>> = delete.load(&mut *connection).await;
                connection.done(taken)
            }
        });
        Ok(taken.await?.contains(&id))
    }
}
