//! Compares responses with recorded ones. Ids, times and the host of links may differ, because they
//! vary. So may the order of rows, which is now newest first, and the message about broken JSON.

use serde_json::{Map, Value, json};

/// The differences, in lines; empty if the response is as recorded.
pub(crate) fn differences(
    expected: &Value,
    actual: Option<&Value>,
    is_ordered: bool,
) -> Option<String> {
    let wanted = plain(expected, is_ordered);
    let got = actual.map(|actual| plain(actual, is_ordered));
    (Some(&wanted) != got.as_ref()).then(|| {
        let got = got.map_or_else(|| "no JSON".to_owned(), |got| got.to_string());
        format!("  expected: {}\n       got: {}", short(&wanted.to_string()), short(&got))
    })
}

/// The value without the parts that may vary. An invalid time or id stays visible.
fn plain(value: &Value, is_ordered: bool) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| plain(item, is_ordered)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter();
            Value::Object(fields.map(|(n, v)| (n.clone(), field(n, v, is_ordered))).collect())
        }
        other => other.clone(),
    }
}

fn field(name: &str, value: &Value, is_ordered: bool) -> Value {
    match (name, value) {
        ("id", Value::Number(_)) => json!("<id>"),
        ("created_at" | "updated_at", Value::String(time)) if is_time(time) => json!("<time>"),
        ("next" | "previous", Value::String(link)) => link_of(link),
        ("detail", Value::String(detail)) if detail.starts_with("JSON parse error - ") => {
            json!("JSON parse error - ...")
        }
        ("results" | "ids", Value::Array(rows)) => {
            let mut rows: Vec<Value> = rows.iter().map(|row| plain(row, is_ordered)).collect();
            if !is_ordered {
                rows.sort_by_key(Value::to_string);
            }
            Value::Array(rows)
        }
        (_, value) => plain(value, is_ordered),
    }
}

/// RFC 3339 in UTC, with microseconds.
fn is_time(text: &str) -> bool {
    let pattern = "0000-00-00T00:00:00.000000Z";
    text.len() == pattern.len()
        && text.chars().zip(pattern.chars()).all(|(c, p)| match p {
            '0' => c.is_ascii_digit(),
            p => c == p,
        })
}

/// The path and the parameters, in any order.
fn link_of(link: &str) -> Value {
    let path = link.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    let path = path.unwrap_or(link);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut pairs: Vec<&str> = query.split('&').collect();
    pairs.sort_unstable();
    json!([path, pairs])
}

/// Replaces the rows of a list by their ids, as in long recorded lists.
pub(crate) fn ids_for_rows(value: &Value) -> Value {
    let Value::Object(fields) = value else { return value.clone() };
    let fields = fields.iter().map(|(name, value)| match (name.as_str(), value) {
        ("results", Value::Array(rows)) => {
            ("ids".to_owned(), rows.iter().map(|row| row["id"].clone()).collect())
        }
        _ => (name.clone(), value.clone()),
    });
    Value::Object(fields.collect::<Map<_, _>>())
}

fn short(text: &str) -> String {
    match text.char_indices().nth(1500) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
