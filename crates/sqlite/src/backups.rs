//! The log of backups.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable};
use exit3_ports::{BackupLog, BackupStatus, StoreError};

use crate::error::from_diesel;
use crate::sql::Sql;
use crate::store::SqliteStore;
use crate::values::moment;

/// Records when backups were made and verified.
#[derive(Clone)]
pub(crate) struct SqliteBackupLog {
    store: SqliteStore,
}

type StatusTypes = (Nullable<BigInt>, Nullable<BigInt>, Nullable<Bool>);
type StatusRow = (Option<i64>, Option<i64>, Option<bool>);

impl SqliteBackupLog {
    pub(crate) fn new(store: SqliteStore) -> Self {
        Self { store }
    }

    async fn note(&self, statement: Sql) -> Result<(), StoreError> {
        let note = move |connection: &mut SqliteConnection| {
            statement.execute(connection).map(drop).map_err(from_diesel)
        };
        self.store.write(note).await
    }
}

#[async_trait]
impl BackupLog for SqliteBackupLog {
    async fn note_backup(&self, at: DateTime<Utc>) -> Result<(), StoreError> {
        let mut note = Sql::new("INSERT INTO backup_status (only_row, backed_up_at) VALUES (1, ");
        note.int(at.timestamp_micros());
        note.sql(") ON CONFLICT DO UPDATE SET backed_up_at = excluded.backed_up_at");
        self.note(note).await
    }

    async fn note_verification(&self, ok: bool, at: DateTime<Utc>) -> Result<(), StoreError> {
        let mut note;
        if ok {
            note = Sql::new(
                "INSERT INTO backup_status (only_row, verification_ok, verified_at) VALUES (1, 1, ",
            );
            note.int(at.timestamp_micros()).sql(
                ") ON CONFLICT DO UPDATE \
                 SET verification_ok = 1, verified_at = excluded.verified_at",
            );
        } else {
            note = Sql::new(
                "INSERT INTO backup_status (only_row, verification_ok) VALUES (1, 0) \
                 ON CONFLICT DO UPDATE SET verification_ok = 0",
            );
        }
        self.note(note).await
    }

    async fn status(&self) -> Result<BackupStatus, StoreError> {
        let sql = "SELECT backed_up_at, verified_at, verification_ok FROM backup_status";
        let read = move |connection: &mut SqliteConnection| {
            Sql::<StatusTypes>::new(sql).get_result::<StatusRow>(connection).optional()
        };
        let (backed_up_at, verified_at, verification_ok) =
            self.store.readers.run(read).await?.unwrap_or_default();
        Ok(BackupStatus {
            backed_up_at: backed_up_at.map(moment).transpose()?,
            verified_at: verified_at.map(moment).transpose()?,
            verification_ok,
        })
    }
}
