//! The database for adapters in other crates, which have tables of their own.

use diesel::QueryResult;
use diesel::deserialize::FromSqlRow;
use diesel::expression::QueryMetadata;
use diesel::pg::Pg;
use diesel::prelude::OptionalExtension;
use diesel::query_dsl::CompatibleType;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_ports::StoreError;

use crate::database::PgDatabase;
use crate::events::{EventRow, Noted};
use crate::listing::Listing;
use crate::lists::Lists;
use crate::pool::PgPool;
use crate::sql::Sql;
use crate::stale::written;

/// Reads and writes tables of other crates, with the limits, retries and connections of the
/// service.
///
/// `ST` are the SQL types of a statement's columns, as a tuple, and `R` is a type with
/// `#[derive(diesel::Queryable)]`.
///
/// ```no_run
/// use diesel::sql_types::{BigInt, Text};
/// use exit3_domain::events::{Act, Changes, Verb};
/// use exit3_ports::StoreError;
/// use exit3_postgres::{EventRow, PgHandle, Sql, Value};
///
/// #[derive(diesel::Queryable)]
/// struct Booking {
///     id: i64,
///     place: String,
/// }
///
/// async fn book(handle: &PgHandle, place: &str, act: &Act) -> Result<Booking, StoreError> {
///     let insert = Sql::<(BigInt, Text)>::cached("INSERT INTO bookings (place) VALUES (")
///         .value(Value::Text(Some(place.to_owned())))
///         .sql(") RETURNING id, place");
///     let event = EventRow::of(act, "booking", Verb::CREATED, &Changes::None);
///     handle.change(insert, event).await?.ok_or(StoreError::NotFound)
/// }
/// ```
#[derive(Clone)]
pub struct PgHandle {
    pool: PgPool,
    lists: Lists,
}

impl PgDatabase {
    /// The handle for adapters in other crates. Like the repositories, it uses the connections of
    /// [`PgDatabase::of_worker`].
    pub fn handle(&self) -> PgHandle {
        PgHandle { pool: self.pool.clone(), lists: self.lists.clone() }
    }
}

impl PgHandle {
    /// The rows of a query, which must change nothing: it is run once more if the connection is
    /// gone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rows<ST, R>(&self, query: Sql<ST>) -> Result<Vec<R>, StoreError>
    where
        ST: CompatibleType<R, Pg, SqlType = ST> + Send + 'static,
        R: FromSqlRow<ST, Pg> + Send + 'static,
        Pg: QueryMetadata<ST>,
    {
        let found = self.pool.read(|mut connection| {
            let query = query.clone();
            async move {
                let found: QueryResult<Vec<R>> = query.load(&mut *connection).await;
                connection.done(found)
            }
        });
        found.await
    }

    /// Writes a row and its event, which are stored together or not at all. The statement returns
    /// the row, with a column `id`. `None` if it writes no row; then there is no event either.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn change<ST, R>(
        &self,
        write: Sql<ST>,
        event: impl Into<Option<EventRow>>,
    ) -> Result<Option<R>, StoreError>
    where
        ST: CompatibleType<R, Pg, SqlType = ST> + Send + 'static,
        R: FromSqlRow<ST, Pg> + Send + 'static,
        Pg: QueryMetadata<ST>,
    {
        let event = event.into();
        let changed = self.pool.write(|mut connection| {
            let query = Noted::new(write.clone(), event.clone());
            async move {
                let changed: QueryResult<R> = query.get_result(&mut *connection).await;
                connection.done(changed.optional())
            }
        });
        changed.await
    }

    /// What [`Self::change`] has written, for a statement that writes a row only if it is as the
    /// caller has seen it. `find` is a query up to the id of the row, such as
    /// `SELECT 1 FROM bookings WHERE id = `.
    ///
    /// # Errors
    /// If nothing was written: [`StoreError::NotFound`], or [`StoreError::Conflict`] with
    /// [`Constraint::Stale`](exit3_ports::Constraint::Stale).
    pub async fn seen<T>(
        &self,
        find: &'static str,
        id: i64,
        changed: Option<T>,
    ) -> Result<T, StoreError> {
        written(&self.pool, find, id, changed).await
    }

    /// One page of a list, with its exact count; `None` past the last page. `ST` and `R` are those
    /// of the list's columns.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn page<ST, R, T>(
        &self,
        listing: &Listing,
        request: PageRequest,
    ) -> Result<Option<Page<T>>, StoreError>
    where
        ST: Send + 'static,
        R: Send + 'static,
        T: From<R>,
        (i64, R): FromSqlRow<(BigInt, ST), Pg>,
        Pg: QueryMetadata<(BigInt, ST)>,
    {
        self.lists.page::<ST, R, T>(listing, request).await
    }

    /// One step of a walk through a list.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn walk<ST, R, T>(
        &self,
        listing: &Listing,
        step: &Step,
    ) -> Result<Slice<T>, StoreError>
    where
        ST: CompatibleType<R, Pg, SqlType = ST> + Send + 'static,
        R: FromSqlRow<ST, Pg> + Send + 'static,
        T: From<R>,
        Pg: QueryMetadata<ST>,
    {
        self.lists.walk::<ST, R, T>(listing, step).await
    }
}
