use async_trait::async_trait;

use crate::StoreError;

/// Why a database that answers cannot do its work, in words for an operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// Tables, or rights on them, are missing.
    #[error("{0}")]
    Lacks(String),
    /// No write can succeed.
    #[error("{0}")]
    WritesFail(String),
}

/// Checks whether the database is usable.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait DatabaseHealth: Send + Sync {
    /// Makes one round trip to the database.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if there is no answer.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Whether all migrations that this program knows are applied.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if there is no answer.
    async fn schema_is_current(&self) -> Result<bool, StoreError>;

    /// Why the database cannot do its work although it answers; `None` if no reason is known.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if there is no answer.
    async fn obstacle(&self) -> Result<Option<Obstacle>, StoreError>;
}
