//! Deletes a lead. The page to which it leads offers to undo that.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use exit3_app::events;
use exit3_app::{EditError, leads};
use exit3_domain::leads::RESOURCE;
use exit3_domain::versions::{Expected, Version, Versions};

use super::{address, find};
use crate::Admin;
use crate::errors::PageError;
use crate::form::Form;
use crate::page::see_other;
use crate::visit::Member;

pub(super) async fn delete(
    admin: Data<Admin>,
    member: Member,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let lead = find(&admin, &id).await?;
    // Nobody deletes what somebody else has changed meanwhile without having seen it.
    let seen = Versions::These(vec![Version::named(form.text("_version"))]);
    let expected = Expected { only: Some(seen), except: None };
    match leads::delete_by_staff(&admin.app, lead.id, &expected, &member.doer()).await {
        Ok(()) => {}
        Err(EditError::Contended) => {
            return Ok(see_other(&format!("{}?done=lead-changed", address(lead.id))));
        }
        Err(error) => return Err(error.into()),
    }
    let deleted = events::history(&admin.app, RESOURCE, lead.id.0, None, 1).await?;
    let event = deleted.first().map(|event| format!("&event={}", event.id.0)).unwrap_or_default();
    let back = super::back(form.text("_back"));
    let mark = if back.contains('?') { '&' } else { '?' };
    Ok(see_other(&format!("{back}{mark}done=lead-deleted{event}")))
}
