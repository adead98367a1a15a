//! Takes back what an event did.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::{Data, Path};
use exit3_app::events::{UndoError, find, undo};
use exit3_app::{FindError, UpdateError};
use exit3_domain::access::{Action, Record};
use exit3_domain::events::{Event, EventId, Verb};
use exit3_domain::leads::{LeadId, RESOURCE};
use exit3_web::{Endpoint, path};

use crate::errors::PageError;
use crate::page::see_other;
use crate::resource::Pages;
use crate::visit::Member;
use crate::{Admin, BASE};

/// Undo.
pub(crate) const PAGES: Pages = Pages { name: "undo", menu: None, endpoints, lead_parts: &[] };

fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new("undo/{event}/").route(Method::POST, take_back)]
}

async fn take_back(
    admin: Data<Admin>,
    member: Member,
    event: Path<String>,
) -> Result<HttpResponse, PageError> {
    let event = find(&admin.app, EventId(path::id(&event)?)).await?;
    let (action, record) = right_to_undo(&admin, &event).await?;
    member.check(action, record)?;
    let done = match undo(&admin.app, event.id, &member.doer().author).await {
        Ok(undone) if undone.conflicts.is_empty() => "undone",
        Ok(_) => "undone-partly",
        // Somebody else, or a second click, was faster.
        Err(UndoError::Exists) => "undone",
        Err(UndoError::Store(error)) => return Err(error.into()),
        Err(UndoError::Contended) => return Err(UpdateError::Contended.into()),
        Err(UndoError::NotFound) => return Err(PageError::not_found()),
        Err(_) => "undone-not",
    };
    Ok(see_other(&format!("{BASE}leads/{}/?done={done}", event.subject.id)))
}

/// What the person must be allowed to do in order to take the event back.
async fn right_to_undo(admin: &Admin, event: &Event) -> Result<(Action, Record), PageError> {
    if &*event.subject.resource != RESOURCE {
        return Err(PageError::Forbidden);
    }
    let action = match event.verb.action() {
        // The lead is gone, and has no owner now.
        Verb::DELETED => return Ok((Action::Restore, Record::Lead(None))),
        Verb::UPDATED => Action::Edit,
        Verb::NOTE_REMOVED => Action::Note,
        _ => return Err(PageError::Forbidden),
    };
    match exit3_app::leads::find(&admin.app, LeadId(event.subject.id)).await {
        Ok(lead) => Ok((action, Record::Lead(lead.work.owner))),
        Err(FindError::NotFound) => Err(PageError::not_found()),
        Err(error) => Err(error.into()),
    }
}
