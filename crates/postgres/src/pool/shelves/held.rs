//! Connections that are out, or about to be opened, and those who wait for one.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Shelves;
use super::state::{Outcome, Turn};
use crate::connection::PgConnection;
use crate::pool::{ConnectError, open};

/// A connection that is out. It goes back where it came from.
pub(crate) struct Held {
    pub(super) connection: Option<PgConnection>,
    /// Since when it has not been heard of, where it has yet to prove itself.
    pub(super) rested: Option<Instant>,
    pub(super) shelf: u64,
    pub(super) shelves: Arc<Shelves>,
}

/// Somebody in line.
pub(super) struct Waiting {
    pub(super) receiver: oneshot::Receiver<Outcome>,
    pub(super) shelves: Arc<Shelves>,
    pub(super) home: u64,
    pub(super) turn: Turn,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut state = self.shelves.state();
        if let Some(shelf) = state.shelves.get_mut(&self.home) {
            shelf.line.remove(&self.turn);
        }
    }
}

/// A connection that is about to be opened.
pub(super) struct Opening {
    pub(super) shelves: Arc<Shelves>,
    pub(super) shelf: u64,
    pub(super) runtime: Handle,
    pub(super) ended: bool,
}

impl Opening {
    /// Opens it, on the runtime that will carry it. Who waits for it may go away, or get
    /// another one: it serves the next then.
    pub(super) fn begin(self) {
        let runtime = self.runtime.clone();
        runtime.spawn(self.run());
    }

    async fn run(mut self) {
        let Shelves { settings, connections, .. } = &*self.shelves;
        let opened = timeout(settings.timeout, open(settings.clone(), connections.clone()));
        let opened = opened.await.unwrap_or(Err(ConnectError::Slow(settings.timeout)));
        self.ended = true;
        match opened {
            Ok(connection) => self.shelves.put(self.shelf, connection, true),
            Err(error) => self.shelves.failed(self.shelf, error),
        }
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if !self.ended {
            self.shelves.failed(self.shelf, ConnectError::Runtime);
        }
    }
}

impl Held {
    pub(super) fn new(
        shelves: &Arc<Shelves>,
        shelf: u64,
        connection: PgConnection,
        rested: Option<Instant>,
    ) -> Self {
        Self { connection: Some(connection), rested, shelf, shelves: Arc::clone(shelves) }
    }

    /// Whether it answers within this time, where it has rested. If it does not, nor will
    /// those that have rested as long.
    pub(crate) async fn proves_itself(&mut self, within: Duration) -> bool {
        let Some(heard) = self.rested else { return true };
        if !self.answers(within).await {
            self.shelves.close_silent(heard);
            return false;
        }
        self.rested = None;
        true
    }

    pub(crate) fn shelves(&self) -> &Shelves {
        &self.shelves
    }
}

impl Deref for Held {
    type Target = PgConnection;

    fn deref(&self) -> &Self::Target {
        self.connection.as_ref().unwrap_or_else(|| unreachable!("it is there until the end"))
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.connection.as_mut().unwrap_or_else(|| unreachable!("it is there until the end"))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            if self.rested.is_some() {
                // It has not proved itself.
                connection.give_up();
            }
            self.shelves.put(self.shelf, connection, false);
        }
    }
}
