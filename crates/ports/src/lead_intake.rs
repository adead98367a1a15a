//! How many leads come through the API.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use exit3_domain::silence::Counts;

use crate::StoreError;

/// Reads when leads came through API keys, from the events of their creation. Leads that staff, commands,
/// modules or an import have made did not come, so they are left out. A lead that was deleted since has
/// come all the same.
///
/// Every method may fail with [`StoreError::Unavailable`].
///
/// The last lead until now:
/// ```
/// use exit3_ports::{MockRepositories, Repositories};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exit3_ports::StoreError> {
/// let mut mocks = MockRepositories::default();
/// mocks.lead_intake.expect_last().returning(|_, _| Ok(None));
/// let intake = Repositories::from(mocks).lead_intake;
///
/// let (begin, now) = (chrono::DateTime::UNIX_EPOCH, chrono::DateTime::UNIX_EPOCH);
/// assert_eq!(intake.last(begin, now).await?, None);
/// # Ok(())
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait LeadIntake: Send + Sync {
    /// When the first of all leads came.
    async fn first(&self) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// When the last lead came, of those from `from` on and until `until`.
    async fn last(
        &self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// How many leads came at each hour of the week, from `from` on and before `until`. Reads all
    /// creations of that time.
    async fn count(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Counts, StoreError>;
}
