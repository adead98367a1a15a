//! Reads the database of another program if it is PostgreSQL.

use std::collections::HashSet;

use async_trait::async_trait;
use exit3_ports::{ForeignRow, ForeignSource, ForeignTable, StoreError};
use tokio::runtime::Handle;
use tokio_postgres::types::{ToSql, Type};

use crate::obstacles::Needs;
use crate::settings::PgSettings;
use crate::transfer::bulk::PgBulkTransaction;

/// Opens the database of another program, as it is now. Its writers are not blocked.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn foreign_source(
    settings: &PgSettings,
    runtime: &Handle,
) -> Result<Box<dyn ForeignSource>, StoreError> {
    let transaction = PgBulkTransaction::open(settings, runtime).await?;
    transaction.begin("REPEATABLE READ READ ONLY").await?;
    // The first read takes the snapshot.
    transaction.columns().await?;
    Ok(Box::new(transaction))
}

#[async_trait]
impl ForeignSource for PgBulkTransaction {
    async fn columns(&mut self) -> Result<HashSet<(String, String)>, StoreError> {
        PgBulkTransaction::columns(self).await
    }

    async fn rows(
        &mut self,
        table: &'static ForeignTable,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ForeignRow>, StoreError> {
        let mut needs = Needs::default();
        needs.add(table.name, "SELECT", table.columns.join(", "), false);
        self.lacks_nothing(&needs).await?;
        let columns: Vec<_> =
            table.columns.iter().map(|column| format!("\"{column}\"::text")).collect();
        let sql = format!(
            "SELECT {} FROM \"{}\" WHERE id > $1 ORDER BY \"{1}\".id LIMIT $2",
            columns.join(", "),
            table.name
        );
        let limit = i64::from(limit);
        let binds: [(&(dyn ToSql + Sync), Type); 2] = [(&after, Type::INT8), (&limit, Type::INT8)];
        self.texts(&sql, &binds).await
    }
}
