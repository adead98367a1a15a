//! A connection while an operation uses it.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::QueryResult;
use exit3_ports::{Consistency, LogPosition};

use super::shelves::Held;
use crate::connection::{Ask, PgConnection};
use crate::error::Failure;
use crate::position::ServerPosition;
use crate::replica::Replica;
use crate::telemetry::InUse;

/// Records the position that an operation reached: in the consistency of the request and,
/// after a write, for the replica.
pub(super) struct Trace {
    pub(super) consistency: Consistency,
    pub(super) wrote: Option<Arc<Replica>>,
}

impl Trace {
    fn leave(&self, at: Option<ServerPosition>) {
        // If the position is unknown, only the primary is sure to have the write.
        let position = at.map_or(LogPosition::NEVER, |at| at.position);
        self.consistency.reaches(position);
        if let Some(replica) = &self.wrote {
            replica.wrote(self.consistency.caller(), position);
        }
    }
}

/// A connection in use. It serves others only after [`Self::done`].
///
/// If it is dropped before, its operation was abandoned. If the caller has gone soon, the
/// connection serves others as soon as its statement has ended, because opening another one costs
/// the server much more. Otherwise, or in a transaction, it is closed.
pub(crate) struct Checkout {
    in_use: Option<InUse>,
    /// There until the end.
    held: Option<Held>,
    writes: bool,
    taken: Instant,
    /// After this time without an answer, the connection may be lost.
    patience: Duration,
    finished: bool,
    trace: Option<Trace>,
}

impl Checkout {
    pub(super) fn new(
        mut held: Held,
        trace: Option<Trace>,
        writes: bool,
        patience: Duration,
        in_use: InUse,
    ) -> Self {
        held.begin(if trace.is_some() { Ask::After } else { Ask::Never });
        let (held, taken) = (Some(held), Instant::now());
        let in_use = Some(in_use);
        Self { in_use, held, writes, taken, patience, finished: false, trace }
    }

    /// Gives the connection back and returns the outcome of its operation.
    pub(crate) fn done<T>(mut self, outcome: QueryResult<T>) -> Result<T, Failure> {
        let outcome = self.traced(outcome);
        self.finished = match &outcome {
            Ok(_) => true,
            Err(failure) => failure.connection_is_sound,
        };
        outcome
    }

    /// Like [`Self::done`], for an operation that starts and ends a transaction. After a failure
    /// the transaction may still be open, so the connection is closed.
    pub(crate) fn done_in_transaction<T>(mut self, outcome: QueryResult<T>) -> Result<T, Failure> {
        self.finished = outcome.is_ok();
        self.traced(outcome)
    }

    fn traced<T>(&mut self, outcome: QueryResult<T>) -> Result<T, Failure> {
        if outcome.is_ok() {
            if let Some(trace) = &self.trace {
                trace.leave(self.server_position());
            }
            if self.writes
                && let Some(held) = &mut self.held
            {
                held.note_write();
            }
        }
        outcome.map_err(Failure::from)
    }
}

impl Deref for Checkout {
    type Target = PgConnection;

    fn deref(&self) -> &Self::Target {
        self.held.as_deref().unwrap_or_else(|| unreachable!("it is there until the end"))
    }
}

impl DerefMut for Checkout {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.held.as_deref_mut().unwrap_or_else(|| unreachable!("it is there until the end"))
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        // Before the connection, which then goes to the next caller.
        self.in_use = None;
        let Some(mut held) = self.held.take().filter(|_| !self.finished) else { return };
        if self.taken.elapsed() < self.patience && !held.may_be_in_transaction() {
            held.drain(self.patience);
        } else {
            held.give_up();
        }
    }
}
