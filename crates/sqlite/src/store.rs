//! What the repositories share.

use std::sync::Arc;
use std::time::Duration;

use exit3_ports::{Constraint, StoreError};

use crate::readers::Readers;
use crate::writer::Writer;

/// The patience for storing many rows at once.
pub(crate) const PATIENCE_FOR_MANY: Duration = Duration::from_secs(120);

/// The state that all repositories share.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) readers: Arc<Readers>,
    pub(crate) writer: Arc<Writer>,
    pub(crate) patience: Duration,
    /// How many rows of a list a search looks at before it asks the search index.
    pub(crate) ahead: usize,
}

/// An error unless the stored row is the one that the caller has seen. On the connection of the
/// writer, no other write can come between this and the end of the transaction.
pub(crate) fn check_seen<T: PartialEq>(stored: Option<T>, seen: &T) -> Result<(), StoreError> {
    match stored {
        None => Err(StoreError::NotFound),
        Some(stored) if stored != *seen => Err(StoreError::Conflict(Constraint::Stale)),
        Some(_) => Ok(()),
    }
}
