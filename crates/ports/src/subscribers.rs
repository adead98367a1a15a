//! Where newsletter subscribers are stored.

use async_trait::async_trait;
use exit3_domain::contact::ContactKind;
use exit3_domain::events::Act;
use exit3_domain::paging::{Glance, Page, PageRequest, Slice, Step};
use exit3_domain::subscribers::{
    NewSubscriber, Subscriber, SubscriberFilter, SubscriberId, SubscriberOrder,
};

use crate::tables::{Column, Kind, Table};
use crate::{Constraint, StoreError};

/// The e-mail address, regardless of case, has a subscription.
pub const EMAIL_TAKEN: Constraint = Constraint::Taken { table: "subscribers", column: "email" };

/// The table of subscribers.
pub const TABLE: Table = Table {
    name: "subscribers",
    columns: &[
        Column::new("id", Kind::Integer),
        Column::new("email", Kind::Text),
        Column::new("is_subscribed", Kind::Boolean),
    ],
    resource: exit3_domain::subscribers::RESOURCE,
    contacts: &[("email", ContactKind::Email)],
    searched_by: &["email"],
    rules: &[EMAIL_TAKEN],
    rights: "SELECT, INSERT, UPDATE, DELETE",
    ..Table::EMPTY
};

/// Stores newsletter subscribers, one per mailbox. Every method that changes a row stores the event
/// in the same transaction. Addresses are stored in the form of
/// [`exit3_domain::email::canonical`]. Rows from earlier versions, or loaded rows, may have another
/// spelling; they are found, and count as duplicates, all the same.
///
/// Every method may fail with [`StoreError::Unavailable`].
///
/// An address that is stored already is a conflict:
/// ```
/// use exit3_domain::events::{Actor, Author};
/// use exit3_domain::subscribers::NewSubscriber;
/// use exit3_ports::subscribers::EMAIL_TAKEN;
/// use exit3_ports::{MockRepositories, Repositories, StoreError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exit3_ports::StoreError> {
/// let mut mocks = MockRepositories::default();
/// mocks.subscribers.expect_create().returning(|_, _| Err(StoreError::Conflict(EMAIL_TAKEN)));
/// let subscribers = Repositories::from(mocks).subscribers;
///
/// let ana = NewSubscriber { email: "ana@acme.hr".to_owned(), is_subscribed: true };
/// let act = Author::from(Actor::command("import")).at(chrono::DateTime::UNIX_EPOCH);
/// let refused = subscribers.create(&ana, &act).await;
/// assert!(matches!(refused, Err(StoreError::Conflict(EMAIL_TAKEN))));
/// # Ok(())
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait SubscriberRepository: Send + Sync {
    /// Stores a subscription in one round trip. Once this returns, it survives a power cut.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`EMAIL_TAKEN`] if the address is
    /// already stored, in any case and any spelling of its domain.
    async fn create(&self, subscriber: &NewSubscriber, act: &Act)
    -> Result<Subscriber, StoreError>;

    /// Stores a subscription unless its address is already stored, in any spelling. If the
    /// newsletter is wanted, an ended subscription is reactivated; an active one is never ended.
    /// Always writes and returns nothing, so that neither the response nor its timing reveals
    /// whether somebody is subscribed. A sign-up that changes nothing leaves no event.
    async fn ensure(&self, subscriber: &NewSubscriber, act: &Act) -> Result<(), StoreError>;

    /// Stores many subscriptions and skips addresses that are already stored. Returns the number of
    /// stored ones. On an error, none is stored.
    async fn create_many(
        &self,
        subscribers: &[NewSubscriber],
        act: &Act,
    ) -> Result<u64, StoreError>;

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

    /// Like [`Self::walk`], in bounded time: it may stop before it has found enough rows if words are
    /// searched.
    async fn glance(
        &self,
        filter: &SubscriberFilter,
        order: SubscriberOrder,
        step: &Step,
    ) -> Result<Glance<Subscriber>, StoreError>;

    /// Replaces the details of the subscriber `seen`. An address that stays the same keeps its
    /// spelling.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the subscriber does not exist; [`StoreError::Conflict`] with
    /// [`Constraint::Stale`] if a value of the row is no longer that of `seen`, or as for
    /// [`Self::create`].
    async fn update(
        &self,
        seen: &Subscriber,
        details: &NewSubscriber,
        act: &Act,
    ) -> Result<Subscriber, StoreError>;

    /// Deletes the subscriber `seen`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] or [`Constraint::Stale`], as for [`Self::update`].
    async fn delete(&self, seen: &Subscriber, act: &Act) -> Result<(), StoreError>;

    /// Stores a deleted subscriber again, with its id.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`EMAIL_TAKEN`] as for [`Self::create`], or with
    /// [`Constraint::Stale`] if there is a subscriber with its id.
    async fn restore(&self, subscriber: &Subscriber, act: &Act) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use exit3_domain::subscribers::{FIELDS, SubscriberSort};

    #[test]
    fn a_backup_has_every_field_and_every_column_of_an_order() {
        crate::tables::assert_backed_up(&super::TABLE, FIELDS, SubscriberSort::WORDS);
    }
}
