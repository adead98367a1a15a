//! Where notes about leads are stored.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use exit3_domain::events::Act;
use exit3_domain::lead_notes::{LeadNote, LeadNoteId};
use exit3_domain::leads::LeadId;

use crate::StoreError;
use crate::tables::{Column, Kind, Table};

/// The table of notes about leads. A note outlives its lead for as long as the lead can come back,
/// so there is no foreign key.
pub const TABLE: Table = Table {
    name: "lead_notes",
    columns: &[
        Column::new("id", Kind::Integer),
        Column::new("lead_id", Kind::Integer),
        Column::new("at", Kind::Time),
        Column::new("author", Kind::Text),
        Column::new("text", Kind::Text),
    ],
    // Events about notes are events of the lead.
    resource: "",
    part_of: Some(("lead_id", "leads")),
    rights: "SELECT, INSERT, DELETE",
    ..Table::EMPTY
};

/// Stores notes about leads. Every method that changes one stores an event of the lead in the same
/// transaction.
///
/// Every method may fail with [`StoreError::Unavailable`].
///
/// The newest notes about a lead:
/// ```
/// use exit3_domain::leads::LeadId;
/// use exit3_ports::{MockRepositories, Repositories};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exit3_ports::StoreError> {
/// let mut mocks = MockRepositories::default();
/// mocks.lead_notes.expect_list().returning(|_, _, _| Ok(vec![]));
/// let notes = Repositories::from(mocks).lead_notes;
///
/// assert!(notes.list(LeadId(7), None, 20).await?.is_empty());
/// # Ok(())
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait LeadNoteRepository: Send + Sync {
    /// Adds a note by the author and at the time of `act`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the lead does not exist.
    async fn add(&self, lead: LeadId, text: &str, act: &Act) -> Result<LeadNote, StoreError>;

    /// Finds a note by id.
    async fn find(&self, id: LeadNoteId) -> Result<Option<LeadNote>, StoreError>;

    /// At most `size` notes about a lead whose positions are below `before`, in descending order of
    /// their positions. `None` begins at the newest. See [`LeadNote::position`].
    async fn list(
        &self,
        lead: LeadId,
        before: Option<(DateTime<Utc>, LeadNoteId)>,
        size: u32,
    ) -> Result<Vec<LeadNote>, StoreError>;

    /// Removes a note. Its event contains the note.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the note does not exist.
    async fn remove(&self, note: &LeadNote, act: &Act) -> Result<(), StoreError>;

    /// Stores a removed note again, with its id, author and time.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Constraint::Stale`] if there is a note with its id;
    /// [`StoreError::NotFound`] if its lead does not exist.
    async fn restore(&self, note: &LeadNote, act: &Act) -> Result<(), StoreError>;

    /// Removes notes about leads that do not exist, and whose deletion no event tells: nobody can
    /// bring these leads back. Looks at the first `most` leads with notes behind `after`, in the
    /// order of their ids. Returns the id of the last one; `None` if there is none. Stores no
    /// events.
    async fn remove_orphans(&self, after: LeadId, most: u32) -> Result<Option<LeadId>, StoreError>;
}
