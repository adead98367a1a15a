//! Runs operations on connections, with limits and retries.

mod checkout;
mod shelves;
mod silence;
mod writes;

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use exit3_ports::{Consistency, StoreError};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::timeout;
use tokio_postgres::tls::TlsStream;
use tokio_postgres::{Connection, Socket};

use crate::connection::PgConnection;
use crate::error::{Again, Failure, timed_out};
use crate::opening::{self, ConnectError, Unfit};
use crate::replica::Replica;
use crate::settings::PgSettings;
use crate::telemetry::Connections;
pub(crate) use checkout::Checkout;
use checkout::Trace;
use shelves::Home;
use writes::Writes;

/// How long closing an abandoned connection may take.
const GRACE: Duration = Duration::from_secs(1);

/// The minimum time in which a connection that was idle must answer.
const SHORTEST_PROOF: Duration = Duration::from_millis(50);

/// Connections, and the limits on their use.
#[derive(Clone)]
pub(crate) struct PgPool {
    home: Arc<Home>,
    timeout: Duration,
    bulk_timeout: Duration,
    connections: Connections,
    /// The replica of this database, which must not lag behind what a caller has seen.
    replica: Option<Arc<Replica>>,
    writes: Arc<Writes>,
    /// Whether a read without an answer is also run on another connection.
    reads_twice: bool,
}

/// The kind of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    List,
    /// A read that all lists depend on.
    Look,
    Write,
}

/// An operation. It is boxed so that the compiler looks at the pool's types once, and not again in
/// each method that runs an operation. That takes a third off the time to compile this crate.
type Running<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

fn boxed<'a, T: 'a>(
    operation: impl Future<Output = Result<T, Failure>> + Send + 'a,
) -> Running<'a, T> {
    Box::pin(async move { operation.await.map_err(StoreError::from) })
}

impl PgPool {
    /// A pool without connections. They are created and live on `runtime`.
    pub(crate) fn new(settings: &PgSettings, runtime: Handle) -> Self {
        let connections = Connections::of(settings.address());
        Self {
            home: Home::shared(settings, connections.clone(), runtime),
            timeout: settings.timeout,
            bulk_timeout: settings.bulk_timeout,
            connections,
            replica: settings.replica.as_ref().map(|(_, known)| Arc::clone(known)),
            writes: Arc::default(),
            reads_twice: true,
        }
    }

    /// For a replica, since the primary can answer in its place.
    pub(crate) fn of_replica(settings: &PgSettings, runtime: Handle) -> Self {
        Self { reads_twice: false, ..Self::new(settings, runtime) }
    }

    /// The same connections for one of `workers` threads. Its own are created on `runtime`.
    pub(crate) fn of_worker(&self, workers: usize, runtime: Handle) -> Self {
        Self { home: self.home.of_worker(workers, runtime), ..self.clone() }
    }

    /// Whether recent writes failed.
    pub(crate) fn writes(&self) -> &Writes {
        &self.writes
    }

