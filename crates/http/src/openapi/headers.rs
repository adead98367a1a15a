//! Headers that every answer may have.

use serde_json::{Value, json};

/// Adds them to every answer of every operation.
pub(super) fn describe(document: &mut Value) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let items = paths.into_iter().flat_map(|paths| paths.values_mut());
    let operations = items.filter_map(Value::as_object_mut).flat_map(|item| item.values_mut());
    let answers = operations
        .filter_map(|operation| operation.get_mut("responses")?.as_object_mut())
        .flat_map(|responses| responses.values_mut());
    for answer in answers.filter_map(Value::as_object_mut) {
        let headers = answer.entry("headers").or_insert_with(|| json!({}));
        if let Some(headers) = headers.as_object_mut() {
            headers.insert("Vary".to_owned(), vary());
        }
    }
}

fn vary() -> Value {
    json!({
        "description": "The request's headers that the answer depends on.",
        "schema": {"type": "string"}
    })
}
