//! Writes against the row that was seen: they fail if somebody else has changed it meanwhile, and
//! are tried again.

use exit3_domain::versions::Expected;
use exit3_ports::{Constraint, StoreError};
use serde::Serialize;

use crate::UpdateError;

/// How often a write is tried if others change the row at the same time. Each failed attempt means
/// that another change succeeded, so this many callers can change one row at once.
pub(crate) const ATTEMPTS: usize = 200;

/// The row that was found, if its version is one that the caller expects. Every attempt checks it,
/// so an attempt never overwrites a version that the caller has not seen.
pub(crate) fn admitted<Row: Serialize>(
    found: Option<Row>,
    expected: &Expected,
) -> Result<Row, UpdateError> {
    let row = found.ok_or(UpdateError::NotFound)?;
    if expected.admits(&row) { Ok(row) } else { Err(UpdateError::Unexpected) }
}

/// The outcome of a write; `None` if somebody else has changed the row meanwhile.
pub(crate) fn unless_stale<T>(outcome: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match outcome {
        Err(StoreError::Conflict(Constraint::Stale)) => Ok(None),
        outcome => outcome.map(Some),
    }
}
