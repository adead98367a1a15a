use chrono::{DateTime, Utc};

/// Provides the current time.
///
/// A test decides what time it is:
/// ```
/// use chrono::{DateTime, Utc};
/// use exit3_ports::Clock;
///
/// struct Noon;
///
/// impl Clock for Noon {
///     fn now(&self) -> DateTime<Utc> {
///         DateTime::UNIX_EPOCH + chrono::TimeDelta::hours(12)
///     }
/// }
///
/// let clock: &dyn Clock = &Noon;
/// assert_eq!(clock.now().to_rfc3339(), "1970-01-01T12:00:00+00:00");
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Clock: Send + Sync {
    /// The current time, in whole microseconds, the precision of the databases.
    fn now(&self) -> DateTime<Utc>;
}
