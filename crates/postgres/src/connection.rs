//! A connection that runs diesel's queries.
//!
//! It replaces `diesel_async::AsyncPgConnection` for three reasons. That one hides the SQLSTATE of
//! an error, without which a full disk cannot be told from a bug. It prepares a statement that is
//! not cached in one round trip and runs it in another; here it is one round trip, and the
//! statement is planned with its values. And it returns from an insert at the first returned row,
//! which for a long row may be before the commit.
//!
//! It can also report, in the same round trip, the position of the server's log before or after a
//! statement.

mod outgoing;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AsQuery, QueryFragment, QueryId};
use diesel::result::Error;
use diesel_async::{AsyncConnectionCore, SimpleAsyncConnection};
use futures_util::future::{BoxFuture, join, join3};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::timeout;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Statement};
use tracing::Instrument;

use self::outgoing::{Bind, Outgoing, Types};
use crate::position::{ServerPosition, position};
use crate::row::PgRow;
use crate::telemetry::{self, Open};

/// More prepared statements than the adapter has; a guard against a leak.
const MAX_STATEMENTS: usize = 500;

/// Asks for the position in the log: what a standby has replayed, or what a primary has written.
const POSITION: &str = "SELECT pg_is_in_recovery(), \
                     (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() \
                      ELSE pg_current_wal_insert_lsn() END - '0/0')::bigint";

/// When to ask for the server's position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    Never,
    Before,
    After,
}

/// Whether the statements of a connection may have names, and so stay prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    Safe,
    /// A name might refer to another program's statement.
    Unsafe,
}

/// A connection and its prepared statements.
pub(crate) struct PgConnection {
    client: Client,
    statements: HashMap<String, Statement>,
    names: Names,
    give_up: Option<oneshot::Sender<()>>,
    ask: Ask,
    server_position: Option<ServerPosition>,
    /// What the next statement locks first.
    lock: Option<String>,
    ran_batch: bool,
    opened: Instant,
    /// When it was last given back.
    heard: Instant,
    _open: Open,
    /// Its share of the process's limit.
    _permit: OwnedSemaphorePermit,
}

impl PgConnection {
    /// `give_up` tells the task that drives the connection to close it at once.
    pub(crate) fn new(
        client: Client,
        give_up: oneshot::Sender<()>,
        names: Names,
        open: Open,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let (statements, give_up) = (HashMap::new(), Some(give_up));
        let opened = Instant::now();
        Self {
            client,
            statements,
            names,
            give_up,
            ask: Ask::Never,
            server_position: None,
            lock: None,
            ran_batch: false,
            opened,
            heard: opened,
            _open: open,
            _permit: permit,
        }
    }

    /// When the connection was opened.
    pub(crate) fn opened(&self) -> Instant {
        self.opened
    }

    /// When the connection last answered.
    pub(crate) fn heard(&self) -> Instant {
        self.heard
    }

    /// Records that the connection has answered.
    pub(crate) fn note_heard(&mut self, now: Instant) {
        self.heard = now;
    }

    /// Begins an operation.
    pub(crate) fn begin(&mut self, ask: Ask) {
        self.ask_for_position(ask);
        self.lock = None;
        self.ran_batch = false;
    }

    /// Runs `lock` before the next statement, in a transaction with it and in the same round trip.
    /// The next statement then sees everything that was committed before it got the lock; a lock
    /// that it takes itself would come after its snapshot.
    pub(crate) fn lock_first(&mut self, lock: String) {
        self.lock = Some(lock);
    }

    /// Sets whether to ask for the server's position with each statement.
    pub(crate) fn ask_for_position(&mut self, ask: Ask) {
        self.ask = ask;
        self.server_position = None;
    }

    /// Whether the operation has started a transaction and perhaps not ended it. Only batches do.
    pub(crate) fn may_be_in_transaction(&self) -> bool {
        self.ran_batch
    }

    /// The server's place before or after the last statement, if it was asked for and known.
    pub(crate) fn server_position(&self) -> Option<ServerPosition> {
        self.server_position
    }

    /// Closes the connection, even with a statement in flight.
    pub(crate) fn give_up(&mut self) {
        if let Some(give_up) = self.give_up.take() {
            // The task is gone if the connection is closed already.
            let _ = give_up.send(());
        }
    }

    /// Whether the connection is known to be lost.
    pub(crate) fn is_closed(&self) -> bool {
        self.give_up.is_none() || self.client.is_closed()
    }

