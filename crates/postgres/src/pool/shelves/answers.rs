//! Which connections have answered, and when.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Older answers are never asked for.
const KEPT: Duration = Duration::from_secs(60);

/// The last answers of all connections.
#[derive(Default)]
pub(super) struct Answers {
    /// When each connection last answered, by the time it was opened.
    last: BTreeMap<Instant, Instant>,
    /// A connection that has not answered since then must be tested before use.
    distrusted: Option<Instant>,
    /// When the newest connection that has done a write was opened.
    wrote: Option<Instant>,
    /// When an operation last gave up its connection to make room for a new one.
    gave_way: Option<Instant>,
}

impl Answers {
    /// Records that a connection has answered, and whether it has done a write.
    pub(super) fn note(&mut self, opened: Instant, now: Instant, wrote: bool) {
        if wrote {
            self.wrote = self.wrote.max(Some(opened));
        }
        if self.last.insert(opened, now).is_none() {
            self.last.retain(|_, heard| now.duration_since(*heard) < KEPT);
        }
    }

    /// Whether a connection opened before `moment` has answered after `since`.
    pub(super) fn of_old(&self, moment: Instant, since: Instant) -> bool {
        self.last.range(..moment).any(|(_, heard)| *heard > since)
    }

    /// Whether a connection opened after `moment` has answered.
    pub(super) fn of_new(&self, moment: Instant) -> bool {
        self.last.range(moment..).next().is_some()
    }

    /// Whether a connection opened after `moment` has done a write.
    pub(super) fn of_new_write(&self, moment: Instant) -> bool {
        self.wrote.is_some_and(|opened| opened > moment)
    }

    pub(super) fn distrust(&mut self, moment: Instant) {
        self.distrusted = self.distrusted.max(Some(moment));
    }

    pub(super) fn is_distrusted(&self, heard: Instant) -> bool {
        self.distrusted.is_some_and(|since| heard < since)
    }

    /// Whether nobody has given way since `moment`. If so, the caller is recorded as giving way
    /// now.
    pub(super) fn gives_way(&mut self, moment: Instant) -> bool {
        let first = self.gave_way.is_none_or(|when| when < moment);
        if first {
            self.gave_way = Some(Instant::now());
        }
        first
    }
}
