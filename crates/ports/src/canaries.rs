//! Where canaries arrive.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use exit3_domain::canaries::CanaryId;
use exit3_domain::events::Act;
use exit3_domain::leads::{Lead, NewLead};

use crate::StoreError;
use crate::tables::{Column, Kind, Table};

/// The table of canaries that have arrived.
pub const TABLE: Table = Table {
    name: "canaries",
    columns: &[Column::new("id", Kind::Text), Column::new("at", Kind::Time)],
    resource: "",
    rights: "SELECT, INSERT, DELETE",
    ..Table::EMPTY
};

/// Lets canaries arrive. Their leads are stored as those of others are, but never committed.
///
/// Every method may fail with [`StoreError::Unavailable`].
///
/// A canary arrives, and is then taken away:
/// ```
/// use exit3_domain::canaries::CanaryId;
/// use exit3_ports::{MockRepositories, Repositories};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exit3_ports::StoreError> {
/// let mut mocks = MockRepositories::default();
/// mocks.canaries.expect_take().returning(|id, _| Ok(id == CanaryId(7)));
/// let canaries = Repositories::from(mocks).canaries;
///
/// assert!(canaries.take(CanaryId(7), chrono::DateTime::UNIX_EPOCH).await?);
/// # Ok(())
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Canaries: Send + Sync {
    /// Stores the lead of a canary and its event with the statements of
    /// [`LeadRepository::create`](crate::LeadRepository::create), undoes that, and stores the id of the
    /// canary, all in one transaction. So nobody sees the lead or the event, and a rule that would
    /// refuse a lead refuses the canary. An id that is stored already is stored once.
    ///
    /// Returns the lead as it would have been stored.
    async fn create(&self, id: CanaryId, lead: &NewLead, act: &Act) -> Result<Lead, StoreError>;

    /// Removes a canary, and all that arrived before the time `before`. Returns whether the canary had
    /// arrived.
    async fn take(&self, id: CanaryId, before: DateTime<Utc>) -> Result<bool, StoreError>;
}
