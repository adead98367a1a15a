//! The positions of the consumers of events.

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row};

/// The consumers, each with the id of an event up to which it has read all events.
pub(super) async fn all(client: &Client) -> Result<Vec<(String, i64)>, Error> {
    // A schema of before has none.
    let known = "SELECT to_regclass('event_consumers') IS NOT NULL";
    for row in client.query_typed(known, &[]).await? {
        if !row.try_get(0)? {
            return Ok(Vec::new());
        }
    }
    // Consumers read in the order of transactions, so ids in between may be read already.
    let sql = "SELECT name, coalesce(\
                   (SELECT min(id) - 1 FROM events \
                    WHERE (events.transaction_id, id) > (kept.transaction_id, event_id)), \
                   (SELECT max(id) FROM events), 0) \
               FROM event_consumers AS kept ORDER BY name";
    let row = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
    client.query_typed(sql, &[]).await?.iter().map(row).collect()
}

/// Places all consumers behind the loaded events. These have the transaction of the load, and later
/// events have later transactions.
pub(super) async fn pass(client: &Client) -> Result<(), Error> {
    let sql = "UPDATE event_consumers SET \
               transaction_id = pg_current_xact_id()::text::bigint, event_id = $1";
    client.query_typed(sql, &[(&i64::MAX, Type::INT8)]).await.map(drop)
}

/// Places a consumer behind a loaded event. All loaded events have this transaction, so the consumer
/// reads them in the order of ids.
pub(super) async fn place(client: &Client, name: &str, read: i64) -> Result<(), Error> {
    let sql = "INSERT INTO event_consumers (name, transaction_id, event_id) \
               VALUES ($1, pg_current_xact_id()::text::bigint, $2) \
               ON CONFLICT (name) DO UPDATE SET \
               transaction_id = excluded.transaction_id, event_id = excluded.event_id";
    let binds: [(&(dyn ToSql + Sync), Type); 2] = [(&name, Type::TEXT), (&read, Type::INT8)];
    client.query_typed(sql, &binds).await.map(drop)
}
