//! Writes against the row that was seen: they fail if somebody else has changed it meanwhile, and
//! are tried again.
//!
//! ```
//! # use exit3_app::UpdateError;
//! # use exit3_app::seen::{ATTEMPTS, admitted, unless_stale};
//! # use exit3_domain::versions::Expected;
//! # use exit3_ports::StoreError;
//! # trait Bookings {
//! #     async fn find(&self, id: i64) -> Result<Option<String>, StoreError>;
//! #     async fn update(&self, seen: &String, place: &str) -> Result<String, StoreError>;
//! # }
//! async fn move_to(
//!     bookings: &impl Bookings,
//!     id: i64,
//!     place: &str,
//!     expected: &Expected,
//! ) -> Result<String, UpdateError> {
//!     for _ in 0..ATTEMPTS {
//!         let seen = admitted(bookings.find(id).await?, expected)?;
//!         if let Some(updated) = unless_stale(bookings.update(&seen, place).await)? {
//!             return Ok(updated);
//!         }
//!     }
//!     Err(UpdateError::Contended)
//! }
//! ```

use exit3_domain::versions::Expected;
use exit3_ports::{Constraint, StoreError};
use serde::Serialize;

use crate::UpdateError;

/// How often a write is tried if others change the row at the same time. Each failed attempt means
/// that another change succeeded, so this many callers can change one row at once.
pub const ATTEMPTS: usize = 200;

/// The row that was found, if its version is one that the caller expects. Every attempt checks it,
/// so an attempt never overwrites a version that the caller has not seen.
///
/// # Errors
/// [`UpdateError::NotFound`]; [`UpdateError::Unexpected`] for another version.
pub fn admitted<Row: Serialize>(
    found: Option<Row>,
    expected: &Expected,
) -> Result<Row, UpdateError> {
    let row = found.ok_or(UpdateError::NotFound)?;
    if expected.admits(&row) { Ok(row) } else { Err(UpdateError::Unexpected) }
}

/// The outcome of a write; `None` if somebody else has changed the row meanwhile.
///
/// # Errors
/// Those of the write.
pub fn unless_stale<T>(outcome: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match outcome {
        Err(StoreError::Conflict(Constraint::Stale)) => Ok(None),
        outcome => outcome.map(Some),
    }
}
