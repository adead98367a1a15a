use async_trait::async_trait;
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_domain::subscribers::{
    NewSubscriber, Subscriber, SubscriberChange, SubscriberFilter, SubscriberId, SubscriberOrder,
    SubscriberPosition,
};

use crate::StoreError;

/// Keeps newsletter subscribers, one a mailbox: addresses are stored in the form that
/// [`exit3_domain::email::canonical`] gives them. Rows that an earlier version stored, or
/// that were loaded, may have another spelling; they are found and guarded all the same.
///
/// Every method may fail with [`StoreError::Unavailable`].
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait SubscriberRepository: Send + Sync {
    /// Stores a subscription. One round trip; when it returns, the subscription
    /// survives a power cut.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Constraint::SubscriberEmail`]
    /// where the address is already stored, in any case and any spelling of its domain.
    async fn create(&self, subscriber: &NewSubscriber) -> Result<Subscriber, StoreError>;

    /// Stores a subscription unless its address is already stored, in any spelling. A stored
    /// subscription that was ended begins again if the newsletter is wanted now; none is
    /// ended. Always writes and returns nothing, so that neither the answer nor its time
    /// reveals whether somebody is subscribed.
    async fn ensure(&self, subscriber: &NewSubscriber) -> Result<(), StoreError>;

    /// Stores many subscriptions at once and leaves out those whose address is
    /// there already. Returns how many were stored; on an error, none was.
    async fn create_many(&self, subscribers: &[NewSubscriber]) -> Result<u64, StoreError>;

    /// The subscriber of that id.
    async fn find(&self, id: SubscriberId) -> Result<Option<Subscriber>, StoreError>;

    /// The subscriber with that address, in any spelling.
    async fn find_by_email(&self, email: &str) -> Result<Option<Subscriber>, StoreError>;

    /// One page of the subscribers that match, with the exact count of all of
    /// them; `None` for a page past the end. Page 1 is never past the end.
    async fn list(
        &self,
        filter: &SubscriberFilter,
        order: SubscriberOrder,
        page: PageRequest,
    ) -> Result<Option<Page<Subscriber>>, StoreError>;

    /// One step of a walk through the subscribers that match. `step.from` is a
    /// position in the same `order`.
    async fn walk(
        &self,
        filter: &SubscriberFilter,
        order: SubscriberOrder,
        step: &Step<SubscriberPosition>,
    ) -> Result<Slice<Subscriber>, StoreError>;

    /// Changes the given fields of a subscriber.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is none of that id;
    /// [`StoreError::Conflict`] as for [`Self::create`].
    async fn update(
        &self,
        id: SubscriberId,
        change: &SubscriberChange,
    ) -> Result<Subscriber, StoreError>;

    /// Removes the subscriber of that id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is none.
    async fn delete(&self, id: SubscriberId) -> Result<(), StoreError>;
}
