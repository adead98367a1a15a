//! What an operation does if its connection does not answer.
//!
//! The server may be slow, or the way to it may have forgotten the connection. Nothing tells
//! the two apart but other connections. So an operation that has waited long looks at them: if
//! none of them answers either, and there is no room for a new one, one operation gives its
//! connection up. The place goes to a new connection. If that one answers, the other reads
//! give their connections up too, and are run again.

use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::time::{sleep, sleep_until, timeout};

use super::{Kind, PgPool};
use crate::error::{Failure, timed_out};
use crate::pool::Checkout;

/// After which part of its time an operation that has no answer becomes suspicious.
const SUSPICION: u32 = 4;

/// For which part of that time no old connection answers if they are all lost.
const SILENCE: u32 = 8;

/// How often an operation looks at the other connections meanwhile.
const LOOKS: u32 = 64;

impl PgPool {
    /// Runs an operation. A read that gets no answer is run on another connection as well; a
    /// write never is.
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
                // It may have happened.
                None if kind == Kind::Write => return Err(timed_out(limit / 2).into()),
                None => first_in_line = true,
            }
        }
    }

    /// Goes on with an operation that has no answer yet. Returns nothing if it gave up its
    /// connection.
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

    /// Waits until an operation should give its connection up, and at least so long after it
    /// has `taken` that.
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
                // Reads are run again while half of their time and more is left.
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
