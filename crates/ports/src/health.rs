use async_trait::async_trait;

use crate::StoreError;

/// What keeps a database that answers from doing what the service asks of it, in words for
/// an operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// Tables are missing, or rights on them.
    #[error("{0}")]
    Lacks(String),
    /// No write can succeed.
    #[error("{0}")]
    WritesFail(String),
}

/// Whether the database can be used.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait DatabaseHealth: Send + Sync {
    /// Makes one round trip to the database.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where there is no answer.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Whether every migration that this program knows has been applied.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where there is no answer.
    async fn schema_is_current(&self) -> Result<bool, StoreError>;

    /// What keeps the database from doing its work, although it answers; nothing, where
    /// it is not known to.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where there is no answer.
    async fn obstacle(&self) -> Result<Option<Obstacle>, StoreError>;
}
