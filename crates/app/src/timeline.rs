//! Timelines: what happened to one row, newest first, as people read it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use exit3_domain::events::{Actor, Changes, Event, EventId, Verb};
use exit3_domain::lead_notes::{LeadNote, LeadNoteId};
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

/// Something that happened to a row.
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

/// What happened to a row.
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
    pub(crate) event: Option<(DateTime<Utc>, EventId)>,
    pub(crate) note: Option<(DateTime<Utc>, LeadNoteId)>,
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

/// A step of the timeline of a row without notes: at most `size` entries, from `before` on or from the
/// newest. `resource` is a word such as [`exit3_domain::subscribers::RESOURCE`].
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "timeline.of_row", skip_all)]
pub async fn of_row(
    app: &App,
    resource: &str,
    id: i64,
    before: Option<Before>,
    size: u32,
) -> Result<Timeline, StoreError> {
    let before = before.unwrap_or_default();
    // One more than needed tells whether others follow.
    let most = size.saturating_add(1);
    let mut events = crate::events::history(app, resource, id, before.event, most).await?;
    let goes_on = events.len() > size as usize;
    events.truncate(size as usize);
    let event = events.last().map(Event::position);
    let entries = named(app, events.into_iter().map(Found::Event).collect()).await?;
    Ok(Timeline { entries, next: goes_on.then_some(Before { event, ..before }) })
}

/// A note or an event.
pub(crate) enum Found {
    Note(LeadNote),
    Event(Event),
}

/// The entries, with the names of accounts.
pub(crate) async fn named(app: &App, found: Vec<Found>) -> Result<Vec<Entry>, StoreError> {
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
