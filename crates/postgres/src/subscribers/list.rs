//! Lists of subscribers.

use exit3_domain::paging::{Direction, Page, PageRequest, Slice, Step};
use exit3_domain::subscribers::{
    Subscriber, SubscriberFilter, SubscriberKey, SubscriberOrder, SubscriberPosition,
    SubscriberSort,
};
use exit3_ports::StoreError;

use super::row::{SubscriberColumns, SubscriberRow};
use crate::listing::{Listing, page_of};
use crate::lists::Lists;
use crate::sql::{Conditions, Value};

pub(super) async fn page(
    lists: &Lists,
    filter: &SubscriberFilter,
    order: SubscriberOrder,
    request: PageRequest,
) -> Result<Option<Page<Subscriber>>, StoreError> {
    let Some(query) = listing(filter, order).page::<SubscriberColumns>(request) else {
        return Ok(None);
    };
    Ok(page_of::<SubscriberRow, _>(request, lists.load(&query).await?))
}

pub(super) async fn walk(
    lists: &Lists,
    filter: &SubscriberFilter,
    order: SubscriberOrder,
    step: &Step<SubscriberPosition>,
) -> Result<Slice<Subscriber>, StoreError> {
    let listing = listing(filter, order);
    let forward = step.direction == Direction::Forward;
    let comparison = comparison(order.by, order.descending == forward);
    let from = step.from.as_ref().map(|from| (comparison, values(from)));
    let query = listing.step::<SubscriberColumns>(from, forward, step.size + 1);
    let rows: Vec<SubscriberRow> = lists.load(&query).await?;
    Ok(Slice::of(step, rows.into_iter().map(Subscriber::from).collect()))
}

fn listing(filter: &SubscriberFilter, order: SubscriberOrder) -> Listing {
    let mut conditions = Conditions::default();
    if let Some(wanted) = filter.is_subscribed {
        conditions.add("is_subscribed = ", Value::Bool(Some(wanted)), "");
    }
    conditions.add_words(&filter.words);
    let is_counted = filter.words.is_empty();
    Listing {
        table: "subscribers",
        columns: "id, email, is_subscribed",
        counts: is_counted.then_some("subscriber_counts"),
        conditions,
        order: order_by(order.by, order.descending),
        reversed: order_by(order.by, !order.descending),
        plannable: is_counted,
    }
}

fn order_by(by: SubscriberSort, descending: bool) -> &'static str {
    match (by, descending) {
        (SubscriberSort::Id, false) => " ORDER BY id",
        (SubscriberSort::Id, true) => " ORDER BY id DESC",
        (SubscriberSort::Email, false) => " ORDER BY email, id",
        (SubscriberSort::Email, true) => " ORDER BY email DESC, id DESC",
        (SubscriberSort::IsSubscribed, false) => " ORDER BY is_subscribed, id",
        (SubscriberSort::IsSubscribed, true) => " ORDER BY is_subscribed DESC, id DESC",
    }
}

/// The beginning of the condition that a row lies beyond a position.
fn comparison(by: SubscriberSort, below: bool) -> &'static str {
    match (by, below) {
        (SubscriberSort::Id, false) => "id > ",
        (SubscriberSort::Id, true) => "id < ",
        (SubscriberSort::Email, false) => "(email, id) > ",
        (SubscriberSort::Email, true) => "(email, id) < ",
        (SubscriberSort::IsSubscribed, false) => "(is_subscribed, id) > ",
        (SubscriberSort::IsSubscribed, true) => "(is_subscribed, id) < ",
    }
}

/// The values that a position is made of, in the order of [`comparison`].
fn values(position: &SubscriberPosition) -> Vec<Value> {
    let id = Value::BigInt(position.id.0);
    match &position.key {
        SubscriberKey::Id => vec![id],
        SubscriberKey::Email(email) => vec![Value::Text(Some(email.clone())), id],
        SubscriberKey::IsSubscribed(wanted) => vec![Value::Bool(Some(*wanted)), id],
    }
}
