//! Rows of the table `leads`.

use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use exit3_domain::leads::{Lead, LeadCategory, LeadId, LeadSource, LeadStatus, LeadWork, NewLead};
use exit3_domain::staff::StaffId;
use exit3_ports::StoreError;

use crate::values::{microseconds, moment, text, unreadable};

diesel::table! {
    leads (id) {
        id -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        status -> Text,
        source -> Text,
        category -> Text,
        full_name -> Text,
        position -> Text,
        company_name -> Nullable<Text>,
        phone_number -> Nullable<Text>,
        email -> Nullable<Text>,
        search_document -> Text,
        notes -> Nullable<Text>,
        owner_id -> Nullable<BigInt>,
        next_step -> Nullable<Text>,
        next_step_at -> Nullable<BigInt>,
    }
}

/// A lead as it is read. The fields are in the order of [`COLUMNS`].
#[derive(Queryable, Selectable)]
#[diesel(table_name = leads, check_for_backend(Sqlite))]
pub(crate) struct LeadRow {
    id: i64,
    created_at: i64,
    updated_at: i64,
    status: String,
    source: String,
    category: String,
    full_name: String,
    position: String,
    company_name: Option<String>,
    phone_number: Option<String>,
    email: Option<String>,
    notes: Option<String>,
    owner_id: Option<i64>,
    next_step: Option<String>,
    next_step_at: Option<i64>,
}

/// The columns of a [`LeadRow`].
pub(super) const COLUMNS: &str = "id, created_at, updated_at, status, source, category, \
    full_name, position, company_name, phone_number, email, notes, owner_id, next_step, next_step_at";

/// The SQL types of [`COLUMNS`].
pub(crate) type LeadTypes = diesel::dsl::SqlTypeOf<diesel::dsl::AsSelect<LeadRow, Sqlite>>;

/// The columns that a client can set, and those derived from them.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = leads, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct DetailsRow {
    status: &'static str,
    source: &'static str,
    category: &'static str,
    full_name: String,
    position: String,
    company_name: Option<String>,
    phone_number: Option<String>,
    email: Option<String>,
    search_document: String,
    notes: Option<String>,
}

impl DetailsRow {
    /// An error for a text with a NUL: SQLite's `length()` would stop there, and PostgreSQL cannot
    /// store it.
    pub(super) fn of(lead: &NewLead) -> Result<Self, StoreError> {
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
        Ok(Self {
            status: status.as_str(),
            source: source.as_str(),
            category: category.as_str(),
            full_name: text(full_name)?,
            position: text(position)?,
            company_name: company_name.as_deref().map(text).transpose()?,
            phone_number: phone_number.as_deref().map(text).transpose()?,
            email: email.as_deref().map(text).transpose()?,
            search_document: lead.search_document(),
            notes: notes.as_deref().map(text).transpose()?,
        })
    }
}

/// The columns of the work on a lead. Creates by the API do not write them.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = leads, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct WorkRow {
    owner_id: Option<i64>,
    next_step: Option<String>,
    next_step_at: Option<i64>,
}

impl WorkRow {
    /// An error for a text with a NUL.
    pub(super) fn of(work: &LeadWork) -> Result<Self, StoreError> {
        let LeadWork { owner, next_step, next_step_at } = work;
        Ok(Self {
            owner_id: owner.map(|id| id.0),
            next_step: next_step.as_deref().map(text).transpose()?,
            next_step_at: next_step_at.map(microseconds),
        })
    }
}

impl TryFrom<LeadRow> for Lead {
    type Error = StoreError;

    fn try_from(row: LeadRow) -> Result<Self, StoreError> {
        // Without `..`, so that no new column can be forgotten.
        let LeadRow {
            id,
            created_at,
            updated_at,
            status,
            source,
            category,
            full_name,
            position,
            company_name,
            phone_number,
            email,
            notes,
            owner_id,
            next_step,
            next_step_at,
        } = row;
        Ok(Self {
            id: LeadId(id),
            details: NewLead {
                full_name,
                position,
                company_name,
                phone_number,
                email,
                source: LeadSource::from_word(&source).ok_or_else(unreadable)?,
                status: LeadStatus::from_word(&status).ok_or_else(unreadable)?,
                notes,
                category: LeadCategory::from_word(&category).ok_or_else(unreadable)?,
            },
            work: LeadWork {
                owner: owner_id.map(StaffId),
                next_step,
                next_step_at: next_step_at.map(moment).transpose()?,
            },
            created_at: moment(created_at)?,
            updated_at: moment(updated_at)?,
        })
    }
}
