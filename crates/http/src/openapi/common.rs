//! What all routes have in common: the key, and the errors.

use serde_json::{Map, Value, json};

use crate::resource::Resources;
use crate::versions::NEW;

/// Describes the other formats of request bodies.
const FORMS: &str = "JSON, or a form with the same fields: \
    `application/x-www-form-urlencoded` or `multipart/form-data`.";

/// The end of the paths of files.
pub(super) const FILE: &str = "{id}/contract/";

/// Adds the security scheme, and the error responses of each operation.
pub(super) fn describe(document: &mut Value, resources: Resources) {
    if let Some(schemas) =
        document.pointer_mut("/components/schemas").and_then(Value::as_object_mut)
    {
        schemas.extend(schemas_of_errors());
    }
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else {
        return;
    };
    for (path, item) in paths.iter_mut() {
        let keyed = path.starts_with(NEW);
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            let Some(operation) = operation.as_object_mut() else { continue };
            if keyed {
                let scope = scope(resources, path, method);
                operation.insert(
                    "security".to_owned(),
                    json!([{"bearer": [scope]}, {"basic": [scope]}]),
                );
            }
            if let Some(body) = operation.get_mut("requestBody").and_then(Value::as_object_mut) {
                // A missing body is treated as an empty object, which changes only `updated_at`.
                body.insert("required".to_owned(), json!(method != "patch"));
                // Forms are described here instead of being listed as media types: client
                // generators would have to choose among three, and some choose wrongly or do not
                // compile.
                if !path.ends_with(FILE) {
                    body.insert("description".to_owned(), json!(FORMS));
                }
            }
            let may_be_repeated = has_parameter(operation, "Idempotency-Key");
            if let Some(responses) =
                operation.entry("responses").or_insert_with(|| json!({})).as_object_mut()
            {
                for (status, response) in errors(path, method, keyed) {
                    responses.entry(status).or_insert(response);
                }
                if may_be_repeated {
                    let reused = detail("The `Idempotency-Key` was used with another request.");
                    responses.entry("422").or_insert(reused);
                }
            }
        }
    }
}

/// Whether an operation takes a parameter of this name.
pub(super) fn has_parameter(operation: &Map<String, Value>, name: &str) -> bool {
    let parameters = operation.get("parameters").and_then(Value::as_array);
    parameters.into_iter().flatten().any(|parameter| parameter["name"] == name)
}

/// The responses that the annotations of the handlers leave out.
fn errors(path: &str, method: &str, keyed: bool) -> Vec<(&'static str, Value)> {
    let mut errors = vec![("400", fields("The request is malformed, or its values break rules."))];
    if path.ends_with("/schema/") {
        errors.push(("404", detail("The format is unknown.")));
    }
    if keyed {
        errors.push(("403", detail("The key is missing, malformed or wrong, or lacks the scope.")));
        errors.push(("429", with_retry(detail("Too many requests."))));
        if path.contains("{id}/") || method == "get" {
            errors.push(("404", detail("The row or the page does not exist.")));
        }
        let is_row = path.ends_with("{id}/");
        let changes_file = path.ends_with(FILE) && method != "get";
        if is_row || changes_file {
            if method == "get" {
                let same = "The row still has the version in `If-None-Match`.";
                errors.push(("304", json!({ "description": same })));
            }
            errors.push((
                "412",
                detail("`If-Match` or `If-None-Match` excludes the version of the row."),
            ));
        }
        if matches!(method, "post" | "put" | "patch") {
            errors.push(("408", detail("The body took too long to arrive.")));
            let (large, kind) = match changes_file {
                true => {
                    ("The file is larger than 20 MiB.", "The body is no form, or is compressed.")
                }
                false => (
                    "The body is larger than 1 MiB.",
                    "The body is neither JSON nor a form, or is compressed.",
                ),
            };
            errors.push(("413", detail(large)));
            errors.push(("415", detail(kind)));
        }
        errors.push(("500", detail("An error in the service.")));
        errors.push(("503", with_retry(detail("The database is not available."))));
    }
    errors
}

/// The scope that an operation needs, determined as for requests.
fn scope(resources: Resources, path: &str, method: &str) -> Option<String> {
    let resource = resources.of(path.strip_prefix(NEW)?)?;
    let method = method.to_uppercase().parse().ok()?;
    resource.scope(&method).map(|scope| scope.to_string())
}

fn with_retry(mut answer: Value) -> Value {
    if let Some(answer) = answer.as_object_mut() {
        answer.insert(
            "headers".to_owned(),
            json!({"Retry-After": {
                "description": "Seconds to wait before the next attempt.",
                "schema": {"type": "integer"}
            }}),
        );
    }
    answer
}

fn detail(description: &str) -> Value {
    answer(description, "Detail")
}

fn fields(description: &str) -> Value {
    answer(description, "Errors")
}

fn answer(description: &str, schema: &str) -> Value {
    json!({
        "description": description,
        "content": {
            "application/json": {"schema": {"$ref": format!("#/components/schemas/{schema}")}},
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        }
    })
}

fn schemas_of_errors() -> Map<String, Value> {
    let messages = json!({"type": "array", "items": {"type": "string"}, "minItems": 1});
    let schemas = json!({
        "Detail": {
            "type": "object",
            "description": "An error in one sentence.",
            "properties": {"detail": {"type": "string", "example": "Not found."}},
            "required": ["detail"]
        },
        "Errors": {
            "description": "Messages by field, or one sentence.",
            "anyOf": [
                {"$ref": "#/components/schemas/Detail"},
                {
                    "type": "object",
                    "description": "Messages by field. Messages about the request as a whole are in `non_field_errors`.",
                    "additionalProperties": messages,
                    "example": {"email": ["Enter a valid email address."]}
                }
            ]
        },
        "Problem": {
            "type": "object",
            "description": "An error in the format of RFC 9457, for clients that accept it.",
            "properties": {
                "type": {"type": "string"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string"},
                "errors": {"$ref": "#/components/schemas/Errors"}
            },
            "required": ["type", "title", "status", "errors"]
        }
    });
    match schemas {
        Value::Object(schemas) => schemas,
        _ => Map::new(),
    }
}
