use chrono::{DateTime, Utc};

/// Tells the time.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Clock: Send + Sync {
    /// The time, in whole microseconds, which is what databases keep.
    fn now(&self) -> DateTime<Utc>;
}
