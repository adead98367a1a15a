//! Rows of the table `leads`.

use chrono::{DateTime, Utc};
use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};
use diesel::sql_types::BigInt;
use exit3_domain::leads::{Lead, LeadCategory, LeadId, LeadSource, LeadStatus, LeadWork, NewLead};
use exit3_domain::staff::StaffId;

use super::create::Row;
use crate::sql::{Sql, Value};
use crate::word::Word;

diesel::table! {
    leads (id) {
        id -> BigInt,
        full_name -> Text,
        position -> Text,
        company_name -> Nullable<Text>,
        phone_number -> Nullable<Text>,
        email -> Nullable<Text>,
        source -> Text,
        status -> Text,
        notes -> Nullable<Text>,
        category -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        search_document -> Text,
        owner_id -> Nullable<BigInt>,
        next_step -> Nullable<Text>,
        next_step_at -> Nullable<Timestamptz>,
    }
}

/// The types of the columns of [`LeadRow`].
pub(super) type LeadColumns = SqlTypeOf<AsSelect<LeadRow, Pg>>;

/// The columns themselves, for statements that are written by hand.
pub(super) const COLUMNS: &str = "id, full_name, \"position\", company_name, phone_number, email, \
    source, status, notes, category, created_at, updated_at, owner_id, next_step, next_step_at";

/// A lead as it is read.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = leads)]
pub(super) struct LeadRow {
    id: i64,
    full_name: String,
    position: String,
    company_name: Option<String>,
    phone_number: Option<String>,
    email: Option<String>,
    source: Word<LeadSource>,
    status: Word<LeadStatus>,
    notes: Option<String>,
    category: Word<LeadCategory>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    owner_id: Option<i64>,
    next_step: Option<String>,
    next_step_at: Option<DateTime<Utc>>,
}

impl From<LeadRow> for Lead {
    fn from(row: LeadRow) -> Self {
        // Without `..`, here and below, so that no new column can be forgotten.
        let LeadRow {
            id,
            full_name,
            position,
            company_name,
            phone_number,
            email,
            source,
            status,
            notes,
            category,
            created_at,
            updated_at,
            owner_id,
            next_step,
            next_step_at,
        } = row;
        let details = NewLead {
            full_name,
            position,
            company_name,
            phone_number,
            email,
            source: source.0,
            status: status.0,
            notes,
            category: category.0,
        };
        let work = LeadWork { owner: owner_id.map(StaffId), next_step, next_step_at };
        Self { id: LeadId(id), details, work, created_at, updated_at }
    }
}

/// The columns that a client decides about, and those computed from them. Missing values are
/// written as `NULL`, so the statement is always the same.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = leads, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct DetailsRow<'a> {
    full_name: &'a str,
    position: &'a str,
    company_name: Option<&'a str>,
    phone_number: Option<&'a str>,
    email: Option<&'a str>,
    source: &'static str,
    status: &'static str,
    notes: Option<&'a str>,
    category: &'static str,
    search_document: &'a str,
}

impl<'a> DetailsRow<'a> {
    pub(super) fn of(lead: &'a NewLead, search_document: &'a str) -> Self {
        let NewLead {
            full_name,
            position,
            company_name,
            phone_number,
            email,
            source,
            status,
            notes,
            category,
        } = lead;
        Self {
            full_name,
            position,
            company_name: company_name.as_deref(),
            phone_number: phone_number.as_deref(),
            email: email.as_deref(),
            source: source.as_str(),
            status: status.as_str(),
            notes: notes.as_deref(),
            category: category.as_str(),
            search_document,
        }
    }
}

/// The columns of the work on a lead. Creates by the API do not write them.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = leads, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct WorkRow<'a> {
    owner_id: Option<i64>,
    next_step: Option<&'a str>,
    next_step_at: Option<DateTime<Utc>>,
}

impl<'a> WorkRow<'a> {
    pub(super) fn of(work: &'a LeadWork) -> Self {
        let LeadWork { owner, next_step, next_step_at } = work;
        Self {
            owner_id: owner.map(|id| id.0),
            next_step: next_step.as_deref(),
            next_step_at: *next_step_at,
        }
    }
}

