//! What a client has written and seen, which what it reads next must not lack.
//!
//! A database may have copies that are a little behind. Only its adapter knows; so the
//! session of a client goes along with what is done for it, beside the ports, instead of
//! through every method: only the edge, which knows the client, and an adapter that has
//! copies look at it.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A position in the history of a database: a copy that has come to it has whatever was
/// written before. What the number means only the adapter knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(pub u64);

impl Position {
    /// One that no copy ever comes to.
    pub const NEVER: Self = Self(u64::MAX);
}

/// One request of a client.
#[derive(Debug, Clone)]
pub struct Session(Arc<Request>);

#[derive(Debug)]
struct Request {
    client: u64,
    /// Zero for the beginning, which everybody has seen.
    seen: AtomicU64,
    /// Zero for nothing.
    reached: AtomicU64,
}

thread_local! {
    static CURRENT: RefCell<Option<Session>> = const { RefCell::new(None) };
}

impl Session {
    /// Of the client that is known by this number.
    pub fn new(client: u64) -> Self {
        Self(Arc::new(Request { client, seen: AtomicU64::new(0), reached: AtomicU64::new(0) }))
    }

    /// The number of the client.
    pub fn client(&self) -> u64 {
        self.0.client
    }

    /// Notes what the client has seen before.
    pub fn has_seen(&self, position: Position) {
        self.0.seen.fetch_max(position.0, Ordering::Relaxed);
    }

    /// What the client has seen before.
    pub fn seen(&self) -> Position {
        Position(self.0.seen.load(Ordering::Relaxed))
    }

    /// Notes, by an adapter, up to where what was done for the client reaches.
    pub fn reaches(&self, position: Position) {
        self.0.reached.fetch_max(position.0, Ordering::Relaxed);
    }

    /// Up to where what was done for the client reaches; `None` where it made no
    /// difference.
    pub fn reached(&self) -> Option<Position> {
        Some(Position(self.0.reached.load(Ordering::Relaxed))).filter(|reached| reached.0 > 0)
    }

    /// Does something for the client: within it, [`Self::current`] is this session.
    pub async fn run<F: Future>(&self, what: F) -> F::Output {
        let mut what = pin!(what);
        poll_fn(|context| {
            let _within = Within(CURRENT.replace(Some(self.clone())));
            what.as_mut().poll(context)
        })
        .await
    }

    /// The session that something is done for just now.
    pub fn current() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }
}

/// Puts back, at its end, what was current before.
struct Within(Option<Session>);

impl Drop for Within {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Poll, Waker};

    fn current() -> Option<u64> {
        Session::current().map(|session| session.client())
    }

    #[test]
    fn a_session_is_current_only_while_something_is_done_for_it() {
        let session = Session::new(7);
        let mut polls = 0;
        let mut work = pin!(session.run(poll_fn(|_| {
            assert_eq!(current(), Some(7));
            polls += 1;
            if polls < 2 { Poll::Pending } else { Poll::Ready(()) }
        })));
        let context = &mut Context::from_waker(Waker::noop());
        assert!(work.as_mut().poll(context).is_pending());
        assert_eq!(current(), None);
        assert!(work.as_mut().poll(context).is_ready());
        assert_eq!(current(), None);
    }

    #[test]
    fn what_was_reached_and_seen_only_grows() {
        let session = Session::new(0);
        assert_eq!((session.reached(), session.seen()), (None, Position(0)));
        for position in [5, 3] {
            session.reaches(Position(position));
            session.has_seen(Position(position));
        }
        assert_eq!((session.reached(), session.seen()), (Some(Position(5)), Position(5)));
    }
}
