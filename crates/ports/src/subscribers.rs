use async_trait::async_trait;
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_domain::subscribers::{
    NewSubscriber, Subscriber, SubscriberChange, SubscriberFilter, SubscriberId, SubscriberOrder,
};

use crate::StoreError;

/// Stores newsletter subscribers, one per mailbox. Addresses are stored in the form of
/// [`exit3_domain::email::canonical`]. Rows from earlier versions, or loaded rows, may have another
/// spelling; they are found, and count as duplicates, all the same.
///
/// Every method may fail with [`StoreError::Unavailable`].
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait SubscriberRepository: Send + Sync {
    /// Stores a subscription in one round trip. Once this returns, it survives a power cut.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Constraint::SubscriberEmail`] if the address is
    /// already stored, in any case and any spelling of its domain.
    async fn create(&self, subscriber: &NewSubscriber) -> Result<Subscriber, StoreError>;

    /// Stores a subscription unless its address is already stored, in any spelling. If the
    /// newsletter is wanted, an ended subscription is reactivated; an active one is never ended.
    /// Always writes and returns nothing, so that neither the response nor its timing reveals
    /// whether somebody is subscribed.
    async fn ensure(&self, subscriber: &NewSubscriber) -> Result<(), StoreError>;

    /// Stores many subscriptions and skips addresses that are already stored. Returns the number of
    /// stored ones. On an error, none is stored.
    async fn create_many(&self, subscribers: &[NewSubscriber]) -> Result<u64, StoreError>;

    /// Finds a subscriber by id.
    async fn find(&self, id: SubscriberId) -> Result<Option<Subscriber>, StoreError>;

    /// Finds a subscriber by address, in any spelling.
    async fn find_by_email(&self, email: &str) -> Result<Option<Subscriber>, StoreError>;

    /// One page of the matching subscribers, with their exact total count; `None` past the last
    /// page. Page 1 always exists.
    async fn list(
        &self,
        filter: &SubscriberFilter,
        order: SubscriberOrder,
        page: PageRequest,
    ) -> Result<Option<Page<Subscriber>>, StoreError>;

    /// One step of a walk through the matching subscribers. `step.from` is a position in the same
    /// `order`.
    async fn walk(
        &self,
        filter: &SubscriberFilter,
        order: SubscriberOrder,
        step: &Step,
    ) -> Result<Slice<Subscriber>, StoreError>;

    /// Changes the given fields of a subscriber.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the subscriber does not exist; [`StoreError::Conflict`] as for
    /// [`Self::create`].
    async fn update(
        &self,
        id: SubscriberId,
        change: &SubscriberChange,
    ) -> Result<Subscriber, StoreError>;

    /// Deletes a subscriber.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the subscriber does not exist.
    async fn delete(&self, id: SubscriberId) -> Result<(), StoreError>;
}
