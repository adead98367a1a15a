//! Where meetings are stored.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use exit3_domain::events::Act;
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_ports::migrations::{Dropped, Migration};
use exit3_ports::{Column, Kind, StoreError, Table};

use crate::domain::{Meeting, MeetingFilter, MeetingId, MeetingOrder, NewMeeting, RESOURCE};

// `POSTGRES` and `SQLITE`, written by build.rs.
include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// The table of meetings. A meeting is a part of its lead: erasing a person removes both.
pub const TABLE: Table = Table {
    name: "meetings",
    columns: &[
        Column::new("id", Kind::Integer),
        Column::new("lead_id", Kind::Integer),
        Column::new("starts_at", Kind::Time),
        Column::new("place", Kind::Text),
        Column::new("notes", Kind::Text),
        Column::new("outcome", Kind::Text),
        Column::new("reminded_at", Kind::Time),
    ],
    resource: RESOURCE,
    part_of: Some(("lead_id", "leads")),
    ..Table::EMPTY
};

/// Stores meetings. Every method that changes a row stores the event in the same transaction.
///
/// Every method may fail with [`StoreError::Unavailable`].
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait MeetingRepository: Send + Sync {
    /// Stores a meeting.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such lead.
    async fn create(&self, meeting: &NewMeeting, act: &Act) -> Result<Meeting, StoreError>;

    /// Finds a meeting by id.
    async fn find(&self, id: MeetingId) -> Result<Option<Meeting>, StoreError>;

    /// One page of the matching meetings; `None` past the last page.
    async fn list(
        &self,
        filter: &MeetingFilter,
        order: MeetingOrder,
        page: PageRequest,
    ) -> Result<Option<Page<Meeting>>, StoreError>;

    /// One step of a walk through the matching meetings.
    async fn walk(
        &self,
        filter: &MeetingFilter,
        order: MeetingOrder,
        step: &Step,
    ) -> Result<Slice<Meeting>, StoreError>;

    /// Replaces the details of the meeting `seen`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such meeting; [`StoreError::Conflict`] with
    /// [`Constraint::Stale`](exit3_ports::Constraint::Stale) if it is no longer the one that was seen.
    async fn update(
        &self,
        seen: &Meeting,
        details: &NewMeeting,
        act: &Act,
    ) -> Result<Meeting, StoreError>;

    /// Deletes the meeting `seen`.
    ///
    /// # Errors
    /// As for [`Self::update`].
    async fn delete(&self, seen: &Meeting, act: &Act) -> Result<(), StoreError>;

    /// Meetings that begin from `now` to `end`, without a reminder and without an outcome. The next
    /// ones come first; there are at most `most`.
    async fn due(
        &self,
        now: DateTime<Utc>,
        end: DateTime<Utc>,
        most: u32,
    ) -> Result<Vec<Meeting>, StoreError>;

    /// Notes that somebody was reminded of the meeting `seen`.
    ///
    /// # Errors
    /// As for [`Self::update`].
    async fn note_reminder(&self, seen: &Meeting, act: &Act) -> Result<(), StoreError>;
}
