//! The OpenAPI document, made from the code: routes and answers come from the
//! handlers' annotations, words and limits of requests from the domain, and
//! what all routes have in common is added once, here.

mod common;
mod deprecated;
mod headers;
mod patterns;
mod requests;

use serde_json::Value;
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{RefOr, security::SecurityScheme};
use utoipa::{IntoParams, Modify, OpenApi, ToSchema};

use crate::leads::LeadResponse;
use crate::subscribers::SubscriberResponse;

pub(crate) use deprecated::successor;

/// The whole document.
pub(crate) fn document() -> Value {
    // utoipa's own types always serialize; an empty document would fail every test.
    let mut document = serde_json::to_value(Annotations::openapi()).unwrap_or_default();
    requests::describe(&mut document);
    common::describe(&mut document);
    deprecated::describe(&mut document);
    headers::describe(&mut document);
    document
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Exit Three API",
        description = "Leads from the website's contact forms, and newsletter sign-ups.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    paths(
        crate::leads::list::list,
        crate::leads::create::create,
        crate::leads::get::get,
        crate::leads::update::replace,
        crate::leads::update::change,
        crate::leads::delete::delete,
        crate::subscribers::list::list,
        crate::subscribers::create::create,
        crate::subscribers::get::get,
        crate::subscribers::update::replace,
        crate::subscribers::update::change,
        crate::subscribers::delete::delete,
        crate::docs::schema,
        crate::docs::swagger,
        crate::docs::redoc,
        crate::health::health,
        crate::health::live,
        crate::health::ready,
    ),
    tags(
        (name = "leads", description = "People who asked for an offer."),
        (name = "newsletter", description = "Newsletter subscribers."),
        (name = "service", description = "The service itself.")
    ),
    modifiers(&Keys)
)]
struct Annotations;

struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme};
        let components = document.components.get_or_insert_default();
        let bearer = Http::builder()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The key by itself."))
            .build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let basic =
            ApiKeyValue::with_description("Authorization", "`Basic ` and the key, not encoded.");
        components.add_security_scheme("basic", SecurityScheme::ApiKey(ApiKey::Header(basic)));
    }
}

