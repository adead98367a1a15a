//! The deprecated paths without a version, in the document.

use serde_json::{Value, json};

use crate::resource::Resources;
use crate::versions::{NEW, OLD};

/// Adds the deprecated paths as copies of the new ones.
pub(super) fn describe(document: &mut Value, resources: Resources) {
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else {
        return;
    };
    let old: Vec<(String, Value)> = paths
        .iter()
        .filter_map(|(path, item)| {
            let path = path.strip_prefix(NEW)?;
            let is_old = resources.of(path).is_some_and(|resource| resource.is_unversioned);
            is_old.then(|| (format!("{OLD}{path}"), deprecate(item.clone())))
        })
        .collect();
    paths.extend(old);
}

fn deprecate(mut item: Value) -> Value {
    for operation in item.as_object_mut().into_iter().flat_map(|item| item.values_mut()) {
        let Some(operation) = operation.as_object_mut() else { continue };
        operation.insert("deprecated".to_owned(), json!(true));
        if let Some(Value::String(id)) = operation.get_mut("operationId") {
            id.push_str("_unversioned");
        }
        for response in operation
            .get_mut("responses")
            .and_then(Value::as_object_mut)
            .into_iter()
            .flat_map(|responses| responses.values_mut())
        {
            let Some(response) = response.as_object_mut() else { continue };
            let headers = response.entry("headers").or_insert_with(|| json!({}));
            if let Some(headers) = headers.as_object_mut() {
                headers.extend(announcements());
            }
        }
    }
    item
}

fn announcements() -> impl IntoIterator<Item = (String, Value)> {
    let header = |name: &str, description: &str| {
        (name.to_owned(), json!({"description": description, "schema": {"type": "string"}}))
    };
    [
        header("Deprecation", "When the path was deprecated (RFC 9745)."),
        header("Link", "The path that replaces it, as `successor-version`."),
        header("Sunset", "When the path will be removed, once that is decided (RFC 8594)."),
    ]
}
