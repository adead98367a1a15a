//! The timeline of a lead: notes and history, newest first.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use exit3_app::EditError;
use exit3_app::leads::notes;
use exit3_app::leads::timeline::{Before, Change, Entry, What, timeline};
use exit3_domain::access::{Action, Record};
use exit3_domain::lead_notes::LeadNoteId;
use exit3_domain::leads::Lead;
use exit3_domain::raw::RawValue;
use exit3_web::{ApiError, path};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use i18n_embed_fl::fl;
use serde_json::Value;

use super::{address, find};
use crate::Admin;
use crate::errors::PageError;
use crate::form::Form;
use crate::format;
use crate::i18n::{Texts, say};
use crate::page::see_other;
use crate::visit::Member;

/// The number of entries that are shown at once.
const ENTRIES: u32 = 30;

#[derive(Template)]
#[template(path = "leads/story.html")]
struct Story {
    texts: Texts,
    address: String,
    entries: Vec<Shown>,
    older: Option<String>,
    may_note: bool,
    who: i64,
    token: String,
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

/// The part of the page of a lead.
pub(super) fn part<'a>(
    admin: &'a Admin,
    member: &'a Member,
    request: &'a HttpRequest,
    lead: &'a Lead,
) -> LocalBoxFuture<'a, Result<String, PageError>> {
    render(admin, member, request, lead).boxed_local()
}

async fn render(
    admin: &Admin,
    member: &Member,
    request: &HttpRequest,
    lead: &Lead,
) -> Result<String, PageError> {
    let mut query = form_urlencoded::parse(request.query_string().as_bytes());
    let before = query.find(|(name, _)| name == "story");
    let before = before.and_then(|(_, text)| Before::from_text(&text));
    let found = timeline(&admin.app, lead, before, ENTRIES).await?;
    let record = Record::Lead(lead.work.owner);
    let story = Story {
        texts: member.visit.texts,
        address: address(lead.id),
        entries: found.entries.into_iter().map(|entry| shown(member, lead, entry)).collect(),
        older: found
            .next
            .map(|next| format!("{}?story={}#story", address(lead.id), next.to_text())),
        may_note: member.may(Action::Note, record),
        who: member.who.staff.id.0,
        token: admin.new_token(),
    };
    story.render().map_err(|error| {
        tracing::error!(%error, "a timeline cannot be rendered");
        ApiError::internal().into()
    })
}

fn shown(member: &Member, lead: &Lead, entry: Entry) -> Shown {
    let texts = member.visit.texts;
    let record = Record::Lead(lead.work.owner);
    let (may_edit, may_note) = (member.may(Action::Edit, record), member.may(Action::Note, record));
    let who = match (entry.name, &entry.actor) {
        (Some(name), _) => name,
        (None, Some(actor)) => format::actor(texts, actor),
        (None, None) => lead.details.full_name.clone(),
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
            shown.removes = may_note.then_some(id.0);
        }
        What::NoteRemoved { event } => {
            shown.what = fl!(texts, "story-note-removed");
            shown.undoes = may_note.then_some(event.0);
        }
        What::Changed { event, changes } => {
            shown.what = fl!(texts, "story-changed");
            shown.undoes = (may_edit && !changes.is_empty()).then_some(event.0);
            shown.changes = changes.into_iter().map(|change| changed(texts, change)).collect();
        }
        What::Event { action, .. } => shown.what = say(texts, "story", &action),
        What::Notes(text) => {
            shown.what = fl!(texts, "story-notes");
            shown.text = Some(text);
        }
    }
    shown
}

fn changed(texts: Texts, change: Change) -> Changed {
    let Change { field, before, after } = change;
    let text = |value: Value| match (field.as_str(), value) {
        (_, Value::Null) => fl!(texts, "nothing"),
        ("source" | "status" | "category", Value::String(word)) => say(texts, &field, &word),
        ("next_step_at", Value::String(time)) => super::fields::day(&time),
        (_, Value::String(text)) if text.is_empty() => fl!(texts, "nothing"),
        (_, Value::String(text)) => text,
        (_, value) => value.to_string(),
    };
    Changed { label: say(texts, "field", &field), before: text(before), after: text(after) }
}

pub(super) async fn add(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let lead = find(&admin, &id).await?;
    let there = |done: &str| see_other(&format!("{}?done={done}", address(lead.id)));
    let sending = admin.begin(request.path(), &form).await?;
    if sending.made.is_some() {
        return Ok(there("note-added"));
    }
    let doer = member.sender(&sending.batch);
    let text = RawValue::text(form.given("text").unwrap_or_default());
    match notes::add(&admin.app, lead.id, text, &doer).await {
        Ok(_) => Ok(there("note-added")),
        Err(EditError::NotFound) => Err(super::absent(&admin, lead.id).await?),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn remove(
    admin: Data<Admin>,
    member: Member,
    ids: Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let (id, note) = ids.into_inner();
    let (lead, note) = (find(&admin, &id).await?, LeadNoteId(path::id(&note)?));
    notes::remove(&admin.app, lead.id, note, &member.doer()).await?;
    Ok(see_other(&format!("{}?done=note-removed", address(lead.id))))
}
