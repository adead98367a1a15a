//! Stores rows that wait at the same time in one statement.
//!
//! Each worker has one lane for each kind of row. If the lane is free, a row is stored at once and
//! alone. While the lane is taken, rows wait in it; when it is free again, all of them are stored
//! together. So a group is as large as the load makes it, and no timer delays a lone row.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use exit3_ports::{Consistency, StoreError, with_causes};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::{Instrument, Span};

use crate::error::{Failure, no_connection, timed_out};
use crate::pool::PgPool;

/// The most rows in one group. More rows hardly cost less each.
const MOST_ROWS: usize = 128;

/// The most bytes in one group, unless a single row has more.
const MOST_BYTES: usize = 1 << 20;

/// A kind of row that can be stored in groups.
pub(crate) trait Grouped: Send + Sync + 'static {
    /// A row to store.
    type Row: Send + Sync + 'static;
    /// A stored row.
    type Stored: Send + 'static;

    /// The approximate size of a row, in bytes.
    fn size(row: &Self::Row) -> usize;

    /// Stores one row.
    fn one(
        pool: &PgPool,
        row: &Self::Row,
    ) -> impl Future<Output = Result<Self::Stored, StoreError>> + Send;

    /// Stores all rows or none, for these callers. Returns as many rows as it was given, in the
    /// same order.
    fn all(
        pool: &PgPool,
        callers: &[Consistency],
        rows: &[&Self::Row],
    ) -> impl Future<Output = Result<Vec<Self::Stored>, Failure>> + Send;
}

/// The lane of one worker. Clones are the same lane.
pub(crate) struct Lane<K: Grouped>(Arc<Inner<K>>);

struct Inner<K: Grouped> {
    pool: PgPool,
    state: Mutex<State<K>>,
}

struct State<K: Grouped> {
    is_taken: bool,
    waiting: VecDeque<Waiting<K>>,
}

struct Waiting<K: Grouped> {
    row: K::Row,
    since: Instant,
    caller: Option<Consistency>,
    /// What the caller's trace is in.
    span: Span,
    reply: oneshot::Sender<Result<K::Stored, StoreError>>,
}

/// The answer to [`Lane::enter`].
pub(crate) enum Entered<K: Grouped> {
    /// The caller stores its row, and then drops the turn.
    Turn(Turn<K>),
    /// The row waits.
    Waits(Answer<K>),
}

/// Receives a row that was stored with others.
pub(crate) struct Answer<K: Grouped> {
    pool: PgPool,
    stored: oneshot::Receiver<Result<K::Stored, StoreError>>,
}

/// The right to store a row. Dropping it starts the next group.
pub(crate) struct Turn<K: Grouped>(Arc<Inner<K>>);

/// Stores groups until no row waits.
struct Groups<K: Grouped> {
    lane: Arc<Inner<K>>,
    /// Whether it has left the lane to others.
    has_left: bool,
}

impl<K: Grouped> Clone for Lane<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Grouped> Lane<K> {
    pub(crate) fn new(pool: PgPool) -> Self {
        let state = State { is_taken: false, waiting: VecDeque::new() };
        Self(Arc::new(Inner { pool, state: Mutex::new(state) }))
    }

    /// Takes the lane if it is free; otherwise puts `row` into it.
    pub(crate) fn enter(&self, row: impl FnOnce() -> K::Row) -> Entered<K> {
        let mut state = self.0.state();
        if !state.is_taken {
            state.is_taken = true;
            return Entered::Turn(Turn(Arc::clone(&self.0)));
        }
        let (reply, stored) = oneshot::channel();
        let caller = self.0.pool.traced_caller();
        let span = Span::current();
        let (row, since) = (row(), Instant::now());
        state.waiting.push_back(Waiting { row, since, caller, span, reply });
        Entered::Waits(Answer { pool: self.0.pool.clone(), stored })
    }
}

