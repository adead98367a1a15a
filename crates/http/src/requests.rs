//! The schemas of request bodies, one per body, for JSON and forms alike. They are simple, so that
//! client generators produce simple types: a text is a `string`, not a choice of patterns. The
//! service accepts slightly more than they say (a number for a text, blanks around a text). The
//! descriptions list the rules that the schemas omit.

use exit3_domain::fields::Field;
use serde_json::{Value, json};

/// Declares schemas of request bodies, so that annotations of handlers can refer to them. Each stands
/// for the [`Body`](crate::Body) of its name, whose schema is written out in the document.
///
/// ```
/// exit3_http::written_out! {
///     /// A whole tag.
///     TagCreate,
///     /// Some fields of a tag.
///     TagUpdate,
/// }
/// ```
#[macro_export]
macro_rules! written_out {
    ($($(#[$meta:meta])* $visibility:vis $name:ident),+ $(,)?) => {
        $($(#[$meta])* #[derive(utoipa::ToSchema)] $visibility struct $name {})+
    };
}

/// The body of a request.
pub struct Body {
    /// The name of its schema, declared by [`written_out`](crate::written_out).
    pub name: &'static str,
    /// What it is, for readers of the document.
    pub description: &'static str,
    /// The schema of each field.
    pub properties: Value,
    /// Whether it is the body of something whole, which has all required fields.
    pub is_whole: bool,
}

/// Writes the request schemas of a resource with these fields into the document.
pub(crate) fn describe(document: &mut Value, fields: &[Field], bodies: Vec<Body>) {
    let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut)
    else {
        return;
    };
    for Body { name, description, properties, is_whole } in bodies {
        let required = fields.iter().filter(|field| is_whole && field.is_required);
        let required: Vec<&str> = required.map(|field| field.name).collect();
        let mut schema =
            json!({"type": "object", "description": description, "properties": properties});
        if let Some(schema) = schema.as_object_mut().filter(|_| !required.is_empty()) {
            schema.insert("required".to_owned(), json!(required));
        }
        schemas.insert(name.to_owned(), schema);
    }
}

/// The schema of a field with fixed words, for [`Body::properties`].
pub fn choice(words: &[&str]) -> Value {
    json!({"type": "string", "enum": words})
}
