//! Rows of the table `clients`.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::sqlite::Sqlite;
use exit3_domain::clients::{Client, ClientId, Money, NewClient};
use exit3_domain::leads::{LeadCategory, LeadId};
use exit3_ports::StoreError;

use crate::values::{text, unreadable};

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

/// A client as it is read.
#[derive(Queryable, Selectable)]
#[diesel(table_name = clients, check_for_backend(Sqlite))]
pub(crate) struct ClientRow {
    pub(super) id: i64,
    lead_id: Option<i64>,
    team_id: String,
    monthly_charge: Option<i64>,
    one_time_charge: Option<i64>,
    contract_file: Option<String>,
    short_description: String,
    category: String,
}

impl TryFrom<ClientRow> for Client {
    type Error = StoreError;

    fn try_from(row: ClientRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: ClientId(row.id),
            details: NewClient {
                lead: row.lead_id.map(LeadId),
                team_id: row.team_id,
                // The table has the same range, so nothing is lost.
                monthly_charge: row.monthly_charge.and_then(Money::kept),
                one_time_charge: row.one_time_charge.and_then(Money::kept),
                contract_file: row.contract_file,
                short_description: row.short_description,
                category: LeadCategory::from_word(&row.category).ok_or_else(unreadable)?,
            },
        })
    }
}

/// The columns that a caller can set, and the one derived from them.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = clients, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct DetailsRow {
    lead_id: Option<i64>,
    team_id: String,
    monthly_charge: Option<i64>,
    one_time_charge: Option<i64>,
    contract_file: Option<String>,
    short_description: String,
    category: &'static str,
    search_document: String,
}

impl DetailsRow {
    /// An error for a text with a NUL, which PostgreSQL cannot store.
    pub(super) fn of(client: &NewClient) -> Result<Self, StoreError> {
        let NewClient {
            lead,
            team_id,
            monthly_charge,
            one_time_charge,
            contract_file,
            short_description,
            category,
        } = client;
        Ok(Self {
            lead_id: lead.map(|lead| lead.0),
            team_id: text(team_id)?,
            monthly_charge: monthly_charge.map(Money::hundredths),
            one_time_charge: one_time_charge.map(Money::hundredths),
            contract_file: contract_file.as_deref().map(text).transpose()?,
            short_description: text(short_description)?,
            category: category.as_str(),
            search_document: client.search_document(),
        })
    }
}

/// The columns of [`ClientRow`].
pub(super) const COLUMNS: &str = "id, lead_id, team_id, monthly_charge, one_time_charge, \
    contract_file, short_description, category";

/// The SQL types of [`COLUMNS`].
pub(super) type ClientTypes = (
    BigInt,
    Nullable<BigInt>,
    Text,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<Text>,
    Text,
    Text,
);
