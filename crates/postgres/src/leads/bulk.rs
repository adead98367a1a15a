//! Stores many leads at once.

use chrono::{DateTime, Utc};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use exit3_domain::events::{Act, Changes, Verb};
use exit3_domain::leads::{NewLead, RESOURCE};
use exit3_ports::StoreError;

use super::row::insert_many;
use crate::events::{EventRow, Noted};
use crate::pool::PgPool;

/// Stores all leads or none, in one statement whose values are arrays.
pub(super) async fn create(
    pool: &PgPool,
    leads: &[(NewLead, DateTime<Utc>)],
    act: &Act,
) -> Result<(), StoreError> {
    if leads.is_empty() {
        return Ok(());
    }
    let begin = pool.begin_bulk();
    pool.write_many(|mut connection| {
        let event = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None);
        let insert = Noted::new(insert_many(leads), event);
        let begin = &begin;
        async move {
            let stored = async {
                connection.batch_execute(begin).await?;
                let _: Vec<i64> = insert.load(&mut *connection).await?;
                connection.batch_execute("COMMIT").await
            };
            let stored = stored.await;
            connection.done_in_transaction(stored)
        }
    })
    .await
}
