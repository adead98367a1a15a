//! Shelves and the lines before them, as they are at a moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::held::{Held, Opening, Waiting};
use super::{SHARED, Shelves};
use crate::connection::PgConnection;
use crate::error::{Failure, no_connection};
use crate::pool::ConnectError;

/// How long nothing is asked of a server that has refused a connection, while others live.
const PAUSE: Duration = Duration::from_secs(1);

/// A connection that has rested for longer proves itself before it is used: the way to the
/// server may have forgotten it.
const REST: Duration = Duration::from_secs(1);

pub(super) struct State {
    pub(super) shelves: BTreeMap<u64, Shelf>,
    /// The number of the next shelf, and of the next who stands in line.
    pub(super) next: u64,
    /// Why and when there was no connection to be had last, until there is one.
    pub(super) refused: Option<(Instant, Arc<ConnectError>)>,
    /// A connection that has not answered since then proves itself before it is used.
    pub(super) silent_since: Option<Instant>,
    /// When a connection was last given back that can be used. One that was opened after
    /// another fell silent says nothing about those that are as old as that.
    pub(super) heard: Option<Instant>,
}

pub(super) struct Shelf {
    pub(super) runtime: Handle,
    /// How many connections it may have.
    pub(super) share: usize,
    /// How many it has or is about to have.
    pub(super) open: usize,
    /// How many it has.
    pub(super) live: usize,
    /// Those that are free, and since when; the last one has the most in its caches.
    pub(super) idle: Vec<(PgConnection, Instant)>,
    /// The line before it.
    pub(super) line: BTreeMap<Turn, oneshot::Sender<Outcome>>,
}

pub(super) type Outcome = Result<Held, Arc<ConnectError>>;

/// A place in the line. Those whose work all others depend on stand before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    patient: bool,
    number: u64,
}

impl Shelf {
    pub(super) fn new(share: usize, runtime: Handle) -> Self {
        Self { runtime, share, open: 0, live: 0, idle: Vec::new(), line: BTreeMap::new() }
    }

    pub(super) fn opening(&self) -> usize {
        self.open - self.live
    }

    pub(super) fn begin(&mut self, shelves: &Arc<Shelves>, number: u64) -> Opening {
        self.open += 1;
        let (shelves, runtime) = (Arc::clone(shelves), self.runtime.clone());
        Opening { shelves, shelf: number, runtime, ended: false }
    }

    pub(super) fn forget_one(&mut self) {
        self.open -= 1;
        self.live -= 1;
    }

    pub(super) fn pop(&mut self) -> Option<(PgConnection, Instant)> {
        while let Some((connection, heard)) = self.idle.pop() {
            if !connection.is_closed() {
                return Some((connection, heard));
            }
            self.forget_one();
        }
        None
    }
}

impl State {
    /// A connection that is free for whoever is at home at this shelf.
    pub(super) fn free(&mut self, shelves: &Arc<Shelves>, home: u64) -> Option<Held> {
        let all = self.is_short();
        let others = if all { self.shelves.keys().copied().collect() } else { Vec::new() };
        // What the worker may still open for itself is better than what is shared.
        let may_grow = !all
            && home != SHARED
            && self.shelves.get(&home).is_some_and(|own| own.open < own.share);
        let shared = if may_grow { None } else { Some(SHARED) };
        for number in [home].into_iter().chain(shared).chain(others) {
            let free = self.shelves.get_mut(&number).and_then(Shelf::pop);
            if let Some((connection, heard)) = free {
                let silent = self.silent_since.is_some_and(|since| heard < since);
                let rested = (silent || heard.elapsed() > REST).then_some(heard);
                return Some(Held::new(shelves, number, connection, rested));
            }
        }
        None
    }

    pub(super) fn stand_in_line(
        &mut self,
        shelves: &Arc<Shelves>,
        home: u64,
        first: bool,
    ) -> Result<Waiting, Failure> {
        let turn = Turn { patient: !first, number: self.next };
        self.next += 1;
        let (sender, receiver) = oneshot::channel();
        let shelf = self.shelves.get_mut(&home).ok_or_else(|| no_connection(None))?;
        shelf.line.insert(turn, sender);
        Ok(Waiting { receiver, shelves: Arc::clone(shelves), home, turn })
    }

    pub(super) fn live(&self) -> usize {
        self.shelves.values().map(|shelf| shelf.live).sum()
    }

    pub(super) fn opening(&self) -> usize {
        self.shelves.values().map(Shelf::opening).sum()
    }

    /// Whether the server takes no more connections, and some live.
    pub(super) fn is_short(&self) -> bool {
        self.refused.is_some() && self.live() > 0
    }

