//! Handles operations whose connection does not answer.
//!
//! The server may be slow, or a firewall may have forgotten the connection. Only other connections
//! can tell these apart. So an operation that has waited long looks at them: if none of them
//! answers either, and there is no room for a new one, one operation gives up its connection, and a
//! new one is opened in its place. If the new connection answers, the other reads give up their
//! connections too, and run again. If the new connection has done a write, the other writes give up
//! their connections too, as long as more writes wait for one. They are not run again.

use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::time::{sleep, sleep_until, timeout};

use super::{Kind, PgPool};
use crate::error::{Failure, timed_out};
use crate::pool::Checkout;

/// The fraction of its time limit after which an operation without an answer becomes suspicious.
pub(super) const SUSPICION: u32 = 4;

/// If no old connection answers for this fraction of the time limit, all count as lost.
const SILENCE: u32 = 8;

/// How often, within the time limit, an operation looks at the other connections.
const LOOKS: u32 = 64;

impl PgPool {
    /// Runs an operation. A read without an answer is also run on another connection; a write never
    /// is.
    pub(super) async fn surely<T, F>(
        &self,
        limit: Duration,
        kind: Kind,
        operation: impl Fn(Checkout) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut first_in_line = kind == Kind::Look;
        loop {
            let checkout = self.checkout(kind, first_in_line).await?;
            let taken = Instant::now();
            let mut running = Box::pin(operation(checkout));
            let done = match timeout(limit / SUSPICION, running.as_mut()).await {
                Ok(done) => Some(done),
                Err(_) => {
                    self.home.shelves().distrust(taken, self.timeout / SILENCE);
                    self.suspiciously(limit, kind, running, taken, &operation).await
                }
            };
            match done {
                Some(done) => return done,
                // The write may have happened.
                None if kind == Kind::Write => return Err(timed_out(limit / 2).into()),
                None => first_in_line = true,
            }
        }
    }

    /// Continues an operation that has no answer yet. Returns `None` if it gave up its connection.
    async fn suspiciously<T, F>(
        &self,
        limit: Duration,
        kind: Kind,
        mut running: Pin<Box<F>>,
        taken: Instant,
        operation: impl Fn(Checkout) -> F,
    ) -> Option<Result<T, Failure>>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        if !self.reads_twice || limit > self.timeout {
            return Some(running.await);
        }
        if kind == Kind::Write {
            return tokio::select! {
                biased;
                done = running => Some(done),
                () = self.gives_way(limit, kind, taken, limit / 2) => None,
            };
        }
        if self.home.old_ones_answer(taken, limit / SILENCE)
            && let Ok(done) = timeout(limit / SUSPICION, running.as_mut()).await
        {
            return Some(done);
        }
        let other = tokio::select! {
            biased;
            done = &mut running => return Some(done),
            other = self.checkout(kind, true) => other,
            () = self.gives_way(limit, kind, taken, Duration::ZERO) => return None,
        };
        let Ok(other) = other else { return Some(running.await) };
        let mut other = Box::pin(operation(other));
        tokio::select! {
            biased;
            done = &mut running => Some(done),
            done = &mut other => match done {
                Ok(done) => Some(Ok(done)),
                Err(_) => Some(running.await),
            },
        }
    }

    /// Waits until an operation should give up its connection, and at least for `least` after it
    /// has `taken` it.
    async fn gives_way(&self, limit: Duration, kind: Kind, taken: Instant, least: Duration) {
        sleep_until((taken + least).into()).await;
        let silence = limit / SILENCE;
        loop {
            let all_are_lost = !self.home.old_ones_answer(taken, silence) && self.home.is_full();
            if all_are_lost {
                let others_want = kind != Kind::Write || self.home.is_waited_for();
                if others_want && self.home.shelves().is_first_to_give_way(taken) {
                    return;
                }
                // Others write on new connections, so the silent ones are not merely slow: writes
                // that have not been sent yet need the room.
                if kind == Kind::Write && others_want && self.home.shelves().new_one_writes(taken) {
                    return;
                }
                // Reads run again only while at least half of their time is left.
                if kind != Kind::Write
                    && taken.elapsed() >= limit * 3 / 8
                    && self.home.shelves().new_one_answers(taken)
                {
                    return;
                }
            }
            sleep(limit / LOOKS).await;
        }
    }
}
