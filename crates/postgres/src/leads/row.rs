//! Rows of the table `leads`.

use chrono::{DateTime, Utc};
use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};
use exit3_domain::leads::{Lead, LeadCategory, LeadId, LeadSource, LeadStatus, NewLead};

use crate::schema::leads;
use crate::word::Word;

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
}

impl From<LeadRow> for Lead {
    fn from(row: LeadRow) -> Self {
        Self {
            id: LeadId(row.id),
            details: NewLead {
                full_name: row.full_name,
                position: row.position,
                company_name: row.company_name,
                phone_number: row.phone_number,
                email: row.email,
                source: row.source.0,
                status: row.status.0,
                notes: row.notes,
                category: row.category.0,
            },
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A lead as it is inserted. Missing values are written as `NULL`, so the statement is always the
/// same.
#[derive(Insertable)]
#[diesel(table_name = leads, treat_none_as_default_value = false)]
pub(super) struct LeadInsert<'a> {
    full_name: &'a str,
    position: &'a str,
    company_name: Option<&'a str>,
    phone_number: Option<&'a str>,
    email: Option<&'a str>,
    source: &'static str,
    status: &'static str,
    notes: Option<&'a str>,
    category: &'static str,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    search_document: &'a str,
}

impl<'a> LeadInsert<'a> {
    pub(super) fn new(lead: &'a NewLead, now: DateTime<Utc>, search_document: &'a str) -> Self {
        Self {
            full_name: &lead.full_name,
            position: &lead.position,
            company_name: lead.company_name.as_deref(),
            phone_number: lead.phone_number.as_deref(),
            email: lead.email.as_deref(),
            source: lead.source.as_str(),
            status: lead.status.as_str(),
            notes: lead.notes.as_deref(),
            category: lead.category.as_str(),
            created_at: now,
            updated_at: now,
            search_document,
        }
    }
}

/// The columns that an update changes.
#[derive(AsChangeset)]
#[diesel(table_name = leads, treat_none_as_null = true)]
pub(super) struct LeadChanges<'a> {
    full_name: &'a str,
    position: &'a str,
    company_name: Option<&'a str>,
    phone_number: Option<&'a str>,
    email: Option<&'a str>,
    source: &'static str,
    status: &'static str,
    notes: Option<&'a str>,
    category: &'static str,
    updated_at: DateTime<Utc>,
    search_document: &'a str,
}

impl<'a> LeadChanges<'a> {
    pub(super) fn new(lead: &'a NewLead, now: DateTime<Utc>, search_document: &'a str) -> Self {
        Self {
            full_name: &lead.full_name,
            position: &lead.position,
            company_name: lead.company_name.as_deref(),
            phone_number: lead.phone_number.as_deref(),
            email: lead.email.as_deref(),
            source: lead.source.as_str(),
            status: lead.status.as_str(),
            notes: lead.notes.as_deref(),
            category: lead.category.as_str(),
            updated_at: now,
            search_document,
        }
    }
}
