use async_trait::async_trait;
use exit3_domain::clients::{Client, ClientId, NewClient};
use exit3_domain::leads::LeadId;
use exit3_domain::paging::{Page, PageRequest};

use crate::StoreError;

/// Keeps clients.
///
/// Every method may fail with [`StoreError::Unavailable`].
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ClientRepository: Send + Sync {
    /// Stores a client.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Constraint::ClientLead`] where another
    /// client was that lead, and with [`crate::Constraint::UnknownLead`] where there
    /// is no such lead.
    async fn create(&self, client: &NewClient) -> Result<Client, StoreError>;

    /// The client of that id.
    async fn find(&self, id: ClientId) -> Result<Option<Client>, StoreError>;

    /// The client that was this lead.
    async fn find_by_lead(&self, lead: LeadId) -> Result<Option<Client>, StoreError>;

    /// One page of the clients, newest first, with the exact count of all of them;
    /// `None` for a page past the end. Page 1 is never past the end.
    async fn list(&self, page: PageRequest) -> Result<Option<Page<Client>>, StoreError>;

    /// Gives a client new details.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is none of that id;
    /// [`StoreError::Conflict`] as for [`Self::create`].
    async fn update(&self, id: ClientId, details: &NewClient) -> Result<Client, StoreError>;

    /// Removes the client of that id; its lead stays.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is none.
    async fn delete(&self, id: ClientId) -> Result<(), StoreError>;
}
