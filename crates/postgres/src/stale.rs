//! Writes of rows in the state that the caller has seen.

use diesel::sql_types::Integer;
use diesel_async::RunQueryDsl;
use exit3_ports::{Constraint, StoreError};

use crate::pool::PgPool;
use crate::sql::{Sql, Value};

/// What a write of the row in the state that the caller has seen returned. `find` is a query up to
/// the id of the row.
///
/// # Errors
/// If nothing was written: [`StoreError::NotFound`], or [`StoreError::Conflict`] with
/// [`Constraint::Stale`].
pub(crate) async fn written<T>(
    pool: &PgPool,
    find: &'static str,
    id: i64,
    written: Option<T>,
) -> Result<T, StoreError> {
    if let Some(written) = written {
        return Ok(written);
    }
    let exists = pool.read(|mut connection| async move {
        let query = Sql::<Integer>::cached(find).value(Value::BigInt(id));
        let found = query.load(&mut *connection).await;
        connection.done(found.map(|rows: Vec<i32>| !rows.is_empty()))
    });
    Err(match exists.await? {
        true => StoreError::Conflict(Constraint::Stale),
        false => StoreError::NotFound,
    })
}
