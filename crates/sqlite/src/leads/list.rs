//! Lists of leads: numbered pages with an exact count, and steps of a cursor walk.

mod arms;

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use exit3_domain::leads::{LeadFilter, LeadKey, LeadOrder, LeadPosition, LeadSort};
use exit3_domain::paging::{Direction, Page, PageRequest, Step};

use self::arms::arms;
use super::row::{COLUMNS, LeadRow, LeadTypes, microseconds, microseconds_rounded_up};
use crate::merge::{Arm, Merge, beyond};
use crate::sql::Sql;
use crate::window::{Access, Window};

/// Returns a page and the count of all rows, from one state of the database.
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
        let arms = arms(connection, filter, access, order.by)?;
        let merge = merge(&arms, order.by, descending);
        let mut select: Sql<LeadTypes> =
            merge.select(window.limit, Some(window.offset), |select, _| {
                conditions(select, filter);
            });
        if !is_common(filter) {
            select.uncached();
        }
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
    filter: &LeadFilter,
    order: LeadOrder,
    step: &Step<LeadPosition>,
) -> QueryResult<Vec<LeadRow>> {
    let descending = order.descending != (step.direction == Direction::Backward);
    let (mut filter, mut from) = (filter.clone(), step.from.as_ref());
    if order.by == LeadSort::CreatedAt {
        (filter, from) = filter.beyond(from, descending);
    }
    // Bounds on the time only follow the order of time. Words are checked row by row.
    let is_in_time = matches!(order.by, LeadSort::CreatedAt | LeadSort::Status);
    let is_gathered = filter.is_bounded() && !is_in_time;
    let access = if is_gathered { Access::Sorted } else { Access::InOrder };
    let mut arms = arms(connection, &filter, access, order.by)?;
    if let Some(from) = from {
        arms::start_beyond(&mut arms, &filter, from, descending);
    }
    if arms.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = i64::from(step.size) + 1;
    let merge = merge(&arms, order.by, descending);
    let mut select: Sql<LeadTypes> = merge.select(wanted, None, |select, arm| {
        conditions(select, &filter);
        if let Some(from) = from.filter(|_| arm.is_beyond) {
            position(select, arm, from, order.by, descending);
        }
    });
    if !is_common(&filter) {
        select.uncached();
    }
    select.load(connection)
}

fn merge(arms: &[Arm], by: LeadSort, descending: bool) -> Merge<'_> {
    Merge { table: "leads", columns: COLUMNS, key: key(by), descending, arms }
}

/// The number of matching leads.
fn count(connection: &mut SqliteConnection, filter: &LeadFilter) -> QueryResult<u64> {
    let mut select = if filter.is_counted() {
        let mut select = Sql::<BigInt>::new("SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1");
        arms::choices(&mut select, filter);
        select
    } else {
        let mut select = Sql::<BigInt>::new("SELECT coalesce(sum(n), 0) FROM (");
        let arms = arms(connection, filter, Access::Sorted, LeadSort::CreatedAt)?;
        if arms.is_empty() {
            return Ok(0);
        }
        for (place, arm) in arms.iter().enumerate() {
            select.sql(if place == 0 { "" } else { " UNION ALL " });
            select.sql("SELECT count(*) AS n");
            arm.rows(&mut select, "leads");
            conditions(&mut select, filter);
        }
        select.sql(")");
        select
    };
    if !is_common(filter) {
        select.uncached();
    }
    select.get_result::<i64>(connection).map(i64::unsigned_abs)
}

/// Chooses how to reach `reach` rows of the `count` matching ones.
fn access(
    connection: &mut SqliteConnection,
    filter: &LeadFilter,
    order: LeadOrder,
    count: u64,
    reach: u64,
) -> QueryResult<Access> {
    let is_in_time = matches!(order.by, LeadSort::CreatedAt | LeadSort::Status);
    if filter.is_bounded() && !is_in_time {
        return Ok(Access::Sorted);
    }
    if filter.words.is_empty() {
        return Ok(Access::InOrder);
    }
    // Counting has looked at every row. If few match, look at all once more; otherwise enough
    // matches are likely to come soon.
    let sum = "SELECT coalesce(sum(n), 0) FROM lead_counts";
    let total = Sql::<BigInt>::new(sum).get_result::<i64>(connection)?.unsigned_abs();
    Ok(Access::choose(count, total, reach))
}

/// Whether the statement is common enough to be cached: at most one value of one choice.
fn is_common(filter: &LeadFilter) -> bool {
    let values = filter.choices().iter().flatten().map(Vec::len).sum::<usize>();
    filter.is_counted() && values <= 1
}

/// Conditions other than the choices.
fn conditions<ST>(select: &mut Sql<ST>, filter: &LeadFilter) {
    if let Some(after) = filter.created_after {
        select.sql(" AND created_at >= ").int(microseconds_rounded_up(after));
    }
    if let Some(before) = filter.created_before {
        select.sql(" AND created_at < ").int(microseconds_rounded_up(before));
    }
    if !filter.words.is_empty() {
        // With very many words, the arms do not restrict the choices.
        arms::choices(select, filter);
        select.words(&filter.words);
    }
    if !filter.is_counted() || arms::is_chosen(filter) {
        select.sql(" AND in_time()");
    }
}

/// The sort columns of an order.
fn key(by: LeadSort) -> &'static [&'static str] {
    match by {
        LeadSort::CreatedAt => &["created_at", "id"],
        LeadSort::UpdatedAt => &["updated_at", "id"],
        LeadSort::FullName => &["full_name", "id"],
        LeadSort::CompanyName => &["coalesce(company_name, '')", "id"],
        LeadSort::Status => &["status", "created_at", "id"],
    }
}

/// Restricts an arm to rows beyond `from` in the direction of the order.
fn position<ST>(
    select: &mut Sql<ST>,
    arm: &Arm,
    from: &LeadPosition,
    by: LeadSort,
    descending: bool,
) {
    match &from.key {
        LeadKey::Time(time) => {
            beyond(select, key(by), descending);
            select.int(microseconds(*time));
        }
        LeadKey::Text(text) => {
            beyond(select, key(by), descending);
            select.text(text);
        }
        // Within one status, the order is that of time.
        LeadKey::Status(_, time) if !arm.equal.is_empty() => {
            beyond(select, &["created_at", "id"], descending);
            select.int(microseconds(*time));
        }
        LeadKey::Status(status, time) => {
            beyond(select, key(by), descending);
            select.text(status.as_str()).sql(", ").int(microseconds(*time));
        }
    }
    select.sql(", ").int(from.id.0).sql(")");
}
