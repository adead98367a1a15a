//! Writes of rows in the state that the caller has seen.

use diesel::sql_types::Integer;
use diesel_async::RunQueryDsl;
use exit3_ports::{Constraint, StoreError};

use crate::pool::PgPool;
use crate::sql::{Sql, Value};

/// Why a row could not be written in the state that the caller has seen. `find` is a query up to the
/// id of the row.
///
/// # Errors
/// The query fails.
pub(crate) async fn why_not_written(
    pool: &PgPool,
    find: &'static str,
    id: i64,
) -> Result<StoreError, StoreError> {
    let exists = pool.read(|mut connection| async move {
        let query = Sql::<Integer>::cached(find).value(Value::BigInt(id));
        let found = query.load(&mut *connection).await;
        connection.done(found.map(|rows: Vec<i32>| !rows.is_empty()))
    });
    Ok(match exists.await? {
        true => StoreError::Conflict(Constraint::Stale),
        false => StoreError::NotFound,
    })
}
