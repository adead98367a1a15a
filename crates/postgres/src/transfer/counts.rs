//! Counts that are stored beside the rows.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error};

/// Tables with stored counts, and the queries that compare them with the rows.
const COUNTS: &[(&str, &str, &str)] = &[
    (
        "lead_counts",
        "SELECT status, source, category, sum(n)::bigint FROM lead_counts \
         GROUP BY status, source, category HAVING sum(n) <> 0",
        "SELECT status, source, category, count(*) FROM leads GROUP BY status, source, category",
    ),
    (
        "subscriber_counts",
        "SELECT is_subscribed, sum(n)::bigint FROM subscriber_counts \
         GROUP BY is_subscribed HAVING sum(n) <> 0",
        "SELECT is_subscribed, count(*) FROM subscribers GROUP BY is_subscribed",
    ),
];

/// Describes a count that is wrong, in one line.
pub(super) async fn damage(client: &Client) -> Result<Option<String>, Error> {
    let exists = "SELECT to_regclass($1) IS NOT NULL";
    for (table, kept, counted) in COUNTS {
        if !client.query_typed_one(exists, &[(table, Type::TEXT)]).await?.try_get::<_, bool>(0)? {
            continue;
        }
        let differs = format!(
            "SELECT EXISTS (({kept} EXCEPT {counted}) UNION ALL ({counted} EXCEPT {kept}))"
        );
        if client.query_typed_one(&differs, &[]).await?.try_get(0)? {
            return Ok(Some(format!("table {table} has other counts than there are rows")));
        }
    }
    Ok(None)
}