impl<K: Grouped> Answer<K> {
    /// Waits until the row is stored. If the future is dropped before the row's group has begun,
    /// the row is not stored.
    pub(crate) async fn stored(self) -> Result<K::Stored, StoreError> {
        let limit = self.pool.time_limit();
        match timeout(limit, self.stored).await {
            Ok(Ok(outcome)) => outcome,
            // The runtime of the worker has ended, or storing a group has panicked.
            Ok(Err(_)) => Err(StoreError::Unavailable("nothing stores the row".into())),
            Err(_) => Err(timed_out(limit)),
        }
    }
}

impl<K: Grouped> Inner<K> {
    fn state(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next group out of the lane. Without rows, the lane is free.
    fn next_group(&self) -> Vec<Waiting<K>> {
        let mut state = self.state();
        let (mut group, mut bytes) = (Vec::new(), 0);
        let patience = self.pool.time_limit() * 3 / 4;
        while let Some(next) = state.waiting.pop_front() {
            // The caller has gone, and nothing of its row was sent.
            if next.reply.is_closed() {
                continue;
            }
            // The caller would probably give up before the answer, and not know what happened.
            if next.since.elapsed() > patience {
                let _ = next.reply.send(Err(no_connection(None).into()));
                continue;
            }
            bytes += K::size(&next.row);
            if group.len() == MOST_ROWS || (bytes > MOST_BYTES && !group.is_empty()) {
                state.waiting.push_front(next);
                break;
            }
            group.push(next);
        }
        state.is_taken = !group.is_empty();
        group
    }

    async fn store(&self, group: Vec<Waiting<K>>) {
        if group.len() == 1 {
            return self.store_each(group).await;
        }
        let callers: Vec<_> = group.iter().filter_map(|waiting| waiting.caller.clone()).collect();
        let rows: Vec<_> = group.iter().map(|waiting| &waiting.row).collect();
        // The statement belongs to all their traces, but a span can have only one parent.
        let span = group.first().map_or_else(Span::none, |first| first.span.clone());
        let outcome = K::all(&self.pool, &callers, &rows).instrument(span).await;
        match outcome {
            Ok(stored) => {
                for (waiting, stored) in group.into_iter().zip(stored) {
                    // The caller may have gone.
                    let _ = waiting.reply.send(Ok(stored));
                }
            }
            Err(failure) if failure.is_undone => self.store_each(group).await,
            Err(failure) => {
                for waiting in group {
                    let _ = waiting.reply.send(Err(repeated(&failure.error)));
                }
            }
        }
    }

    /// Stores rows one by one.
    async fn store_each(&self, group: Vec<Waiting<K>>) {
        for waiting in group {
            if waiting.reply.is_closed() {
                continue;
            }
            let one = K::one(&self.pool, &waiting.row).instrument(waiting.span);
            let outcome = match waiting.caller {
                Some(caller) => caller.run(one).await,
                None => one.await,
            };
            let _ = waiting.reply.send(outcome);
        }
    }
}

impl<K: Grouped> Drop for Turn<K> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.is_taken = !state.waiting.is_empty();
        if state.is_taken {
            let groups = Groups { lane: Arc::clone(&self.0), has_left: false };
            drop(state);
            self.0.pool.runtime().spawn(groups.store());
        }
    }
}

impl<K: Grouped> Groups<K> {
    async fn store(mut self) {
        loop {
            let group = self.lane.next_group();
            if group.is_empty() {
                self.has_left = true;
                return;
            }
            self.lane.store(group).await;
        }
    }
}

impl<K: Grouped> Drop for Groups<K> {
    fn drop(&mut self) {
        if !self.has_left {
            // The runtime has ended, or storing a group has panicked. The callers that wait learn
            // that nobody stores their rows.
            let mut state = self.lane.state();
            state.waiting.clear();
            state.is_taken = false;
        }
    }
}

/// The same error for another caller.
fn repeated(error: &StoreError) -> StoreError {
    match error {
        StoreError::NotFound => StoreError::NotFound,
        StoreError::Conflict(constraint) => StoreError::Conflict(*constraint),
        StoreError::Unavailable(cause) => {
            StoreError::Unavailable(with_causes(cause.as_ref()).into())
        }
        StoreError::Other(cause) => StoreError::Other(with_causes(cause.as_ref()).into()),
    }
}
