//! Whether the database can be used.

mod asked_once;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use diesel::sql_types::{Bool, Integer, Text};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use exit3_ports::{DatabaseHealth, Obstacle, SchemaState, StoreError, with_causes};

use crate::error::is_undefined_table;
use crate::migrations::MIGRATIONS;
use crate::pool::PgPool;
use crate::sql::Sql;
use asked_once::AskedOnce;

/// What the service needs and the database does not give: tables and rights, and whether
/// it can be written at all. A schema that must not be used hides its tables.
const OBSTACLES: &str = "\
WITH needed (name, rights) AS (VALUES
    ('__diesel_schema_migrations', ARRAY['SELECT']),
    ('leads', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
    ('lead_counts', ARRAY['SELECT', 'INSERT', 'UPDATE']),
    ('subscribers', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
    ('subscriber_counts', ARRAY['SELECT', 'INSERT', 'UPDATE']),
    ('api_keys', ARRAY['SELECT', 'UPDATE']),
    ('backup_status', ARRAY['SELECT'])
), found AS (
    SELECT name, rights, to_regclass(name)::oid AS relation, (
        SELECT min(quote_ident(nspname)) FROM pg_class
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE relname = name AND relkind IN ('r', 'p')
          AND NOT has_schema_privilege(pg_namespace.oid, 'USAGE')
    ) AS hidden_by
    FROM needed
)
SELECT true, CASE WHEN hidden_by IS NULL
    THEN 'the table ' || name || ' is missing'
    ELSE 'the role ' || quote_ident(current_user) || ' lacks USAGE on the schema ' || hidden_by END
FROM found WHERE relation IS NULL
UNION
SELECT true, 'the role ' || quote_ident(current_user) || ' lacks '
    || string_agg(needed_right, ', ' ORDER BY at) || ' on the table ' || name
FROM found, unnest(rights) WITH ORDINALITY AS of_table (needed_right, at)
WHERE relation IS NOT NULL AND NOT has_table_privilege(relation, needed_right)
  AND (needed_right = 'DELETE' OR NOT has_any_column_privilege(relation, needed_right))
GROUP BY name
UNION
SELECT false, CASE WHEN pg_is_in_recovery()
    THEN 'the server is a standby, which can only be read'
    ELSE 'transactions can only read: default_transaction_read_only is on' END
WHERE current_setting('transaction_read_only')::boolean
ORDER BY 1 DESC, 2";

/// Stores a lead and takes that back. No lead has this id, and none is used up.
const TRIAL: &str = "BEGIN; \
    INSERT INTO leads (id, full_name, \"position\", created_at, updated_at, search_document) \
    VALUES (-9223372036854775808, '', '', now(), now(), ''); \
    ROLLBACK";

/// Whether the database can be used.
#[derive(Clone)]
pub struct PgHealth {
    pool: PgPool,
    asked: Arc<Asked>,
}

/// What all health checks of one database share, so that together they use one connection.
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
            if versions.as_ref().is_err_and(is_undefined_table) {
                return Ok(Vec::new());
            }
            connection.done(versions)
        });
        Ok(SchemaState::of(MIGRATIONS, &applied.await?) == SchemaState::Current)
    }

    async fn ask_for_obstacle(&self) -> Result<Option<Obstacle>, StoreError> {
        let found = self.pool.read(|mut connection| async move {
            let found = Sql::<(Bool, Text)>::planned(OBSTACLES).load(&mut *connection).await;
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
        // Others may take no writes to this node while it is not ready, so it tries itself.
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

    /// Tells an operator, when it changes, what keeps the database from its work.
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
