//! Connections: how they are made, used and given up.

mod checkout;
mod shelves;
mod silence;
mod writes;

use std::sync::Arc;
use std::time::{Duration, Instant};

use exit3_ports::{Session, StoreError};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::timeout;
use tokio_postgres::tls::TlsStream;
use tokio_postgres::{Connection, Socket};

use crate::connection::{Ask, PgConnection};
use crate::error::{Again, Failure, timed_out};
use crate::opening::{self, ConnectError, Unfit};
use crate::replica::Replica;
use crate::settings::PgSettings;
use crate::telemetry::Connections;
pub(crate) use checkout::Checkout;
use checkout::Trace;
use shelves::Home;
use writes::Writes;

/// How long a connection that was given up may take to say goodbye.
const GRACE: Duration = Duration::from_secs(1);

/// The least time in which a connection that has rested may answer.
const SHORTEST_PROOF: Duration = Duration::from_millis(50);

/// Connections, and the limits on what is done with them.
#[derive(Clone)]
pub(crate) struct PgPool {
    home: Arc<Home>,
    timeout: Duration,
    bulk_timeout: Duration,
    connections: Connections,
    /// That of the database, which must not fall behind what a client knows.
    replica: Option<Arc<Replica>>,
    writes: Arc<Writes>,
    /// Whether a read without an answer is run on another connection as well.
    reads_twice: bool,
}

/// What is done, as far as it matters to how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    List,
    /// What all lists depend on.
    Look,
    Write,
}

impl PgPool {
    /// A pool without any connection yet. Connections are made, and live, on
    /// `runtime`.
    pub(crate) fn new(settings: &PgSettings, runtime: Handle) -> Self {
        let connections = Connections::of(settings.place());
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

    /// For a database that another stands in for.
    pub(crate) fn of_copy(settings: &PgSettings, runtime: Handle) -> Self {
        Self { reads_twice: false, ..Self::new(settings, runtime) }
    }

    /// The same connections for one of `workers`, whose own are made on `runtime`.
    pub(crate) fn of_worker(&self, workers: usize, runtime: Handle) -> Self {
        Self { home: self.home.of_worker(workers, runtime), ..self.clone() }
    }

    /// What is known of writes that fail.
    pub(crate) fn writes(&self) -> &Writes {
        &self.writes
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

    /// As [`Self::read`], ahead of all callers that wait for a connection.
    pub(crate) async fn look<T, F>(
        &self,
        operation: impl Fn(Checkout) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.attempt(self.timeout, Kind::Look, operation).await
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
        if self.home.take(false).await.is_ok() {
            return Ok(());
        }
        match self.home.shelves().refusal().as_deref() {
            Some(ConnectError::Unfit(unfit)) => Err(unfit.clone()),
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
                return self.once(limit, kind, &operation).await.map_err(|failure| failure.error);
            }
            Err(failure.error)
        };
        timeout(limit, attempts).await.unwrap_or_else(|_| Err(timed_out(limit)))
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
            // Its place goes to the first that waits for one, and may be the only one.
            drop(held);
            held = self.home.take(first).await?;
        }
        let in_use = self.connections.take(asked.elapsed());
        let ask = if trace.is_some() { Ask::After } else { Ask::Never };
        Ok(Checkout::new(held, ask, trace, in_use))
    }

    fn trace(&self, kind: Kind) -> Option<Trace> {
        let lists = matches!(kind, Kind::List | Kind::Write);
        let replica = self.replica.as_ref().filter(|_| lists)?;
        let wrote = (kind == Kind::Write).then(|| Arc::clone(replica));
        Some(Trace { session: Session::current()?, wrote })
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
