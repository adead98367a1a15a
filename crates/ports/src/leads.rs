//! Where leads are stored.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use exit3_domain::clients::ClientId;
use exit3_domain::contact::{Contact, ContactKind};
use exit3_domain::events::Act;
use exit3_domain::leads::counts::SourceCount;
use exit3_domain::leads::{Lead, LeadFilter, LeadId, LeadOrder, LeadPage, LeadWork, NewLead};
use exit3_domain::paging::{Glance, Page, PageRequest, Slice, Step};

use crate::tables::{Column, Kind, Table};
use crate::{Constraint, StoreError};

/// Another lead has the id.
pub const ID_TAKEN: Constraint = Constraint::Taken { table: "leads", column: "id" };

/// The table of leads.
pub const TABLE: Table = Table {
    name: "leads",
    columns: &[
        Column::new("id", Kind::Integer),
        Column::new("full_name", Kind::Text),
        Column::new("position", Kind::Text),
        Column::new("company_name", Kind::Text),
        Column::new("phone_number", Kind::Text),
        Column::new("email", Kind::Text),
        Column::new("source", Kind::Text),
        Column::new("status", Kind::Text),
        Column::new("notes", Kind::Text),
        Column::new("category", Kind::Text),
        Column::new("created_at", Kind::Time),
        Column::new("updated_at", Kind::Time),
        // An account. Accounts are never deleted, so no foreign key guards it: checking one would
        // cost every create.
        Column::new("owner_id", Kind::Integer),
        Column::new("next_step", Kind::Text),
        Column::new("next_step_at", Kind::Time),
    ],
    resource: exit3_domain::leads::RESOURCE,
    contacts: &[("email", ContactKind::Email), ("phone_number", ContactKind::Phone)],
    searched_by: &["full_name", "company_name", "email", "phone_number"],
    rights: "SELECT, INSERT, UPDATE, DELETE",
    ..Table::EMPTY
};

/// Stores leads. Every method that changes one stores the event in the same transaction.
///
/// Every method may fail with [`StoreError::Unavailable`].
///
/// A module looks at the lead that its own row is about:
/// ```
/// use exit3_domain::leads::LeadId;
/// use exit3_ports::{LeadRepository, MockRepositories, Repositories, StoreError};
///
/// async fn name_of(leads: &dyn LeadRepository, id: LeadId) -> Result<String, StoreError> {
///     let lead = leads.find(id).await?.ok_or(StoreError::NotFound)?;
///     Ok(lead.details.full_name)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exit3_ports::StoreError> {
/// let mut mocks = MockRepositories::default();
/// mocks.leads.expect_find().returning(|_| Ok(None));
/// let leads = Repositories::from(mocks).leads;
/// assert!(matches!(name_of(&*leads, LeadId(7)).await, Err(StoreError::NotFound)));
/// # Ok(())
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait LeadRepository: Send + Sync {
    /// Stores a lead, created and updated at the time of `act`, in one round trip. Once this
    /// returns, the lead survives a power cut.
    async fn create(&self, lead: &NewLead, act: &Act) -> Result<Lead, StoreError>;

    /// Like [`Self::create`], with an id that was reserved before.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`ID_TAKEN`] if there is a lead with this id.
    async fn create_as(&self, id: LeadId, lead: &NewLead, act: &Act) -> Result<Lead, StoreError>;

    /// Reserves `count` ids for leads of one node: no other lead gets one of them. Returns them in
    /// ascending order.
    async fn reserve_ids(&self, count: u32) -> Result<Vec<RangeInclusive<i64>>, StoreError>;

    /// Stores a lead together with the work on it, created and updated at the time of `act`.
    async fn create_with_work(
        &self,
        lead: &NewLead,
        work: &LeadWork,
        act: &Act,
    ) -> Result<Lead, StoreError>;

    /// Stores many leads, each with its creation time. On an error, none is stored.
    async fn create_many(
        &self,
        leads: &[(NewLead, DateTime<Utc>)],
        act: &Act,
    ) -> Result<(), StoreError>;

    /// Finds a lead by id.
    async fn find(&self, id: LeadId) -> Result<Option<Lead>, StoreError>;

    /// The leads with these ids, in no order. Ids of leads that do not exist are skipped.
    async fn find_all(&self, ids: &[LeadId]) -> Result<Vec<Lead>, StoreError>;

    /// One page of the matching leads, with their exact total count; `None` past the last page.
    /// Page 1 always exists.
    async fn list(
        &self,
        filter: &LeadFilter,
        order: LeadOrder,
        page: PageRequest,
    ) -> Result<Option<Page<Lead>>, StoreError>;

    /// One step of a walk through the matching leads. `step.from` is a position in the same
    /// `order`.
    async fn walk(
        &self,
        filter: &LeadFilter,
        order: LeadOrder,
        step: &Step,
    ) -> Result<Slice<Lead>, StoreError>;

    /// Like [`Self::walk`], in bounded time: it may stop before it has found enough rows if the
    /// filter has only words of fewer than three characters.
    async fn glance(
        &self,
        filter: &LeadFilter,
        order: LeadOrder,
        step: &Step,
    ) -> Result<Glance<Lead>, StoreError>;

    /// Like [`Self::glance`], with counts as far as they are known in bounded time.
    async fn page(
        &self,
        filter: &LeadFilter,
        order: LeadOrder,
        step: &Step,
    ) -> Result<LeadPage, StoreError>;

    /// The number of leads of each status and source, without those of which there are none.
    async fn counts(&self) -> Result<Vec<SourceCount>, StoreError>;

    /// The newest `most` leads that have one of these contacts, without the lead `except`.
    async fn with_contact(
        &self,
        contacts: &[Contact],
        except: Option<LeadId>,
        most: u32,
    ) -> Result<Vec<Lead>, StoreError>;

    /// Replaces the details of the lead `seen` and the work on it. `updated_at` becomes the later of the time of `act`
    /// and one microsecond after its old value.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the lead does not exist; [`StoreError::Conflict`] with
    /// [`crate::Constraint::Stale`] if its `updated_at` differs from that of `seen`.
    async fn update(
        &self,
        seen: &Lead,
        details: &NewLead,
        work: &LeadWork,
        act: &Act,
    ) -> Result<Lead, StoreError>;

    /// Deletes the lead `seen`.
    ///
    /// # Errors
    /// As for [`Self::update`].
    async fn delete(&self, seen: &Lead, act: &Act) -> Result<(), StoreError>;

    /// Stores a deleted lead again, with its id and times. If `client` exists and has no lead, it
    /// gets this one, with an event of its own. Returns whether it did.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Constraint::Stale`] if there is a lead with its id.
    async fn restore(
        &self,
        lead: &Lead,
        client: Option<ClientId>,
        act: &Act,
    ) -> Result<bool, StoreError>;
}

#[cfg(test)]
mod tests {
    use exit3_domain::leads::{FIELDS, LeadSort};

    #[test]
    fn a_backup_has_every_field_and_every_column_of_an_order() {
        crate::tables::assert_backed_up(&super::TABLE, FIELDS, LeadSort::WORDS);
    }
}
