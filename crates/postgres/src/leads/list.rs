//! Lists of leads.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Text};
use exit3_domain::leads::{
    LeadCategory, LeadFilter, LeadOrder, LeadOwner, LeadSort, LeadSource, LeadStatus,
};
use exit3_domain::order::SortValue;

use super::row::COLUMNS;
use crate::listing::{Ahead, Arm, Begin, Beside, Beyond, Choice, Except, Key, Listing, Way, share};
use crate::sql::{Conditions, Sql, Value, is_indexed};

/// Describes the list.
pub(super) fn listing(filter: &LeadFilter, order: LeadOrder, from: Option<Beyond<'_>>) -> Listing {
    let (mut filter, mut from) = (filter.ordered_by(order.by), from);
    if let (LeadSort::CreatedAt, Some(Beyond { position, below })) = (order.by, from) {
        let (rest, position) = filter.beyond(Some(position), below);
        (filter, from) = (rest, position.map(|position| Beyond { position, below }));
    }
    let choices = choices(&filter);
    let conditions = checked(&filter);
    let all = Listing::all("leads", COLUMNS, key(order.by), order.descending, from);
    if let Some(mut few) = few(&filter) {
        few.add_hidden(&conditions);
        let way = Way::Few(few, few_key(&filter, order.by));
        return Listing { conditions, way, plannable: false, ..all };
    }
    let is_chosen = choices.iter().any(Option::is_some);
    let is_bounded = filter.is_bounded();
    let in_order = if is_chosen || (is_bounded && order.by == LeadSort::Status) {
        Way::Merged(arms(&filter, &choices, order.by, from))
    } else {
        Way::InOrder
    };
    if !filter.words.is_empty() || (is_bounded && !is_in_time(order.by)) {
        let range = match order.by {
            LeadSort::CreatedAt => bounds(&filter),
            _ => Conditions::default(),
        };
        let beside = (is_bounded && !is_in_time(order.by) && !is_chosen)
            .then(|| Beside { column: "created_at", conditions: bounds(&filter) });
        let way = match (gathered(&filter, &choices), beside.is_some(), filter.words.is_empty()) {
            // Enough of the next rows were looked at.
            (Way::Gathered(None, found), true, true) => Way::Few(found, None),
            (way, ..) => way,
        };
        let ahead = Some(Ahead { way: in_order, range, beside });
        return Listing { conditions, way, plannable: false, ahead, ..all };
    }
    Listing {
        counts: (!is_bounded).then_some("lead_counts"),
        conditions: of_choices_and_times(&filter, &choices),
        except: except(&filter, &choices),
        way: in_order,
        plannable: filter.is_counted() && is_common(&choices),
        ..all
    }
}

/// The leads with an owner, for a list of those without one that is read from the indexes of all.
fn except(filter: &LeadFilter, choices: &[Option<Choice>; 3]) -> Option<Except> {
    (filter.owner == Some(LeadOwner::Nobody)).then(|| {
        let mut rows = owned();
        rows.add_hidden(&of_choices_and_times(filter, choices));
        // In this form, the planner always expects that most rows fulfil it, as they do.
        Except { others: "(owner_id IS NULL)::int <> 0", rows }
    })
}

/// Whether an index of few rows has all rows of the list.
pub(super) fn is_few(filter: &LeadFilter) -> bool {
    few(filter).is_some()
}

/// What selects rows from the index of leads with an owner, or of those with a next step, if the
/// filter needs such leads only. There are always two bounds, so that the planner expects few rows
/// and uses the index, even if its statistics are wrong.
fn few(filter: &LeadFilter) -> Option<Conditions> {
    let mut few = Conditions::default();
    match (filter.owner, filter.due) {
        (Some(LeadOwner::Staff(id)), _) => {
            few.add_unseen("owner_id >= ", Value::BigInt(id.0), "");
            few.add_unseen("owner_id <= ", Value::BigInt(id.0), "");
        }
        (_, Some(due)) => {
            few.add_sql("next_step_at >= (SELECT '-infinity'::timestamptz)");
            few.add_unseen("next_step_at <= ", Value::time(due), "");
        }
        (Some(LeadOwner::Somebody), None) => return Some(owned()),
        (Some(LeadOwner::Nobody) | None, None) => return None,
    }
    Some(few)
}

/// The key of the index of few rows, if it has them in this order.
fn few_key(filter: &LeadFilter, by: LeadSort) -> Option<Key> {
    match (filter.owner, by) {
        (Some(LeadOwner::Staff(_)), LeadSort::CreatedAt) => {
            Some(Key(&["owner_id", "created_at", "id"]))
        }
        (Some(LeadOwner::Staff(_)), _) => None,
        (_, LeadSort::NextStepAt) => Some(key(by)),
        _ => None,
    }
}

