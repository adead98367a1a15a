//! Events that another server has written. A dump contains the ids of transactions, and a new server
//! counts transactions anew: its own events would come before those of the dump, and no consumer would
//! read them.

use diesel::QueryResult;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use exit3_ports::StoreError;

use crate::pool::PgPool;
use crate::sql::{Sql, Value};

/// The id of the next transaction. An event with a higher one is from another server.
pub(super) const NEXT: &str = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint";

/// Events that are moved with one statement.
const STEP: i64 = 1000;

/// Stands for the transaction of a consumer whose events are being moved.
const MOVING: i64 = i64::MAX;

/// Moves the events of the other server in front of all events of this one, and its consumers with
/// them: each reads what it has not read there, maybe with some events that it has.
///
/// Every step can be repeated. So a process that dies in between loses nothing.
pub(super) async fn adopt(pool: &PgPool) -> Result<(), StoreError> {
    tracing::warn!(
        "the events come from another server, probably with a dump: \
         placing the consumers of events anew"
    );
    place(pool).await?;
    let last = last(pool).await?;
    let mut moved = 0;
    while let Some(id) = step(pool, moved, last).await? {
        moved = id;
    }
    let end = Sql::<()>::cached("UPDATE event_consumers SET transaction_id = 0 WHERE ")
        .sql("transaction_id = ")
        .value(Value::BigInt(MOVING));
    execute(pool, end).await
}

/// Notes for each consumer up to which event it has read. All come from the other server, even if the
/// number of the transaction is one that this server knows: a new consumer is stored after the events
/// were moved.
async fn place(pool: &PgPool) -> Result<(), StoreError> {
    let place = Sql::<()>::cached(
        "UPDATE event_consumers AS kept SET event_id = coalesce(\
             (SELECT min(id) - 1 FROM events \
              WHERE (transaction_id, id) > (kept.transaction_id, kept.event_id)), \
             (SELECT max(id) FROM events WHERE transaction_id > ",
    )
    .sql(NEXT)
    // All events of the other server are gone, or as old as the first ones of this server.
    .sql(
        "), CASE WHEN event_id BETWEEN 1 AND 9223372036854775806 THEN event_id END, \
             (SELECT max(id) FROM events), 0), transaction_id = ",
    )
    .value(Value::BigInt(MOVING))
    .sql(" WHERE transaction_id <> ")
    .value(Value::BigInt(MOVING))
    // Another node may have done it meanwhile.
    .sql(
        " AND (SELECT greatest((SELECT max(transaction_id) FROM events), max(transaction_id)) \
         FROM event_consumers) > ",
    )
    .sql(NEXT);
    execute(pool, place).await
}

/// The last event of the other server. Those of this server have higher ids.
async fn last(pool: &PgPool) -> Result<i64, StoreError> {
    let found = pool.read(|mut connection| {
        let last = Sql::<BigInt>::cached(
            "SELECT coalesce((SELECT max(id) FROM events WHERE transaction_id > ",
        )
        .sql(NEXT)
        .sql("), (SELECT max(event_id) FROM event_consumers WHERE transaction_id = ")
        .value(Value::BigInt(MOVING))
        .sql("), 0)");
        async move {
            let found: QueryResult<i64> = last.get_result(&mut *connection).await;
            connection.done(found)
        }
    });
    found.await
}

/// Moves the next events; returns the id of the last one. The service may insert and delete events,
/// but not change them.
async fn step(pool: &PgPool, after: i64, last: i64) -> Result<Option<i64>, StoreError> {
    let moved = pool.write(|mut connection| {
        let step = Sql::<BigInt>::cached(
            "WITH old AS (DELETE FROM events WHERE id IN (\
                 SELECT id FROM events WHERE transaction_id <> 0 AND id > ",
        )
        .value(Value::BigInt(after))
        .sql(" AND id <= ")
        .value(Value::BigInt(last))
        .sql(" ORDER BY id LIMIT ")
        .value(Value::BigInt(STEP))
        // All columns, including those of a later release.
        .sql(
            ") RETURNING events AS event), new AS (\
                 INSERT INTO events \
                 SELECT (jsonb_populate_record(event, '{\"transaction_id\": 0}')).* FROM old \
                 RETURNING id\
             ) SELECT id FROM new ORDER BY id DESC LIMIT 1",
        );
        async move {
            let moved: QueryResult<Vec<i64>> = step.load(&mut *connection).await;
            connection.done(moved)
        }
    });
    Ok(moved.await?.pop())
}

async fn execute(pool: &PgPool, statement: Sql<()>) -> Result<(), StoreError> {
    let done = pool.write(|mut connection| {
        let statement = statement.clone();
        async move {
            let done = statement.execute(&mut *connection).await;
            connection.done(done)
        }
    });
    done.await.map(drop)
}
