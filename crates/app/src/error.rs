use exit3_domain::validation::Invalid;
use exit3_ports::StoreError;

/// Why something new could not be saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The input breaks rules.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

/// Why one thing could not be found, or removed.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// There is no such thing.
    #[error("not found")]
    NotFound,
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

/// Why something could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The input breaks rules.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// There is no such thing.
    #[error("not found")]
    NotFound,
    /// Others kept changing it; the change was not made.
    #[error("changed by others at the same time")]
    Contended,
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

/// Why a page could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The list ends before that page.
    #[error("no such page")]
    PastTheEnd,
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
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

impl From<StoreError> for ListError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
