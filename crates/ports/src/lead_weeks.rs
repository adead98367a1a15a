//! Where the numbers of leads of each week are stored.

use async_trait::async_trait;
use exit3_domain::leads::{LeadId, LeadWeek, Week};

use crate::StoreError;
use crate::tables::{Column, Kind, Table};

/// The table of weeks. It is computed from leads and events.
pub const TABLE: Table = Table {
    name: "lead_weeks",
    columns: &[
        Column::new("begins_at", Kind::Time),
        Column::new("received", Kind::Integer),
        Column::new("contacted", Kind::Integer),
        Column::new("half_waited", Kind::Integer),
        Column::new("most_waited", Kind::Integer),
    ],
    resource: "",
    rights: "SELECT, INSERT, UPDATE",
    ..Table::EMPTY
};

/// Counts the leads of each week, and stores the numbers, so that pages need not count.
///
/// Every method may fail with [`StoreError::Unavailable`].
///
/// The weeks of leads that have changed are counted anew:
/// ```
/// use exit3_domain::leads::{LeadId, Week};
/// use exit3_ports::{MockRepositories, Repositories};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exit3_ports::StoreError> {
/// let week = Week::of(chrono::DateTime::UNIX_EPOCH);
/// let mut mocks = MockRepositories::default();
/// mocks.lead_weeks.expect_of().returning(move |_| Ok(vec![week]));
/// mocks.lead_weeks.expect_count().times(1).returning(|_| Ok(()));
/// let weeks = Repositories::from(mocks).lead_weeks;
///
/// for week in weeks.of(&[LeadId(7), LeadId(8)]).await? {
///     weeks.count(week).await?;
/// }
/// # Ok(())
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait LeadWeeks: Send + Sync {
    /// The weeks in which these leads were received, each once, in no order. Leads that do not exist
    /// are left out.
    async fn of(&self, leads: &[LeadId]) -> Result<Vec<Week>, StoreError>;

    /// Counts the leads of a week, and replaces its stored numbers. The first contact is found in the
    /// events. Other writes do not wait for it.
    async fn count(&self, week: Week) -> Result<(), StoreError>;

    /// The stored numbers from the week `from` on, in the order of time. A week that was not counted
    /// yet is missing.
    async fn list(&self, from: Week) -> Result<Vec<LeadWeek>, StoreError>;
}
