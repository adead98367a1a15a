//! A connection while an operation uses it.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

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

/// A connection in use. It serves others only after [`Self::done`]. If it is dropped before,
/// because its operation was abandoned with something in flight, it is closed.
pub(crate) struct Checkout {
    // Dropped before the connection, which then goes to the next caller.
    _in_use: InUse,
    held: Held,
    finished: bool,
    trace: Option<Trace>,
}

impl Checkout {
    pub(super) fn new(mut held: Held, ask: Ask, trace: Option<Trace>, in_use: InUse) -> Self {
        held.ask_for_position(ask);
        Self { _in_use: in_use, held, finished: false, trace }
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

    fn traced<T>(&self, outcome: QueryResult<T>) -> Result<T, Failure> {
        if let (Ok(_), Some(trace)) = (&outcome, &self.trace) {
            trace.leave(self.held.server_position());
        }
        outcome.map_err(Failure::from)
    }
}

impl Deref for Checkout {
    type Target = PgConnection;

    fn deref(&self) -> &Self::Target {
        &self.held
    }
}

impl DerefMut for Checkout {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.held
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        if !self.finished {
            self.held.give_up();
        }
    }
}
