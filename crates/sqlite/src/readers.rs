//! The pool of reading connections.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use exit3_ports::StoreError;
use tokio::sync::Semaphore;
use tokio::time::timeout_at;
use tracing::Instrument;

use crate::connection::Connector;
use crate::deadline;
use crate::error::{self, Refusal};
use crate::sql::Sql;
use crate::telemetry;

/// A pool of read-only connections.
pub(crate) struct Readers {
    connector: Connector,
    idle: Mutex<Vec<SqliteConnection>>,
    permits: Arc<Semaphore>,
    patience: Duration,
}

impl Readers {
    pub(crate) fn new(connector: Connector, most: usize, patience: Duration) -> Self {
        let permits = Arc::new(Semaphore::new(most.max(1)));
        Self { connector, idle: Mutex::default(), permits, patience }
    }

    /// Runs `work`, which may have several statements, on one state of the database.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut SqliteConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(move |connection| {
            // If `work` fails, the connection is dropped together with its transaction.
            execute(connection, "BEGIN")?;
            let read = work(connection)?;
            execute(connection, "COMMIT")?;
            Ok(read)
        })
        .await
    }

    /// Runs `work`, which must be a single statement.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut SqliteConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.wait_and_run(work).instrument(telemetry::span("read")).await
    }

    async fn wait_and_run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut SqliteConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let deadline = Instant::now() + self.patience;
        let permit =
            match timeout_at(deadline.into(), Arc::clone(&self.permits).acquire_owned()).await {
                Ok(Ok(permit)) => permit,
                Ok(Err(_)) => return Err(Refusal::Closed.into()),
                Err(_) => return Err(Refusal::Crowded.into()),
            };
        let readers = Arc::clone(self);
        let reading = tokio::task::spawn_blocking(move || {
            let result = readers.on_this_thread(deadline, work);
            drop(permit);
            result
        });
        match timeout_at(deadline.into(), reading).await {
            Ok(Ok(result)) => result,
            Ok(Err(ended)) if ended.is_panic() => Err(Refusal::Panicked.into()),
            Ok(Err(_)) => Err(Refusal::Closed.into()),
            Err(_) => Err(Refusal::OutOfTime.into()),
        }
    }

    fn on_this_thread<T>(
        &self,
        deadline: Instant,
        work: impl FnOnce(&mut SqliteConnection) -> QueryResult<T>,
    ) -> Result<T, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let (mut connection, lasts) = match idle {
            Some(connection) => (connection, true),
            None => self.connector.lasting_reader().map_err(error::unreachable)?,
        };
        let result = deadline::until(deadline, || work(&mut connection));
        // Only after a success it is certain that no transaction is open.
        if lasts && result.is_ok() && !self.permits.is_closed() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
        result.map_err(error::from_diesel)
    }

    /// Refuses reads from now on and closes the connections.
    pub(crate) fn close(&self) {
        self.permits.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn execute(connection: &mut SqliteConnection, sql: &'static str) -> QueryResult<()> {
    Sql::<()>::new(sql).execute(connection).map(drop)
}
