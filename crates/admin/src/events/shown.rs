//! Events as sentences: who, what, about which row, when, and the values before and after.

use exit3_app::events::Names;
use exit3_domain::access::{Action, to_undo};
use exit3_domain::contracts::FILE;
use exit3_domain::events::{Actor, Changes, Event, Subject};
use exit3_domain::staff;
use i18n_embed_fl::fl;
use serde_json::Value;

use super::asked::Asked;
use crate::i18n::{Texts, say};
use crate::resource::Menu;
use crate::visit::Member;
use crate::{BASE, format};

/// The most characters of a value that are shown.
const MOST: usize = 500;

/// An event as it is shown.
pub(super) struct Entry {
    pub(super) id: i64,
    pub(super) who: String,
    pub(super) who_href: String,
    pub(super) what: String,
    pub(super) about: String,
    /// The page of the row; empty if there is none, or the person may not see it.
    pub(super) about_href: String,
    pub(super) when: String,
    pub(super) machine: String,
    pub(super) changes: Vec<Changed>,
    /// The values of a row that was deleted, or the numbers of an import.
    pub(super) values: Vec<(String, String)>,
    pub(super) verb: String,
    pub(super) row_href: String,
    /// The request: its id, and the link to its events.
    pub(super) request: Option<(String, String)>,
    /// The link to the events of the same bulk action.
    pub(super) batch_href: Option<String>,
    pub(super) may_undo: bool,
}

/// A field that changed, as it is shown.
pub(super) struct Changed {
    pub(super) label: String,
    pub(super) before: String,
    pub(super) after: String,
}

/// What the entries of one page have in common.
pub(super) struct View<'a> {
    pub(super) texts: Texts,
    pub(super) member: &'a Member,
    pub(super) names: &'a Names,
}

/// The rows whose names the page needs: those that the events are about, and owners of leads.
pub(super) fn subjects(events: &[Event]) -> (Vec<Subject>, Vec<Actor>) {
    let owners = events.iter().flat_map(|event| event.changes.values_of("owner"));
    let owners = owners.filter_map(Value::as_i64);
    let owners = owners.map(|id| Subject { resource: staff::RESOURCE.into(), id });
    let rows = events.iter().map(|event| event.subject.clone()).chain(owners).collect();
    (rows, events.iter().map(|event| event.act.author.actor.clone()).collect())
}

impl View<'_> {
    pub(super) fn entry(&self, event: &Event) -> Entry {
        let author = &event.act.author;
        let name = self.names.rows.get(&event.subject).cloned();
        let pages = self.member.visit.offer.of_rows(&event.subject.resource);
        let menu = pages
            .and_then(|pages| pages.menu)
            .filter(|menu| event.subject.id != 0 && self.member.may(Action::Read, menu.reads));
        let about = match event.subject.id {
            0 => String::new(),
            id => name.or_else(|| name_in(&event.changes)).unwrap_or_else(|| format!("#{id}")),
        };
        let who = self.names.people.get(&author.actor).cloned();
        // The batch of a request with a key is a mark, not an action on several rows.
        let bulk = author.batch.as_ref().filter(|batch| batch.request_key().is_none());
        let is_undoable = |Menu { reads: record, .. }: Menu| {
            let action = to_undo(event.verb.action());
            record.is_undoable() && action.is_some_and(|action| self.member.may(action, record))
        };
        Entry {
            id: event.id.0,
            who: who.unwrap_or_else(|| format::actor(self.texts, &author.actor)),
            who_href: Asked::by(&author.actor).link(),
            what: say(self.texts, "event", event.verb.as_str()),
            about,
            about_href: menu
                .map(|menu| format!("{BASE}{}{}/", menu.path, event.subject.id))
                .unwrap_or_default(),
            when: format::moment(event.act.at),
            machine: format::machine(event.act.at),
            changes: self.changes(&event.changes),
            values: self.values(&event.changes),
            verb: event.verb.to_string(),
            row_href: Asked::about(event).link(),
            request: author
                .request
                .as_deref()
                .map(|request| (request.to_owned(), Asked::of_request(event, request).link())),
            batch_href: bulk.map(|batch| Asked::of_batch(batch).link()),
            may_undo: menu.is_some_and(is_undoable),
        }
    }

    fn changes(&self, changes: &Changes) -> Vec<Changed> {
        let Changes::Fields(fields) = changes else { return Vec::new() };
        let changed = |(field, before, after): &(String, Value, Value)| {
            // Of a person who was erased, only the names of the fields are left.
            let is_erased = before.is_null() && after.is_null();
            let text = |value| match is_erased {
                true => fl!(self.texts, "events-erased"),
                false => self.text(field, value),
            };
            let label = say(self.texts, "field", field);
            Changed { label, before: text(before), after: text(after) }
        };
        fields.iter().map(changed).collect()
    }

    fn values(&self, changes: &Changes) -> Vec<(String, String)> {
        let Changes::Row(record) = changes else { return Vec::new() };
        let values = record.iter().filter(|(_, value)| !value.is_null());
        values
            .map(|(field, value)| (say(self.texts, "field", field), self.text(field, value)))
            .collect()
    }

    /// A value as people read it.
    fn text(&self, field: &str, value: &Value) -> String {
        let texts = self.texts;
        let text = match (field, value) {
            (_, Value::Null) => fl!(texts, "nothing"),
            (_, Value::Bool(true)) => fl!(texts, "yes"),
            (_, Value::Bool(false)) => fl!(texts, "no"),
            ("source" | "status" | "category" | "role", Value::String(word)) => {
                say(texts, field, word)
            }
            (FILE, Value::String(path)) => format::contract(texts, path),
            ("owner", Value::Number(id)) => {
                let id = id.as_i64().unwrap_or_default();
                let subject = Subject { resource: staff::RESOURCE.into(), id };
                self.names.rows.get(&subject).cloned().unwrap_or_else(|| format!("#{id}"))
            }
            (_, Value::Array(values)) if !values.is_empty() => {
                let texts = values.iter().map(|value| self.text(field, value));
                texts.collect::<Vec<_>>().join(", ")
            }
            (_, Value::Object(values)) if values.is_empty() => fl!(texts, "nothing"),
            ("filter", Value::Object(values)) => {
                let chosen = values.iter().map(|(name, value)| {
                    format!("{}: {}", say(texts, "field", name), self.text(name, value))
                });
                chosen.collect::<Vec<_>>().join("; ")
            }
            (_, Value::String(text)) if text.is_empty() => fl!(texts, "nothing"),
            (_, Value::String(text)) => match format::time_in(field, text) {
                Some(time) => format::moment(time),
                None => text.clone(),
            },
            (_, value) => value.to_string(),
        };
        match text.char_indices().nth(MOST) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            None => text,
        }
    }
}

/// The name of a row in the values of its deletion.
fn name_in(changes: &Changes) -> Option<String> {
    let Changes::Row(record) = changes else { return None };
    let names = ["full_name", "name", "email", "username"];
    names.iter().find_map(|name| Some(record.get(*name)?.as_str()?.to_owned()))
}
