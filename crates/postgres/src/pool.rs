//! Connections: how they are made, shared and given up.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::telemetry::{Connections, InUse};
use deadpool::Runtime;
use deadpool::managed::{
    self, Metrics, Object, Pool, PoolError, QueueMode, RecycleError, RecycleResult, Timeouts,
};
use diesel::QueryResult;
use exit3_ports::{Position, Session, StoreError};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::timeout;
use tokio_postgres::tls::TlsStream;
use tokio_postgres::{Connection, Socket};

use crate::connection::{Ask, PgConnection, Place};
use crate::error::{Again, Failure, timed_out};
use crate::opening::{self, Unfit};
use crate::replica::Replica;
use crate::settings::PgSettings;

/// How long a connection that was given up may take to say goodbye.
const GRACE: Duration = Duration::from_secs(1);

/// A pool of connections, and the limits on what is done with them.
#[derive(Clone)]
pub(crate) struct PgPool {
    pool: Pool<Manager>,
    timeout: Duration,
    bulk_timeout: Duration,
    connections: Connections,
    /// That of the database, which must not fall behind what a client knows.
    replica: Option<Arc<Replica>>,
}

/// What is done, as far as it matters to how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    List,
    Write,
}

impl PgPool {
    /// A pool without any connection yet. Connections are made, and live, on
    /// `runtime`.
    pub(crate) fn new(settings: &PgSettings, runtime: Handle) -> Self {
        let timeouts =
            Timeouts { wait: Some(settings.wait), create: Some(settings.timeout), recycle: None };
        let connections = Connections::of(settings.place());
        let manager =
            Manager { settings: settings.clone(), runtime, connections: connections.clone() };
        let pool = Pool::builder(manager)
            .max_size(settings.pool_size.max(1))
            .timeouts(timeouts)
            // The connection that was used last has the most in its caches.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .build()
            .unwrap_or_else(|_| unreachable!("time-outs need a runtime, and it is given"));
        Self {
            pool,
            timeout: settings.timeout,
            bulk_timeout: settings.bulk_timeout,
            connections,
            replica: settings.replica.clone(),
        }
    }

    /// Runs an operation that changes nothing. It is tried once more where the
    /// connection turns out to be gone.
    pub(crate) async fn read<T, F>(
        &self,
        operation: impl Fn(Checkout) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.attempt(self.timeout, Kind::Read, operation).await
    }

    /// As [`Self::read`], for a list that might have come from a replica: the session of
    /// the client learns up to where it reaches.
    pub(crate) async fn list<T, F>(
        &self,
        operation: impl Fn(Checkout) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.attempt(self.timeout, Kind::List, operation).await
    }

    /// Runs an operation that changes something. It is tried once more only
    /// where the server has said that nothing was changed.
    pub(crate) async fn write<T, F>(
        &self,
        operation: impl Fn(Checkout) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.attempt(self.timeout, Kind::Write, operation).await
    }

    /// As [`Self::write`], with the patience that many rows need.
    pub(crate) async fn write_many<T, F>(
        &self,
        operation: impl Fn(Checkout) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.attempt(self.bulk_timeout, Kind::Write, operation).await
    }

    /// Whether a connection was refused because of what its server, or a pooler, does.
    pub(crate) async fn check_fitness(&self) -> Result<(), Unfit> {
        match self.pool.get().await {
            Err(PoolError::Backend(ConnectError::Unfit(unfit))) => Err(unfit),
            _ => Ok(()),
        }
    }

    /// Begins a transaction with the server as patient as [`Self::write_many`].
    pub(crate) fn begin_bulk(&self) -> String {
        let limit = self.bulk_timeout.as_millis();
        format!("BEGIN; SET LOCAL statement_timeout = {limit}; SET LOCAL lock_timeout = {limit}")
    }

