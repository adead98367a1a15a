//! Reads a Django service's database if it is PostgreSQL.

use async_trait::async_trait;
use exit3_ports::{DjangoRow, DjangoSource, DjangoTable, StoreError, missing_of_django};
use tokio::runtime::Handle;
use tokio_postgres::types::{ToSql, Type};

use crate::settings::PgSettings;
use crate::transfer::bulk::PgBulkTransaction;

/// Opens the database of the Django service, as it is now. Its writers are not blocked.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn django_source(
    settings: &PgSettings,
    runtime: &Handle,
) -> Result<Box<dyn DjangoSource>, StoreError> {
    let transaction = PgBulkTransaction::open(settings, runtime).await?;
    transaction.begin("REPEATABLE READ READ ONLY").await?;
    // The first read takes the snapshot.
    transaction.columns().await?;
    Ok(Box::new(transaction))
}

#[async_trait]
impl DjangoSource for PgBulkTransaction {
    async fn missing(&mut self) -> Result<Vec<String>, StoreError> {
        let has = self.columns().await?;
        Ok(missing_of_django(|table, column| has.contains(&(table.to_owned(), column.to_owned()))))
    }

    async fn rows(
        &mut self,
        table: &'static DjangoTable,
        after: i64,
        limit: u32,
    ) -> Result<Vec<DjangoRow>, StoreError> {
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