    /// Whether the server answers within this time.
    pub(crate) async fn answers(&self, within: Duration) -> bool {
        matches!(timeout(within, self.client.batch_execute("")).await, Ok(Ok(())))
    }

    /// Runs a query to its end, including the commit. Returns its rows and the number of affected
    /// rows.
    async fn run(&mut self, query: Outgoing) -> QueryResult<(Vec<tokio_postgres::Row>, u64)> {
        let Outgoing { sql, binds, cacheable } = query;
        tracing::trace!(target: "exit3_postgres::statements", "{sql} -- {}", Types(&binds));
        let statement = match cacheable && self.names == Names::Safe {
            true => Ok(self.prepared(sql, &binds).await?),
            false => Err(sql),
        };
        let where_ = self.position_statement().await?;
        let lock = self.lock.take();
        let client = &self.client;
        let run = async {
            let rows = match statement {
                Ok(statement) => client.query_raw(&statement, binds).await,
                Err(sql) => {
                    let binds = binds.into_iter().map(|bind| {
                        let type_ = bind.type_.clone();
                        (bind, type_)
                    });
                    client.query_typed_raw(&sql, binds).await
                }
            };
            let mut rows = std::pin::pin!(rows.map_err(from_postgres)?);
            let mut found = Vec::new();
            while let Some(row) = rows.as_mut().try_next().await.map_err(from_postgres)? {
                found.push(row);
            }
            let affected = rows.rows_affected().unwrap_or_default();
            Ok((found, affected))
        };
        let run = with_lock(client, lock, run);
        let (done, at) = with_position(client, run, self.ask, where_).await;
        self.server_position = at;
        done
    }

    /// The prepared statement that asks for the position, if that is wanted and statements may be
    /// prepared.
    async fn position_statement(&mut self) -> QueryResult<Option<Statement>> {
        match (self.ask, self.names) {
            (Ask::Never, _) | (_, Names::Unsafe) => Ok(None),
            (_, Names::Safe) => self.prepared(POSITION.to_owned(), &[]).await.map(Some),
        }
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
        self.ran_batch = true;
        let where_ = self.position_statement().await?;
        let run = self.client.batch_execute(sql);
        let (done, at) = with_position(&self.client, run, self.ask, where_).await;
        self.server_position = at;
        done.map_err(from_postgres)
    }
}

/// Runs a statement in a transaction that takes a lock first. All parts are sent at once, the end
/// of the transaction too, so the transaction ends even if the caller goes away. If a part fails,
/// the server rolls back.
async fn with_lock<T>(
    client: &Client,
    lock: Option<String>,
    run: impl Future<Output = QueryResult<T>>,
) -> QueryResult<T> {
    let Some(lock) = lock else { return run.await };
    let begin = format!("BEGIN; {lock}");
    let (begun, done, ended) =
        join3(client.batch_execute(&begin), run, client.batch_execute("COMMIT")).await;
    begun.map_err(from_postgres)?;
    let done = done?;
    ended.map_err(from_postgres)?;
    Ok(done)
}

/// Runs a statement together with the one that asks for the position. The server runs them in the
/// order in which they are started; neither waits for the other's answer.
async fn with_position<T>(
    client: &Client,
    run: impl Future<Output = T>,
    ask: Ask,
    statement: Option<Statement>,
) -> (T, Option<ServerPosition>) {
    if ask == Ask::Never {
        return (run.await, None);
    }
    let at = async {
        let row = match statement {
            Some(statement) => client.query_one(&statement, &[]).await,
            None => client.query_typed_one(POSITION, &[]).await,
        };
        let row = row.ok()?;
        let is_standby = row.try_get(0).ok()?;
        Some(ServerPosition { is_standby, position: position(row.try_get(1).ok()?) })
    };
    if ask == Ask::Before {
        let (at, done) = join(at, run).await;
        (done, at)
    } else {
        join(run, at).await
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
            let query = query?;
            let span = telemetry::span(&query.sql);
            let (rows, _) = self.run(query).instrument(span).await?;
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
            let query = query?;
            let span = telemetry::span(&query.sql);
            let (_, affected) = self.run(query).instrument(span).await?;
            usize::try_from(affected).map_err(|error| Error::DeserializationError(error.into()))
        }
        .boxed()
    }
}

/// diesel's database errors have no room for a SQLSTATE; this variant can carry any error.
fn from_postgres(error: tokio_postgres::Error) -> Error {
    Error::QueryBuilderError(Box::new(error))
}
