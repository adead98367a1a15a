//! What consumers keep, and how they are forgotten.

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::sql_types::{Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use exit3_ports::StoreError;
use exit3_ports::events::Consumer;

use crate::pool::PgPool;
use crate::sql::{Sql, Value};

/// All consumers, by name.
pub(super) async fn all(pool: &PgPool) -> Result<Vec<Consumer>, StoreError> {
    let found = pool.read(|mut connection| {
        let select = Sql::<(Text, Nullable<Timestamptz>)>::cached(
            "SELECT name, (SELECT at FROM events \
                 WHERE (events.transaction_id, id) > (kept.transaction_id, kept.event_id) \
                 ORDER BY events.transaction_id, id LIMIT 1) \
             FROM event_consumers AS kept ORDER BY name COLLATE \"C\"",
        );
        async move {
            let found: QueryResult<Vec<(String, Option<DateTime<Utc>>)>> =
                select.load(&mut *connection).await;
            connection.done(found)
        }
    });
    let consumer = |(name, unread_since)| Consumer { name, unread_since };
    Ok(found.await?.into_iter().map(consumer).collect())
}

/// Removes the position of a consumer.
pub(super) async fn forget(pool: &PgPool, consumer: &str) -> Result<(), StoreError> {
    let removed = pool.write(|mut connection| {
        let delete = Sql::<()>::cached("DELETE FROM event_consumers WHERE name = ")
            .value(Value::Text(Some(consumer.to_owned())));
        async move {
            let removed = delete.execute(&mut *connection).await;
            connection.done(removed)
        }
    });
    if removed.await? == 0 { Err(StoreError::NotFound) } else { Ok(()) }
}
