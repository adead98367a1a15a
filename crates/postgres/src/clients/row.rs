//! Rows of the table `clients`.

use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};
use exit3_domain::clients::{Client, ClientId, Money, NewClient};
use exit3_domain::leads::{LeadCategory, LeadId};

use crate::word::Word;

diesel::table! {
    clients (id) {
        id -> BigInt,
        lead_id -> Nullable<BigInt>,
        team_id -> Text,
        monthly_charge -> Nullable<BigInt>,
        one_time_charge -> Nullable<BigInt>,
        contract_file -> Nullable<Text>,
        short_description -> Text,
        category -> Text,
        search_document -> Nullable<Text>,
    }
}

/// The columns of [`ClientRow`].
pub(super) type ClientColumns = SqlTypeOf<AsSelect<ClientRow, Pg>>;

/// The columns of [`ClientRow`].
pub(super) const COLUMNS: &str = "id, lead_id, team_id, monthly_charge, one_time_charge, \
    contract_file, short_description, category";

/// A client as it is read.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = clients)]
pub(super) struct ClientRow {
    id: i64,
    lead_id: Option<i64>,
    team_id: String,
    monthly_charge: Option<i64>,
    one_time_charge: Option<i64>,
    contract_file: Option<String>,
    short_description: String,
    category: Word<LeadCategory>,
}

impl From<ClientRow> for Client {
    fn from(row: ClientRow) -> Self {
        Self {
            id: ClientId(row.id),
            details: NewClient {
                lead: row.lead_id.map(LeadId),
                team_id: row.team_id,
                // The table has the same range, so nothing is lost.
                monthly_charge: row.monthly_charge.and_then(Money::kept),
                one_time_charge: row.one_time_charge.and_then(Money::kept),
                contract_file: row.contract_file,
                short_description: row.short_description,
                category: row.category.0,
            },
        }
    }
}

/// The columns that a caller can set, and the one derived from them.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = clients, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct DetailsRow<'a> {
    pub(super) lead_id: Option<i64>,
    pub(super) team_id: &'a str,
    pub(super) monthly_charge: Option<i64>,
    pub(super) one_time_charge: Option<i64>,
    pub(super) contract_file: Option<&'a str>,
    pub(super) short_description: &'a str,
    pub(super) category: &'static str,
    pub(super) search_document: &'a str,
}

impl<'a> DetailsRow<'a> {
    pub(super) fn of(client: &'a NewClient, search_document: &'a str) -> Self {
        let NewClient {
            lead,
            team_id,
            monthly_charge,
            one_time_charge,
            contract_file,
            short_description,
            category,
        } = client;
        Self {
            lead_id: lead.map(|lead| lead.0),
            team_id,
            monthly_charge: monthly_charge.map(Money::hundredths),
            one_time_charge: one_time_charge.map(Money::hundredths),
            contract_file: contract_file.as_deref(),
            short_description,
            category: category.as_str(),
            search_document,
        }
    }
}
