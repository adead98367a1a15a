//! Compares the answers of the two services.
//!
//! This module sends nothing: [`reads`] lists the requests, and [`Comparison`] takes the answers.
//! Each intended difference has a name.

mod lists;
mod reads;
mod values;

pub use lists::{List, Resource};
pub use reads::{Key, Read, list_queries, odd_reads, search_terms};

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

/// The answer of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; null if it is not JSON.
    pub body: Json,
}

/// A difference between two answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The request.
    pub read: String,
    /// The name of an intended difference; `None` for an unexpected one.
    pub known: Option<&'static str>,
    /// A description for people.
    pub what: String,
}

/// Collects the differences.
#[derive(Debug, Default)]
pub struct Comparison {
    /// All differences, in the order in which they were found.
    pub differences: Vec<Difference>,
    /// The number of compared answers.
    pub reads: usize,
    /// Rows with an intended difference.
    altered: HashSet<(Resource, i64)>,
    /// Subscriptions of the old service, grouped by canonical address.
    groups: HashMap<String, Group>,
}

/// Subscriptions whose addresses differ only in case.
#[derive(Debug)]
struct Group {
    /// The id of the subscription that is kept.
    first: i64,
    /// Whether all of them are subscribed.
    wanted: bool,
}

impl Comparison {
    /// Compares answers other than lists: single rows and errors.
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
            self.note(&name, Some("merged"), "it was merged into another subscription".into());
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
            // Answers that are not JSON are compared by people.
            _ if old.body.is_null() || old.body == new.body => {}
            _ => self.note(&name, None, format!("{} became {}", old.body, new.body)),
        }
    }

    /// The number of unexpected differences.
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
