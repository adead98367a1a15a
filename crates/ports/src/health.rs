use async_trait::async_trait;

use crate::StoreError;

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
}
