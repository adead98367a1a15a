//! Health checks.

mod asked_once;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use diesel::sql_types::{Bool, Integer, Text};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use exit3_ports::{DatabaseHealth, Obstacle, SchemaState, StoreError, with_causes};

use crate::error::is_undefined_table;
use crate::migrations::MIGRATIONS;
use crate::obstacles::{HIDDEN, LACKS, NEEDED, Needs, WRITES_FAIL};
use crate::pool::PgPool;
use crate::sql::{Sql, Value};
use asked_once::AskedOnce;

/// Stores a lead and rolls that back. The id is one that no lead has, and none is used up. The lead
/// is a copy of the newest one, which the rules of others (triggers, checks) have let in.
const TRIAL: &str = "BEGIN; \
    INSERT INTO leads (id, full_name, \"position\", company_name, phone_number, email, source, \
        status, notes, category, created_at, updated_at, search_document, owner_id, next_step, \
        next_step_at) \
    SELECT -9223372036854775808, coalesce(full_name, ''), coalesce(\"position\", ''), \
        company_name, phone_number, email, coalesce(source, 'other'), coalesce(status, 'new'), \
        notes, coalesce(category, 'web_dev'), now(), now(), coalesce(search_document, ''), \
        owner_id, next_step, next_step_at \
    FROM (VALUES (1)) AS one (row) \
    LEFT JOIN (SELECT * FROM leads ORDER BY id DESC LIMIT 1) AS newest ON true \
    ON CONFLICT DO NOTHING; \
    ROLLBACK";

/// Checks the health of the database.
#[derive(Clone)]
pub(crate) struct PgHealth {
    pool: PgPool,
    asked: Arc<Asked>,
}

/// The state that all health checks of one database share, so that they use one connection.
#[derive(Default)]
pub(crate) struct Asked {
    ping: AskedOnce<()>,
    schema: AskedOnce<bool>,
    obstacle: AskedOnce<Option<Obstacle>>,
    told: Mutex<Option<Obstacle>>,
}

impl PgHealth {
    pub(crate) fn new(pool: PgPool, asked: Arc<Asked>) -> Self {
        Self { pool, asked }
    }

    async fn ask_for_ping(&self) -> Result<(), StoreError> {
        self.pool
            .read(|mut connection| async move {
                let answer = Sql::<Integer>::cached("SELECT 1").load(&mut *connection).await;
                connection.done(answer.map(|_: Vec<i32>| ()))
            })
            .await
    }

    async fn ask_for_schema(&self) -> Result<bool, StoreError> {
        let applied = self.pool.read(|mut connection| async move {
            let versions = Sql::<Text>::planned("SELECT version FROM __diesel_schema_migrations");
            let versions: Result<Vec<String>, _> = versions.load(&mut *connection).await;
            if !versions.as_ref().is_err_and(is_undefined_table) {
                return connection.done(versions.map(Some));
            }
            let hidden = Sql::<Bool>::planned(HIDDEN).get_result(&mut *connection).await;
            connection.done(hidden.map(|hidden: bool| (!hidden).then(Vec::new)))
        });
        let hidden = "the role may not see the table of the migrations";
        let applied = applied.await?.ok_or_else(|| StoreError::Unavailable(hidden.into()))?;
        Ok(SchemaState::of(MIGRATIONS, &applied) == SchemaState::Current)
    }

    async fn ask_for_obstacle(&self) -> Result<Option<Obstacle>, StoreError> {
        let found = self.pool.read(|mut connection| async move {
            let found = obstacles().load(&mut *connection).await;
            connection.done(found)
        });
        let found: Vec<(bool, String)> = found.await?;
        if let [(lacks, _), ..] = found.as_slice() {
            let texts: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
            let text = texts.join("; ");
            return Ok(Some(if *lacks {
                Obstacle::Lacks(text)
            } else {
                Obstacle::WritesFail(text)
            }));
        }
        if !self.pool.writes().fail() {
            return Ok(None);
        }
        // While this node is not ready, a load balancer may send it no writes, so it tries one
        // itself.
        let tried = self.pool.write(|mut connection| async move {
            let tried = connection.batch_execute(TRIAL).await;
            connection.done_in_transaction(tried)
        });
        match tried.await {
            Err(StoreError::Unavailable(why)) => {
                Ok(Some(Obstacle::WritesFail(with_causes(why.as_ref()))))
            }
            _ => Ok(None),
        }
    }

    /// Logs when the obstacle changes.
    fn tell(&self, obstacle: Option<&Obstacle>) {
        let mut told = self.asked.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.as_ref() == obstacle {
            return;
        }
        match obstacle {
            Some(reason) => tracing::warn!(%reason, "the database cannot do its work"),
            None => tracing::info!("the database can do its work again"),
        }
        *told = obstacle.cloned();
    }
}

/// What the database lacks, and what makes its writes fail.
fn obstacles() -> Sql<(Bool, Text)> {
    let Needs { names, rights, columns, whole } = Needs::of_service();
    Sql::planned(NEEDED)
        .value(Value::Texts(names))
        .sql(", ")
        .value(Value::Texts(rights))
        .sql(", ")
        .value(Value::Texts(columns))
        .sql(", ")
        .value(Value::Bools(whole))
        .sql(LACKS)
        .sql(WRITES_FAIL)
}

#[async_trait]
impl DatabaseHealth for PgHealth {
    async fn ping(&self) -> Result<(), StoreError> {
        self.asked.ping.ask(self.ask_for_ping()).await
    }

    async fn schema_is_current(&self) -> Result<bool, StoreError> {
        self.asked.schema.ask(self.ask_for_schema()).await
    }

    async fn obstacle(&self) -> Result<Option<Obstacle>, StoreError> {
        let obstacle = self.asked.obstacle.ask(self.ask_for_obstacle()).await?;
        self.tell(obstacle.as_ref());
        Ok(obstacle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Triggers and checks that are not ours may depend on any column.
    #[test]
    fn the_trial_writes_every_column_of_a_lead() {
        let (columns, _) = TRIAL.split_once(") SELECT").unwrap();
        for column in exit3_ports::leads::TABLE.columns {
            let is_written = columns.split([' ', ',', '(', '"']).any(|word| word == column.name);
            assert!(is_written, "{}", column.name);
        }
    }
}
