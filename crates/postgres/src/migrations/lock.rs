//! Waiting for locks without making others wait.
//!
//! Whoever asks for a table that is held stands in line before all who come later. So
//! a migration asks for a short time only, gives everything back, and asks again.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_postgres::error::SqlState;

/// How long a migration stands in line: well below the time-out of a request.
pub(super) const SETTING: &str = "SET lock_timeout = '500ms'";

/// After how long it gives up.
const LONGEST: Duration = Duration::from_secs(600);
/// How long it waits after the first attempt; then twice as long each time.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How much longer a migration waits.
pub(super) struct Patience {
    end: Instant,
    pause: Duration,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self { end: Instant::now() + LONGEST, pause: SHORTEST_PAUSE }
    }

    /// Waits, to try again; false where it has waited long enough.
    pub(super) async fn waits(&mut self, name: &str) -> bool {
        if Instant::now() >= self.end {
            return false;
        }
        tracing::warn!(migration = name, "others hold what the migration needs; it waits");
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }
}

/// Whether others were in the way, and nothing else is wrong.
pub(super) fn is_busy(error: &tokio_postgres::Error) -> bool {
    matches!(error.code(), Some(&SqlState::LOCK_NOT_AVAILABLE | &SqlState::T_R_DEADLOCK_DETECTED))
}
