//! How lists of clients are read.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use exit3_domain::clients::{Client, ClientFilter, ClientSort, ClientTotals, MoneyTotal};
use exit3_ports::StoreError;

use super::row::{COLUMNS, ClientRow, ClientTypes};
use crate::listing::Indexed;
use crate::sql::Sql;
use crate::store::SqliteStore;

impl Indexed for ClientFilter {
    type Sort = ClientSort;
    type Row = ClientRow;
    type Types = ClientTypes;

    const TABLE: &'static str = "clients";
    const COLUMNS: &'static str = COLUMNS;

    fn key(by: ClientSort) -> &'static [&'static str] {
        match by {
            ClientSort::Id => &["id"],
            ClientSort::TeamId => &["team_id", "id"],
            ClientSort::MonthlyCharge => &["coalesce(monthly_charge, 0)", "id"],
            ClientSort::OneTimeCharge => &["coalesce(one_time_charge, 0)", "id"],
        }
    }

    fn read(row: ClientRow) -> Result<Client, StoreError> {
        row.try_into()
    }

    fn words(&self) -> &[String] {
        &self.words
    }

    fn conditions<ST>(&self, select: &mut Sql<ST>) {
        let Self { categories: _, team_id, lead, has_contract, words } = self;
        if let Some(categories) = self.category_words() {
            select.sql(" AND category IN (");
            for (place, category) in categories.into_iter().enumerate() {
                select.sql(if place == 0 { "" } else { ", " }).text(category);
            }
            select.sql(")");
        }
        if let Some(team) = team_id {
            select.sql(" AND team_id = ").text(team);
        }
        if let Some(lead) = lead {
            select.sql(" AND lead_id = ").int(lead.0);
        }
        if let Some(has_contract) = has_contract {
            select.sql(" AND (coalesce(contract_file, '') <> '') = ").int((*has_contract).into());
        }
        for word in words {
            select.sql(" AND (instr(search_document, ").text(word);
            select.sql(") > 0 OR instr((SELECT leads.search_document FROM leads WHERE leads.id = lead_id), ");
            select.text(word).sql(") > 0)");
        }
        if !words.is_empty() {
            select.sql(" AND in_time()");
        }
    }

    fn is_common(&self) -> bool {
        *self == Self::default()
    }
}

/// Adds up what the matching clients pay.
pub(super) async fn totals(
    store: &SqliteStore,
    filter: &ClientFilter,
) -> Result<ClientTotals, StoreError> {
    let mut select = Sql::<(BigInt, BigInt, BigInt)>::new(
        "SELECT count(*), coalesce(sum(monthly_charge), 0), coalesce(sum(one_time_charge), 0) \
         FROM clients WHERE 1",
    );
    filter.conditions(&mut select);
    select.uncached();
    let add = move |connection: &mut SqliteConnection| select.get_result(connection);
    let (count, monthly, one_time): (i64, i64, i64) = store.read(add).await?;
    Ok(ClientTotals {
        count: count.unsigned_abs(),
        monthly: MoneyTotal(monthly),
        one_time: MoneyTotal(one_time),
    })
}
