//! Parameters of queries and paths. Those that cannot be wrong are plain texts.

use exit3_domain::leads::{LeadCategory, LeadSort, LeadSource, LeadStatus};
use exit3_domain::subscribers::SubscriberSort;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};

/// Gives parameters the description of a schema that was written by hand, which
/// utoipa leaves where the readers of the document do not look.
pub(crate) fn describe(document: &mut Value) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let items = paths.into_iter().flat_map(|paths| paths.values_mut());
    let operations = items.filter_map(Value::as_object_mut).flat_map(|item| item.values_mut());
    let parameters = operations
        .filter_map(|operation| operation.get_mut("parameters")?.as_array_mut())
        .flatten()
        .filter_map(Value::as_object_mut);
    for parameter in parameters {
        let schema = parameter.get_mut("schema").and_then(Value::as_object_mut);
        if let Some(description) = schema.and_then(|schema| schema.remove("description")) {
            parameter.insert("description".to_owned(), description);
        }
    }
}

/// How the document itself is asked for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes a parameter")]
pub(crate) struct SchemaQuery {
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

/// What a list must have.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "describes a parameter")]
pub(crate) struct SeenHeader {
    /// That of an earlier answer: the list has whatever was written, or seen, by then.
    #[param(rename = "Consistency-Token")]
    consistency_token: Option<String>,
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
    #[param(style = Form, explode, schema_with = statuses)]
    status: Option<Vec<String>>,
    #[param(style = Form, explode, schema_with = sources)]
    source: Option<Vec<String>>,
    #[param(style = Form, explode, schema_with = categories)]
    category: Option<Vec<String>>,
    #[param(schema_with = created_after)]
    created_after: Option<String>,
    #[param(schema_with = created_before)]
    created_before: Option<String>,
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
    #[param(schema_with = subscriber_ordering)]
    ordering: Option<String>,
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn one_of(description: &str, words: impl IntoIterator<Item = String>) -> RefOr<Schema> {
    // What is left empty counts as not given.
    let words = words.into_iter().chain([String::new()]);
    text().enum_values(Some(words)).description(Some(description)).build().into()
}

fn schema_format() -> RefOr<Schema> {
    let description = "What it is written in; what the client accepts decides unless given.";
    one_of(description, ["json", "yaml"].map(str::to_owned))
}

fn order<'a>(sorts: impl Iterator<Item = &'a str>) -> RefOr<Schema> {
    let sorts = sorts.flat_map(|sort| [sort.to_owned(), format!("-{sort}")]);
    one_of("The order, descending with `-`; newest first unless given.", sorts)
}

fn lead_ordering() -> RefOr<Schema> {
    order(LeadSort::ALL.iter().map(|sort| sort.as_str()))
}

fn subscriber_ordering() -> RefOr<Schema> {
    order(SubscriberSort::ALL.iter().map(|sort| sort.as_str()))
}

fn any_of<'a>(words: impl Iterator<Item = &'a str>) -> RefOr<Schema> {
    let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    let description = format!(
        "Any of {}; repeated, or separated by commas. Another word matches nothing.",
        words.join(", ")
    );
    ArrayBuilder::new().items(text()).description(Some(description)).build().into()
}

fn statuses() -> RefOr<Schema> {
    any_of(LeadStatus::ALL.iter().map(|word| word.as_str()))
}

fn sources() -> RefOr<Schema> {
    any_of(LeadSource::ALL.iter().map(|word| word.as_str()))
}

fn categories() -> RefOr<Schema> {
    any_of(LeadCategory::ALL.iter().map(|word| word.as_str()))
}

fn time(description: &str) -> RefOr<Schema> {
    // Without a format: generated clients would take dates for times, or the other way.
    text().description(Some(description)).build().into()
}

fn created_after() -> RefOr<Schema> {
    time(
        "Stored at this time or later; a date stands for its first moment. \
         ISO 8601; in UTC where no zone is given.",
    )
}

fn created_before() -> RefOr<Schema> {
    time(
        "Stored before this time; a date stands for its first moment. \
         ISO 8601; in UTC where no zone is given.",
    )
}
