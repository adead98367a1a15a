//! Runs several writes in one transaction; each succeeds or fails alone.

use std::panic::{AssertUnwindSafe, catch_unwind};

use diesel::prelude::*;
use exit3_ports::StoreError;
use tokio::sync::oneshot;

use crate::error::Refusal;
use crate::sql::Sql;

/// A write whose caller waits for it.
pub(super) trait Write: Send {
    /// Whether the caller still waits.
    fn is_wanted(&self) -> bool;
    /// Runs the work; returns whether to keep its changes.
    fn run(&mut self, connection: &mut SqliteConnection) -> bool;
    /// Sends the result to the caller, or the reason why the whole transaction failed.
    fn answer(self: Box<Self>, refusal: Option<Refusal>);
}

/// A [`Write`] with its work and the channel for its result.
pub(super) struct Task<T, W> {
    work: Option<W>,
    result: Result<T, StoreError>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, W> Task<T, W> {
    pub(super) fn new(work: W, reply: oneshot::Sender<Result<T, StoreError>>) -> Self {
        Self { work: Some(work), result: Err(Refusal::Panicked.into()), reply }
    }
}

impl<T, W> Write for Task<T, W>
where
    T: Send,
    W: FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send,
{
    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }

    fn run(&mut self, connection: &mut SqliteConnection) -> bool {
        let Some(work) = self.work.take() else {
            return false;
        };
        // A panic in one write must not affect the others in the transaction.
        if let Ok(result) = catch_unwind(AssertUnwindSafe(|| work(connection))) {
            self.result = result;
        }
        self.result.is_ok()
    }

    fn answer(self: Box<Self>, refusal: Option<Refusal>) {
        // The caller may be gone.
        let _ = self.reply.send(match refusal {
            Some(refusal) => Err(refusal.into()),
            None => self.result,
        });
    }
}

/// Runs all `writes` in one transaction. After an error, none of them has happened.
pub(super) fn commit_together(
    connection: &mut SqliteConnection,
    writes: &mut [Box<dyn Write>],
) -> QueryResult<()> {
    let done = within_transaction(connection, writes);
    if done.is_err() {
        // After some failures SQLite has rolled back already; then this fails.
        let _ = execute(connection, "ROLLBACK");
    }
    done
}

fn within_transaction(
    connection: &mut SqliteConnection,
    writes: &mut [Box<dyn Write>],
) -> QueryResult<()> {
    execute(connection, "BEGIN IMMEDIATE")?;
    for write in writes {
        execute(connection, "SAVEPOINT write")?;
        if !write.run(connection) {
            // Fails if SQLite has rolled back the whole transaction, so that later writes do not run
            // outside of one.
            execute(connection, "ROLLBACK TO write")?;
        }
        execute(connection, "RELEASE write")?;
    }
    execute(connection, "COMMIT")
}

fn execute(connection: &mut SqliteConnection, sql: &'static str) -> QueryResult<()> {
    Sql::<()>::new(sql).execute(connection).map(drop)
}
