//! Headers that every response may have.

use serde_json::{Value, json};

use super::common::has_parameter;

/// Adds the headers to all responses of all operations.
pub(super) fn describe(document: &mut Value) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let items = paths.into_iter().flatten().filter_map(|(path, item)| {
        let is_row = path.ends_with("{id}/");
        item.as_object_mut().map(|item| (is_row, item))
    });
    let operations = items.flat_map(|(is_row, item)| {
        let operations = item.values_mut().filter_map(Value::as_object_mut);
        operations.map(move |operation| (is_row, operation))
    });
    for (is_row, operation) in operations {
        let limited = operation.contains_key("security");
        let may_be_repeated = has_parameter(operation, "Idempotency-Key");
        let may_wait = has_parameter(operation, "Prefer");
        let answers = operation.get_mut("responses").and_then(Value::as_object_mut);
        for (status, answer) in answers.into_iter().flatten() {
            let Some(answer) = answer.as_object_mut() else { continue };
            let headers = answer.entry("headers").or_insert_with(|| json!({}));
            let Some(headers) = headers.as_object_mut() else { continue };
            headers.insert("Vary".to_owned(), vary());
            if limited && status.starts_with('2') {
                headers.insert("Consistency-Token".to_owned(), token());
            }
            if is_row && matches!(status.as_str(), "200" | "304") {
                headers.insert("ETag".to_owned(), tag());
            }
            if may_be_repeated && matches!(status.as_str(), "201" | "202") {
                headers.insert("Idempotency-Replayed".to_owned(), replayed());
            }
            if may_wait && matches!(status.as_str(), "201" | "202") {
                headers.insert("Exit3-Intake".to_owned(), intake());
            }
            headers.insert("X-Request-Id".to_owned(), request_id());
            if limited {
                headers.insert("RateLimit-Policy".to_owned(), policy());
                headers.insert("RateLimit".to_owned(), limit());
            }
        }
    }
}

fn policy() -> Value {
    json!({
        "description": "The quotas that count this request, if there are any: `q` \
            requests in `w` seconds.",
        "schema": {"type": "string"},
        "example": "\"visitor\";q=100;w=3600, \"key\";q=1000;w=3600"
    })
}

fn limit() -> Value {
    json!({
        "description": "For each quota: `r` requests remain, and after `t` seconds the \
            quota is full again.",
        "schema": {"type": "string"},
        "example": "\"visitor\";r=99;t=36, \"key\";r=999;t=4"
    })
}

fn token() -> Value {
    json!({
        "description": "Sent if the database has a replica. Send it with a later request \
            for a list: the list then includes everything written or read so far.",
        "schema": {"type": "string"},
        "example": "0000000001570a58"
    })
}

fn tag() -> Value {
    json!({
        "description": "The version of the row. It changes whenever the row changes.",
        "schema": {"type": "string"},
        "example": "\"oJ0xW8sRk5TLSzDq1vY3bA\""
    })
}

fn replayed() -> Value {
    json!({
        "description": "`true` if an earlier request with the same `Idempotency-Key` has created \
            the row.",
        "schema": {"type": "string", "enum": ["true"]}
    })
}

fn intake() -> Value {
    json!({
        "description": "`spooled` if the database is away: the service has stored the request on the \
            disk of one node, and reads do not show it yet.",
        "schema": {"type": "string", "enum": ["spooled"]}
    })
}

fn request_id() -> Value {
    json!({
        "description": "The id of the request in the service's log. It is the id that the \
            client sent, if it is well-formed, otherwise a new one.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
        "example": "01a210eb-9567-704d-8f15-cbea783b89c7"
    })
}

fn vary() -> Value {
    json!({
        "description": "The request headers that the response depends on.",
        "schema": {"type": "string"}
    })
}
