//! Which connections there are, and who gets one.
//!
//! The runtime that made a connection carries it, and whoever uses it from another thread
//! pays for two wake-ups more with each statement. So a worker has a shelf of its own, with
//! a share of the connections, where there are enough of them. The others stand on one
//! shelf that all share. The shares add up to what the process may have.
//!
//! Whoever finds no connection stands in line, and gets the next one that is free or new.
//! Where the server takes no more connections, those on the shelves of other workers are
//! lent as well: the line moves as long as one connection lives.

mod held;
mod state;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::time::timeout;

use super::ConnectError;
use crate::connection::PgConnection;
use crate::error::{Failure, no_connection};
use crate::settings::PgSettings;
use crate::telemetry::Connections;
pub(crate) use held::Held;
use held::Opening;
use state::{Shelf, State};

/// The number of the shelf that all share.
const SHARED: u64 = 0;

/// All connections of the process to one database.
pub(crate) struct Shelves {
    settings: PgSettings,
    connections: Connections,
    state: Mutex<State>,
}

/// Where somebody gets connections.
pub(crate) struct Home {
    shelves: Arc<Shelves>,
    number: u64,
}

impl Home {
    /// The shelf that all share. It may have as many connections as the settings say, and
    /// they are made on `runtime`.
    pub(crate) fn shared(
        settings: &PgSettings,
        connections: Connections,
        runtime: Handle,
    ) -> Arc<Self> {
        let shelf = Shelf::new(settings.pool_size.max(1), runtime);
        let state = State {
            shelves: BTreeMap::from([(SHARED, shelf)]),
            next: SHARED + 1,
            refused: None,
            silent_since: None,
            heard: None,
        };
        let shelves = Shelves { settings: settings.clone(), connections, state: Mutex::new(state) };
        Arc::new(Self { shelves: Arc::new(shelves), number: SHARED })
    }

    /// The shelf of one of `workers`, whose connections are made on `runtime`; the shared
    /// one, where there are too few connections. An eighth of them is always shared.
    pub(crate) fn of_worker(self: &Arc<Self>, workers: usize, runtime: Handle) -> Arc<Self> {
        let shelves = &self.shelves;
        let most = shelves.settings.pool_size.max(1);
        let share = (most - (most / 8).max(1)) / workers.max(1);
        let mut state = shelves.state();
        let number = state.next;
        let Some(shared) = state.shelves.get_mut(&SHARED) else { return Arc::clone(self) };
        if share == 0 || shared.share <= share {
            return Arc::clone(self);
        }
        shared.share -= share;
        state.shelves.insert(number, Shelf::new(share, runtime));
        state.next += 1;
        Arc::new(Self { shelves: Arc::clone(shelves), number })
    }

    pub(crate) fn shelves(&self) -> &Arc<Shelves> {
        &self.shelves
    }

    /// A connection, as soon as there is one. With `first`, nobody gets one before.
    pub(crate) async fn take(&self, first: bool) -> Result<Held, Failure> {
        let (mut waiting, openings) = {
            let mut state = self.shelves.state();
            if let Some(held) = state.free(&self.shelves, self.number) {
                let probe = state.probe(&self.shelves, self.number);
                drop(state);
                probe.into_iter().for_each(Opening::begin);
                return Ok(held);
            }
            let waiting = state.stand_in_line(&self.shelves, self.number, first)?;
            (waiting, state.grow(&self.shelves))
        };
        openings.into_iter().for_each(Opening::begin);
        match timeout(self.shelves.settings.wait, &mut waiting.receiver).await {
            Ok(Ok(outcome)) => outcome.map_err(Failure::from),
            _ => Err(no_connection(self.shelves.refusal())),
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.number == SHARED {
            return;
        }
        let mut state = self.shelves.state();
        let gone = state.shelves.remove(&self.number);
        if let (Some(gone), Some(shared)) = (gone, state.shelves.get_mut(&SHARED)) {
            shared.share += gone.share;
        }
    }
}

impl Shelves {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a connection has not answered since `moment`: no other is trusted that
    /// has not answered since.
    pub(crate) fn distrust(&self, moment: Instant) {
        let mut state = self.state();
        state.silent_since = state.silent_since.max(Some(moment));
    }

    /// Closes what has not answered since `moment`, when a connection did not prove itself.
    pub(crate) fn close_silent(&self, moment: Instant) {
        self.distrust(moment);
        self.state().close(|_, heard| heard < moment);
    }

    /// Whether a connection that is not new has been given back since `moment`.
    pub(crate) fn heard_since(&self, moment: Instant) -> bool {
        self.state().heard.is_some_and(|heard| heard >= moment)
    }

    /// Why there was no connection to be had, until there is one.
    pub(super) fn refusal(&self) -> Option<Arc<ConnectError>> {
        self.state().refused.as_ref().map(|(_, error)| Arc::clone(error))
    }

    /// Takes a connection back, or a new one in.
    fn put(self: &Arc<Self>, shelf: u64, connection: PgConnection, is_new: bool) {
        let openings = {
            let mut state = self.state();
            state.put(self, shelf, connection, is_new);
            state.grow(self)
        };
        openings.into_iter().for_each(Opening::begin);
    }

    fn failed(self: &Arc<Self>, shelf: u64, error: ConnectError) {
        let openings = {
            let mut state = self.state();
            state.failed(self, shelf, Arc::new(error));
            state.grow(self)
        };
        openings.into_iter().for_each(Opening::begin);
    }
}
