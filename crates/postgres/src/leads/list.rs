//! Lists of leads.

use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use exit3_domain::leads::{Lead, LeadFilter, LeadKey, LeadOrder, LeadPosition, LeadSort};
use exit3_domain::paging::{Direction, Page, PageRequest, Slice, Step};
use exit3_ports::StoreError;

use super::row::LeadRow;
use crate::listing::{Listing, page_of};
use crate::lists::Lists;
use crate::sql::{Conditions, Value};

type LeadColumns = SqlTypeOf<AsSelect<LeadRow, Pg>>;

/// Those of [`LeadRow`].
const COLUMNS: &str = "id, full_name, \"position\", company_name, phone_number, email, source, \
                       status, notes, category, created_at, updated_at";

pub(super) async fn page(
    lists: &Lists,
    filter: &LeadFilter,
    order: LeadOrder,
    request: PageRequest,
) -> Result<Option<Page<Lead>>, StoreError> {
    let Some(query) = listing(filter, order).page::<LeadColumns>(request) else {
        return Ok(None);
    };
    Ok(page_of::<LeadRow, _>(request, lists.load(&query).await?))
}

pub(super) async fn walk(
    lists: &Lists,
    filter: &LeadFilter,
    order: LeadOrder,
    step: &Step<LeadPosition>,
) -> Result<Slice<Lead>, StoreError> {
    let listing = listing(filter, order);
    let forward = step.direction == Direction::Forward;
    let comparison = comparison(order.by, order.descending == forward);
    let from = step.from.as_ref().map(|from| (comparison, values(from)));
    let query = listing.step::<LeadColumns>(from, forward, step.size + 1);
    let rows: Vec<LeadRow> = lists.load(&query).await?;
    Ok(Slice::of(step, rows.into_iter().map(Lead::from).collect()))
}

fn listing(filter: &LeadFilter, order: LeadOrder) -> Listing {
    let mut conditions = Conditions::default();
    if let Some(statuses) = &filter.statuses {
        let words = statuses.iter().map(|status| status.as_str()).collect();
        conditions.add_choice("status = ", "status = ANY(", words);
    }
    if let Some(sources) = &filter.sources {
        let words = sources.iter().map(|source| source.as_str()).collect();
        conditions.add_choice("source = ", "source = ANY(", words);
    }
    if let Some(categories) = &filter.categories {
        let words = categories.iter().map(|category| category.as_str()).collect();
        conditions.add_choice("category = ", "category = ANY(", words);
    }
    if let Some(after) = filter.created_after {
        conditions.add("created_at >= ", Value::time(after), "");
    }
    if let Some(before) = filter.created_before {
        conditions.add("created_at < ", Value::time(before), "");
    }
    conditions.add_words(&filter.words);
    Listing {
        table: "leads",
        columns: COLUMNS,
        counts: filter.is_counted().then_some("lead_counts"),
        conditions,
        order: order_by(order.by, order.descending),
        reversed: order_by(order.by, !order.descending),
        plannable: is_plannable(filter),
    }
}

/// Each choice has an index in the order of time, so a list by one of them is
/// read the same way whichever it is. With several it depends on how many rows
/// each has, and so it does with times and words.
fn is_plannable(filter: &LeadFilter) -> bool {
    let choices = [
        filter.statuses.as_ref().map(Vec::len),
        filter.sources.as_ref().map(Vec::len),
        filter.categories.as_ref().map(Vec::len),
    ];
    let mut choices = choices.into_iter().flatten();
    filter.is_counted() && choices.next().is_none_or(|n| n == 1) && choices.next().is_none()
}

fn order_by(by: LeadSort, descending: bool) -> &'static str {
    match (by, descending) {
        (LeadSort::CreatedAt, false) => " ORDER BY created_at, id",
        (LeadSort::CreatedAt, true) => " ORDER BY created_at DESC, id DESC",
        (LeadSort::UpdatedAt, false) => " ORDER BY updated_at, id",
        (LeadSort::UpdatedAt, true) => " ORDER BY updated_at DESC, id DESC",
        (LeadSort::FullName, false) => " ORDER BY full_name, id",
        (LeadSort::FullName, true) => " ORDER BY full_name DESC, id DESC",
        (LeadSort::CompanyName, false) => " ORDER BY coalesce(company_name, ''), id",
        (LeadSort::CompanyName, true) => " ORDER BY coalesce(company_name, '') DESC, id DESC",
        (LeadSort::Status, false) => " ORDER BY status, created_at, id",
        (LeadSort::Status, true) => " ORDER BY status DESC, created_at DESC, id DESC",
    }
}

/// The beginning of the condition that a row lies beyond a position.
fn comparison(by: LeadSort, below: bool) -> &'static str {
    match (by, below) {
        (LeadSort::CreatedAt, false) => "(created_at, id) > ",
        (LeadSort::CreatedAt, true) => "(created_at, id) < ",
        (LeadSort::UpdatedAt, false) => "(updated_at, id) > ",
        (LeadSort::UpdatedAt, true) => "(updated_at, id) < ",
        (LeadSort::FullName, false) => "(full_name, id) > ",
        (LeadSort::FullName, true) => "(full_name, id) < ",
        (LeadSort::CompanyName, false) => "(coalesce(company_name, ''), id) > ",
        (LeadSort::CompanyName, true) => "(coalesce(company_name, ''), id) < ",
        (LeadSort::Status, false) => "(status, created_at, id) > ",
        (LeadSort::Status, true) => "(status, created_at, id) < ",
    }
}

/// The values that a position is made of, in the order of [`comparison`].
fn values(position: &LeadPosition) -> Vec<Value> {
    let id = Value::BigInt(position.id.0);
    match &position.key {
        LeadKey::Time(time) => vec![Value::time(*time), id],
        LeadKey::Text(text) => vec![Value::Text(Some(text.clone())), id],
        LeadKey::Status(status, time) => {
            vec![Value::Text(Some(status.as_str().to_owned())), Value::time(*time), id]
        }
    }
}
