//! Compares lists.

use std::collections::{BTreeMap, HashSet};

use exit3_domain::email;
use serde_json::Value as Json;

use super::{Comparison, Group};

/// A list of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// Leads.
    Leads,
    /// Newsletter subscriptions.
    Newsletter,
}

impl Resource {
    /// All lists.
    pub const ALL: [Self; 2] = [Self::Leads, Self::Newsletter];

    /// The path of the list.
    pub fn path(self) -> &'static str {
        match self {
            Self::Leads => "/backend/api/v1/leads/",
            Self::Newsletter => "/backend/api/v1/newsletter/",
        }
    }

    /// Whether ours has a field of that name.
    pub(super) fn has_field(self, name: &str) -> bool {
        let fields = match self {
            Self::Leads => exit3_domain::leads::FIELDS,
            Self::Newsletter => exit3_domain::subscribers::FIELDS,
        };
        fields.iter().any(|field| field.name == name)
    }
}

/// A list as a service returned it, page by page.
#[derive(Debug, Default)]
pub struct List {
    /// The count in the answer.
    pub count: i64,
    /// The rows of the requested pages.
    pub rows: Vec<Json>,
    /// Whether all pages were requested.
    pub complete: bool,
}

impl List {
    fn by_id(&self) -> BTreeMap<i64, &Json> {
        self.rows.iter().filter_map(|row| Some((id(row)?, row))).collect()
    }

    fn ids(&self) -> Vec<i64> {
        self.rows.iter().filter_map(id).collect()
    }
}

fn id(row: &Json) -> Option<i64> {
    row.get("id")?.as_i64()
}

impl Comparison {
    /// Compares the lists for one query. The unfiltered list must come first.
    pub fn compare_lists(&mut self, resource: Resource, query: &str, old: &List, new: &List) {
        self.reads += 1;
        let name = format!("{}?{query}", resource.path());
        let name = name.trim_end_matches('?');
        if query.is_empty() && resource == Resource::Newsletter {
            self.group(old);
        }
        let (there, here) = (old.by_id(), new.by_id());
        for (id, row) in &there {
            match here.get(id) {
                Some(other) => self.compare_rows(name, resource, row, other),
                None => self.only_old(name, resource, query, *id, row, new.complete),
            }
        }
        let only_new: Vec<i64> =
            here.keys().copied().filter(|id| !there.contains_key(id)).collect();
        for id in &only_new {
            let known = match query {
                _ if self.altered.contains(&(resource, *id)) => Some("altered"),
                _ if is_repeated(query) => Some("repeated filter"),
                _ if query.starts_with("search=") => Some("search"),
                _ => None,
            };
            if known.is_some() || old.complete {
                self.note(name, known, format!("row {id} is in the new list only"));
            }
        }
        let same = |list: &List, other: &BTreeMap<i64, &Json>| -> Vec<i64> {
            list.ids().into_iter().filter(|id| other.contains_key(id)).collect()
        };
        if same(old, &here) != same(new, &there) {
            self.note(name, Some("order"), "the rows are in a different order".to_owned());
        }
        let gone = there.keys().ne(here.keys());
        let explained = old.complete && new.complete && gone;
        if old.count != new.count && !explained {
            self.note(name, None, format!("count {} became {}", old.count, new.count));
        }
    }

    /// Notes a row that only the old list contains.
    fn only_old(
        &mut self,
        name: &str,
        resource: Resource,
        query: &str,
        id: i64,
        row: &Json,
        complete: bool,
    ) {
        let email = row.get("email").and_then(Json::as_str).map(email::canonical);
        let group = email.and_then(|email| self.groups.get(&email));
        let merged =
            resource == Resource::Newsletter && group.is_some_and(|group| group.first != id);
        let known = match query {
            _ if merged => Some("merged"),
            _ if self.altered.contains(&(resource, id)) => Some("altered"),
            _ => None,
        };
        if merged {
            self.altered.insert((resource, id));
        }
        if known.is_some() || complete {
            self.note(name, known, format!("row {id} is in the old list only"));
        } else {
            self.note(name, None, format!("row {id} is not on the requested pages"));
        }
    }

    /// Groups the subscriptions that the import merges.
    fn group(&mut self, old: &List) {
        for row in &old.rows {
            let email = row.get("email").and_then(Json::as_str);
            let wanted = row.get("is_subscribed").and_then(Json::as_bool);
            if let (Some(id), Some(email), Some(wanted)) = (id(row), email, wanted) {
                let group = self.groups.entry(email::canonical(email));
                let group = group.or_insert(Group { first: id, wanted });
                group.first = group.first.min(id);
                group.wanted &= wanted;
            }
        }
    }
}

/// Whether the query repeats a parameter.
fn is_repeated(query: &str) -> bool {
    let mut names = HashSet::new();
    query.split('&').any(|pair| !names.insert(pair.split('=').next()))
}