/// The columns of many leads, each as an array.
#[derive(Default)]
struct Arrays {
    full_name: Vec<Option<String>>,
    position: Vec<Option<String>>,
    company_name: Vec<Option<String>>,
    phone_number: Vec<Option<String>>,
    email: Vec<Option<String>>,
    source: Vec<&'static str>,
    status: Vec<&'static str>,
    notes: Vec<Option<String>>,
    category: Vec<&'static str>,
    search_document: Vec<Option<String>>,
    created_at: Vec<DateTime<Utc>>,
}

impl Arrays {
    fn add(&mut self, lead: &NewLead, created_at: DateTime<Utc>) {
        let document = lead.search_document();
        let DetailsRow {
            full_name,
            position,
            company_name,
            phone_number,
            email,
            source,
            status,
            notes,
            category,
            search_document,
        } = DetailsRow::of(lead, &document);
        let text = |text: &str| Some(text.to_owned());
        self.full_name.push(text(full_name));
        self.position.push(text(position));
        self.company_name.push(company_name.and_then(text));
        self.phone_number.push(phone_number.and_then(text));
        self.email.push(email.and_then(text));
        self.source.push(source);
        self.status.push(status);
        self.notes.push(notes.and_then(text));
        self.category.push(category);
        self.search_document.push(text(search_document));
        self.created_at.push(created_at);
    }

    /// Each column and its values.
    fn columns(self) -> [(&'static str, Value); 11] {
        let Self {
            full_name,
            position,
            company_name,
            phone_number,
            email,
            source,
            status,
            notes,
            category,
            search_document,
            created_at,
        } = self;
        [
            ("full_name", Value::Texts(full_name)),
            ("\"position\"", Value::Texts(position)),
            ("company_name", Value::Texts(company_name)),
            ("phone_number", Value::Texts(phone_number)),
            ("email", Value::Texts(email)),
            ("source", Value::Words(source)),
            ("status", Value::Words(status)),
            ("notes", Value::Texts(notes)),
            ("category", Value::Words(category)),
            ("search_document", Value::Texts(search_document)),
            ("created_at", Value::Times(created_at)),
        ]
    }
}

/// The statement that stores many leads, each with the time of its creation, and returns their ids.
pub(super) fn insert_many(leads: &[(NewLead, DateTime<Utc>)]) -> Sql<BigInt> {
    insert(None, leads.iter().map(|(lead, at)| (lead, *at))).sql(" RETURNING id")
}

/// The statement that stores a group of leads and returns them. It is the same for every number of
/// leads, so it stays prepared.
pub(super) fn insert_group(rows: &[&Row]) -> Sql<LeadColumns> {
    let ids = rows.iter().map(|row| row.id.map(|id| id.0)).collect();
    let leads = rows.iter().map(|row| (&row.lead, row.act.at));
    insert(ids, leads).sql(" ORDER BY n RETURNING ").sql(COLUMNS)
}

/// Without ids, the database assigns them.
fn insert<'a, ST>(
    ids: Option<Vec<i64>>,
    leads: impl Iterator<Item = (&'a NewLead, DateTime<Utc>)>,
) -> Sql<ST> {
    let mut arrays = Arrays::default();
    for (lead, created_at) in leads {
        arrays.add(lead, created_at);
    }
    let ids = ids.map(|ids| ("id", Value::BigInts(ids)));
    let (names, values): (Vec<_>, Vec<_>) = arrays.columns().into_iter().chain(ids).unzip();
    let insert = Sql::cached("INSERT INTO leads (");
    let mut insert = insert.names(&names).sql(", updated_at) SELECT ").names(&names);
    insert = insert.sql(", created_at FROM unnest(");
    for (number, value) in values.into_iter().enumerate() {
        insert = insert.sql(if number == 0 { "" } else { ", " }).value(value);
    }
    insert.sql(") WITH ORDINALITY AS given (").names(&names).sql(", n)")
}
