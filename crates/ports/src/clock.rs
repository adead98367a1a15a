use chrono::{DateTime, Utc};

/// Provides the current time.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Clock: Send + Sync {
    /// The current time, in whole microseconds, the precision of the databases.
    fn now(&self) -> DateTime<Utc>;
}