    /// Runs an operation that changes nothing. It is retried once if the connection is gone.
    pub(crate) fn read<'a, T, F>(
        &'a self,
        operation: impl Fn(Checkout) -> F + Send + Sync + 'a,
    ) -> Running<'a, T>
    where
        T: Send + 'a,
        F: Future<Output = Result<T, Failure>> + Send + 'a,
    {
        boxed(self.attempt(self.timeout, Kind::Read, operation))
    }

    /// Like [`Self::read`], ahead of all callers that wait for a connection.
    pub(crate) fn look<'a, T, F>(
        &'a self,
        operation: impl Fn(Checkout) -> F + Send + Sync + 'a,
    ) -> Running<'a, T>
    where
        T: Send + 'a,
        F: Future<Output = Result<T, Failure>> + Send + 'a,
    {
        boxed(self.attempt(self.timeout, Kind::Look, operation))
    }

    /// Like [`Self::read`], for a list that could have come from a replica: the consistency
    /// of the request records the position of the data.
    pub(crate) fn list<'a, T, F>(
        &'a self,
        operation: impl Fn(Checkout) -> F + Send + Sync + 'a,
    ) -> Running<'a, T>
    where
        T: Send + 'a,
        F: Future<Output = Result<T, Failure>> + Send + 'a,
    {
        boxed(self.attempt(self.timeout, Kind::List, operation))
    }

    /// Runs an operation that changes something. It is retried once, but only if the server has
    /// said that nothing was changed.
    pub(crate) fn write<'a, T, F>(
        &'a self,
        operation: impl Fn(Checkout) -> F + Send + Sync + 'a,
    ) -> Running<'a, T>
    where
        T: Send + 'a,
        F: Future<Output = Result<T, Failure>> + Send + 'a,
    {
        boxed(self.attempt(self.timeout, Kind::Write, operation))
    }

    /// Like [`Self::write`], for several callers at once. All of them learn the position of the
    /// data.
    pub(crate) async fn write_for<T, F>(
        &self,
        callers: &[Consistency],
        operation: impl Fn(Checkout) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let write = self.attempt(self.timeout, Kind::Write, operation);
        let Some(first) = callers.first() else { return write.await };
        let joint = Consistency::new(first.caller());
        let outcome = joint.run(write).await;
        if let (Some(position), Some(replica)) = (joint.reached(), &self.replica) {
            for caller in callers {
                caller.reaches(position);
                replica.wrote(caller.caller(), position);
            }
        }
        outcome
    }

    /// The caller of the current request, if it must learn the position of its writes.
    pub(crate) fn traced_caller(&self) -> Option<Consistency> {
        self.replica.as_ref().and_then(|_| Consistency::current())
    }

    /// How long an operation may take.
    pub(crate) fn time_limit(&self) -> Duration {
        self.timeout
    }

    /// Where the connections live.
    pub(crate) fn runtime(&self) -> &Handle {
        &self.home.runtime
    }

    /// Like [`Self::write`], with the longer time limit for many rows.
    pub(crate) fn write_many<'a, T, F>(
        &'a self,
        operation: impl Fn(Checkout) -> F + Send + Sync + 'a,
    ) -> Running<'a, T>
    where
        T: Send + 'a,
        F: Future<Output = Result<T, Failure>> + Send + 'a,
    {
        boxed(self.attempt(self.bulk_timeout, Kind::Write, operation))
    }

    /// Fails if a connection was refused because of the behaviour of the server or of a pooler.
    pub(crate) async fn check_fitness(&self) -> Result<(), Unfit> {
        if self.home.take(false).await.is_ok() {
            return Ok(());
        }
        match self.home.shelves().refusal().as_deref() {
            Some(ConnectError::Unfit(unfit)) => Err(unfit.clone()),
            _ => Ok(()),
        }
    }

    /// The statement that starts a transaction with the time limits of [`Self::write_many`].
    pub(crate) fn begin_bulk(&self) -> String {
        let limit = self.bulk_timeout.as_millis();
        format!("BEGIN; SET LOCAL statement_timeout = {limit}; SET LOCAL lock_timeout = {limit}")
    }

    async fn attempt<T, F>(
        &self,
        limit: Duration,
        kind: Kind,
        operation: impl Fn(Checkout) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let attempts = async {
            let failure = match self.once(limit, kind, &operation).await {
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
                return self.once(limit, kind, &operation).await;
            }
            Err(failure)
        };
        timeout(limit, attempts).await.unwrap_or_else(|_| Err(timed_out(limit).into()))
    }

    async fn once<T, F>(
        &self,
        limit: Duration,
        kind: Kind,
        operation: impl Fn(Checkout) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let outcome = self.surely(limit, kind, operation).await;
        if kind == Kind::Write {
            self.writes.note(&outcome);
        }
        outcome
    }

    async fn checkout(&self, kind: Kind, first: bool) -> Result<Checkout, Failure> {
        let trace = self.trace(kind);
        let asked = Instant::now();
        let mut held = self.home.take(first).await?;
        while !held.proves_itself((self.timeout / 8).max(SHORTEST_PROOF)).await {
            // Frees its place for the first caller in line; it may be the only one.
            drop(held);
            held = self.home.take(first).await?;
        }
        let in_use = self.connections.take(asked.elapsed());
        let (writes, patience) = (kind == Kind::Write, self.timeout / silence::SUSPICION);
        Ok(Checkout::new(held, trace, writes, patience, in_use))
    }

    fn trace(&self, kind: Kind) -> Option<Trace> {
        let lists = matches!(kind, Kind::List | Kind::Write);
        let replica = self.replica.as_ref().filter(|_| lists)?;
        let wrote = (kind == Kind::Write).then(|| Arc::clone(replica));
        Some(Trace { consistency: Consistency::current()?, wrote })
    }
}

async fn open(
    settings: &PgSettings,
    connections: &Connections,
    permit: OwnedSemaphorePermit,
) -> Result<PgConnection, ConnectError> {
    let (client, connection) = settings.config.connect(settings.tls.clone()).await?;
    let (give_up, given_up) = oneshot::channel();
    tokio::spawn(drive(connection, given_up));
    let names = opening::set_up(&client, settings).await?;
    Ok(PgConnection::new(client, give_up, names, connections.open(), permit))
}

/// Drives a connection until either side closes it.
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
