//! The timeline of a lead: notes and events in one list, newest first.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use exit3_domain::events::{Actor, Changes, Event, EventId, Verb};
use exit3_domain::lead_notes::{LeadNote, LeadNoteId};
use exit3_domain::leads::{Lead, RESOURCE};
use exit3_domain::staff::StaffId;
use exit3_ports::{StoreError, TRACE};
use serde_json::Value;

use crate::App;

/// One step of a timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// The entries, newest first.
    pub entries: Vec<Entry>,
    /// Where the next step begins; `None` at the end.
    pub next: Option<Before>,
}

/// Something that happened to a lead.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// When.
    pub at: DateTime<Utc>,
    /// Who did it; `None` if nothing tells.
    pub actor: Option<Actor>,
    /// The name of the person, if the account of that name exists.
    pub name: Option<String>,
    /// What happened.
    pub what: What,
}

/// What happened to a lead.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A note was written.
    Note {
        /// Its id.
        id: LeadNoteId,
        /// Its text.
        text: String,
    },
    /// A note was removed.
    NoteRemoved {
        /// The event, which can be undone.
        event: EventId,
    },
    /// Fields changed.
    Changed {
        /// The event, which can be undone.
        event: EventId,
        /// Each field, before and after. The values are gone if a person was erased.
        changes: Vec<Change>,
    },
    /// Something else, such as `created`, `deleted` or `restored`.
    Event {
        /// The event, which can be undone unless its action is of another kind.
        event: EventId,
        /// The word for the action.
        action: String,
    },
    /// The text that came with the lead, in the field `notes` of the API.
    Notes(String),
}

/// A field that changed. Values are those of events, but an owner is shown by name if known.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The name of the field.
    pub field: String,
    /// The value before.
    pub before: Value,
    /// The value after.
    pub after: Value,
}

/// Where a step of a timeline begins: the last event and the last note of the steps before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Before {
    event: Option<(DateTime<Utc>, EventId)>,
    note: Option<(DateTime<Utc>, LeadNoteId)>,
}

impl Before {
    /// The text for an address: letters, digits, `.`, `-` and `_`.
    pub fn to_text(&self) -> String {
        let text = |position: Option<(DateTime<Utc>, i64)>| match position {
            Some((at, id)) => format!("{}.{id}", at.timestamp_micros()),
            None => String::new(),
        };
        let (event, note) = (self.event.map(|(at, id)| (at, id.0)), self.note);
        format!("{}_{}", text(event), text(note.map(|(at, id)| (at, id.0))))
    }

    /// Reads such a text; `None` for another one.
    pub fn from_text(text: &str) -> Option<Self> {
        #[allow(clippy::option_option, reason = "an empty text is a valid one")]
        fn position(text: &str) -> Option<Option<(DateTime<Utc>, i64)>> {
            if text.is_empty() {
                return Some(None);
            }
            let (at, id) = text.split_once('.')?;
            let at = DateTime::from_timestamp_micros(at.parse().ok()?)?;
            Some(Some((at, id.parse().ok()?)))
        }
        let (event, note) = text.split_once('_')?;
        Some(Self {
            event: position(event)?.map(|(at, id)| (at, EventId(id))),
            note: position(note)?.map(|(at, id)| (at, LeadNoteId(id))),
        })
    }
}

/// A step of the timeline of `lead`: at most `size` entries, from `before` on or from the newest.
/// The text in the lead's field `notes` is the last entry.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "leads.timeline", skip_all)]
pub async fn timeline(
    app: &App,
    lead: &Lead,
    before: Option<Before>,
    size: u32,
) -> Result<Timeline, StoreError> {
    let mut reading = Reading { app, lead, before: before.unwrap_or_default(), found: Vec::new() };
    let is_at_end = reading.read(size).await?;
    let Reading { before, found, .. } = reading;
    let mut entries = named(app, found).await?;
    let notes = lead.details.notes.as_deref().unwrap_or_default();
    let has_room = entries.len() < size as usize;
    let shows_notes = is_at_end && !notes.trim().is_empty();
    if shows_notes && has_room {
        let what = What::Notes(notes.to_owned());
        entries.push(Entry { at: lead.created_at, actor: None, name: None, what });
    }
    let goes_on = !is_at_end || (shows_notes && !has_room);
    Ok(Timeline { entries, next: goes_on.then_some(before) })
}

/// A note or an event.
enum Found {
    Note(LeadNote),
    Event(Event),
}

struct Reading<'a> {
    app: &'a App,
    lead: &'a Lead,
    before: Before,
    found: Vec<Found>,
}

