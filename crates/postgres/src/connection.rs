//! A connection that runs diesel's queries.
//!
//! It stands in for `diesel_async::AsyncPgConnection` for three reasons. That one
//! hides the SQLSTATE of an error, without which a full disk cannot be told from a
//! defect. It prepares a statement that is not to be cached in one round trip and
//! runs it in another; here that is one, and the statement is planned with its
//! values. And it returns from an insert at the first row that comes back, which for
//! a long row may be before the commit.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;

use diesel::QueryResult;
use diesel::pg::{Pg, PgMetadataLookup, PgQueryBuilder, PgTypeMetadata};
use diesel::query_builder::bind_collector::RawBytesBindCollector;
use diesel::query_builder::{AsQuery, QueryBuilder, QueryFragment, QueryId};
use diesel::result::Error;
use diesel_async::{AsyncConnectionCore, SimpleAsyncConnection};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use tokio::sync::oneshot;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type};
use tokio_postgres::{Client, Statement};

use crate::row::PgRow;

/// More prepared statements than the adapter has; a guard against a leak.
const MAX_STATEMENTS: usize = 500;

/// A connection and the statements that it has prepared.
pub(crate) struct PgConnection {
    client: Client,
    statements: HashMap<String, Statement>,
    give_up: Option<oneshot::Sender<()>>,
}

impl PgConnection {
    /// `give_up` tells whoever drives the connection to close it at once.
    pub(crate) fn new(client: Client, give_up: oneshot::Sender<()>) -> Self {
        Self { client, statements: HashMap::new(), give_up: Some(give_up) }
    }

    /// Closes the connection, whatever is in flight.
    pub(crate) fn give_up(&mut self) {
        if let Some(give_up) = self.give_up.take() {
            // Nobody listens where it is closed already.
            let _ = give_up.send(());
        }
    }

    /// Whether the server, or the way to it, is known to be gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.give_up.is_none() || self.client.is_closed()
    }

    /// Runs a query to its end, commit included. Returns its rows and how many
    /// it affected.
    async fn run(&mut self, query: Outgoing) -> QueryResult<(Vec<tokio_postgres::Row>, u64)> {
        let Outgoing { sql, binds, cacheable } = query;
        tracing::trace!(target: "exit3_postgres::statements", "{sql} -- {}", Types(&binds));
        let rows = if cacheable {
            let statement = self.prepared(sql, &binds).await?;
            self.client.query_raw(&statement, binds).await
        } else {
            let binds = binds.into_iter().map(|bind| {
                let type_ = bind.type_.clone();
                (bind, type_)
            });
            self.client.query_typed_raw(&sql, binds).await
        };
        let mut rows = std::pin::pin!(rows.map_err(from_postgres)?);
        let mut found = Vec::new();
        while let Some(row) = rows.as_mut().try_next().await.map_err(from_postgres)? {
            found.push(row);
        }
        let affected = rows.rows_affected().unwrap_or_default();
        Ok((found, affected))
    }

    async fn prepared(&mut self, sql: String, binds: &[Bind]) -> QueryResult<Statement> {
        if let Some(statement) = self.statements.get(&sql) {
            return Ok(statement.clone());
        }
        let types: Vec<Type> = binds.iter().map(|bind| bind.type_.clone()).collect();
        let statement = self.client.prepare_typed(&sql, &types).await.map_err(from_postgres)?;
        if self.statements.len() >= MAX_STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }
}

impl SimpleAsyncConnection for PgConnection {
    async fn batch_execute(&mut self, sql: &str) -> QueryResult<()> {
        self.client.batch_execute(sql).await.map_err(from_postgres)
    }
}

impl AsyncConnectionCore for PgConnection {
    type ExecuteFuture<'conn, 'query> = BoxFuture<'conn, QueryResult<usize>>;
    type LoadFuture<'conn, 'query> = BoxFuture<'conn, QueryResult<Self::Stream<'conn, 'query>>>;
    type Stream<'conn, 'query> = stream::BoxStream<'static, QueryResult<PgRow>>;
    type Row<'conn, 'query> = PgRow;
    type Backend = Pg;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Self::LoadFuture<'conn, 'query>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Pg> + QueryId + 'query,
    {
        let query = Outgoing::of(&source.as_query());
        async move {
            let (rows, _) = self.run(query?).await?;
            Ok(stream::iter(PgRow::all(rows).map(Ok)).boxed())
        }
        .boxed()
    }

    fn execute_returning_count<'conn, 'query, T>(
        &'conn mut self,
        source: T,
    ) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<Pg> + QueryId + 'query,
    {
        let query = Outgoing::of(&source);
        async move {
            let (_, affected) = self.run(query?).await?;
            usize::try_from(affected).map_err(|error| Error::DeserializationError(error.into()))
        }
        .boxed()
    }
}

/// diesel's own database errors have no room for a SQLSTATE; this variant is the
/// one that carries any error.
fn from_postgres(error: tokio_postgres::Error) -> Error {
    Error::QueryBuilderError(Box::new(error))
}

/// The types of values, for a line of a log. Values have no place there.
struct Types<'a>(&'a [Bind]);

impl fmt::Display for Types<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|bind| write!(formatter, "{} ", bind.type_.name()))
    }
}

/// A query as it goes over the wire.
struct Outgoing {
    sql: String,
    binds: Vec<Bind>,
    cacheable: bool,
}

impl Outgoing {
    fn of(query: &impl QueryFragment<Pg>) -> QueryResult<Self> {
        let mut sql = PgQueryBuilder::default();
        query.to_sql(&mut sql, &Pg)?;
        let mut collector = RawBytesBindCollector::<Pg>::new();
        query.collect_binds(&mut collector, &mut BuiltInTypes, &Pg)?;
        let binds = collector.metadata.into_iter().zip(collector.binds);
        let binds = binds.map(|(metadata, bytes)| Bind {
            type_: metadata.oid().ok().and_then(Type::from_oid).unwrap_or(Type::UNKNOWN),
            bytes,
        });
        Ok(Self {
            sql: sql.finish(),
            binds: binds.collect(),
            cacheable: query.is_safe_to_cache_prepared(&Pg)?,
        })
    }
}

/// The adapter uses no types but those that every PostgreSQL has.
struct BuiltInTypes;

impl PgMetadataLookup for BuiltInTypes {
    fn lookup_type(&mut self, _: &str, _: Option<&str>) -> PgTypeMetadata {
        PgTypeMetadata::new(0, 0)
    }
}

/// A value of a query, in the binary format of its type.
struct Bind {
    type_: Type,
    bytes: Option<Vec<u8>>,
}

impl fmt::Debug for Bind {
    /// `tokio-postgres` logs values at level debug; they are personal data.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.type_.name())
    }
}

impl ToSql for Bind {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        let Some(bytes) = &self.bytes else {
            return Ok(IsNull::Yes);
        };
        out.extend_from_slice(bytes);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(
        &self,
        type_: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        self.to_sql(type_, out)
    }
}
