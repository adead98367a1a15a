//! Lists of subscribers: numbered pages with an exact count, and steps of a cursor walk.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use exit3_domain::paging::{Direction, Page, PageRequest, Step};
use exit3_domain::subscribers::{
    SubscriberFilter, SubscriberKey, SubscriberOrder, SubscriberPosition, SubscriberSort,
};

use super::SubscriberRow;
use crate::merge::{Arm, Equal, Merge, beyond};
use crate::sql::Sql;
use crate::window::{Access, Window};

type Select = Sql<(BigInt, Text, Bool)>;

/// Returns a page and the count of all rows, from one state of the database.
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
        let arm = arm(filter, access(connection, filter, count, window.reach())?, order.by);
        let descending = order.descending != window.backward;
        let merge = merge(std::slice::from_ref(&arm), order.by, descending);
        let offset = Some(window.offset);
        let select: Select =
            merge.select(window.limit, offset, |select, _| conditions(select, filter));
        rows = select.load(connection)?;
        if window.backward {
            rows.reverse();
        }
    }
    Ok(Some(Page { count, number: window.number, rows }))
}

/// Returns the rows of a step in its direction, and one more row if there is one.
pub(super) fn step(
    connection: &mut SqliteConnection,
    filter: &SubscriberFilter,
    order: SubscriberOrder,
    step: &Step<SubscriberPosition>,
) -> QueryResult<Vec<SubscriberRow>> {
    let descending = order.descending != (step.direction == Direction::Backward);
    let mut arm = arm(filter, Access::InOrder, order.by);
    if let (Some(wanted), Some(SubscriberKey::IsSubscribed(at))) =
        (filter.is_subscribed, step.from.as_ref().map(|from| &from.key))
        && wanted != *at
    {
        // Either all rows of this value lie beyond the position, or none.
        if *at != descending {
            return Ok(Vec::new());
        }
        arm.is_beyond = false;
    }
    let merge = merge(std::slice::from_ref(&arm), order.by, descending);
    let select: Select = merge.select(i64::from(step.size) + 1, None, |select, arm| {
        conditions(select, filter);
        if let Some(from) = step.from.as_ref().filter(|_| arm.is_beyond) {
            position(select, arm, from, descending);
        }
    });
    select.load(connection)
}

fn merge(arms: &[Arm], by: SubscriberSort, descending: bool) -> Merge<'_> {
    let columns = "id, email, is_subscribed";
    Merge { table: "subscribers", columns, key: key(by), descending, arms }
}

/// The number of matching subscribers.
fn count(connection: &mut SqliteConnection, filter: &SubscriberFilter) -> QueryResult<u64> {
    let mut select = if filter.words.is_empty() {
        let counted = "SELECT coalesce(sum(n), 0) FROM subscriber_counts WHERE 1";
        let mut select = Sql::<BigInt>::new(counted);
        if let Some(wanted) = filter.is_subscribed {
            select.sql(" AND is_subscribed = ").int(i64::from(wanted));
        }
        select
    } else {
        let mut select = Sql::<BigInt>::new("SELECT count(*)");
        arm(filter, Access::Sorted, SubscriberSort::Id).rows(&mut select, "subscribers");
        select
    };
    conditions(&mut select, filter);
    select.get_result::<i64>(connection).map(i64::unsigned_abs)
}

/// Chooses how to reach `reach` rows of the `count` matching ones.
fn access(
    connection: &mut SqliteConnection,
    filter: &SubscriberFilter,
    count: u64,
    reach: u64,
) -> QueryResult<Access> {
    if filter.words.is_empty() {
        return Ok(Access::InOrder);
    }
    let total = self::count(connection, &SubscriberFilter::default())?;
    Ok(Access::choose(count, total, reach))
}

/// The part of an index that has the rows in this order.
fn arm(filter: &SubscriberFilter, access: Access, by: SubscriberSort) -> Arm {
    let is_sorted = access == Access::Sorted;
    let index = match (filter.is_subscribed, by) {
        (Some(_), SubscriberSort::Email) if !is_sorted => " INDEXED BY subscribers_by_choice_email",
        (Some(_), _) => " INDEXED BY subscribers_by_is_subscribed",
        // The index on addresses belongs to a constraint and has no name to refer to. It is the
        // only index in that order.
        (None, SubscriberSort::Email) if !is_sorted => "",
        (None, SubscriberSort::IsSubscribed) if !is_sorted => {
            " INDEXED BY subscribers_by_is_subscribed"
        }
        (None, _) => " NOT INDEXED",
    };
    let wanted = filter.is_subscribed.map(|wanted| Equal::Int(i64::from(wanted)));
    let equal = wanted.map(|wanted| ("is_subscribed", wanted)).into_iter().collect();
    Arm { index, equal, is_beyond: true }
}

/// Conditions other than `is_subscribed`.
fn conditions<ST>(select: &mut Sql<ST>, filter: &SubscriberFilter) {
    select.words(&filter.words);
    if !filter.words.is_empty() {
        select.sql(" AND in_time()").uncached();
    }
}

fn key(by: SubscriberSort) -> &'static [&'static str] {
    match by {
        SubscriberSort::Id => &["id"],
        SubscriberSort::Email => &["email", "id"],
        SubscriberSort::IsSubscribed => &["is_subscribed", "id"],
    }
}

/// Restricts an arm to rows beyond `from` in the direction of the order.
fn position<ST>(select: &mut Sql<ST>, arm: &Arm, from: &SubscriberPosition, descending: bool) {
    match &from.key {
        SubscriberKey::IsSubscribed(at) if arm.equal.is_empty() => {
            beyond(select, key(SubscriberSort::IsSubscribed), descending);
            select.int(i64::from(*at)).sql(", ");
        }
        SubscriberKey::Id | SubscriberKey::IsSubscribed(_) => {
            beyond(select, key(SubscriberSort::Id), descending);
        }
        SubscriberKey::Email(email) => {
            beyond(select, key(SubscriberSort::Email), descending);
            select.text(email).sql(", ");
        }
    }
    select.int(from.id.0).sql(")");
}