impl Reading<'_> {
    /// Reads until `size` entries are found. Returns whether there are no others.
    async fn read(&mut self, size: u32) -> Result<bool, StoreError> {
        let all = self.app.repositories()?;
        loop {
            // One more than needed tells whether others follow.
            let most = size.saturating_add(1);
            let id = self.lead.id;
            let events = crate::events::history(self.app, RESOURCE, id.0, self.before.event, most);
            let (events, notes) = (events.await?, all.lead_notes.list(id, self.before.note, most));
            let notes = notes.await?;
            let is_all = events.len() < most as usize && notes.len() < most as usize;
            if !self.merge(events, notes, size as usize) {
                return Ok(false);
            }
            if is_all {
                return Ok(true);
            }
        }
    }

    /// Merges events and notes, which continue behind those that were found before, until one of
    /// the two lists ends. Returns false if there was no room for all of them.
    fn merge(&mut self, events: Vec<Event>, notes: Vec<LeadNote>, size: usize) -> bool {
        let most = size.saturating_add(1);
        let (more_events, more_notes) = (events.len() >= most, notes.len() >= most);
        let (mut events, mut notes) = (events.into_iter().peekable(), notes.into_iter().peekable());
        loop {
            let is_note = match (events.peek(), notes.peek()) {
                (None, None) => return true,
                // The next event may come before the next note.
                (None, Some(_)) if more_events => return true,
                (Some(_), None) if more_notes => return true,
                (None, Some(_)) => true,
                (Some(_), None) => false,
                (Some(event), Some(note)) => note.at >= event.act.at,
            };
            if is_note {
                let Some(note) = notes.peek() else { return true };
                if self.found.len() >= size {
                    return false;
                }
                self.before.note = Some(note.position());
                self.found.extend(notes.next().map(Found::Note));
            } else {
                let Some(event) = events.peek() else { return true };
                // The note itself is an entry, for as long as it exists.
                let is_shown = !matches!(event.verb.action(), Verb::NOTED | Verb::NOTE_RESTORED);
                if is_shown && self.found.len() >= size {
                    return false;
                }
                self.before.event = Some(event.position());
                self.found.extend(events.next().filter(|_| is_shown).map(Found::Event));
            }
        }
    }
}

/// The entries, with the names of accounts.
async fn named(app: &App, found: Vec<Found>) -> Result<Vec<Entry>, StoreError> {
    let mut names = Names { app, by_username: HashMap::new(), by_id: HashMap::new() };
    let mut entries = Vec::new();
    for found in found {
        entries.push(match found {
            Found::Note(LeadNote { id, at, author, text, .. }) => Entry {
                at,
                name: names.of(&author).await?,
                actor: Some(author),
                what: What::Note { id, text },
            },
            Found::Event(Event { id, act, verb, changes, .. }) => Entry {
                at: act.at,
                name: names.of(&act.author.actor).await?,
                actor: Some(act.author.actor),
                what: what(&mut names, id, &verb, changes).await?,
            },
        });
    }
    Ok(entries)
}

async fn what(
    names: &mut Names<'_>,
    event: EventId,
    verb: &Verb,
    changes: Changes,
) -> Result<What, StoreError> {
    Ok(match (verb.action(), changes) {
        (Verb::NOTE_REMOVED, _) => What::NoteRemoved { event },
        (Verb::UPDATED, Changes::Fields(fields)) => {
            let mut changes = Vec::new();
            for (field, mut before, mut after) in fields {
                if field == "owner" {
                    (before, after) = (names.owner(before).await?, names.owner(after).await?);
                }
                changes.push(Change { field, before, after });
            }
            What::Changed { event, changes }
        }
        (action, _) => What::Event { event, action: action.to_owned() },
    })
}

/// Looks up the names of accounts, each once.
struct Names<'a> {
    app: &'a App,
    by_username: HashMap<String, Option<String>>,
    by_id: HashMap<i64, Option<String>>,
}

impl Names<'_> {
    /// The full name of the account of an actor.
    async fn of(&mut self, actor: &Actor) -> Result<Option<String>, StoreError> {
        let Actor::Staff(username) = actor else { return Ok(None) };
        if let Some(known) = self.by_username.get(&**username) {
            return Ok(known.clone());
        }
        let staff = self.app.repositories()?.staff.find_by_username(username).await?;
        let name = staff.map(|staff| staff.profile.full_name());
        self.by_username.insert(username.to_string(), name.clone());
        Ok(name)
    }

    /// The name for an owner in an event, which is an id.
    async fn owner(&mut self, value: Value) -> Result<Value, StoreError> {
        let Some(id) = value.as_i64() else { return Ok(value) };
        if !self.by_id.contains_key(&id) {
            let staff = self.app.repositories()?.staff.find(StaffId(id)).await?;
            let name = staff.map(|staff| staff.profile.full_name());
            self.by_id.insert(id, name);
        }
        let name = self.by_id.get(&id).cloned().flatten();
        Ok(name.map_or(value, Value::String))
    }
}

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod tests;
