//! What is known of a replica, and what must be known of it before lists come from it.
//!
//! Its age is told without any clock but ours: the primary is asked now and then how far
//! its log has come, and a replica that has replayed up to there has whatever was written
//! before the question. So neither a primary that is idle, nor a replica that has lost
//! its primary, nor clocks that differ can deceive us.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use exit3_ports::{Position, Session, StoreError, with_causes};
use tokio::time::Instant;

use crate::position::Place;

/// A replica of the database.
pub(crate) struct Replica {
    /// How old what is read from it may be.
    max_lag: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When the primary was asked, and how far its log had come; oldest first.
    samples: VecDeque<(Instant, Position)>,
    /// How far the replica is known to have come; `None` while it is set aside.
    replayed: Option<Position>,
    /// Of clients that have just written, when, and up to where that reaches.
    writes: HashMap<u64, (Instant, Position)>,
}

/// What a list must have for it to come from the replica.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needed {
    position: Position,
    /// When the primary had come no further.
    taken: Instant,
}

/// A server, as it says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Server {
    pub(crate) cluster: i64,
    pub(crate) timeline: i32,
    pub(crate) is_standby: bool,
    pub(crate) position: Position,
}

/// Why nothing is read from the replica.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("it cannot be asked: {}", with_causes(.0))]
    Away(StoreError),
    #[error("it is no standby")]
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

    /// How old what is read from it may be.
    pub(crate) fn max_lag(&self) -> Duration {
        self.max_lag
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a list for this client must have; `None` where the replica is not known to
    /// have it.
    pub(crate) fn needed(&self, session: Option<&Session>) -> Option<Needed> {
        let mut state = self.state();
        // What is young enough still is when the list has been read.
        self.forget(&mut state, self.max_lag * 3 / 4);
        let replayed = state.replayed?;
        let &(taken, sampled) = state.samples.front()?;
        let written = session.and_then(|session| state.writes.get(&session.client()));
        let own = written.filter(|(when, _)| when.elapsed() <= self.max_lag);
        let seen = session.map(Session::seen);
        let position = [own.map(|(_, position)| *position), seen]
            .into_iter()
            .flatten()
            .fold(sampled, Ord::max);
        (position <= replayed).then_some(Needed { position, taken })
    }

    /// Whether what was read has what it needs. `place` is where the replica was before.
    pub(crate) fn has(&self, needed: &Needed, place: Option<Place>) -> bool {
        let Some(Place { is_standby: true, position }) = place else {
            self.set_aside();
            return false;
        };
        let mut state = self.state();
        // One that has crashed may have come back to a moment before.
        state.replayed = state.replayed.map(|_| position);
        position >= needed.position && needed.taken.elapsed() <= self.max_lag
    }

    /// Reads nothing from the replica until it has been looked at again.
    pub(crate) fn set_aside(&self) {
        self.state().replayed = None;
    }

    /// Notes that a client has written.
    pub(crate) fn wrote(&self, client: u64, position: Position) {
        let mut state = self.state();
        let written = state.writes.entry(client).or_insert((Instant::now(), position));
        *written = (Instant::now(), written.1.max(position));
    }

    /// Forgets what is older than anybody asks for.
    fn forget(&self, state: &mut State, age: Duration) {
        while state.samples.front().is_some_and(|(taken, _)| taken.elapsed() > age) {
            state.samples.pop_front();
        }
    }

    /// Notes what both servers say, at a moment after `asked`.
    ///
    /// # Errors
    /// Why nothing is read from the replica.
    pub(crate) fn judge(
        &self,
        asked: Instant,
        primary: Result<Server, StoreError>,
        copy: Result<Server, StoreError>,
    ) -> Result<(), Fault> {
        let mut state = self.state();
        state.writes.retain(|_, (when, _)| when.elapsed() <= self.max_lag);
        state.replayed = None;
        let copy = copy.map_err(Fault::Away)?;
        if !copy.is_standby {
            return Err(Fault::NoStandby);
        }
        if let Ok(primary) = primary {
            if primary.cluster != copy.cluster {
                return Err(Fault::Stranger);
            }
            if primary.timeline != copy.timeline {
                return Err(Fault::Timeline(copy.timeline, primary.timeline));
            }
            state.samples.push_back((asked, primary.position));
        }
        self.forget(&mut state, self.max_lag * 3 / 4);
        state.replayed = Some(copy.position);
        match state.samples.front() {
            Some((_, needed)) if copy.position < *needed => Err(Fault::Behind),
            _ => Ok(()),
        }
    }
}
