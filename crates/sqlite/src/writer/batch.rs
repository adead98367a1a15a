//! Several writes in one transaction, each of which succeeds or fails alone.

use std::panic::{AssertUnwindSafe, catch_unwind};

use diesel::prelude::*;
use exit3_ports::StoreError;
use tokio::sync::oneshot;

use crate::error::Refusal;
use crate::sql::Sql;

/// A write whose caller waits for it.
pub(super) trait Job: Send {
    /// Whether the caller still waits.
    fn is_wanted(&self) -> bool;
    /// Does the work; whether its changes are to be kept.
    fn run(&mut self, connection: &mut SqliteConnection) -> bool;
    /// Gives the caller the result of the work, or the reason why all of it
    /// came to nothing.
    fn answer(self: Box<Self>, refusal: Option<Refusal>);
}

/// A [`Job`] of some work and the place where its result goes.
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

impl<T, W> Job for Task<T, W>
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
        // A defect in one write is the trouble of its caller, not of those who
        // share its transaction.
        if let Ok(result) = catch_unwind(AssertUnwindSafe(|| work(connection))) {
            self.result = result;
        }
        self.result.is_ok()
    }

    fn answer(self: Box<Self>, refusal: Option<Refusal>) {
        // Who has gone away needs no answer.
        let _ = self.reply.send(match refusal {
            Some(refusal) => Err(refusal.into()),
            None => self.result,
        });
    }
}

/// Does all `jobs` in one transaction. On an error none of them happened.
pub(super) fn commit_together(
    connection: &mut SqliteConnection,
    jobs: &mut [Box<dyn Job>],
) -> QueryResult<()> {
    let done = within_transaction(connection, jobs);
    if done.is_err() {
        // SQLite has rolled back some failures by itself and refuses then.
        let _ = execute(connection, "ROLLBACK");
    }
    done
}

fn within_transaction(
    connection: &mut SqliteConnection,
    jobs: &mut [Box<dyn Job>],
) -> QueryResult<()> {
    execute(connection, "BEGIN IMMEDIATE")?;
    for job in jobs {
        execute(connection, "SAVEPOINT job")?;
        if !job.run(connection) {
            // Fails where SQLite has given up the whole transaction, so that
            // nothing after it runs outside of one.
            execute(connection, "ROLLBACK TO job")?;
        }
        execute(connection, "RELEASE job")?;
    }
    execute(connection, "COMMIT")
}

fn execute(connection: &mut SqliteConnection, sql: &'static str) -> QueryResult<()> {
    Sql::<()>::new(sql).execute(connection).map(drop)
}
