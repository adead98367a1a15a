use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use exit3_domain::leads::LeadId;
use exit3_ports::spool::Spool;
use exit3_ports::with_causes;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// The fewest and the most ids that are taken from the spool at once. After a crash, they are lost.
const HANDFUL: (u64, u64) = (16, 10_000);

/// How long nobody tries again after a failure.
const AGAIN: Duration = Duration::from_secs(1);

/// The fewest ids that a node keeps reserved, and the most.
const RESERVE: (u64, u64) = (1_000, 1_000_000);

/// For how long the reserved ids last at the present rate, in seconds.
const LASTS: f64 = 1800.0;

/// The rate is an average over about so many seconds.
const WINDOW: f64 = 60.0;

/// Reserved ids that this process has taken out of the spool, in order.
#[derive(Default)]
pub(super) struct Ids {
    taken: Mutex<VecDeque<RangeInclusive<i64>>>,
    /// Only one caller at a time takes ids from the spool.
    turn: tokio::sync::Mutex<Turn>,
    /// Since when ids are being taken.
    since: Mutex<Option<Instant>>,
    /// How many ids were used since the rate was last updated.
    used: AtomicU64,
    /// How many ids the spool had left when it was last looked at.
    reserved: AtomicU64,
    /// Ids used per second.
    rate: Mutex<f64>,
}

/// Ids are being taken, until this is dropped, however that ends.
struct UnderWay<'a>(&'a Ids);

impl<'a> UnderWay<'a> {
    fn begin(ids: &'a Ids) -> Self {
        *ids.since() = Some(Instant::now());
        Self(ids)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        *self.0.since() = None;
    }
}

#[derive(Default)]
struct Turn {
    /// Takes ids. A caller that stops waiting leaves it to the next one, because ids that the spool
    /// has given must not be lost.
    pending: Option<JoinHandle<bool>>,
    failed: Option<Instant>,
}

impl Ids {
    /// The next id; `None` if the spool has none, cannot be written, or takes longer than `patience`.
    pub(super) async fn next(
        self: &Arc<Self>,
        spool: &Arc<dyn Spool>,
        patience: Duration,
    ) -> Option<LeadId> {
        if let Some(id) = self.pop() {
            return Some(id);
        }
        let since = *self.since();
        if since.is_some_and(|since| since.elapsed() > patience) {
            return None;
        }
        timeout(patience, self.take(spool)).await.ok()?
    }

    async fn take(self: &Arc<Self>, spool: &Arc<dyn Spool>) -> Option<LeadId> {
        let mut turn = self.turn.lock().await;
        loop {
            if let Some(id) = self.pop() {
                return Some(id);
            }
            if turn.failed.is_some_and(|failed| failed.elapsed() < AGAIN) {
                return None;
            }
            let pending = turn
                .pending
                .get_or_insert_with(|| tokio::spawn(Arc::clone(self).refill(Arc::clone(spool))));
            let is_old = pending.is_finished();
            // If the runtime ends, so does the task.
            let has_more = pending.await.unwrap_or(false);
            turn.pending = None;
            turn.failed = (!has_more && !is_old).then(Instant::now);
        }
    }

    /// Returns whether there are more ids now.
    async fn refill(self: Arc<Self>, spool: Arc<dyn Spool>) -> bool {
        let _under_way = UnderWay::begin(&self);
        let reserved = self.reserved.load(Ordering::Relaxed);
        let (least, most) = HANDFUL;
        match spool.take_ids((reserved / 8).clamp(least, most)).await {
            Ok(ranges) => {
                let count = count(&ranges);
                self.reserved.store(reserved.saturating_sub(count), Ordering::Relaxed);
                self.taken().extend(ranges);
                count > 0
            }
            Err(error) => {
                tracing::warn!(error = with_causes(&error), "the spool gives no ids");
                false
            }
        }
    }

    fn since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pop(&self) -> Option<LeadId> {
        let mut taken = self.taken();
        let range = taken.front_mut()?;
        let id = *range.start();
        if id == *range.end() {
            taken.pop_front();
        } else {
            *range = id + 1..=*range.end();
        }
        drop(taken);
        self.used.fetch_add(1, Ordering::Relaxed);
        Some(LeadId(id))
    }

    /// How many ids this process has taken and not used.
    pub(super) fn left(&self) -> u64 {
        count(self.taken().make_contiguous())
    }

    /// The highest of them; 0 if there is none.
    pub(super) fn last(&self) -> i64 {
        self.taken().iter().map(|range| *range.end()).max().unwrap_or(0)
    }

    /// Takes all of them away.
    pub(super) fn take_all(&self) -> Vec<RangeInclusive<i64>> {
        std::mem::take(&mut *self.taken()).into()
    }

    /// Whether the spool should get more ids soon.
    pub(super) fn are_few(&self) -> bool {
        self.reserved.load(Ordering::Relaxed) < RESERVE.0 / 4
    }

    /// Notes how many ids the spool has left.
    pub(super) fn note_reserved(&self, reserved: u64) {
        self.reserved.store(reserved, Ordering::Relaxed);
    }

    /// How many ids the spool should have, given how many were used in the last `seconds`.
    pub(super) fn wanted(&self, seconds: f64) -> u64 {
        let used = self.used.swap(0, Ordering::Relaxed);
        let mut rate = self.rate.lock().unwrap_or_else(PoisonError::into_inner);
        if seconds > 0.0 {
            let share = (seconds / WINDOW).min(1.0);
            *rate += (used as f64 / seconds - *rate) * share;
        }
        let (least, most) = RESERVE;
        ((*rate * LASTS) as u64).clamp(least, most)
    }

    fn taken(&self) -> MutexGuard<'_, VecDeque<RangeInclusive<i64>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(ranges: &[RangeInclusive<i64>]) -> u64 {
    ranges.iter().map(|range| (range.end() - range.start() + 1).unsigned_abs()).sum()
}
