use async_trait::async_trait;
use chrono::{DateTime, Utc};
use exit3_domain::leads::{Lead, LeadFilter, LeadId, LeadOrder, LeadPosition, NewLead};
use exit3_domain::paging::{Page, PageRequest, Slice, Step};

use crate::StoreError;

/// Keeps leads.
///
/// Every method may fail with [`StoreError::Unavailable`].
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait LeadRepository: Send + Sync {
    /// Stores a lead, created and updated at `now`. One round trip; when it
    /// returns, the lead survives a power cut.
    async fn create(&self, lead: &NewLead, now: DateTime<Utc>) -> Result<Lead, StoreError>;

    /// Stores many leads at once, each with the time of its creation: all of
    /// them or, on an error, none.
    async fn create_many(&self, leads: &[(NewLead, DateTime<Utc>)]) -> Result<(), StoreError>;

    /// The lead of that id.
    async fn find(&self, id: LeadId) -> Result<Option<Lead>, StoreError>;

    /// One page of the leads that match, with the exact count of all of them;
    /// `None` for a page past the end. Page 1 is never past the end.
    async fn list(
        &self,
        filter: &LeadFilter,
        order: LeadOrder,
        page: PageRequest,
    ) -> Result<Option<Page<Lead>>, StoreError>;

    /// One step of a walk through the leads that match. `step.from` is a
    /// position in the same `order`.
    async fn walk(
        &self,
        filter: &LeadFilter,
        order: LeadOrder,
        step: &Step<LeadPosition>,
    ) -> Result<Slice<Lead>, StoreError>;

    /// Gives the lead `seen` new details. `updated_at` becomes `now`, or one
    /// microsecond after what it was, whichever is later.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where the lead is gone;
    /// [`StoreError::Conflict`] with [`crate::Constraint::Stale`] where its
    /// `updated_at` is no longer that of `seen`.
    async fn update(
        &self,
        seen: &Lead,
        details: &NewLead,
        now: DateTime<Utc>,
    ) -> Result<Lead, StoreError>;

    /// Removes the lead of that id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is none.
    async fn delete(&self, id: LeadId) -> Result<(), StoreError>;
}