    /// The connections that should be opened for those in line.
    pub(super) fn grow(&mut self, shelves: &Arc<Shelves>) -> Vec<Opening> {
        if self.shelves.values().all(|shelf| shelf.line.is_empty()) {
            return Vec::new();
        }
        let mut most = if self.is_short() { usize::from(self.may_ask()) } else { usize::MAX };
        let mut openings = Vec::new();
        let mut unserved = 0;
        // The shared shelf is the last.
        for (number, shelf) in self.shelves.iter_mut().rev() {
            let mut wanted = shelf.line.len();
            if *number == SHARED {
                wanted += unserved;
            }
            while most > 0 && shelf.opening() < wanted && shelf.open < shelf.share {
                openings.push(shelf.begin(shelves, *number));
                most -= 1;
            }
            unserved += wanted.saturating_sub(shelf.opening());
        }
        // Where the runtimes have ended, nothing can be opened any more.
        if openings.is_empty()
            && self.live() + self.opening() == 0
            && let Some((_, error)) = self.refused.clone()
        {
            self.send_away(&error);
        }
        openings
    }

    /// Whether a server that refused connections may be asked for one again.
    pub(super) fn may_ask(&self) -> bool {
        let rests = self.refused.as_ref().is_some_and(|(when, _)| when.elapsed() < PAUSE);
        !rests && self.opening() == 0
    }

    /// The connection that finds out whether the server takes more of them again.
    pub(super) fn probe(&mut self, shelves: &Arc<Shelves>, home: u64) -> Option<Opening> {
        if self.refused.is_none() || !self.may_ask() {
            return None;
        }
        let shelf = self.shelves.get_mut(&home).filter(|shelf| shelf.open < shelf.share)?;
        Some(shelf.begin(shelves, home))
    }

    pub(super) fn put(
        &mut self,
        shelves: &Arc<Shelves>,
        number: u64,
        connection: PgConnection,
        is_new: bool,
    ) {
        let Some(shelf) = self.shelves.get_mut(&number) else { return };
        if is_new {
            shelf.live += 1;
            self.refused = None;
        }
        // Its share may have become smaller.
        if connection.is_closed() || shelf.open > shelf.share {
            shelf.forget_one();
            return;
        }
        let now = Instant::now();
        if self.silent_since.is_none_or(|since| connection.opened() < since) {
            self.heard = Some(now);
        }
        if let Some(connection) = self.hand_on(shelves, number, connection)
            && let Some(shelf) = self.shelves.get_mut(&number)
        {
            shelf.idle.push((connection, now));
        }
    }

    /// Gives a connection to the next in line, if there is one.
    pub(super) fn hand_on(
        &mut self,
        shelves: &Arc<Shelves>,
        number: u64,
        connection: PgConnection,
    ) -> Option<PgConnection> {
        let mut held = Held::new(shelves, number, connection, None);
        while let Some(next) = self.next_in_line(number) {
            match next.send(Ok(held)) {
                Ok(()) => return None,
                // Whoever it was has gone.
                Err(Ok(back)) => held = back,
                Err(Err(_)) => return None,
            }
        }
        held.connection.take()
    }

    pub(super) fn next_in_line(&mut self, number: u64) -> Option<oneshot::Sender<Outcome>> {
        let from = if number == SHARED || self.is_short() {
            let first = |(number, shelf): (&u64, &Shelf)| {
                shelf.line.first_key_value().map(|(turn, _)| (*turn, *number))
            };
            self.shelves.iter().filter_map(first).min()?.1
        } else {
            number
        };
        self.shelves.get_mut(&from)?.line.pop_first().map(|(_, sender)| sender)
    }

    pub(super) fn failed(&mut self, shelves: &Arc<Shelves>, number: u64, error: Arc<ConnectError>) {
        if let Some(shelf) = self.shelves.get_mut(&number) {
            shelf.open -= 1;
            if matches!(*error, ConnectError::Runtime) {
                // It opens none any more.
                shelf.share = 0;
            }
        }
        self.close(|connection, _| connection.is_closed());
        if self.refused.is_none() && self.live() > 0 {
            let (live, error) = (self.live(), exit3_ports::with_causes(&*error));
            tracing::warn!(live, error, "no more connections to the database can be opened");
        }
        self.refused = Some((Instant::now(), Arc::clone(&error)));
        if self.live() > 0 {
            // Others may have some that are free.
            while self.shelves.values().any(|shelf| !shelf.line.is_empty()) {
                let free = self.shelves.iter_mut().find_map(|(number, shelf)| {
                    shelf.pop().map(|(connection, _)| (*number, connection))
                });
                let Some((number, connection)) = free else { return };
                if let Some(connection) = self.hand_on(shelves, number, connection)
                    && let Some(shelf) = self.shelves.get_mut(&number)
                {
                    shelf.idle.push((connection, Instant::now()));
                }
            }
        } else if self.opening() == 0 {
            self.send_away(&error);
        }
    }

    /// Tells all in line that there is nothing to wait for.
    pub(super) fn send_away(&mut self, error: &Arc<ConnectError>) {
        for shelf in self.shelves.values_mut() {
            for (_, sender) in std::mem::take(&mut shelf.line) {
                let _ = sender.send(Err(Arc::clone(error)));
            }
        }
    }

    /// Closes those that are free and for which this holds.
    pub(super) fn close(&mut self, holds: impl Fn(&PgConnection, Instant) -> bool) {
        for shelf in self.shelves.values_mut() {
            let before = shelf.idle.len();
            shelf.idle.retain(|(connection, heard)| !holds(connection, *heard));
            let closed = before - shelf.idle.len();
            shelf.open -= closed;
            shelf.live -= closed;
        }
    }
}
