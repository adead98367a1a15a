//! Whether the two services answer alike.
//!
//! Nothing is sent from here: [`reads`] says what to ask, and [`Comparison`] takes the
//! answers. What is different on purpose is known by a name.

mod lists;
mod reads;
mod values;

pub use lists::{List, Resource};
pub use reads::{Key, Read, list_queries, odd_reads, search_terms};

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

/// What a service answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// The body; null where it is no JSON.
    pub body: Json,
}

/// A difference between two answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What was asked.
    pub read: String,
    /// The name of what is different on purpose; `None` for what should not be.
    pub known: Option<&'static str>,
    /// What it is.
    pub what: String,
}

/// Collects differences.
#[derive(Debug, Default)]
pub struct Comparison {
    /// All of them, in the order in which they were found.
    pub differences: Vec<Difference>,
    /// How many answers were compared.
    pub reads: usize,
    /// Rows that differ for a reason that is known, by their path.
    altered: HashSet<(Resource, i64)>,
    /// Subscriptions of the old service by their address in lower case.
    groups: HashMap<String, Group>,
}

/// Subscriptions whose addresses differ in case only.
#[derive(Debug)]
struct Group {
    /// The one that is kept.
    first: i64,
    /// Whether all of them want the newsletter.
    wanted: bool,
}

impl Comparison {
    /// Compares answers that are no lists: single rows and errors.
    pub fn compare(&mut self, read: &Read, old: &Answer, new: &Answer) {
        self.reads += 1;
        let name = read.to_string();
        if read.lacks_slash && old.status == 301 {
            self.note(
                &name,
                Some("slash"),
                "the old service redirects, the new one answers".into(),
            );
            return;
        }
        if let (Some((resource, id)), 200, 404) = (read.row, old.status, new.status)
            && self.is_merged(resource, id)
        {
            self.note(&name, Some("merged"), "it became one with another subscription".into());
            return;
        }
        if old.status != new.status {
            self.note(&name, None, format!("status {} became {}", old.status, new.status));
            return;
        }
        match read.row {
            Some((resource, _)) if old.status == 200 => {
                self.compare_rows(&name, resource, &old.body, &new.body);
            }
            // What is not JSON is for people.
            _ if old.body.is_null() || old.body == new.body => {}
            _ => self.note(&name, None, format!("{} became {}", old.body, new.body)),
        }
    }

    /// How many differences there are that should not be.
    pub fn unexpected(&self) -> usize {
        self.differences.iter().filter(|difference| difference.known.is_none()).count()
    }

    fn is_merged(&self, resource: Resource, id: i64) -> bool {
        resource == Resource::Newsletter && self.altered.contains(&(resource, id))
    }

    fn note(&mut self, read: &str, known: Option<&'static str>, what: String) {
        self.differences.push(Difference { read: read.to_owned(), known, what });
    }
}

#[cfg(test)]
mod tests;
