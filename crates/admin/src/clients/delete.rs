//! Deletes a client. The page to which it leads offers to undo that.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use exit3_app::{EditError, clients};
use exit3_domain::clients::RESOURCE;

use super::{LIST, address, find};
use crate::Admin;
use crate::deleted::{expected, lead_back};
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
    let id = find(&admin, &id).await?.id;
    match clients::delete_by_staff(&admin.app, id, &expected(&form), &member.doer()).await {
        Ok(()) => lead_back(&admin, &form, LIST, RESOURCE, id.0).await,
        Err(EditError::Contended) => Ok(see_other(&format!("{}?done=client-changed", address(id)))),
        Err(error) => Err(error.into()),
    }
}
