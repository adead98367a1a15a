//! The connections of the process, and which caller gets one.
//!
//! A connection runs on the runtime that created it, and each statement from another thread costs
//! two more wake-ups. So each worker has a pool of its own, if there are enough connections. The
//! rest are in one pool that all workers share. The sizes of the pools add up to the process's
//! limit.
//!
//! If the server accepts no more connections, callers stand in one line, and each connection given
//! back to any pool goes to the first of them.

mod answers;
mod held;
mod manager;
mod state;

use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use deadpool::managed::{Object, PoolError};
use futures_util::future::{Either, select};
use tokio::runtime::Handle;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::open;
use crate::connection::PgConnection;
use crate::error::{Failure, no_connection};
use crate::opening::ConnectError;
use crate::settings::PgSettings;
use crate::telemetry::Connections;
use answers::Answers;
pub(crate) use held::Held;
use manager::{Manager, Pool};
use state::{State, at_once};

/// The number of the shared pool.
const SHARED: u64 = 0;

/// How long a server that refused a connection is not asked again, while others are open.
const PAUSE: Duration = Duration::from_secs(1);

/// All connections of the process to one database.
pub(crate) struct Shelves {
    settings: PgSettings,
    connections: Connections,
    /// How many more connections may be opened. A pool that was shrunk has too many for a while.
    budget: Arc<Semaphore>,
    /// Tells callers that wait at a pool that the server accepts no more connections.
    shortage: Notify,
    /// Tells callers that wait to open a connection that another caller has left one.
    arrival: Notify,
    state: Mutex<State>,
}

type Outcome = Result<Held, Arc<ConnectError>>;

/// Where a worker gets its connections.
pub(crate) struct Home {
    shelves: Arc<Shelves>,
    number: u64,
    pub(super) runtime: Handle,
}

impl Home {
    /// The shared pool, with as many connections as the settings allow, created on `runtime`.
    pub(crate) fn shared(
        settings: &PgSettings,
        connections: Connections,
        runtime: Handle,
    ) -> Arc<Self> {
        let most = settings.pool_size.max(1);
        let state = State {
            pools: BTreeMap::new(),
            next: SHARED + 1,
            refused: None,
            line: VecDeque::new(),
            left: Vec::new(),
            answers: Answers::default(),
        };
        let shelves = Arc::new(Shelves {
            settings: settings.clone(),
            connections,
            budget: Arc::new(Semaphore::new(most)),
            shortage: Notify::new(),
            arrival: Notify::new(),
            state: Mutex::new(state),
        });
        shelves.state().pools.insert(SHARED, Manager::pool(&shelves, most, runtime.clone()));
        Arc::new(Self { shelves, number: SHARED, runtime })
    }

    /// The pool of one of `workers` threads, whose connections are created on `runtime`. It is the
    /// shared pool if there are too few connections. At least an eighth of them are always shared.
    pub(crate) fn of_worker(self: &Arc<Self>, workers: usize, runtime: Handle) -> Arc<Self> {
        let shelves = &self.shelves;
        let most = shelves.settings.pool_size.max(1);
        let share = (most - (most / 8).max(1)) / workers.max(1);
        let mut state = shelves.state();
        let shared = state.size_of(SHARED);
        if share == 0 || shared <= share {
            return Arc::clone(self);
        }
        state.resize_shared(shelves, shared - share);
        let number = state.next;
        state.pools.insert(number, Manager::pool(shelves, share, runtime.clone()));
        state.next += 1;
        Arc::new(Self { shelves: Arc::clone(shelves), number, runtime })
    }

    pub(crate) fn shelves(&self) -> &Arc<Shelves> {
        &self.shelves
    }

    /// Returns a connection as soon as there is one. With `first`, this caller goes ahead of all
    /// others.
    pub(crate) async fn take(&self, first: bool) -> Result<Held, Failure> {
        match timeout(self.shelves.settings.wait, self.next(first)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(no_connection(self.shelves.refusal())),
        }
    }

    /// Whether a connection opened before `moment` has answered within `silence`.
    pub(crate) fn old_ones_answer(&self, moment: Instant, silence: Duration) -> bool {
        let since = Instant::now().checked_sub(silence).unwrap_or(moment);
        self.shelves.state().answers.of_old(moment, since)
    }

