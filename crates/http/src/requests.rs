//! The schemas of request bodies, one for each body, in JSON as in forms. They are plain,
//! so that generators of clients make plain types of them: a text is a `string`, not a
//! choice of patterns. The service accepts a little more than they say (a number for a
//! text, blanks around a text), and the descriptions name the rules that they leave out.

use serde_json::{Value, json};

/// Declares schemas that [`describe`] writes out in full, by reference.
macro_rules! written_out {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {
        $($(#[$meta])* #[derive(utoipa::ToSchema)] pub(crate) struct $name {})+
    };
}

pub(crate) use written_out;

/// The body of a request.
pub(crate) struct Body {
    /// What its schema is called; one of those that [`written_out`] declares.
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// The schema of each field.
    pub(crate) properties: Value,
    /// The fields that must be given.
    pub(crate) required: &'static [&'static str],
}

/// Writes the schemas of requests into the document.
pub(crate) fn describe(document: &mut Value, bodies: impl IntoIterator<Item = Body>) {
    let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut)
    else {
        return;
    };
    for Body { name, description, properties, required } in bodies {
        let mut schema =
            json!({"type": "object", "description": description, "properties": properties});
        if let Some(schema) = schema.as_object_mut().filter(|_| !required.is_empty()) {
            schema.insert("required".to_owned(), json!(required));
        }
        schemas.insert(name.to_owned(), schema);
    }
}

/// The schema of a field that has one of some words.
pub(crate) fn choice(words: &[&str]) -> Value {
    json!({"type": "string", "enum": words})
}
