//! The index parts that a list of leads is merged from.

use diesel::prelude::*;
use diesel::sql_types::Text;
use exit3_domain::leads::{LeadFilter, LeadOwner, LeadSort, LeadStatus};

use crate::merge::{Arm, Equal};
use crate::sql::Sql;
use crate::window::Access;

/// A status, a source and a category.
type Combination = (String, String, String);

/// The number of possible combinations.
const MOST_PARTS: usize = 216;
/// The most values in a statement; SQLite accepts 32,766.
const MOST_VALUES: usize = 20_000;

/// The index parts in the requested order or, if the rows will be sorted anyway, in the order of
/// time, so that bounds on the time can use the index.
pub(super) fn arms(
    connection: &mut SqliteConnection,
    filter: &LeadFilter,
    access: Access,
    by: LeadSort,
) -> QueryResult<Vec<Arm>> {
    if let Some(arm) = own(filter) {
        // No value at all is no condition for SQLite, which then refuses a partial index.
        let is_nothing = chosen(filter).iter().any(|(_, words)| words.is_empty());
        return Ok(if is_nothing { Vec::new() } else { vec![arm] });
    }
    let is_sorted = access == Access::Sorted;
    let by = if is_sorted { LeadSort::CreatedAt } else { by };
    let mut chosen = chosen(filter);
    // If every part repeated so many words, there would be too many values: use one part instead.
    if filter.words.len().saturating_mul(MOST_PARTS) > MOST_VALUES {
        chosen.clear();
    }
    Ok(match chosen.as_slice() {
        [] if is_sorted && !filter.is_bounded() => vec![Arm::all(" NOT INDEXED")],
        // One part for each status, so that bounds on the time can use the index.
        [] if by == LeadSort::Status && filter.is_bounded() => {
            LeadStatus::ALL.iter().map(|status| of_one("status", status.as_str())).collect()
        }
        [] => vec![Arm::all(match by {
            LeadSort::CreatedAt => " INDEXED BY leads_by_created_at",
            LeadSort::UpdatedAt => " INDEXED BY leads_by_updated_at",
            LeadSort::FullName => " INDEXED BY leads_by_full_name",
            LeadSort::CompanyName => " INDEXED BY leads_by_company_name",
            LeadSort::Status => " INDEXED BY leads_by_status",
            LeadSort::NextStepAt => NEXT_STEP,
        })],
        [(column, words)]
            if by == LeadSort::CreatedAt || (by == LeadSort::Status && *column == "status") =>
        {
            words.iter().map(|word| of_one(column, word)).collect()
        }
        _ => combinations(connection, filter)?.iter().map(|one| of_all(one, by)).collect(),
    })
}

const NEXT_STEP: &str = " INDEXED BY leads_by_next_step";

/// The part of an index that has only leads with an owner, or only leads with a next step, if the
/// filter selects such leads. They are few.
pub(super) fn own(filter: &LeadFilter) -> Option<Arm> {
    let of_owners =
        Arm { covers: &["owner_id", "created_at", "id"], ..Arm::all(" INDEXED BY leads_by_owner") };
    match filter.owner {
        Some(LeadOwner::Staff(id)) => {
            let equal = vec![("owner_id", Equal::Int(id.0))];
            Some(Arm { equal, ..of_owners })
        }
        _ if filter.due.is_some() => {
            Some(Arm { covers: &["next_step_at", "id"], ..Arm::all(NEXT_STEP) })
        }
        Some(LeadOwner::Somebody) => Some(of_owners),
        Some(LeadOwner::Nobody) | None => None,
    }
}

/// The existing combinations that the filter allows.
fn combinations(
    connection: &mut SqliteConnection,
    filter: &LeadFilter,
) -> QueryResult<Vec<Combination>> {
    let mut select = Sql::<(Text, Text, Text)>::new(
        "SELECT status, source, category FROM lead_counts WHERE n > 0",
    );
    choices(&mut select, filter);
    select.uncached();
    select.load(connection)
}

fn of_one(column: &'static str, word: &str) -> Arm {
    let index = match column {
        "status" => " INDEXED BY leads_by_status",
        "source" => " INDEXED BY leads_by_source",
        _ => " INDEXED BY leads_by_category",
    };
    Arm { equal: vec![(column, Equal::Text(word.to_owned()))], ..Arm::all(index) }
}

fn of_all((status, source, category): &Combination, by: LeadSort) -> Arm {
    let index = match by {
        LeadSort::CreatedAt | LeadSort::Status => " INDEXED BY leads_by_choices_created_at",
        LeadSort::UpdatedAt => " INDEXED BY leads_by_choices_updated_at",
        LeadSort::FullName => " INDEXED BY leads_by_choices_full_name",
        LeadSort::CompanyName => " INDEXED BY leads_by_choices_company_name",
        // Such a list has a part of its own.
        LeadSort::NextStepAt => NEXT_STEP,
    };
    let equal = [("status", status), ("source", source), ("category", category)];
    let equal = equal.map(|(column, word)| (column, Equal::Text(word.clone()))).to_vec();
    Arm { equal, ..Arm::all(index) }
}

/// Whether the filter restricts status, source or category.
pub(super) fn is_chosen(filter: &LeadFilter) -> bool {
    !chosen(filter).is_empty()
}

/// The restricted columns with their allowed words.
fn chosen(filter: &LeadFilter) -> Vec<(&'static str, Vec<&'static str>)> {
    let columns = ["status", "source", "category"].into_iter().zip(filter.choices());
    columns.filter_map(|(column, words)| Some((column, words?))).collect()
}

/// Adds the conditions on status, source and category.
pub(in crate::leads) fn choices<ST>(select: &mut Sql<ST>, filter: &LeadFilter) {
    for (column, words) in chosen(filter) {
        select.sql(" AND ").sql(column).sql(" IN (");
        for (place, word) in words.into_iter().enumerate() {
            select.sql(if place == 0 { "" } else { ", " }).text(word);
        }
        select.sql(")");
    }
}
