//! Lists of subscribers: pages with an exact count, and steps of a walk.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use exit3_domain::paging::{Direction, Page, PageRequest, Step};
use exit3_domain::subscribers::{
    SubscriberFilter, SubscriberKey, SubscriberOrder, SubscriberPosition, SubscriberSort,
};

use super::SubscriberRow;
use crate::sql::Sql;
use crate::window::{Access, Window};

/// One page and the count of all rows, of one state of the database.
pub(super) fn page(
    connection: &mut SqliteConnection,
    filter: &SubscriberFilter,
    order: SubscriberOrder,
    request: PageRequest,
) -> QueryResult<Option<Page<SubscriberRow>>> {
    let count = count(connection, filter)?;
    let Some(window) = Window::of(count, request) else {
        return Ok(None);
    };
    let mut rows = Vec::new();
    if window.limit > 0 {
        let access = access(connection, filter, order.by, count, window.reach())?;
        let mut select = select(filter, access, order.by);
        order_by(&mut select, access, order.by, order.descending != window.backward);
        select.sql(" LIMIT ").int(window.limit).sql(" OFFSET ").int(window.offset);
        rows = select.load(connection)?;
        if window.backward {
            rows.reverse();
        }
    }
    Ok(Some(Page { count, number: window.number, rows }))
}

/// The rows of a step in its direction, and one more if there is one.
pub(super) fn step(
    connection: &mut SqliteConnection,
    filter: &SubscriberFilter,
    order: SubscriberOrder,
    step: &Step<SubscriberPosition>,
) -> QueryResult<Vec<SubscriberRow>> {
    let wanted = i64::from(step.size) + 1;
    let mut access = Access::InOrder;
    if filter.words.is_empty() && filter.is_subscribed.is_some() {
        let count = count(connection, filter)?;
        access = self::access(connection, filter, order.by, count, wanted.unsigned_abs())?;
    }
    let descending = order.descending != (step.direction == Direction::Backward);
    let mut select = select(filter, access, order.by);
    if let Some(from) = &step.from {
        beyond(&mut select, access, from, order.by, descending);
    }
    order_by(&mut select, access, order.by, descending);
    select.sql(" LIMIT ").int(wanted);
    select.load(connection)
}

/// How many subscribers match.
fn count(connection: &mut SqliteConnection, filter: &SubscriberFilter) -> QueryResult<u64> {
    let mut select = Sql::<BigInt>::new(if filter.words.is_empty() {
        "SELECT coalesce(sum(n), 0) FROM subscriber_counts WHERE 1"
    } else {
        "SELECT count(*) FROM subscribers WHERE 1"
    });
    conditions(&mut select, filter, false);
    select.get_result::<i64>(connection).map(i64::unsigned_abs)
}

/// How to reach `reach` of the `count` rows that match.
fn access(
    connection: &mut SqliteConnection,
    filter: &SubscriberFilter,
    by: SubscriberSort,
    count: u64,
    reach: u64,
) -> QueryResult<Access> {
    let restricted = filter.is_subscribed.is_some() || !filter.words.is_empty();
    if !restricted || (has_own_index(by) && filter.words.is_empty()) {
        return Ok(Access::InOrder);
    }
    let total = self::count(connection, &SubscriberFilter::default())?;
    Ok(Access::choose(count, total, reach))
}

/// Whether the rows of one `is_subscribed` stand in this order in its index.
fn has_own_index(by: SubscriberSort) -> bool {
    matches!(by, SubscriberSort::Id | SubscriberSort::IsSubscribed)
}

fn select(
    filter: &SubscriberFilter,
    access: Access,
    by: SubscriberSort,
) -> Sql<(BigInt, Text, Bool)> {
    let mut select = Sql::new("SELECT id, email, is_subscribed FROM subscribers WHERE 1");
    conditions(&mut select, filter, access == Access::InOrder && !has_own_index(by));
    select
}

fn conditions<ST>(select: &mut Sql<ST>, filter: &SubscriberFilter, no_index: bool) {
    if let Some(is_subscribed) = filter.is_subscribed {
        // A `+` keeps SQLite from using the index of that column.
        select.sql(if no_index { " AND +is_subscribed = " } else { " AND is_subscribed = " });
        select.int(i64::from(is_subscribed));
    }
    for word in &filter.words {
        select.sql(" AND instr(search_document, ").text(word).sql(") > 0");
    }
    if !filter.words.is_empty() {
        select.sql(" AND in_time()").uncached();
    }
}

fn columns(access: Access, by: SubscriberSort) -> &'static [&'static str] {
    match (access, by) {
        (Access::InOrder, SubscriberSort::Id) => &["id"],
        (Access::InOrder, SubscriberSort::Email) => &["email", "id"],
        (Access::InOrder, SubscriberSort::IsSubscribed) => &["is_subscribed", "id"],
        (Access::Sorted, SubscriberSort::Id) => &["+id"],
        (Access::Sorted, SubscriberSort::Email) => &["+email", "+id"],
        (Access::Sorted, SubscriberSort::IsSubscribed) => &["+is_subscribed", "+id"],
    }
}

fn order_by<ST>(select: &mut Sql<ST>, access: Access, by: SubscriberSort, descending: bool) {
    for (place, column) in columns(access, by).iter().enumerate() {
        select.sql(if place == 0 { " ORDER BY " } else { ", " }).sql(column);
        select.sql(if descending { " DESC" } else { "" });
    }
}

/// Only what lies beyond `from` in the direction of the order.
fn beyond<ST>(
    select: &mut Sql<ST>,
    access: Access,
    from: &SubscriberPosition,
    by: SubscriberSort,
    descending: bool,
) {
    for (place, column) in columns(access, by).iter().enumerate() {
        select.sql(if place == 0 { " AND (" } else { ", " }).sql(column);
    }
    select.sql(if descending { ") < (" } else { ") > (" });
    match &from.key {
        SubscriberKey::Id => select.int(from.id.0),
        SubscriberKey::Email(email) => select.text(email).sql(", ").int(from.id.0),
        SubscriberKey::IsSubscribed(is_subscribed) => {
            select.int(i64::from(*is_subscribed)).sql(", ").int(from.id.0)
        }
    };
    select.sql(")");
}
