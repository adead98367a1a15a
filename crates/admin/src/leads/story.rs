//! What happened to a lead: notes and history, newest first.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use exit3_app::EditError;
use exit3_app::leads::notes;
use exit3_app::leads::timeline::timeline;
use exit3_domain::access::{Action, Record};
use exit3_domain::lead_notes::LeadNoteId;
use exit3_domain::leads::{Lead, RESOURCE};
use exit3_domain::raw::RawValue;
use exit3_web::path;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::{address, find};
use crate::Admin;
use crate::deleted::absent;
use crate::errors::PageError;
use crate::form::Form;
use crate::page::see_other;
use crate::story::{ENTRIES, Told, before, render};
use crate::visit::Member;

/// The part of the page of a lead.
pub(super) fn part<'a>(
    admin: &'a Admin,
    member: &'a Member,
    request: &'a HttpRequest,
    lead: &'a Lead,
) -> LocalBoxFuture<'a, Result<String, PageError>> {
    async move {
        let found = timeline(&admin.app, lead, before(request), ENTRIES).await?;
        let record = Record::Lead(lead.work.owner);
        let told = Told {
            resource: RESOURCE,
            record,
            address: address(lead.id),
            nobody: lead.details.full_name.clone(),
            hidden: &[],
            note: member.may(Action::Note, record).then(|| admin.new_token()),
        };
        render(member, told, found)
    }
    .boxed_local()
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
    let sending = admin.begin(request.path(), &form, RESOURCE).await?;
    if sending.made.is_some() {
        return Ok(there("note-added"));
    }
    let doer = member.sender(&sending.batch);
    let text = RawValue::text(form.given("text").unwrap_or_default());
    match notes::add(&admin.app, lead.id, text, &doer).await {
        Ok(_) => Ok(there("note-added")),
        Err(EditError::NotFound) => Err(absent(&admin, RESOURCE, lead.id.0).await?),
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
