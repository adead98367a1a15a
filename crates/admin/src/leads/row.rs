//! Saves what is edited in the list, and beside a lead: status, owner, and next step.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use super::edit::{Saved, save_fields};
use super::find;
use crate::Admin;
use crate::errors::PageError;
use crate::form::Form;
use crate::page::see_other;
use crate::visit::Member;

pub(super) async fn save(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let lead = find(&admin, &id).await?;
    match save_fields(&admin, &request, &member, &lead, &form).await? {
        Saved::Lead(..) => Ok(see_other(super::back(form.text("_back")))),
        Saved::Page(page) => Ok(page),
    }
}
