//! Texts and times as they are stored.

use chrono::{DateTime, Utc};
use exit3_ports::StoreError;

use crate::error::Refusal;

/// Checks a text before it is stored. Every text of a row must go through here, so that none
/// contains a NUL.
///
/// # Errors
/// The text contains one.
pub fn text(given: &str) -> Result<String, StoreError> {
    if given.contains('\0') { Err(Refusal::Nul.into()) } else { Ok(given.to_owned()) }
}

/// The error for a stored value that cannot be. The table has checks, so that it does not happen.
pub fn unreadable() -> StoreError {
    StoreError::Other("a row that no version of this program wrote".into())
}

/// A time as stored: microseconds since 1970.
pub fn microseconds(time: DateTime<Utc>) -> i64 {
    time.timestamp_micros()
}

/// The first storable time at or after `time`, for lower bounds.
pub(crate) fn microseconds_rounded_up(time: DateTime<Utc>) -> i64 {
    let finer = i64::from(!time.timestamp_subsec_nanos().is_multiple_of(1000));
    time.timestamp_micros().saturating_add(finer)
}

/// Reads a stored time.
///
/// # Errors
/// [`unreadable`].
pub fn moment(microseconds: i64) -> Result<DateTime<Utc>, StoreError> {
    DateTime::from_timestamp_micros(microseconds).ok_or_else(unreadable)
}
