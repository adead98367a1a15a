//! Schemas of parameters and choices, for the annotations of handlers. Parameters that accept any value are plain texts.

use exit3_domain::choice::Choice;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};

/// Copies the description of a hand-written schema to its parameter. utoipa puts it into the
/// schema, where viewers of the document do not look.
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
pub struct IdPath {
    /// The id.
    id: i64,
}

/// Which versions of a row may be changed.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "describes a parameter")]
pub struct IfMatchHeader {
    /// The `ETag` of an earlier response, or several: the request succeeds only if the row still
    /// has one of these versions. `*` allows every version.
    #[param(rename = "If-Match", value_type = String, required = false, pattern = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#)]
    if_match: Option<String>,
}

/// Which version of a row the client has.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "describes a parameter")]
pub struct IfNoneMatchHeader {
    /// The `ETag` of an earlier response: if the row still has this version, the response is 304
    /// without a body.
    #[param(rename = "If-None-Match")]
    if_none_match: Option<String>,
}

/// Which versions of a row may not be changed.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "describes a parameter")]
pub struct UnlessMatchHeader {
    /// The `ETag` of an earlier response, or several: the request fails with 412 if the row has one
    /// of these versions. `*` names every version.
    #[param(rename = "If-None-Match", value_type = String, required = false, pattern = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#)]
    if_none_match: Option<String>,
}

/// How a client marks a request that it may send again.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "describes a parameter")]
pub struct OnceHeader {
    /// A text in double quotes that the client has chosen for this request, such as a random UUID.
    /// If the client gets no answer, it sends the same request again with the same key: the row is
    /// created once. The same key with another request is 422.
    #[param(rename = "Idempotency-Key", value_type = String, required = false, pattern = r#"^"[ !#-\[\]-~]{1,255}"$"#)]
    idempotency_key: Option<String>,
}

/// What a client prefers while the database is away.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "describes a parameter")]
pub(crate) struct PreferHeader {
    /// With `respond-async`, the status is 202 if what was sent waits for the database (RFC 7240).
    #[param(rename = "Prefer", value_type = String, required = false, example = "respond-async")]
    prefer: Option<String>,
}

/// What a list must have.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "describes a parameter")]
pub struct SeenHeader {
    /// The token of an earlier response. The list includes everything that was written or shown
    /// by then.
    #[param(rename = "Consistency-Token")]
    consistency_token: Option<String>,
}

/// Parameters that every list takes. Those that cannot be wrong are texts.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes parameters")]
pub struct ListQuery {
    /// The page, counted from 1, or `last`.
    page: Option<String>,
    /// The number of rows on a page: 50 by default, at most 200.
    page_size: Option<String>,
    /// Walks through the list instead of numbering its pages. Leave it empty to begin; `next` and
    /// `previous` contain the cursors that follow.
    #[param(pattern = "^[A-Za-z0-9_-]*$")]
    cursor: Option<String>,
    /// Finds rows that contain all of these words (at most 200), in upper or lower case.
    #[param(pattern = r"^[^\x00]*$")]
    search: Option<String>,
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn one_of(description: &str, words: impl IntoIterator<Item = String>) -> RefOr<Schema> {
    // An empty value counts as missing.
    let words = words.into_iter().chain([String::new()]);
    text().enum_values(Some(words)).description(Some(description)).build().into()
}

fn schema_format() -> RefOr<Schema> {
    let description = "The format. Without it, the `Accept` header decides.";
    one_of(description, ["json", "yaml"].map(str::to_owned))
}

/// The schema of `ordering`, for `#[param(schema_with = order::<TagSort>)]`.
pub fn order<S: Choice>() -> RefOr<Schema> {
    let sorts = S::WORDS.iter().flat_map(|sort| [(*sort).to_owned(), format!("-{sort}")]);
    one_of("The sort order; `-` means descending. The default is newest first.", sorts)
}

/// The schema of a filter by words.
pub fn any_of<C: Choice>() -> RefOr<Schema> {
    let words: Vec<String> = C::WORDS.iter().map(|word| format!("`{word}`")).collect();
    let description = format!(
        "One or more of {}. Repeat the parameter, or separate the words by commas. \
         Unknown words match nothing.",
        words.join(", ")
    );
    ArrayBuilder::new().items(text()).description(Some(description)).build().into()
}

/// The schema of a choice in a response.
pub fn word<C: Choice>() -> RefOr<Schema> {
    text().enum_values(Some(C::WORDS.iter().copied())).build().into()
}

/// The schema of a filter by time.
pub fn time(description: &str) -> RefOr<Schema> {
    // No format: client generators would confuse dates and times.
    text().description(Some(description)).build().into()
}
