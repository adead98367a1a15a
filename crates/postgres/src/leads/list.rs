//! Lists of leads.

use chrono::{DateTime, Utc};
use exit3_domain::leads::{
    Lead, LeadCategory, LeadFilter, LeadKey, LeadOrder, LeadPosition, LeadSort, LeadSource,
    LeadStatus,
};
use exit3_domain::paging::{Direction, Page, PageRequest, Slice, Step};
use exit3_ports::StoreError;

use super::row::{COLUMNS, LeadColumns, LeadRow};
use crate::listing::{Arm, Begin, Choice, Key, Listing, Way, page_of};
use crate::lists::Lists;
use crate::sql::{Conditions, Value, is_indexed};

pub(super) async fn page(
    lists: &Lists,
    filter: &LeadFilter,
    order: LeadOrder,
    request: PageRequest,
) -> Result<Option<Page<Lead>>, StoreError> {
    let Some(query) = listing(filter, order, None).page::<LeadColumns>(request) else {
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
    let forward = step.direction == Direction::Forward;
    let from = step.from.as_ref().map(|from| (from, order.descending == forward));
    let query = listing(filter, order, from).step::<LeadColumns>(forward, step.size);
    let rows: Vec<LeadRow> = lists.load(&query).await?;
    Ok(Slice::of(step, rows.into_iter().map(Lead::from).collect()))
}

/// Describes the list. For a walk, `from` is a position, and whether to read the rows below it
/// instead of those above.
fn listing(filter: &LeadFilter, order: LeadOrder, from: Option<(&LeadPosition, bool)>) -> Listing {
    let (mut filter, mut from) = (filter.clone(), from);
    if let (LeadSort::CreatedAt, Some((at, below))) = (order.by, from) {
        let (rest, at) = filter.beyond(Some(at), below);
        (filter, from) = (rest, at.map(|at| (at, below)));
    }
    let choices = choices(&filter);
    let is_chosen = choices.iter().any(Option::is_some);
    let is_bounded = filter.is_bounded();
    let is_in_time = matches!(order.by, LeadSort::CreatedAt | LeadSort::Status);
    let way = if !filter.words.is_empty() || (is_bounded && !is_in_time) {
        gathered(&filter, &choices)
    } else if is_chosen || (is_bounded && order.by == LeadSort::Status) {
        Way::Merged(arms(&filter, &choices, order.by, from))
    } else {
        Way::InOrder
    };
    let mut conditions = Conditions::default();
    for choice in choices.iter().flatten() {
        conditions.add_choice(choice.column, &choice.words);
    }
    conditions.add_all(&bounds(&filter));
    filter.words.iter().for_each(|word| conditions.add_word(word));
    Listing {
        table: "leads",
        columns: COLUMNS,
        counts: filter.is_counted().then_some("lead_counts"),
        conditions,
        key: key(order.by),
        descending: order.descending,
        from: from.map(|(from, _)| values(from)),
        way,
        plannable: filter.is_counted() && is_common(&choices),
    }
}

/// The filter's choices of `status`, `source` and `category`.
fn choices(filter: &LeadFilter) -> [Option<Choice>; 3] {
    let [statuses, sources, categories] = filter.choices();
    [
        statuses.map(|words| choice("status", words)),
        sources.map(|words| choice("source", words)),
        categories.map(|words| choice("category", words)),
    ]
}

fn choice(column: &'static str, words: Vec<&'static str>) -> Choice {
    Choice { column, array: "}'::text[]", words }
}

/// Whether the list is one of a few: at most one value of one choice.
fn is_common(choices: &[Option<Choice>; 3]) -> bool {
    let mut given = choices.iter().flatten();
    given.next().is_none_or(|choice| choice.words.len() == 1) && given.next().is_none()
}

/// The parts of an index that have the list's rows in its order: the index of one choice, or the
/// one of all three choices and the order's columns.
fn arms(
    filter: &LeadFilter,
    choices: &[Option<Choice>; 3],
    by: LeadSort,
    from: Option<(&LeadPosition, bool)>,
) -> Vec<Arm> {
    let arm = arm(filter, choices, by);
    let Some((from, below)) = from else {
        return vec![arm];
    };
    let LeadKey::Status(status, at) = &from.key else {
        return vec![Arm { from: Some(values(from)), ..arm }];
    };
    // Part of the position's status, and all of the statuses beyond it.
    let of = |is_wanted: &dyn Fn(&str) -> bool| {
        let mut arm = arm.clone();
        let statuses = arm.choices.iter_mut().filter(|choice| choice.column == "status");
        statuses.for_each(|choice| choice.words.retain(|word| is_wanted(word)));
        arm
    };
    let mut same = of(&|word| word == status.as_str());
    same.from = (!filter.begins_beyond(*at, below))
        .then(|| vec![Value::time(*at), Value::BigInt(from.id.0)]);
    let is_beyond =
        |word: &str| if below { word < status.as_str() } else { word > status.as_str() };
    vec![same, of(&is_beyond)]
}

fn arm(filter: &LeadFilter, choices: &[Option<Choice>; 3], by: LeadSort) -> Arm {
    let [status, source, category] = choices;
    let is_in_time = matches!(by, LeadSort::CreatedAt | LeadSort::Status);
    let own = match (by, status, source, category) {
        (LeadSort::CreatedAt | LeadSort::Status, Some(own), None, None) => Some(own.clone()),
        (LeadSort::CreatedAt, None, Some(own), None) => Some(own.clone()),
        (LeadSort::CreatedAt, None, None, Some(own)) => Some(own.clone()),
        (LeadSort::Status, None, None, None) => Some(every_status()),
        _ => None,
    };
    let is_own = own.is_some();
    let choices = match own {
        Some(own) => vec![own],
        None => vec![
            status.clone().unwrap_or_else(every_status),
            source.clone().unwrap_or_else(|| {
                choice("source", LeadSource::ALL.iter().map(|one| one.as_str()).collect())
            }),
            category.clone().unwrap_or_else(|| {
                choice("category", LeadCategory::ALL.iter().map(|one| one.as_str()).collect())
            }),
        ],
    };
    let (tail, least): (&[&str], _) = match by {
        LeadSort::CreatedAt | LeadSort::Status => {
            (&["created_at", "id"], "'-infinity'::timestamptz")
        }
        LeadSort::UpdatedAt => (&["updated_at", "id"], "'-infinity'::timestamptz"),
        LeadSort::FullName => (&["full_name", "id"], "''"),
        LeadSort::CompanyName => (&["coalesce(company_name, '')", "id"], "''"),
    };
    let bound = |bound: Option<DateTime<Utc>>| bound.filter(|_| is_in_time).map(Value::time);
    let (after, before) = (bound(filter.created_after), bound(filter.created_before));
    let begin = match by {
        _ if is_own => Begin::Column,
        LeadSort::CreatedAt | LeadSort::Status => Begin::Texts(" || ' created'"),
        LeadSort::UpdatedAt => Begin::Texts(" || ' updated'"),
        LeadSort::FullName => Begin::Texts(" || ' name'"),
        LeadSort::CompanyName => Begin::Texts(" || ' company'"),
    };
    Arm { choices, begin, tail, least, from: None, after, before }
}

fn every_status() -> Choice {
    choice("status", LeadStatus::ALL.iter().map(|one| one.as_str()).collect())
}

/// All matching rows, found by the trigram index, or by the index of choices and times.
fn gathered(filter: &LeadFilter, choices: &[Option<Choice>; 3]) -> Way {
    let mut conditions = Conditions::default();
    let mut hidden = Conditions::default();
    let is_found = filter.words.iter().any(|word| is_indexed(word));
    for word in &filter.words {
        let by_index = is_found && is_indexed(word);
        if by_index { conditions.add_word(word) } else { hidden.add_word(word) }
    }
    if is_found {
        for choice in choices.iter().flatten() {
            hidden.add_choice(choice.column, &choice.words);
        }
        hidden.add_all(&bounds(filter));
    }
    let is_chosen = choices.iter().any(Option::is_some);
    let arm = (!is_found && is_chosen).then(|| arm(filter, choices, LeadSort::CreatedAt));
    if !is_found && !is_chosen {
        conditions.add_all(&bounds(filter));
    }
    conditions.add_hidden(&hidden);
    Way::Gathered(arm, conditions)
}

/// The bounds of time. There are always two, so that the planner expects few rows and uses the
/// index, even if its statistics are wrong about the newest rows.
fn bounds(filter: &LeadFilter) -> Conditions {
    let mut bounds = Conditions::default();
    match (filter.created_after, filter.created_before) {
        (None, None) => return bounds,
        (Some(after), _) => bounds.add_unseen("created_at >= ", Value::time(after), ""),
        (None, _) => bounds.add_sql("created_at >= (SELECT '-infinity'::timestamptz)"),
    }
    match filter.created_before {
        Some(before) => bounds.add_unseen("created_at < ", Value::time(before), ""),
        None => bounds.add_sql("created_at < (SELECT 'infinity'::timestamptz)"),
    }
    bounds
}

fn key(by: LeadSort) -> Key {
    Key(match by {
        LeadSort::CreatedAt => &["created_at", "id"],
        LeadSort::UpdatedAt => &["updated_at", "id"],
        LeadSort::FullName => &["full_name", "id"],
        LeadSort::CompanyName => &["coalesce(company_name, '')", "id"],
        LeadSort::Status => &["status", "created_at", "id"],
    })
}

/// The values of a position, in the order of [`key`].
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