    async fn attempt<T, F>(
        &self,
        limit: Duration,
        kind: Kind,
        operation: impl Fn(Checkout) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let attempts = async {
            let failure = match self.once(kind, &operation).await {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            let again = match failure.again {
                Again::No => false,
                Again::Reads => kind != Kind::Write,
                Again::Anything => true,
            };
            if again {
                tracing::debug!(error = ?failure.error, "trying a statement once more");
                return self.once(kind, &operation).await.map_err(|failure| failure.error);
            }
            Err(failure.error)
        };
        timeout(limit, attempts).await.unwrap_or_else(|_| Err(timed_out(limit)))
    }

    async fn once<T, F>(&self, kind: Kind, operation: impl Fn(Checkout) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let trace = self.trace(kind);
        let asked = Instant::now();
        let mut object = self.pool.get().await?;
        let in_use = self.connections.take(asked.elapsed());
        object.ask_for_place(if trace.is_some() { Ask::After } else { Ask::Never });
        operation(Checkout { object, finished: false, trace, _in_use: in_use }).await
    }

    fn trace(&self, kind: Kind) -> Option<Trace> {
        let replica = self.replica.as_ref().filter(|_| kind != Kind::Read)?;
        let wrote = (kind == Kind::Write).then(|| Arc::clone(replica));
        Some(Trace { session: Session::current()?, wrote })
    }
}

/// Who is to know up to where something reaches.
struct Trace {
    session: Session,
    wrote: Option<Arc<Replica>>,
}

impl Trace {
    fn leave(&self, place: Option<Place>) {
        // Where that is not known, the primary alone is sure to have it.
        let position = place.map_or(Position::NEVER, |place| place.position);
        self.session.reaches(position);
        if let Some(replica) = &self.wrote {
            replica.wrote(self.session.client(), position);
        }
    }
}

/// A connection in use. It serves others only after [`Self::done`]; if it is
/// dropped before, because its operation was given up with something in flight,
/// it is closed.
pub(crate) struct Checkout {
    object: Object<Manager>,
    finished: bool,
    trace: Option<Trace>,
    _in_use: InUse,
}

impl Checkout {
    /// Gives the connection back and passes the outcome of its operation on.
    pub(crate) fn done<T>(mut self, outcome: QueryResult<T>) -> Result<T, Failure> {
        let outcome = self.traced(outcome);
        self.finished = match &outcome {
            Ok(_) => true,
            Err(failure) => failure.connection_is_sound,
        };
        outcome
    }

    /// As [`Self::done`], for an operation that begins and ends a transaction:
    /// where it fails, the transaction may still be open.
    pub(crate) fn done_in_transaction<T>(mut self, outcome: QueryResult<T>) -> Result<T, Failure> {
        self.finished = outcome.is_ok();
        self.traced(outcome)
    }

    fn traced<T>(&self, outcome: QueryResult<T>) -> Result<T, Failure> {
        if let (Ok(_), Some(trace)) = (&outcome, &self.trace) {
            trace.leave(self.object.place());
        }
        outcome.map_err(Failure::from)
    }
}

impl Deref for Checkout {
    type Target = PgConnection;

    fn deref(&self) -> &Self::Target {
        &self.object
    }
}

impl DerefMut for Checkout {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.object
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        if !self.finished {
            self.object.give_up();
        }
    }
}

/// Makes connections for the pool.
struct Manager {
    settings: PgSettings,
    runtime: Handle,
    connections: Connections,
}

impl managed::Manager for Manager {
    type Type = PgConnection;
    type Error = ConnectError;

    async fn create(&self) -> Result<PgConnection, ConnectError> {
        // The caller's own runtime may end before the connection does.
        let connection = open(self.settings.clone(), self.connections.clone());
        AbortOnDrop(self.runtime.spawn(connection)).wait().await
    }

    async fn recycle(
        &self,
        connection: &mut PgConnection,
        _: &Metrics,
    ) -> RecycleResult<ConnectError> {
        if connection.is_closed() {
            return Err(RecycleError::message("closed"));
        }
        Ok(())
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("cannot connect to the database")]
    Postgres(#[from] tokio_postgres::Error),
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error("the runtime of the connections has ended")]
    Runtime(#[from] JoinError),
}

async fn open(
    settings: PgSettings,
    connections: Connections,
) -> Result<PgConnection, ConnectError> {
    let (client, connection) = settings.config.connect(settings.tls.clone()).await?;
    let (give_up, given_up) = oneshot::channel();
    tokio::spawn(drive(connection, given_up));
    let names = opening::set_up(&client, &settings).await?;
    Ok(PgConnection::new(client, give_up, names, connections.open()))
}

/// Carries what goes over a connection, until it is closed by either side.
async fn drive<S>(connection: Connection<Socket, S>, given_up: oneshot::Receiver<()>)
where
    S: TlsStream + Unpin,
{
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        given_up = given_up => match given_up {
            Ok(()) => return,
            Err(_) => timeout(GRACE, connection).await.unwrap_or(Ok(())),
        },
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the database broke");
    }
}

/// A task that is worth nothing to anybody else.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> AbortOnDrop<Result<T, ConnectError>> {
    async fn wait(mut self) -> Result<T, ConnectError> {
        (&mut self.0).await?
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
