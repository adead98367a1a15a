use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_domain::subscribers::{
    Subscriber, SubscriberFilter, SubscriberOrder, SubscriberPosition,
};
use exit3_ports::{StoreError, TRACE};

use crate::{App, ListError};

/// One page of the subscribers that match, with the count of all of them.
///
/// # Errors
/// [`ListError`].
#[tracing::instrument(target = TRACE, name = "subscribers.list", skip_all)]
pub async fn list(
    app: &App,
    filter: &SubscriberFilter,
    order: SubscriberOrder,
    page: PageRequest,
) -> Result<Page<Subscriber>, ListError> {
    app.subscribers.list(filter, order, page).await?.ok_or(ListError::PastTheEnd)
}

/// One step of a walk through the subscribers that match.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "subscribers.walk", skip_all)]
pub async fn walk(
    app: &App,
    filter: &SubscriberFilter,
    order: SubscriberOrder,
    step: &Step<SubscriberPosition>,
) -> Result<Slice<Subscriber>, StoreError> {
    app.subscribers.walk(filter, order, step).await
}
