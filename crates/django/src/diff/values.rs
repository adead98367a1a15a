//! Compares rows value by value.

use chrono::DateTime;
use exit3_domain::email;
use exit3_domain::leads::{LeadCategory, LeadSource, LeadStatus};
use serde_json::Value as Json;

use super::{Comparison, Resource};

/// The longest value that a description quotes, in characters.
const TOLD: usize = 100;

impl Comparison {
    pub(super) fn compare_rows(&mut self, read: &str, resource: Resource, old: &Json, new: &Json) {
        let (Some(there), Some(here)) = (old.as_object(), new.as_object()) else {
            self.note(read, None, format!("{old} became {new}"));
            return;
        };
        let id = old.get("id").and_then(Json::as_i64).unwrap_or_default();
        // A field of ours that the old service does not have is no difference.
        let is_made_up = |name: &&String| !there.contains_key(*name) && !resource.has_field(name);
        let fields = there.keys().chain(here.keys().filter(is_made_up));
        for field in fields {
            let (was, is) = (there.get(field), here.get(field));
            if was == is {
                continue;
            }
            let known = match (was, is) {
                (Some(was), Some(is)) => self.reason(resource, field, old, was, is),
                _ => None,
            };
            if known.is_some() {
                self.altered.insert((resource, id));
            }
            self.note(read, known, format!("row {id} {field}: {} became {}", told(was), told(is)));
        }
    }

    /// The name of the intended difference between two values, if there is one.
    fn reason(
        &self,
        resource: Resource,
        field: &str,
        row: &Json,
        was: &Json,
        is: &Json,
    ) -> Option<&'static str> {
        match (resource, field, was, is) {
            (Resource::Newsletter, "email", Json::String(was), Json::String(is)) => {
                let reason =
                    if was.to_lowercase() == *is { "lower case" } else { "encoded domain" };
                (email::canonical(was) == *is).then_some(reason)
            }
            (Resource::Newsletter, "is_subscribed", Json::Bool(true), Json::Bool(false)) => {
                let email = email::canonical(row.get("email")?.as_str()?);
                self.groups.get(&email).is_some_and(|group| !group.wanted).then_some("merged")
            }
            (Resource::Leads, "source", Json::String(was), _) => {
                LeadSource::from_word(was).is_none().then_some("choice")
            }
            (Resource::Leads, "status", Json::String(was), _) => {
                LeadStatus::from_word(was).is_none().then_some("choice")
            }
            (Resource::Leads, "category", Json::String(was), _) => {
                LeadCategory::from_word(was).is_none().then_some("choice")
            }
            (_, _, Json::String(was), Json::String(is)) if is_moment(was, is) => {
                Some("whole second")
            }
            (_, _, Json::String(was), Json::String(is)) => {
                let plain = was.replace('\0', "");
                (plain.starts_with(is.as_str()) && plain.len() > is.len()
                    || was.len() > plain.len() && plain == *is)
                    .then_some("cut")
            }
            _ => None,
        }
    }
}

/// Whether both are the same time: Django omits the fraction of a whole second.
fn is_moment(was: &str, is: &str) -> bool {
    let moment = |text| DateTime::parse_from_rfc3339(text).ok();
    moment(was).is_some_and(|time| moment(is) == Some(time) && !was.contains('.'))
}

fn told(value: Option<&Json>) -> String {
    let Some(value) = value else { return "nothing".to_owned() };
    let text = value.to_string();
    match text.char_indices().nth(TOLD) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