    /// Whether there is no room for another connection.
    pub(crate) fn is_full(&self) -> bool {
        let state = self.shelves.state();
        self.shelves.live() >= self.shelves.most()
            || [self.number, SHARED].iter().all(|pool| state.is_full(*pool))
    }

    /// Whether other callers wait for a connection of this worker. A connection given up makes room
    /// only in its own pool.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.shelves.state().is_waited_for(self.number)
    }

    async fn next(&self, first: bool) -> Result<Held, Failure> {
        let shelves = &self.shelves;
        loop {
            let shortage = shelves.shortage.notified();
            let (is_short, turn, own, shared) = {
                let mut state = shelves.state();
                let is_short = shelves.is_short(&state);
                if let Some(object) = state.idle(self.number, first, is_short) {
                    let rested = state.rested(&object);
                    return Ok(Held::new(shelves, object, rested));
                }
                let turn = (first || is_short).then(|| state.stand_in_line(first));
                let (own, shared) = (state.pool(self.number), state.pool(SHARED));
                (is_short, turn, own.ok_or_else(|| no_connection(None))?, shared)
            };
            let mut turn = pin!(async {
                match turn {
                    Some(turn) => turn.await.ok(),
                    None => std::future::pending().await,
                }
            });
            if is_short {
                while shelves.is_short(&shelves.state()) {
                    self.probe(&own);
                    match timeout(PAUSE, &mut turn).await {
                        Ok(Some(outcome)) => return outcome.map_err(Failure::from),
                        Ok(None) => break,
                        Err(_) => {}
                    }
                }
                continue;
            }
            let given = pin!(given(own, shared));
            let shortage = pin!(shortage);
            match select(turn, select(given, shortage)).await {
                Either::Left((Some(outcome), _)) => return outcome.map_err(Failure::from),
                Either::Right((Either::Left((Ok(object), _)), _)) => {
                    let rested = shelves.state().rested(&object);
                    return Ok(Held::new(shelves, object, rested));
                }
                Either::Right((Either::Left((Err(PoolError::Backend(error)), _)), _))
                    if shelves.live() == 0 =>
                {
                    return Err(error.into());
                }
                // The pools have changed, or the server accepts no more connections.
                _ => {}
            }
        }
    }

    /// Finds out whether a server that refused connections accepts more again.
    fn probe(&self, own: &Pool) {
        if self.shelves.may_ask() {
            let (shelves, own) = (Arc::clone(&self.shelves), own.clone());
            self.runtime.spawn(async move {
                if let Ok(object) = own.timeout_get(&at_once()).await {
                    let rested = shelves.state().rested(&object);
                    shelves.hand_on(object, rested);
                }
            });
        }
    }
}

/// A connection from the worker's own pool or, if that is full, from the shared one.
async fn given(
    own: Pool,
    shared: Option<Pool>,
) -> Result<Object<Manager>, PoolError<Arc<ConnectError>>> {
    let status = own.status();
    match shared {
        Some(shared) if status.size >= status.max_size => {
            select(pin!(own.get()), pin!(shared.get())).await.factor_first().0
        }
        _ => own.get().await,
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.number == SHARED {
            return;
        }
        let mut state = self.shelves.state();
        if let Some(gone) = state.pools.remove(&self.number) {
            let size = state.size_of(SHARED) + gone.status().max_size;
            gone.close();
            state.resize_shared(&self.shelves, size);
        }
        drop(state);
        self.shelves.look_after_line();
    }
}

impl Shelves {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that a connection has not answered since `moment`, for `silence` or longer. Others
    /// that were as silent are no longer trusted.
    pub(crate) fn distrust(&self, moment: Instant, silence: Duration) {
        let since = Instant::now().checked_sub(silence).map_or(moment, |since| since.max(moment));
        self.state().answers.distrust(since);
    }

    /// Records that a connection which last answered at `heard` did not answer when it was `asked`.
    /// Connections that were silent for longer are closed; the others must be tested.
    pub(crate) fn close_silent(&self, heard: Instant, asked: Instant) {
        let mut state = self.state();
        state.answers.distrust(asked);
        for pool in state.pools.values() {
            pool.retain(|connection, _| connection.heard() >= heard);
        }
    }

    /// Whether a connection opened after `moment` has answered.
    pub(crate) fn new_one_answers(&self, moment: Instant) -> bool {
        self.state().answers.of_new(moment)
    }

