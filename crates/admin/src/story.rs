//! What happened to a row, newest first, as its page shows it.

use actix_web::HttpRequest;
use askama::Template;
use exit3_app::events::may_undo_fields;
use exit3_app::timeline::{Before, Change, Entry, Timeline, What};
use exit3_domain::access::{Record, to_undo};
use exit3_domain::clients::Money;
use exit3_domain::contracts::FILE;
use exit3_domain::events::Verb;
use i18n_embed_fl::fl;
use serde_json::Value;

use crate::errors::PageError;
use crate::format::{self, contract, day, money};
use crate::i18n::{Texts, say};
use crate::visit::Member;

/// The number of entries that are shown at once.
pub const ENTRIES: u32 = 30;

#[derive(Template)]
#[template(path = "story.html")]
struct Story {
    texts: Texts,
    address: String,
    entries: Vec<Shown>,
    older: Option<String>,
    /// The token of the form for a note, if the person may write one.
    note: Option<String>,
    who: i64,
}

/// An entry as it is shown.
struct Shown {
    who: String,
    what: String,
    when: String,
    machine: String,
    text: Option<String>,
    changes: Vec<Changed>,
    /// The note that can be removed.
    removes: Option<i64>,
    /// The event that can be undone.
    undoes: Option<i64>,
}

/// A field that changed, as it is shown.
struct Changed {
    label: String,
    before: String,
    after: String,
}

/// The row of a story.
pub struct Told {
    /// The word for the resource in events, such as `lead`.
    pub resource: &'static str,
    /// The row, whose events the person may or may not take back.
    pub record: Record,
    /// The address of the page of the row.
    pub address: String,
    /// Who is meant if an entry names nobody.
    pub nobody: String,
    /// Fields whose values the person may not see.
    pub hidden: &'static [&'static str],
    /// The token of the form for a note, if the person may write one.
    pub note: Option<String>,
}

/// The position in a story that the address of a page asks for.
pub fn before(request: &HttpRequest) -> Option<Before> {
    let mut query = form_urlencoded::parse(request.query_string().as_bytes());
    let before = query.find(|(name, _)| name == "story");
    before.and_then(|(_, text)| Before::from_text(&text))
}

/// Renders the part of a page that tells the story of its row.
pub fn render(member: &Member, told: Told, found: Timeline) -> Result<String, PageError> {
    let story = Story {
        texts: member.visit.texts,
        entries: found.entries.into_iter().map(|entry| shown(member, &told, entry)).collect(),
        older: found.next.map(|next| format!("{}?story={}#story", told.address, next.to_text())),
        address: told.address,
        note: told.note,
        who: member.who.staff.id.0,
    };
    Ok(story.render()?)
}

fn shown(member: &Member, told: &Told, entry: Entry) -> Shown {
    let texts = member.visit.texts;
    let may_undo = |action: &str| {
        told.record.is_undoable()
            && to_undo(action).is_some_and(|needed| member.may(needed, told.record))
    };
    let who = match (entry.name, &entry.actor) {
        (Some(name), _) => name,
        (None, Some(actor)) => format::actor(texts, actor),
        (None, None) => told.nobody.clone(),
    };
    let mut shown = Shown {
        who,
        what: String::new(),
        when: format::moment(entry.at),
        machine: format::machine(entry.at),
        text: None,
        changes: Vec::new(),
        removes: None,
        undoes: None,
    };
    match entry.what {
        What::Note { id, text } => {
            shown.what = fl!(texts, "story-noted");
            shown.text = Some(text);
            shown.removes = told.note.is_some().then_some(id.0);
        }
        What::NoteRemoved { event } => {
            shown.what = fl!(texts, "story-note-removed");
            shown.undoes = may_undo(Verb::NOTE_REMOVED).then_some(event.0);
        }
        What::Changed { event, changes } => {
            shown.what = fl!(texts, "story-changed");
            let fields = changes.iter().map(|change| (change.field.as_str(), &change.before));
            let is_undoable = !changes.is_empty()
                && may_undo(Verb::UPDATED)
                && may_undo_fields(&member.doer(), told.record, fields);
            shown.undoes = is_undoable.then_some(event.0);
            let changed = |change| changed(texts, told.hidden, change);
            shown.changes = changes.into_iter().map(changed).collect();
        }
        What::Event { action, .. } => shown.what = happened(texts, told.resource, &action),
        What::Notes(text) => {
            shown.what = fl!(texts, "story-notes");
            shown.text = Some(text);
        }
    }
    shown
}

/// What happened, as words behind the name of the person: those for the resource, if there are any.
fn happened(texts: Texts, resource: &str, action: &str) -> String {
    let own = format!("story-{resource}");
    match texts.has(&format!("{own}-{}", action.replace('_', "-"))) {
        true => say(texts, &own, action),
        false => say(texts, "story", action),
    }
}

fn changed(texts: Texts, hidden: &[&str], change: Change) -> Changed {
    let Change { field, before, after } = change;
    let label = say(texts, "field", &field);
    let text = |of: Value| match hidden.contains(&field.as_str()) {
        true => "…".to_owned(),
        false => value(texts, &field, of),
    };
    Changed { label, before: text(before), after: text(after) }
}

/// A value of an event as people read it.
fn value(texts: Texts, field: &str, value: Value) -> String {
    match (field, value) {
        (_, Value::Null) => fl!(texts, "nothing"),
        ("source" | "status" | "category", Value::String(word)) => say(texts, field, &word),
        ("next_step_at", Value::String(time)) => day(&time),
        (FILE, Value::String(path)) => contract(texts, &path),
        ("monthly_charge" | "one_time_charge", Value::String(amount)) => {
            amount.parse::<Money>().map_or(amount, |charge| money(texts, charge.hundredths()))
        }
        ("is_subscribed", Value::Bool(wanted)) => say(texts, "subscribed", &wanted.to_string()),
        (_, Value::String(text)) if text.is_empty() => fl!(texts, "nothing"),
        (_, Value::String(text)) => match format::time_in(field, &text) {
            Some(time) => format::moment(time),
            None => text,
        },
        (_, value) => value.to_string(),
    }
}
