//! The log of backups.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::sql_types::{Bool, Nullable, Timestamptz};
use diesel_async::RunQueryDsl;
use exit3_ports::{BackupLog, BackupStatus, StoreError};

use crate::pool::PgPool;
use crate::sql::{Sql, Value};

/// Records when backups were made and verified.
#[derive(Clone)]
pub(crate) struct PgBackupLog {
    pool: PgPool,
}

type StatusTypes = (Nullable<Timestamptz>, Nullable<Timestamptz>, Nullable<Bool>);
type StatusRow = (Option<DateTime<Utc>>, Option<DateTime<Utc>>, Option<bool>);

impl PgBackupLog {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    async fn note(&self, statement: Sql) -> Result<(), StoreError> {
        self.pool
            .write(|mut connection| {
                let statement = statement.clone();
                async move {
                    let noted = statement.execute(&mut *connection).await;
                    connection.done(noted.map(drop))
                }
            })
            .await
    }
}

#[async_trait]
impl BackupLog for PgBackupLog {
    async fn note_backup(&self, at: DateTime<Utc>) -> Result<(), StoreError> {
        let statement = Sql::planned("INSERT INTO backup_status (backed_up_at) VALUES (")
            .value(Value::Time(at))
            .sql(") ON CONFLICT (only_row) DO UPDATE SET backed_up_at = excluded.backed_up_at");
        self.note(statement).await
    }

    async fn note_verification(&self, ok: bool, at: DateTime<Utc>) -> Result<(), StoreError> {
        let statement = if ok {
            Sql::planned("INSERT INTO backup_status (verification_ok, verified_at) VALUES (true, ")
                .value(Value::Time(at))
                .sql(
                    ") ON CONFLICT (only_row) DO UPDATE \
                     SET verification_ok = true, verified_at = excluded.verified_at",
                )
        } else {
            Sql::planned(
                "INSERT INTO backup_status (verification_ok) VALUES (false) \
                 ON CONFLICT (only_row) DO UPDATE SET verification_ok = false",
            )
        };
        self.note(statement).await
    }

    async fn status(&self) -> Result<BackupStatus, StoreError> {
        let sql = "SELECT backed_up_at, verified_at, verification_ok FROM backup_status";
        let rows = self.pool.read(|mut connection| async move {
            let rows = Sql::<StatusTypes>::cached(sql).load(&mut *connection).await;
            connection.done(rows)
        });
        let rows: Vec<StatusRow> = rows.await?;
        let (backed_up_at, verified_at, verification_ok) =
            rows.into_iter().next().unwrap_or_default();
        Ok(BackupStatus { backed_up_at, verified_at, verification_ok })
    }
}
