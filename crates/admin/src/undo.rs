//! Takes back what an event did.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::{Data, Path};
use exit3_app::UpdateError;
use exit3_app::events::{UndoError, find, undo_by_staff};
use exit3_domain::events::EventId;
use exit3_web::{Endpoint, path};

use crate::errors::PageError;
use crate::form::Form;
use crate::page::{own_path, see_other};
use crate::resource::Pages;
use crate::visit::Member;
use crate::{Admin, BASE};

/// Undo.
pub(crate) const PAGES: Pages = Pages { name: "undo", endpoints, ..Pages::EMPTY };

fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new("undo/{event}/").route(Method::POST, take_back)]
}

async fn take_back(
    admin: Data<Admin>,
    member: Member,
    event: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let event = find(&admin.app, EventId(path::id(&event)?)).await?;
    let done = match undo_by_staff(&admin.app, &event, &member.doer()).await {
        Ok(undone) if undone.conflicts.is_empty() => "undone",
        Ok(_) => "undone-partly",
        // Somebody else, or a second click, was faster.
        Err(UndoError::Exists) => "undone",
        Err(UndoError::Forbidden(_)) => return Err(PageError::Forbidden),
        Err(UndoError::Store(error)) => return Err(error.into()),
        Err(UndoError::Contended) => return Err(UpdateError::Contended.into()),
        Err(UndoError::NotFound) => return Err(PageError::not_found()),
        Err(_) => "undone-not",
    };
    if let Some(back) = own_path(form.text("_back")) {
        let mark = if back.contains('?') { '&' } else { '?' };
        return Ok(see_other(&format!("{back}{mark}done={done}")));
    }
    let rows = member.visit.offer.of_rows(&event.subject.resource);
    let list = rows.and_then(|pages| pages.menu).ok_or_else(PageError::not_found)?;
    Ok(see_other(&format!("{BASE}{}{}/?done={done}", list.path, event.subject.id)))
}
