//! Lists of clients.

use diesel::sql_types::BigInt;
use exit3_domain::clients::{ClientFilter, ClientOrder, ClientSort, ClientTotals, MoneyTotal};
use exit3_ports::StoreError;

use super::row::COLUMNS;
use crate::listing::{Beyond, Key, Listing};
use crate::lists::Lists;
use crate::sql::{Conditions, Sql, Value};

/// The search document of the lead of a row of `clients`.
const OF_LEAD: &str = "(SELECT leads.search_document FROM leads WHERE leads.id = lead_id)";

/// Describes the list.
pub(super) fn listing(
    filter: &ClientFilter,
    order: ClientOrder,
    from: Option<Beyond<'_>>,
) -> Listing {
    Listing::all("clients", COLUMNS, key(order.by), order.descending, from)
        .matching(conditions(filter), &[])
}

fn key(by: ClientSort) -> Key {
    Key(match by {
        ClientSort::Id => &["id"],
        ClientSort::TeamId => &["team_id", "id"],
        ClientSort::MonthlyCharge => &["coalesce(monthly_charge, 0)", "id"],
        ClientSort::OneTimeCharge => &["coalesce(one_time_charge, 0)", "id"],
    })
}

fn conditions(filter: &ClientFilter) -> Conditions {
    let ClientFilter { categories: _, team_id, lead, has_contract, words } = filter;
    let mut conditions = Conditions::default();
    if let Some(categories) = filter.category_words() {
        conditions.add_choice("category", &categories);
    }
    match team_id {
        // Stored texts contain no NUL, and PostgreSQL refuses it as a parameter.
        Some(team) if team.contains('\0') => conditions.add_sql("false"),
        Some(team) => conditions.add("team_id = ", Value::Text(Some(team.clone())), ""),
        None => {}
    }
    if let Some(lead) = lead {
        conditions.add("lead_id = ", Value::BigInt(lead.0), "");
    }
    match has_contract {
        Some(true) => conditions.add_sql("contract_file <> ''"),
        Some(false) => conditions.add_sql("coalesce(contract_file, '') = ''"),
        None => {}
    }
    words.iter().for_each(|word| conditions.add_word_in(&["search_document", OF_LEAD], word));
    conditions
}

/// Adds up what the matching clients pay.
pub(super) async fn totals(
    lists: &Lists,
    filter: &ClientFilter,
) -> Result<ClientTotals, StoreError> {
    let query = Sql::<(BigInt, BigInt, BigInt)>::planned(
        "SELECT count(*), coalesce(sum(monthly_charge), 0)::bigint, \
         coalesce(sum(one_time_charge), 0)::bigint FROM clients",
    );
    let rows: Vec<(i64, i64, i64)> = lists.load(&query.all_of(&conditions(filter))).await?;
    let (count, monthly, one_time) = rows.first().copied().unwrap_or_default();
    Ok(ClientTotals {
        count: count.unsigned_abs(),
        monthly: MoneyTotal(monthly),
        one_time: MoneyTotal(one_time),
    })
}
