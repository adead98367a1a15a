//! Whether the database can be used.

use async_trait::async_trait;
use diesel::sql_types::{Integer, Text};
use diesel_async::RunQueryDsl;
use exit3_ports::{DatabaseHealth, SchemaState, StoreError};

use crate::error::is_undefined_table;
use crate::migrations::MIGRATIONS;
use crate::pool::PgPool;
use crate::sql::Sql;

/// Whether the database can be used.
#[derive(Clone)]
pub struct PgHealth {
    pool: PgPool,
}

impl PgHealth {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl DatabaseHealth for PgHealth {
    async fn ping(&self) -> Result<(), StoreError> {
        self.pool
            .read(|mut connection| async move {
                let answer = Sql::<Integer>::cached("SELECT 1").load(&mut *connection).await;
                connection.done(answer.map(|_: Vec<i32>| ()))
            })
            .await
    }

    async fn schema_is_current(&self) -> Result<bool, StoreError> {
        let applied = self.pool.read(|mut connection| async move {
            let versions = Sql::<Text>::planned("SELECT version FROM __diesel_schema_migrations");
            let versions: Result<Vec<String>, _> = versions.load(&mut *connection).await;
            if versions.as_ref().is_err_and(is_undefined_table) {
                return Ok(Vec::new());
            }
            connection.done(versions)
        });
        Ok(SchemaState::of(MIGRATIONS, &applied.await?) == SchemaState::Current)
    }
}