/// Schemas that [`requests`] writes out in full, by reference.
macro_rules! written_out {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {
        $($(#[$meta])* #[derive(ToSchema)] pub(crate) struct $name {})+

        #[cfg(test)]
        const WRITTEN_OUT: &[&str] = &[$(stringify!($name)),+];
    };
}

written_out! {
    /// A whole lead in JSON.
    LeadCreate,
    /// Some fields of a lead in JSON.
    LeadUpdate,
    /// A whole lead in a form.
    LeadForm,
    /// Some fields of a lead in a form.
    LeadUpdateForm,
    /// A whole subscription in JSON.
    SubscriberCreate,
    /// Some fields of a subscription in JSON.
    SubscriberUpdate,
    /// A whole subscription in a form.
    SubscriberForm,
    /// Some fields of a subscription in a form.
    SubscriberUpdateForm,
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

/// A part of the list of subscribers.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes an answer")]
pub(crate) struct SubscriberList {
    /// How many there are in all; not given when walking by cursor.
    count: Option<u64>,
    /// The address of what follows.
    #[schema(required = true)]
    next: Option<String>,
    /// The address of what precedes.
    #[schema(required = true)]
    previous: Option<String>,
    results: Vec<SubscriberResponse>,
}

/// How the document itself is asked for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes a parameter")]
pub(crate) struct SchemaQuery {
    /// What it is written in; what the client accepts decides unless given.
    #[param(schema_with = schema_format)]
    format: Option<String>,
}

/// The id in a path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "describes a parameter")]
pub(crate) struct IdPath {
    /// The id.
    id: i64,
}

/// Parameters that every list takes. Those that cannot be wrong are texts.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes parameters")]
pub(crate) struct ListQuery {
    /// The page, counted from 1, or `last`.
    page: Option<String>,
    /// Rows on a page: 50 unless given, 200 at most.
    page_size: Option<String>,
    /// Empty to begin a walk by cursor; later ones come in `next` and `previous`.
    #[param(pattern = "^[A-Za-z0-9_-]*$")]
    cursor: Option<String>,
    /// Words that must all occur, in any case; 200 at most.
    #[param(pattern = r"^[^\x00]*$")]
    search: Option<String>,
}

/// Parameters of the list of leads.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes parameters")]
pub(crate) struct LeadListQuery {
    /// Any of these statuses; one that does not exist matches nothing.
    #[param(style = Form, explode)]
    status: Option<Vec<String>>,
    /// Any of these sources.
    #[param(style = Form, explode)]
    source: Option<Vec<String>>,
    /// Any of these categories.
    #[param(style = Form, explode)]
    category: Option<Vec<String>>,
    /// Stored at this time or later; a date stands for its first moment in UTC.
    #[param(schema_with = time)]
    created_after: Option<String>,
    /// Stored before this time; a date stands for its first moment in UTC.
    #[param(schema_with = time)]
    created_before: Option<String>,
    /// The order; newest first unless given.
    #[param(schema_with = lead_ordering)]
    ordering: Option<String>,
}

/// Parameters of the list of subscribers.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes parameters")]
pub(crate) struct SubscriberListQuery {
    /// `true` or `false`; anything else does not restrict.
    is_subscribed: Option<String>,
    /// The order; newest first unless given.
    #[param(schema_with = subscriber_ordering)]
    ordering: Option<String>,
}

fn words(words: impl IntoIterator<Item = String>) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build().into()
}

/// Parameters that are left empty count as not given.
fn orders<'a>(sorts: impl Iterator<Item = &'a str>) -> RefOr<Schema> {
    let sorts = sorts.flat_map(|sort| [sort.to_owned(), format!("-{sort}")]);
    words(sorts.chain([String::new()]))
}

fn schema_format() -> RefOr<Schema> {
    words(["json", "yaml", ""].map(str::to_owned))
}

fn time() -> RefOr<Schema> {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let formats = [KnownFormat::DateTime, KnownFormat::Date];
    let formats = formats.map(|format| text().format(Some(SchemaFormat::KnownFormat(format))));
    let any = formats.into_iter().fold(AnyOfBuilder::new(), AnyOfBuilder::item);
    RefOr::T(Schema::AnyOf(any.item(text().max_length(Some(0))).build()))
}

fn lead_ordering() -> RefOr<Schema> {
    orders(exit3_domain::leads::LeadSort::ALL.iter().map(|sort| sort.as_str()))
}

fn subscriber_ordering() -> RefOr<Schema> {
    orders(exit3_domain::subscribers::SubscriberSort::ALL.iter().map(|sort| sort.as_str()))
}

/// The words of a lead's source.
pub(crate) fn lead_source() -> RefOr<Schema> {
    words(exit3_domain::leads::LeadSource::ALL.iter().map(ToString::to_string))
}

/// The words of a lead's status.
pub(crate) fn lead_status() -> RefOr<Schema> {
    words(exit3_domain::leads::LeadStatus::ALL.iter().map(ToString::to_string))
}

/// The words of a lead's category.
pub(crate) fn lead_category() -> RefOr<Schema> {
    words(exit3_domain::leads::LeadCategory::ALL.iter().map(ToString::to_string))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_that_stands_for_another_is_written_out() {
        let document = document();
        for name in WRITTEN_OUT {
            let schema = &document["components"]["schemas"][name];
            assert!(schema["properties"].as_object().is_some_and(|p| !p.is_empty()), "{name}");
        }
    }

    #[test]
    fn is_of_version_3_1() {
        assert!(document()["openapi"].as_str().unwrap().starts_with("3.1"));
    }
}
