use exit3_domain::edits::Conflicts;
use exit3_domain::validation::Invalid;
use exit3_ports::StoreError;

use crate::access::Forbidden;

/// Why something could not be created.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The input is invalid.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The key of the request was used with another one before: see [`once`](crate::once).
    #[error("the key of the request was used with another one")]
    KeyReused,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why something could not be found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// It does not exist.
    #[error("not found")]
    NotFound,
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

/// Why something could not be changed or deleted.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The input is invalid.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// It does not exist.
    #[error("not found")]
    NotFound,
    /// Its version is not one that the caller expects.
    #[error("not the expected version")]
    Unexpected,
    /// Concurrent changes kept interfering; this change was not made.
    #[error("changed by others at the same time")]
    Contended,
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

/// Why a page could not be returned.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The page is past the end of the list.
    #[error("no such page")]
    PastTheEnd,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<StoreError> for FindError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            other => Self::Store(other),
        }
    }
}

impl From<StoreError> for UpdateError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            other => Self::Store(other),
        }
    }
}

/// Why a form was not saved. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The rules of the back office do not allow it.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// A value is invalid.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Somebody else has changed the same fields differently.
    #[error("somebody else has changed the same fields")]
    Conflicts(Conflicts),
    /// The row does not exist.
    #[error("not found")]
    NotFound,
    /// Concurrent changes kept interfering.
    #[error("changed by others at the same time")]
    Contended,
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for EditError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            error => Self::Store(error),
        }
    }
}

impl From<FindError> for EditError {
    fn from(error: FindError) -> Self {
        match error {
            FindError::NotFound => Self::NotFound,
            FindError::Store(error) => error.into(),
        }
    }
}

impl From<SaveError> for EditError {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::Invalid(invalid) => Self::Invalid(invalid),
            // Forms have no keys.
            SaveError::KeyReused => Self::Contended,
            SaveError::Store(error) => error.into(),
        }
    }
}

impl From<UpdateError> for EditError {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::Invalid(invalid) => Self::Invalid(invalid),
            UpdateError::NotFound => Self::NotFound,
            UpdateError::Unexpected | UpdateError::Contended => Self::Contended,
            UpdateError::Store(error) => error.into(),
        }
    }
}