/// The leads that somebody owns.
fn owned() -> Conditions {
    let mut owned = Conditions::default();
    owned.add_sql("owner_id >= (SELECT '-9223372036854775808'::bigint)");
    owned.add_sql("owner_id <= (SELECT '9223372036854775807'::bigint)");
    owned
}

/// Whether the rows of an order, or of each status in it, are in the order of time.
pub(super) fn is_in_time(by: LeadSort) -> bool {
    matches!(by, LeadSort::CreatedAt | LeadSort::Status)
}

/// The statement that counts the leads of each status that match the rest of the filter. Unless the
/// database keeps these counts, it looks at the newest `most` leads of each status, and tells
/// whether these are all.
pub(super) fn tally(filter: &LeadFilter, most: usize) -> Sql<(Text, BigInt, Bool)> {
    let any_status = LeadFilter { statuses: None, ..filter.clone() };
    let [_, sources, categories] = choices(filter);
    if filter.is_counted() {
        let mut conditions = Conditions::default();
        for choice in [&sources, &categories].into_iter().flatten() {
            conditions.add_choice(choice.column, &choice.words);
        }
        let counts = Sql::planned("SELECT status, sum(n)::bigint, true FROM lead_counts");
        return counts.all_of(&conditions).sql(" GROUP BY status");
    }
    if let Some(few) = few(filter) {
        let counts = Sql::planned("SELECT status, count(*) FILTER (WHERE true");
        let counts = counts.and_all_of(&checked(&any_status));
        let counts = counts.sql("), sum(count(*)) OVER () < ").value(limit(most));
        let columns = match filter.words.is_empty() {
            // The index has them, so that no row of the table is read.
            true => " FROM (SELECT status, source, category, created_at, owner_id, next_step_at",
            false => " FROM (SELECT *",
        };
        let counts = counts.sql(columns).sql(" FROM leads").all_of(&few).sql(" LIMIT ");
        return counts.value(limit(most)).sql(") few GROUP BY status");
    }
    let arm = arm(filter, &[Some(every_status()), sources, categories], LeadSort::CreatedAt);
    let most = match filter.is_indexed() {
        true => limit(most),
        false => Value::BigInt(share(most, arm.count() / LeadStatus::ALL.len())),
    };
    let checked = match filter.is_indexed() {
        true => Conditions::default(),
        false => checked(&any_status),
    };
    let counts =
        Sql::planned("SELECT of_status.word, sum(found.n)::bigint, bool_and(found.looked < ");
    let counts = arm.combinations(counts.value(most.clone()).sql(")"), |each| {
        let each = each.sql("SELECT count(*) AS looked, count(*) FILTER (WHERE true");
        let each = each.and_all_of(&checked).sql(") AS n FROM (SELECT ");
        let each = each.sql(if filter.is_indexed() { "1" } else { "*" });
        let each = each.sql(" FROM leads");
        let each = match filter.is_indexed() {
            true => bounded(&arm, each),
            false => arm.order(arm.within(each, true), true),
        };
        each.sql(" LIMIT ").value(most).sql(") newest")
    });
    counts.sql(" GROUP BY of_status.word")
}

/// The statement that tells whether more leads with the filter's choices lie within its bounds than
/// the square root of `size` times the number of all leads with these choices.
pub(super) fn are_many(filter: &LeadFilter, size: u32) -> Sql<Bool> {
    let choices = choices(filter);
    let mut chosen = Conditions::default();
    for choice in choices.iter().flatten() {
        chosen.add_choice(choice.column, &choice.words);
    }
    let [status, source, category] = choices;
    let arm = arm(
        filter,
        &[status.or_else(|| Some(every_status())), source, category],
        LeadSort::CreatedAt,
    );
    let limit = "(SELECT sqrt(coalesce(sum(n), 0) * ";
    let most = Sql::planned("WITH few AS MATERIALIZED ").sql(limit);
    let most = most.value(Value::BigInt(size.into())).sql(")::bigint AS n FROM lead_counts");
    let many =
        most.all_of(&chosen).sql(") SELECT coalesce(sum(found.n) > (SELECT n FROM few), false)");
    arm.combinations(many, |each| {
        let each = each.sql("SELECT count(*) AS n FROM (SELECT 1 FROM leads");
        bounded(&arm, each).sql(" LIMIT (SELECT n + 1 FROM few)) newest")
    })
}

/// The rows of an arm, read from the bound that it has: an index scan of PostgreSQL stops at the other
/// one only when it has read all rows with the same choices.
fn bounded<ST>(arm: &Arm, each: Sql<ST>) -> Sql<ST> {
    let descending = arm.after.is_none();
    arm.order(arm.within(each, descending), descending)
}

