use exit3_domain::validation::Invalid;
use exit3_ports::StoreError;

/// Why something could not be created.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The input is invalid.
    #[error(transparent)]
    Invalid(#[from] Invalid),
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
