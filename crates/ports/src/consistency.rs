//! Read your writes: tracks what a caller has written and seen, because its next reads must include
//! it.
//!
//! A database may have replicas that lag behind, which only its adapter knows. So the consistency
//! of a request is not a parameter of every method. It travels beside the ports, and only two
//! places look at it: the edge, which knows the caller, and adapters with replicas.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A position in the log of a database. A replica that has reached it has everything that was
/// written before. Only the adapter knows what the number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogPosition(pub u64);

impl LogPosition {
    /// A position that no replica ever reaches.
    pub const NEVER: Self = Self(u64::MAX);
}

/// What a caller's request must see, and what it has written.
#[derive(Debug, Clone)]
pub struct Consistency(Arc<Request>);

#[derive(Debug)]
struct Request {
    caller: u64,
    /// Zero is the beginning, which every caller has seen.
    seen: AtomicU64,
    /// Zero means nothing.
    reached: AtomicU64,
}

thread_local! {
    static CURRENT: RefCell<Option<Consistency>> = const { RefCell::new(None) };
}

impl Consistency {
    /// Creates the consistency of a request by the caller with this number.
    pub fn new(caller: u64) -> Self {
        Self(Arc::new(Request { caller, seen: AtomicU64::new(0), reached: AtomicU64::new(0) }))
    }

    /// The number of the caller.
    pub fn caller(&self) -> u64 {
        self.0.caller
    }

    /// Records what the caller has seen before.
    pub fn has_seen(&self, position: LogPosition) {
        self.0.seen.fetch_max(position.0, Ordering::Relaxed);
    }

    /// What the caller has seen before.
    pub fn seen(&self) -> LogPosition {
        LogPosition(self.0.seen.load(Ordering::Relaxed))
    }

    /// Records the position that the work for the caller has reached. Adapters call this.
    pub fn reaches(&self, position: LogPosition) {
        self.0.reached.fetch_max(position.0, Ordering::Relaxed);
    }

    /// The position that the work for the caller has reached; `None` if no adapter has recorded
    /// one.
    pub fn reached(&self) -> Option<LogPosition> {
        Some(LogPosition(self.0.reached.load(Ordering::Relaxed))).filter(|reached| reached.0 > 0)
    }

    /// Runs `what` for the caller. Meanwhile [`Self::current`] returns this value.
    pub async fn run<F: Future>(&self, what: F) -> F::Output {
        let mut what = pin!(what);
        poll_fn(|context| {
            let _within = Within(CURRENT.replace(Some(self.clone())));
            what.as_mut().poll(context)
        })
        .await
    }

    /// The consistency of the request that this thread is working on.
    pub fn current() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }
}

/// Restores the previous value on drop.
struct Within(Option<Consistency>);

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
        Consistency::current().map(|consistency| consistency.caller())
    }

    #[test]
    fn it_is_current_only_while_something_is_done_for_the_caller() {
        let consistency = Consistency::new(7);
        let mut polls = 0;
        let mut work = pin!(consistency.run(poll_fn(|_| {
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
    fn positions_reached_and_seen_only_grow() {
        let consistency = Consistency::new(0);
        assert_eq!((consistency.reached(), consistency.seen()), (None, LogPosition(0)));
        for position in [5, 3] {
            consistency.reaches(LogPosition(position));
            consistency.has_seen(LogPosition(position));
        }
        assert_eq!(
            (consistency.reached(), consistency.seen()),
            (Some(LogPosition(5)), LogPosition(5))
        );
    }
}
