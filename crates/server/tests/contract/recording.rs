//! The recorded requests and responses.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// The API key of the recorded service.
pub(crate) const KEY: &str = "peer-key";

/// A request, and the replaced service's response.
pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) status: u16,
    /// `None` if the response was not JSON; then only its status counts.
    pub(crate) json: Option<Value>,
    /// Whether the rows of a list must be in the recorded order.
    pub(crate) is_ordered: bool,
}

/// Recorded from the replaced service itself.
pub(crate) fn examples() -> Vec<Recording> {
    read("examples.json")
}

/// Whole classes of requests: every field, every choice, every parameter. Recorded from a service
/// with the same rules.
pub(crate) fn classes() -> Vec<Recording> {
    read("classes.json")
}

/// A body of exactly one MiB, which is accepted, and one that is a byte longer.
pub(crate) fn bodies_about_the_limit() -> Vec<Recording> {
    const LIMIT: usize = 1 << 20;
    let body = |length: usize| {
        let start = r#"{"full_name": "Ana", "position": "CTO", "email": "a@acme.hr", "x": ""#;
        format!("{start}{}\"}}", "x".repeat(length - start.len() - 2)).into_bytes()
    };
    let recording = |name: &str, length, status, json| Recording {
        name: name.to_owned(),
        method: "POST".to_owned(),
        path: "/backend/api/v1/leads/".to_owned(),
        headers: headers(None, true),
        body: Some(body(length)),
        status,
        json,
        is_ordered: false,
    };
    let refusal = json!({"detail": "Request body is too large."});
    vec![
        recording("as long as may be", LIMIT, 201, None),
        recording("a byte too long", LIMIT + 1, 413, Some(refusal)),
    ]
}

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/contract").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read(name: &str) -> Vec<Recording> {
    let entries: Vec<Map<String, Value>> = serde_json::from_str(&file(name)).expect(name);
    let later: Later = serde_json::from_str(&file("since.json")).expect("since.json");
    let mut recordings: Vec<Recording> = entries.iter().map(recording).collect();
    assert!(!recordings.is_empty(), "{name} is empty");
    for recording in &mut recordings {
        let fields = resource(&recording.path).and_then(|resource| later.get(resource));
        if let (Some(fields), Some(json)) = (fields, &mut recording.json) {
            add_later_fields(json, fields);
        }
    }
    recordings
}

/// By resource and name, the fields that were added after the answers were recorded: since
/// which release there are (`since`), and what a row has that was stored without (`default`).
type Later = BTreeMap<String, BTreeMap<String, Map<String, Value>>>;

/// Adds later fields to every row, which is known by its id, unless they were recorded.
pub(crate) fn add_later_fields(json: &mut Value, fields: &BTreeMap<String, Map<String, Value>>) {
    match json {
        Value::Array(items) => items.iter_mut().for_each(|item| add_later_fields(item, fields)),
        Value::Object(row) if row.contains_key("id") => {
            for (name, field) in fields {
                assert!(field["since"].is_string(), "{name}: since which release?");
                row.entry(name).or_insert_with(|| field["default"].clone());
            }
        }
        Value::Object(parts) => {
            parts.values_mut().for_each(|part| add_later_fields(part, fields));
        }
        _ => {}
    }
}

/// `leads` or `newsletter`, from a path of any version.
pub(crate) fn resource(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/backend/api/")?;
    let rest = rest.strip_prefix("v1/").unwrap_or(rest);
    rest.split(['/', '?']).next().filter(|resource| !resource.is_empty())
}

fn recording(entry: &Map<String, Value>) -> Recording {
    let text = |name: &str| entry[name].as_str().expect(name).to_owned();
    let encoded = entry.get("body_base64").and_then(Value::as_str);
    let body = match encoded {
        Some(encoded) => Some(STANDARD.decode(encoded).expect("base64")),
        None => entry.get("body").and_then(Value::as_str).map(|body| body.as_bytes().to_vec()),
    };
    // The short form, for files with thousands of entries, has no `answer`.
    let answer = entry.get("answer").and_then(Value::as_object).unwrap_or(entry);
    Recording {
        name: text("name"),
        method: text("method"),
        path: text("path"),
        headers: headers(entry.get("headers"), body.is_some()),
        body,
        status: answer["status"].as_u64().expect("a status").try_into().expect("a status"),
        json: answer.get("json").filter(|json| !json.is_null()).cloned(),
        is_ordered: entry.get("ordered") == Some(&json!(true)),
    }
}

/// The headers of an entry. An entry without headers has the key, and JSON.
fn headers(given: Option<&Value>, has_body: bool) -> Vec<(String, String)> {
    match given.and_then(Value::as_object) {
        Some(headers) => headers
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().expect("a text").to_owned()))
            .collect(),
        None => {
            let mut headers = vec![("Authorization".to_owned(), format!("Basic {KEY}"))];
            if has_body {
                headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
            }
            headers
        }
    }
}