fn limit(most: usize) -> Value {
    Value::BigInt(i64::try_from(most).unwrap_or(i64::MAX))
}

/// The conditions of the filter that are checked row by row, except for those of [`few`].
fn checked(filter: &LeadFilter) -> Conditions {
    let mut checked = restrictions(filter, &choices(filter));
    filter.words.iter().for_each(|word| checked.add_word(word));
    checked
}

/// The conditions of the filter, except for the words and those of [`few`].
fn restrictions(filter: &LeadFilter, choices: &[Option<Choice>; 3]) -> Conditions {
    let mut conditions = of_choices_and_times(filter, choices);
    conditions.add_all(&unowned(filter));
    match (filter.owner, filter.due) {
        (Some(LeadOwner::Staff(_)), Some(due)) => {
            conditions.add("next_step_at <= ", Value::time(due), "");
        }
        (Some(LeadOwner::Somebody), Some(_)) => conditions.add_sql("owner_id IS NOT NULL"),
        _ => {}
    }
    conditions
}

/// The condition that nobody owns a lead, if the filter wants that.
fn unowned(filter: &LeadFilter) -> Conditions {
    let mut unowned = Conditions::default();
    if filter.owner == Some(LeadOwner::Nobody) {
        unowned.add_sql("owner_id IS NULL");
    }
    unowned
}

/// The conditions on status, source, category and the time of creation.
fn of_choices_and_times(filter: &LeadFilter, choices: &[Option<Choice>; 3]) -> Conditions {
    let mut conditions = Conditions::default();
    for choice in choices.iter().flatten() {
        conditions.add_choice(choice.column, &choice.words);
    }
    conditions.add_all(&bounds(filter));
    conditions
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
    from: Option<Beyond<'_>>,
) -> Vec<Arm> {
    let arm = arm(filter, choices, by);
    let Some(Beyond { position, below }) = from else {
        return vec![arm];
    };
    let [SortValue::Word(status), SortValue::Time(at)] = position.values.as_slice() else {
        return vec![Arm { from: Some(Value::of_position(position)), ..arm }];
    };
    // Part of the position's status, and all of the statuses beyond it.
    let of = |is_wanted: &dyn Fn(&str) -> bool| {
        let mut arm = arm.clone();
        let statuses = arm.choices.iter_mut().filter(|choice| choice.column == "status");
        statuses.for_each(|choice| choice.words.retain(|word| is_wanted(word)));
        arm
    };
    let mut same = of(&|word| word == *status);
    same.from = (!filter.begins_beyond(*at, below))
        .then(|| vec![Value::time(*at), Value::BigInt(position.id)]);
    let is_beyond = |word: &str| if below { word < *status } else { word > *status };
    vec![same, of(&is_beyond)]
}

fn arm(filter: &LeadFilter, choices: &[Option<Choice>; 3], by: LeadSort) -> Arm {
    let [status, source, category] = choices;
    let is_in_time = is_in_time(by);
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
        // Such a list is never merged.
        LeadSort::NextStepAt => (&["next_step_at", "id"], "'-infinity'::timestamptz"),
    };
    let bound = |bound: Option<DateTime<Utc>>| bound.filter(|_| is_in_time).map(Value::time);
    let (after, before) = (bound(filter.created_after), bound(filter.created_before));
    let begin = match by {
        _ if is_own => Begin::Column,
        LeadSort::CreatedAt | LeadSort::Status => Begin::Texts(" || ' created'"),
        LeadSort::UpdatedAt => Begin::Texts(" || ' updated'"),
        LeadSort::FullName => Begin::Texts(" || ' name'"),
        LeadSort::CompanyName => Begin::Texts(" || ' company'"),
        LeadSort::NextStepAt => Begin::Column,
    };
    Arm { choices, begin, tail, least, from: None, after, before }
}

fn every_status() -> Choice {
    choice("status", LeadStatus::ALL.iter().map(|one| one.as_str()).collect())
}

/// All matching rows, found by the trigram index, or by the index of choices and times.
fn gathered(filter: &LeadFilter, choices: &[Option<Choice>; 3]) -> Way {
    let (words, none) = (filter.words.as_slice(), Conditions::default());
    if words.iter().any(|word| is_indexed(word)) {
        return Way::gathered(words, None, none, &restrictions(filter, choices));
    }
    if choices.iter().any(Option::is_some) {
        let arm = arm(filter, choices, LeadSort::CreatedAt);
        return Way::gathered(words, Some(arm), none, &unowned(filter));
    }
    Way::gathered(words, None, bounds(filter), &unowned(filter))
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
        LeadSort::NextStepAt => &["next_step_at", "id"],
    })
}
