//! Lists of leads: pages with an exact count, and steps of a walk.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use exit3_domain::leads::{LeadFilter, LeadKey, LeadOrder, LeadPosition, LeadSort};
use exit3_domain::paging::{Direction, Page, PageRequest, Step};

use super::row::{COLUMNS, LeadRow, LeadTypes, microseconds, microseconds_rounded_up};
use crate::sql::Sql;
use crate::window::{Access, Window};

/// One page and the count of all rows, of one state of the database.
pub(super) fn page(
    connection: &mut SqliteConnection,
    filter: &LeadFilter,
    order: LeadOrder,
    request: PageRequest,
) -> QueryResult<Option<Page<LeadRow>>> {
    let count = count(connection, filter)?;
    let Some(window) = Window::of(count, request) else {
        return Ok(None);
    };
    let mut rows = Vec::new();
    if window.limit > 0 {
        let access = access(connection, filter, order, count, window.reach())?;
        let descending = order.descending != window.backward;
        let mut select = select(filter, access, order.by);
        order_by(&mut select, access, order.by, descending);
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
    filter: &LeadFilter,
    order: LeadOrder,
    step: &Step<LeadPosition>,
) -> QueryResult<Vec<LeadRow>> {
    let wanted = i64::from(step.size) + 1;
    let mut access = Access::InOrder;
    if filter.is_counted() && !is_unrestricted(filter) {
        let count = count(connection, filter)?;
        if count == 0 {
            return Ok(Vec::new());
        }
        access = self::access(connection, filter, order, count, wanted.unsigned_abs())?;
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

/// How many leads match.
fn count(connection: &mut SqliteConnection, filter: &LeadFilter) -> QueryResult<u64> {
    let mut select = if filter.is_counted() {
        let mut select = Sql::<BigInt>::new("SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1");
        choices(&mut select, filter, false);
        select
    } else {
        let mut select = Sql::<BigInt>::new("SELECT count(*) FROM leads WHERE 1");
        conditions(&mut select, filter, false, false);
        select
    };
    if !is_common(filter) {
        select.uncached();
    }
    select.get_result::<i64>(connection).map(i64::unsigned_abs)
}

/// How to reach `reach` of the `count` rows that match.
fn access(
    connection: &mut SqliteConnection,
    filter: &LeadFilter,
    order: LeadOrder,
    count: u64,
    reach: u64,
) -> QueryResult<Access> {
    // One value has its rows in order of time in its own index; bounds of time
    // lie in the index of that order.
    let by_time = matches!(order.by, LeadSort::CreatedAt);
    if is_unrestricted(filter) || (by_time && filter.words.is_empty() && has_one_value(filter)) {
        return Ok(Access::InOrder);
    }
    let total = self::count(connection, &LeadFilter::default())?;
    Ok(Access::choose(count, total, reach))
}

fn is_unrestricted(filter: &LeadFilter) -> bool {
    is_common(filter) && values(filter).iter().all(Option::is_none)
}

/// Whether some choice is restricted to one value.
fn has_one_value(filter: &LeadFilter) -> bool {
    values(filter).contains(&Some(1))
}

/// Whether the filter is of a kind that is worth a place among the cached
/// statements: no more than one value of one choice.
fn is_common(filter: &LeadFilter) -> bool {
    let values: usize = values(filter).iter().map(|values| values.unwrap_or(0)).sum();
    filter.is_counted() && values <= 1
}

/// How many values each choice is restricted to.
fn values(filter: &LeadFilter) -> [Option<usize>; 3] {
    [
        filter.statuses.as_ref().map(Vec::len),
        filter.sources.as_ref().map(Vec::len),
        filter.categories.as_ref().map(Vec::len),
    ]
}

fn select(filter: &LeadFilter, access: Access, by: LeadSort) -> Sql<LeadTypes> {
    let mut select = Sql::new("SELECT ");
    select.sql(COLUMNS).sql(" FROM leads WHERE 1");
    // A `+` keeps SQLite from using an index of that column. It knows nothing
    // of how many rows match and would often take the wrong one.
    let in_order = access == Access::InOrder;
    let by_time = matches!(by, LeadSort::CreatedAt);
    let own_index = (by_time && has_one_value(filter)) || is_unrestricted(filter);
    conditions(&mut select, filter, in_order && !own_index, in_order && !by_time);
    if !is_common(filter) {
        select.uncached();
    }
    select
}

fn conditions<ST>(select: &mut Sql<ST>, filter: &LeadFilter, no_index: bool, no_time_index: bool) {
    choices(select, filter, no_index);
    let created_at = if no_time_index { " AND +created_at" } else { " AND created_at" };
    if let Some(after) = filter.created_after {
        select.sql(created_at).sql(" >= ").int(microseconds_rounded_up(after));
    }
    if let Some(before) = filter.created_before {
        select.sql(created_at).sql(" < ").int(microseconds_rounded_up(before));
    }
    for word in &filter.words {
        select.sql(" AND instr(search_document, ").text(word).sql(") > 0");
    }
    if !is_unrestricted(filter) {
        select.sql(" AND in_time()");
    }
}

fn choices<ST>(select: &mut Sql<ST>, filter: &LeadFilter, no_index: bool) {
    let plus = if no_index { " AND +" } else { " AND " };
    if let Some(statuses) = &filter.statuses {
        any_of(select.sql(plus).sql("status"), statuses.iter().map(|one| one.as_str()));
    }
    if let Some(sources) = &filter.sources {
        any_of(select.sql(plus).sql("source"), sources.iter().map(|one| one.as_str()));
    }
    if let Some(categories) = &filter.categories {
        any_of(select.sql(plus).sql("category"), categories.iter().map(|one| one.as_str()));
    }
}

fn any_of<ST>(select: &mut Sql<ST>, words: impl ExactSizeIterator<Item = &'static str>) {
    // Only `=` leaves the rest of an index in order.
    let (open, close) = if words.len() == 1 { (" = ", "") } else { (" IN (", ")") };
    select.sql(open);
    for (place, word) in words.enumerate() {
        select.sql(if place == 0 { "" } else { ", " }).text(word);
    }
    select.sql(close);
}

/// The columns of an order, as its index has them.
fn columns(access: Access, by: LeadSort) -> &'static [&'static str] {
    match (access, by) {
        (Access::InOrder, LeadSort::CreatedAt) => &["created_at", "id"],
        (Access::InOrder, LeadSort::UpdatedAt) => &["updated_at", "id"],
        (Access::InOrder, LeadSort::FullName) => &["full_name", "id"],
        (Access::InOrder, LeadSort::CompanyName) => &["coalesce(company_name, '')", "id"],
        (Access::InOrder, LeadSort::Status) => &["status", "created_at", "id"],
        (Access::Sorted, LeadSort::CreatedAt) => &["+created_at", "+id"],
        (Access::Sorted, LeadSort::UpdatedAt) => &["+updated_at", "+id"],
        (Access::Sorted, LeadSort::FullName) => &["+full_name", "+id"],
        (Access::Sorted, LeadSort::CompanyName) => &["+coalesce(company_name, '')", "+id"],
        (Access::Sorted, LeadSort::Status) => &["+status", "+created_at", "+id"],
    }
}

fn order_by<ST>(select: &mut Sql<ST>, access: Access, by: LeadSort, descending: bool) {
    for (place, column) in columns(access, by).iter().enumerate() {
        select.sql(if place == 0 { " ORDER BY " } else { ", " }).sql(column);
        select.sql(if descending { " DESC" } else { "" });
    }
}

/// Only what lies beyond `from` in the direction of the order.
fn beyond<ST>(
    select: &mut Sql<ST>,
    access: Access,
    from: &LeadPosition,
    by: LeadSort,
    descending: bool,
) {
    for (place, column) in columns(access, by).iter().enumerate() {
        select.sql(if place == 0 { " AND (" } else { ", " }).sql(column);
    }
    select.sql(if descending { ") < (" } else { ") > (" });
    match &from.key {
        LeadKey::Time(time) => select.int(microseconds(*time)),
        LeadKey::Text(text) => select.text(text),
        LeadKey::Status(status, time) => {
            select.text(status.as_str()).sql(", ").int(microseconds(*time))
        }
    };
    select.sql(", ").int(from.id.0).sql(")");
}
