//! Where clients are stored.

use async_trait::async_trait;
use exit3_domain::clients::{Client, ClientFilter, ClientId, ClientOrder, ClientTotals, NewClient};
use exit3_domain::events::Act;
use exit3_domain::leads::{Lead, LeadId};
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_domain::staff::StaffId;

use crate::tables::{Column, Kind, Table};
use crate::{Constraint, StoreError};

/// Another client has this lead.
pub const LEAD_TAKEN: Constraint = Constraint::Taken { table: "clients", column: "lead_id" };

/// The lead does not exist.
pub const LEAD_MISSING: Constraint = Constraint::Missing { table: "clients", column: "lead_id" };

/// The table of clients.
pub const TABLE: Table = Table {
    name: "clients",
    columns: &[
        Column::new("id", Kind::Integer),
        Column::new("lead_id", Kind::Integer),
        Column::new("team_id", Kind::Text),
        Column::new("monthly_charge", Kind::Integer),
        Column::new("one_time_charge", Kind::Integer),
        Column::new("contract_file", Kind::Text),
        Column::new("short_description", Kind::Text),
        Column::new("category", Kind::Text),
    ],
    resource: exit3_domain::clients::RESOURCE,
    searched_by: &["team_id", "short_description"],
    rules: &[LEAD_TAKEN, LEAD_MISSING],
    rights: "SELECT, INSERT, UPDATE, DELETE",
    ..Table::EMPTY
};

/// Stores clients. Every method that changes one stores the event in the same transaction.
///
/// Every method may fail with [`StoreError::Unavailable`].
///
/// A lead can become a client:
/// ```
/// use exit3_domain::leads::LeadId;
/// use exit3_ports::{MockRepositories, Repositories};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exit3_ports::StoreError> {
/// let mut mocks = MockRepositories::default();
/// mocks.clients.expect_find_by_lead().returning(|_| Ok(None));
/// let clients = Repositories::from(mocks).clients;
///
/// assert_eq!(clients.find_by_lead(LeadId(7)).await?, None);
/// # Ok(())
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ClientRepository: Send + Sync {
    /// Stores a client. Its lead, if it has one, does not change: see [`Self::convert`].
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`LEAD_TAKEN`] if another client has this
    /// lead, or with [`LEAD_MISSING`] if the lead does not exist.
    async fn create(&self, client: &NewClient, act: &Act) -> Result<Client, StoreError>;

    /// Stores a client that the lead `seen` has become. The lead gets the status `converted` and
    /// this owner, with an event of its own, unless it has both already. The lead of `client` does
    /// not count.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the lead does not exist; [`StoreError::Conflict`] with
    /// [`crate::Constraint::Stale`] if its `updated_at` differs from that of `seen`, or with
    /// [`LEAD_TAKEN`] if it is another client already.
    async fn convert(
        &self,
        seen: &Lead,
        owner: Option<StaffId>,
        client: &NewClient,
        act: &Act,
    ) -> Result<Client, StoreError>;

    /// Finds a client by id.
    async fn find(&self, id: ClientId) -> Result<Option<Client>, StoreError>;

    /// Finds the client that this lead became.
    async fn find_by_lead(&self, lead: LeadId) -> Result<Option<Client>, StoreError>;

    /// One page of the matching clients, with their exact total count; `None` past the last page.
    /// Page 1 always exists.
    async fn list(
        &self,
        filter: &ClientFilter,
        order: ClientOrder,
        page: PageRequest,
    ) -> Result<Option<Page<Client>>, StoreError>;

    /// One step of a walk through the matching clients. `step.from` is a position in the same
    /// `order`.
    async fn walk(
        &self,
        filter: &ClientFilter,
        order: ClientOrder,
        step: &Step,
    ) -> Result<Slice<Client>, StoreError>;

    /// What the matching clients pay together.
    async fn totals(&self, filter: &ClientFilter) -> Result<ClientTotals, StoreError>;

    /// Replaces the details of the client `seen`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the client does not exist; [`StoreError::Conflict`] with
    /// [`Constraint::Stale`] if a value of the row is no longer that of `seen`, or as for
    /// [`Self::create`].
    async fn update(
        &self,
        seen: &Client,
        details: &NewClient,
        act: &Act,
    ) -> Result<Client, StoreError>;

    /// Deletes the client `seen`; its lead is kept.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] or [`Constraint::Stale`], as for [`Self::update`].
    async fn delete(&self, seen: &Client, act: &Act) -> Result<(), StoreError>;

    /// Stores a deleted client again, with its id.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] as for [`Self::create`], or with [`Constraint::Stale`] if there is
    /// a client with its id.
    async fn restore(&self, client: &Client, act: &Act) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use exit3_domain::clients::{ClientSort, FIELDS};

    #[test]
    fn a_backup_has_every_field_and_every_column_of_an_order() {
        crate::tables::assert_backed_up(&super::TABLE, FIELDS, ClientSort::WORDS);
    }
}
