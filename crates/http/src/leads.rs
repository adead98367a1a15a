//! `/leads/`

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod update;

use chrono::{DateTime, SecondsFormat, Utc};
use exit3_domain::leads::{Lead, LeadCategory, LeadId, LeadInput, LeadSource, LeadStatus, NewLead};
use exit3_domain::raw::RawValue;
use exit3_web::{ApiError, error::Absent};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

const LEAD: Absent = Absent("Lead");

/// A lead as the API shows it.
#[derive(Serialize, ToSchema)]
#[schema(as = Lead)]
#[allow(missing_docs, reason = "the fields are those of `Lead`")]
pub(crate) struct LeadResponse {
    #[schema(example = 1)]
    pub id: i64,
    #[schema(example = "Ana Horvat", max_length = 255)]
    pub full_name: String,
    #[schema(example = "CTO", max_length = 255)]
    pub position: String,
    #[schema(example = "Acme d.o.o.", max_length = 255, required = true)]
    pub company_name: Option<String>,
    #[schema(example = "+385911234567", max_length = 20, required = true)]
    pub phone_number: Option<String>,
    #[schema(example = "ana@acme.hr", max_length = 254, required = true)]
    pub email: Option<String>,
    #[schema(schema_with = source_words)]
    pub source: &'static str,
    #[schema(schema_with = status_words)]
    pub status: &'static str,
    #[schema(example = "Asks for an offer", required = true)]
    pub notes: Option<String>,
    #[serde(serialize_with = "microseconds")]
    pub created_at: DateTime<Utc>,
    #[serde(serialize_with = "microseconds")]
    pub updated_at: DateTime<Utc>,
    #[schema(schema_with = category_words)]
    pub category: &'static str,
}

impl From<Lead> for LeadResponse {
    fn from(lead: Lead) -> Self {
        // Without `..`, so that a new field of a lead cannot be left out of the answer.
        let Lead { id, details, created_at, updated_at } = lead;
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
        } = details;
        Self {
            id: id.0,
            full_name,
            position,
            company_name,
            phone_number,
            email,
            source: source.as_str(),
            status: status.as_str(),
            notes,
            created_at,
            updated_at,
            category: category.as_str(),
        }
    }
}

/// A part of the list of leads.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes an answer")]
pub(crate) struct LeadList {
    /// How many there are in all; not given when walking by cursor.
    count: Option<u64>,
    /// The address of what follows.
    #[schema(required = true)]
    next: Option<String>,
    /// The address of what precedes.
    #[schema(required = true)]
    previous: Option<String>,
    results: Vec<LeadResponse>,
}

fn words(words: impl IntoIterator<Item = String>) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build().into()
}

/// The words of a lead's source.
fn source_words() -> RefOr<Schema> {
    words(LeadSource::ALL.iter().map(ToString::to_string))
}

/// The words of a lead's status.
fn status_words() -> RefOr<Schema> {
    words(LeadStatus::ALL.iter().map(ToString::to_string))
}

/// The words of a lead's category.
fn category_words() -> RefOr<Schema> {
    words(LeadCategory::ALL.iter().map(ToString::to_string))
}

fn microseconds<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true))
}

fn input(fields: Vec<(String, RawValue)>) -> LeadInput {
    let mut input = LeadInput::default();
    for (name, value) in fields {
        input.set(&name, value);
    }
    input
}

fn id(text: &str) -> Result<LeadId, ApiError> {
    exit3_web::path::id(text).map(LeadId)
}
