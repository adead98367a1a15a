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
///
/// A database can answer and still be of no use:
/// ```
/// use exit3_ports::{MockRepositories, Obstacle, Repositories};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exit3_ports::StoreError> {
/// let lacks = Obstacle::Lacks("the table leads is missing".to_owned());
/// let mut mocks = MockRepositories::default();
/// mocks.health.expect_ping().returning(|| Ok(()));
/// mocks.health.expect_obstacle().return_once(move || Ok(Some(lacks)));
/// let health = Repositories::from(mocks).health;
///
/// health.ping().await?;
/// let obstacle = health.obstacle().await?.map(|obstacle| obstacle.to_string());
/// assert_eq!(obstacle.as_deref(), Some("the table leads is missing"));
/// # Ok(())
/// # }
/// ```
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