    /// Whether a connection opened after `moment` has done a write.
    pub(crate) fn new_one_writes(&self, moment: Instant) -> bool {
        self.state().answers.of_new_write(moment)
    }

    /// Whether no operation has given up its connection since `moment`. If so, the caller may do
    /// it.
    pub(crate) fn is_first_to_give_way(&self, moment: Instant) -> bool {
        self.state().answers.gives_way(moment)
    }

    /// Why the last connection could not be opened; `None` after a success.
    pub(super) fn refusal(&self) -> Option<Arc<ConnectError>> {
        self.state().refused.as_ref().map(|(_, error)| Arc::clone(error))
    }

    /// The number of connections that are open or being opened.
    fn live(&self) -> usize {
        self.most().saturating_sub(self.budget.available_permits())
    }

    fn most(&self) -> usize {
        self.settings.pool_size.max(1)
    }

    /// Whether the server accepts no more connections while all open ones are in use.
    fn is_short(&self, state: &State) -> bool {
        let are_used = state.left.is_empty() && (1..self.most()).contains(&self.live());
        state.refused.is_some() && are_used
    }

    /// Keeps a new connection, whose caller is gone, for the next caller that wants to open one.
    fn leave(&self, connection: PgConnection) {
        let mut state = self.state();
        state.left.push(connection);
        // One of the callers in line takes it.
        state.line.clear();
        self.arrival.notify_one();
    }

    /// Takes a connection that was opened for a caller who is gone.
    fn left(&self) -> Option<PgConnection> {
        let mut state = self.state();
        state.left.retain(|connection| !connection.is_closed());
        state.left.pop()
    }

    /// Whether a server that refused connections may be asked again now.
    fn may_ask(&self) -> bool {
        match &mut self.state().refused {
            Some((when, _)) if when.elapsed() >= PAUSE => {
                *when = Instant::now();
                true
            }
            refused => refused.is_none(),
        }
    }

    async fn open(&self, permit: OwnedSemaphorePermit) -> Result<PgConnection, Arc<ConnectError>> {
        let limit = self.settings.timeout;
        let opening = open(&self.settings, &self.connections, permit);
        timeout(limit, opening).await.unwrap_or(Err(ConnectError::Slow(limit))).map_err(Arc::new)
    }

    fn opened(&self) {
        let mut state = self.state();
        if state.refused.take().is_some() {
            // The callers in line may open connections as well.
            state.line.clear();
        }
    }

    fn refuse(&self, error: &Arc<ConnectError>) {
        let mut state = self.state();
        for pool in state.pools.values() {
            pool.retain(|connection, _| !connection.is_closed());
        }
        let live = self.live();
        let before = state.refused.replace((Instant::now(), Arc::clone(error)));
        if live == 0 {
            for waiting in state.line.drain(..) {
                let _ = waiting.send(Err(Arc::clone(error)));
            }
            return;
        }
        drop(state);
        if before.is_none() {
            let error = exit3_ports::with_causes(&**error);
            tracing::warn!(live, error, "no more connections to the database can be opened");
        }
        self.shortage.notify_waiters();
    }

    /// Lets the callers in line ask the server if there is no connection to wait for.
    fn look_after_line(&self) {
        if self.live() == 0 {
            self.state().line.clear();
        }
    }

    /// Gives a connection to the first caller in line, or back to its pool.
    fn hand_on(self: &Arc<Self>, mut object: Object<Manager>, rested: bool) {
        loop {
            let mut state = self.state();
            let Some(next) = state.line.pop_front() else {
                // With the lock held, so that no caller misses it and stands in line.
                return drop(object);
            };
            drop(state);
            // That caller may be gone.
            match next.send(Ok(Held::new(self, object, rested))) {
                Err(Ok(mut back)) => match back.object.take() {
                    Some(back) => object = back,
                    None => return,
                },
                Ok(()) | Err(Err(_)) => return,
            }
        }
    }

    /// Takes a connection back.
    fn put(self: &Arc<Self>, mut object: Object<Manager>, wrote: bool) {
        if object.is_closed() {
            drop(Object::take(object));
            return self.look_after_line();
        }
        let now = Instant::now();
        object.note_heard(now);
        self.state().answers.note(object.opened(), now, wrote);
        self.hand_on(object, false);
    }
}
