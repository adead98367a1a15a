//! Background jobs: work that runs later, and runs again if it fails.

mod retries;
mod schedule;

use std::time::Duration;

use chrono::{DateTime, Utc};

pub use retries::Retries;
pub use schedule::Schedule;

use crate::choice::choice;

/// The most characters of a kind, and of the name of a schedule.
pub const LONGEST_KIND: usize = 100;
/// The most characters of a payload.
pub const LONGEST_PAYLOAD: usize = 65_536;
/// The most characters of a unique key.
pub const LONGEST_UNIQUE_KEY: usize = 200;
/// The most characters of an error that is kept.
const LONGEST_ERROR: usize = 2_000;

/// A duration in microseconds, as databases count. At most a century, so that it can be added to any
/// time that a database can store.
pub fn micros(duration: Duration) -> i64 {
    const CENTURY: i64 = 100 * 366 * 86_400 * 1_000_000;
    i64::try_from(duration.as_micros()).unwrap_or(CENTURY).min(CENTURY)
}

/// A stored number of attempts. Numbers that no runner writes count as the nearest possible one.
pub fn attempts_of(stored: i64) -> u32 {
    u32::try_from(stored.max(0)).unwrap_or(u32::MAX)
}

/// Identifies a job. The database assigns it and never reuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub i64);

/// A job that is not stored yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Which handler runs it: 1 to [`LONGEST_KIND`] characters.
    pub kind: String,
    /// What the handler gets, as JSON: at most [`LONGEST_PAYLOAD`] characters.
    pub payload: String,
    /// When it may run; `None` and times in the past mean at once.
    pub run_at: Option<DateTime<Utc>>,
    /// While a job with this key waits or runs, no second one is stored: 1 to
    /// [`LONGEST_UNIQUE_KEY`] characters.
    pub unique_key: Option<String>,
}

choice! {
    /// The state of a job. A job that has succeeded is deleted.
    JobState {
        /// It runs when its time has come.
        Waiting = "waiting",
        /// A runner has it, until its lease ends.
        Running = "running",
        /// It has failed too often, and nothing runs it any more.
        Failed = "failed",
        /// An operator has stopped it.
        Cancelled = "cancelled",
    }
}

/// A stored job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The id.
    pub id: JobId,
    /// Which handler runs it.
    pub kind: String,
    /// What the handler gets, as JSON.
    pub payload: String,
    /// No two unfinished jobs have the same key.
    pub unique_key: Option<String>,
    /// Its state.
    pub state: JobState,
    /// How often it was begun.
    pub attempts: u32,
    /// When a runner may claim it: the time for which it waits, or the end of the lease of the
    /// runner that runs it. Without meaning once it has ended.
    pub due_at: DateTime<Utc>,
    /// When it was stored.
    pub enqueued_at: DateTime<Utc>,
    /// When it failed for the last time or was cancelled.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

/// Why an attempt failed, in a form that every database can store: no NUL, and not too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobError(String);

impl JobError {
    /// Shortens a text if necessary.
    pub fn new(text: &str) -> Self {
        let allowed = text.chars().map(|c| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c });
        Self(allowed.take(LONGEST_ERROR).collect())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_stored_number_of_attempts_is_read() {
        let read = [i64::MIN, -1, 0, 7, i64::MAX].map(attempts_of);
        assert_eq!(read, [0, 0, 0, 7, u32::MAX]);
    }

    #[test]
    fn an_error_can_always_be_stored() {
        assert_eq!(JobError::new("refused").as_str(), "refused");
        assert_eq!(JobError::new("a\0b").as_str(), "a\u{fffd}b");
        assert_eq!(JobError::new(&"đ".repeat(5_000)).as_str(), "đ".repeat(2_000));
    }
}
