//! What is known about the replica, and what must be known before lists come from it.
//!
//! Its age is measured with our clock only: we regularly ask the primary for its position in the
//! log. A replica that has replayed up to that position has everything written before we asked. So
//! an idle primary, a replica that has lost its primary, and clocks that differ cannot deceive us.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use exit3_ports::{Consistency, LogPosition, StoreError, with_causes};
use tokio::time::Instant;

use crate::position::ServerPosition;

/// A replica of the database.
pub(crate) struct Replica {
    /// The greatest age of data that is read from it.
    max_lag: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When the primary was asked, and its position then; oldest first.
    samples: VecDeque<(Instant, LogPosition)>,
    /// The position that the replica has reached; `None` while it is not used.
    replayed: Option<LogPosition>,
    /// When a caller last wrote, and the position of that write, by caller.
    writes: HashMap<u64, (Instant, LogPosition)>,
}

/// What the replica must have for a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needed {
    position: LogPosition,
    /// When the primary was at that position.
    taken: Instant,
}

/// The state that a server reports.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Server {
    pub(crate) cluster: i64,
    pub(crate) timeline: i32,
    pub(crate) is_standby: bool,
    pub(crate) position: LogPosition,
}

/// Why the replica is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("the server does not answer: {}", with_causes(.0))]
    Away(StoreError),
    #[error("it is not a standby")]
    NoStandby,
    #[error("it is a copy of another database cluster")]
    Stranger,
    #[error("it is on timeline {0}, the primary on {1}, as of their last checkpoints")]
    Timeline(i32, i32),
    #[error("it is too far behind")]
    Behind,
}

impl Replica {
    pub(crate) fn new(max_lag: Duration) -> Self {
        Self { max_lag, state: Mutex::default() }
    }

    /// The greatest age of data that is read from it.
    pub(crate) fn max_lag(&self) -> Duration {
        self.max_lag
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a list for this caller needs; `None` if the replica is not known to have it.
    pub(crate) fn needed(&self, consistency: Option<&Consistency>) -> Option<Needed> {
        let mut state = self.state();
        // Young enough to be within the limit even after the list has been read.
        self.forget(&mut state, self.max_lag * 3 / 4);
        let replayed = state.replayed?;
        let &(taken, sampled) = state.samples.front()?;
        let written = consistency.and_then(|own| state.writes.get(&own.caller()));
        let own = written.filter(|(when, _)| when.elapsed() <= self.max_lag);
        let seen = consistency.map(Consistency::seen);
        let position = [own.map(|(_, position)| *position), seen]
            .into_iter()
            .flatten()
            .fold(sampled, Ord::max);
        (position <= replayed).then_some(Needed { position, taken })
    }

    /// Whether the data read has what is needed. `at` is the position of the replica before reading.
    pub(crate) fn has(&self, needed: &Needed, at: Option<ServerPosition>) -> bool {
        let Some(ServerPosition { is_standby: true, position }) = at else {
            self.set_aside();
            return false;
        };
        let mut state = self.state();
        // After a crash, a replica may have gone back to an earlier position.
        state.replayed = state.replayed.map(|_| position);
        position >= needed.position && needed.taken.elapsed() <= self.max_lag
    }

    /// Stops using the replica until it has been checked again.
    pub(crate) fn set_aside(&self) {
        self.state().replayed = None;
    }

    /// Records a write of a caller.
    pub(crate) fn wrote(&self, caller: u64, position: LogPosition) {
        let mut state = self.state();
        let written = state.writes.entry(caller).or_insert((Instant::now(), position));
        *written = (Instant::now(), written.1.max(position));
    }

    /// Forgets samples and writes older than `age`.
    fn forget(&self, state: &mut State, age: Duration) {
        while state.samples.front().is_some_and(|(taken, _)| taken.elapsed() > age) {
            state.samples.pop_front();
        }
    }

    /// Records the states of both servers, which were requested at `asked`.
    ///
    /// # Errors
    /// Why the replica is not used.
    pub(crate) fn judge(
        &self,
        asked: Instant,
        primary: Result<Server, StoreError>,
        standby: Result<Server, StoreError>,
    ) -> Result<(), Fault> {
        let mut state = self.state();
        state.writes.retain(|_, (when, _)| when.elapsed() <= self.max_lag);
        state.replayed = None;
        let standby = standby.map_err(Fault::Away)?;
        if !standby.is_standby {
            return Err(Fault::NoStandby);
        }
        if let Ok(primary) = primary {
            if primary.cluster != standby.cluster {
                return Err(Fault::Stranger);
            }
            if primary.timeline != standby.timeline {
                return Err(Fault::Timeline(standby.timeline, primary.timeline));
            }
            state.samples.push_back((asked, primary.position));
        }
        self.forget(&mut state, self.max_lag * 3 / 4);
        state.replayed = Some(standby.position);
        match state.samples.front() {
            Some((_, needed)) if standby.position < *needed => Err(Fault::Behind),
            _ => Ok(()),
        }
    }
}
