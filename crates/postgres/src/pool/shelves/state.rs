//! The pools, and the callers in line for a connection.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool::managed::{Object, Timeouts};
use futures_util::FutureExt;
use tokio::sync::oneshot;

use super::answers::Answers;
use super::manager::{Manager, Pool};
use super::{Outcome, SHARED, Shelves};
use crate::connection::PgConnection;
use crate::opening::ConnectError;

/// A connection that was idle for longer is tested before use: a firewall may have forgotten it.
const REST: Duration = Duration::from_secs(1);

pub(super) struct State {
    pub(super) pools: BTreeMap<u64, Pool>,
    /// The number of the next pool.
    pub(super) next: u64,
    /// When and why no connection could be opened; `None` after a success.
    pub(super) refused: Option<(Instant, Arc<ConnectError>)>,
    /// Callers in line for the next connection, from any pool.
    pub(super) line: VecDeque<oneshot::Sender<Outcome>>,
    /// New connections whose callers are gone.
    pub(super) left: Vec<PgConnection>,
    pub(super) answers: Answers,
}

impl State {
    pub(super) fn pool(&self, number: u64) -> Option<Pool> {
        self.pools.get(&number).cloned()
    }

    pub(super) fn size_of(&self, number: u64) -> usize {
        self.pools.get(&number).map_or(0, |pool| pool.status().max_size)
    }

    pub(super) fn is_full(&self, number: u64) -> bool {
        let full = |pool: &Pool| pool.status().size >= pool.status().max_size;
        self.pools.get(&number).is_none_or(full)
    }

    /// Whether a caller waits for a connection of this pool, or of any.
    pub(super) fn is_waited_for(&self, number: u64) -> bool {
        self.line.iter().any(|waiting| !waiting.is_closed())
            || self.pools.get(&number).is_some_and(|pool| pool.status().waiting > 0)
    }

    /// Replaces the shared pool. Callers that wait at the old pool move to the new one. deadpool's
    /// own `resize` does not shrink a pool that is not full.
    pub(super) fn resize_shared(&mut self, shelves: &Arc<Shelves>, size: usize) {
        if let Some(old) = self.pools.get(&SHARED) {
            let runtime = old.manager().runtime.clone();
            old.close();
            self.pools.insert(SHARED, Manager::pool(shelves, size, runtime));
        }
    }

    /// An idle connection for a caller whose own pool is `home`.
    pub(super) fn idle(&self, home: u64, first: bool, is_short: bool) -> Option<Object<Manager>> {
        if !first && !self.line.is_empty() && is_short {
            return None;
        }
        let own = self.pools.get(&home)?;
        let status = own.status();
        let from_all = first || is_short;
        // A connection that the worker may still open for itself is better than a shared one.
        let from_shared = from_all || status.size >= status.max_size;
        let shared = self.pools.get(&SHARED).filter(|_| from_shared);
        let others = self.pools.values().filter(|_| from_all);
        [own].into_iter().chain(shared).chain(others).find_map(idle)
    }

    /// Whether a connection must be tested before use.
    pub(super) fn rested(&self, object: &Object<Manager>) -> bool {
        let heard = object.heard();
        self.answers.is_distrusted(heard) || heard.elapsed() > REST
    }

    pub(super) fn stand_in_line(&mut self, first: bool) -> oneshot::Receiver<Outcome> {
        let (sender, receiver) = oneshot::channel();
        self.line.retain(|sender| !sender.is_closed());
        if first {
            self.line.push_front(sender);
        } else {
            self.line.push_back(sender);
        }
        receiver
    }
}

/// An idle connection. It opens none, since that takes more than one poll.
fn idle(pool: &Pool) -> Option<Object<Manager>> {
    pool.timeout_get(&at_once()).now_or_never()?.ok()
}

pub(super) fn at_once() -> Timeouts {
    Timeouts { wait: Some(Duration::ZERO), ..Timeouts::default() }
}
