//! Stores many leads at once.

use chrono::{DateTime, Utc};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use exit3_domain::leads::NewLead;
use exit3_ports::StoreError;

use super::row::insert_many;
use crate::pool::PgPool;

/// Stores all leads or none, in one statement whose values are arrays.
pub(super) async fn create(
    pool: &PgPool,
    leads: &[(NewLead, DateTime<Utc>)],
) -> Result<(), StoreError> {
    if leads.is_empty() {
        return Ok(());
    }
    let begin = pool.begin_bulk();
    pool.write_many(|mut connection| {
        let insert = insert_many(leads);
        let begin = &begin;
        async move {
            let stored = async {
                connection.batch_execute(begin).await?;
                insert.execute(&mut *connection).await?;
                connection.batch_execute("COMMIT").await
            };
            let stored = stored.await;
            connection.done_in_transaction(stored)
        }
    })
    .await
}
