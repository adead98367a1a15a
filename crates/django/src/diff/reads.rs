//! The requests to send to both services.

use std::fmt;

use exit3_domain::leads::{LeadCategory, LeadSource, LeadStatus};
use serde_json::Value as Json;

use super::Resource;

/// The API key to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// The correct key.
    Right,
    /// A wrong key.
    Wrong,
    /// No key.
    None,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The path and the query.
    pub path: String,
    /// The key.
    pub key: Key,
    /// The requested row, if it is a single one.
    pub row: Option<(Resource, i64)>,
    /// Whether the path lacks its final slash.
    pub lacks_slash: bool,
}

impl Read {
    /// A request for a path, with the correct key.
    pub fn of(path: String) -> Self {
        Self { path, key: Key::Right, row: None, lacks_slash: false }
    }

    /// A request for one row.
    pub fn row(resource: Resource, id: i64) -> Self {
        Self { row: Some((resource, id)), ..Self::of(format!("{}{id}/", resource.path())) }
    }
}

impl fmt::Display for Read {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.path)?;
        match self.key {
            Key::Right => Ok(()),
            Key::Wrong => formatter.write_str(" (wrong key)"),
            Key::None => formatter.write_str(" (no key)"),
        }
    }
}

/// Queries of a list that cover every filter; the first one is empty and lists everything.
pub fn list_queries(resource: Resource, terms: &[String]) -> Vec<String> {
    fn words<T: Copy>(name: &str, all: &[T], word: fn(T) -> &'static str) -> Vec<String> {
        all.iter().map(|choice| format!("{name}={}", word(*choice))).collect()
    }
    let mut queries = vec![String::new()];
    match resource {
        Resource::Leads => {
            queries.extend(words("status", LeadStatus::ALL, LeadStatus::as_str));
            queries.extend(words("source", LeadSource::ALL, LeadSource::as_str));
            queries.extend(words("category", LeadCategory::ALL, LeadCategory::as_str));
            let odd = ["status=bogus", "status=new&source=website", "status=new&status=closed"];
            queries.extend(odd.map(str::to_owned));
        }
        Resource::Newsletter => {
            queries.extend(["true", "false"].map(|word| format!("is_subscribed={word}")));
        }
    }
    let search = |term: &String| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("search", term).finish()
    };
    queries.extend(terms.iter().map(search));
    queries
}

/// Search terms: words of the first rows, some of them not ASCII.
pub fn search_terms(rows: &[Json]) -> Vec<String> {
    let texts = rows.iter().take(200).filter_map(|row| {
        let text =
            |name: &str| row.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        text("full_name").or(text("email"))
    });
    let words =
        texts.filter_map(|text| text.split([' ', '@', '<', '>']).find(|word| word.len() > 2));
    let (plain, other): (Vec<_>, Vec<_>) = words.partition(|word| word.is_ascii());
    let mut terms: Vec<String> =
        plain.into_iter().take(3).chain(other.into_iter().take(2)).map(str::to_owned).collect();
    terms.extend(terms.first().map(|term| term.to_uppercase()));
    terms
}

/// Requests that are answered with errors, and paths without a version.
pub fn odd_reads(resource: Resource) -> Vec<Read> {
    let path = resource.path();
    let with = |key| Read { key, ..Read::of(path.to_owned()) };
    let mut reads = vec![with(Key::None), with(Key::Wrong)];
    reads.extend(
        ["?page=0", "?page=999999999", "?page=abc", "999999999999/", "abc/"]
            .map(|end| Read::of(format!("{path}{end}"))),
    );
    reads.push(Read { key: Key::None, ..Read::of(format!("{path}1/")) });
    let bare = path.trim_end_matches('/').to_owned();
    reads.push(Read { lacks_slash: true, ..Read::of(bare) });
    reads
}
