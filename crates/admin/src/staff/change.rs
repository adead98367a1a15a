//! Changes of an account: its role, whether it may sign in, and its sign-ins.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use exit3_app::staff::{self, StaffError};
use exit3_domain::access::{Action, Record};
use exit3_domain::staff::{Role, Staff, StaffId};
use exit3_web::path;
use i18n_embed_fl::fl;

use super::{address, detail};
use crate::errors::PageError;
use crate::form::Form;
use crate::page::see_other;
use crate::visit::Member;
use crate::{Admin, BASE};

pub(super) async fn role(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Edit, Record::Staff)?;
    let (id, texts) = (StaffId(path::id(&id)?), member.visit.texts);
    let Some(role) = Role::from_word(form.text("role")) else {
        let wrong = fl!(texts, "rule-invalid-choice");
        return detail::show(&admin, &request, &member, id, Some(wrong)).await;
    };
    let changed = staff::set_role(&admin.app, id, role, &member.doer()).await;
    if changed.is_ok() && id == member.who.staff.id && role != Role::Owner {
        // The person has just lost the right to see the accounts.
        return Ok(see_other(&format!("{BASE}account/?done=staff-role")));
    }
    told(&admin, &request, &member, id, changed, "staff-role").await
}

pub(super) async fn disable(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    id: Path<String>,
) -> Result<HttpResponse, PageError> {
    let id = StaffId(path::id(&id)?);
    let changed = staff::set_active(&admin.app, id, false, &member.doer()).await;
    told(&admin, &request, &member, id, changed, "staff-disabled").await
}

pub(super) async fn enable(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    id: Path<String>,
) -> Result<HttpResponse, PageError> {
    let id = StaffId(path::id(&id)?);
    let changed = staff::set_active(&admin.app, id, true, &member.doer()).await;
    told(&admin, &request, &member, id, changed, "staff-enabled").await
}

pub(super) async fn sign_out(
    admin: Data<Admin>,
    member: Member,
    id: Path<String>,
) -> Result<HttpResponse, PageError> {
    let id = StaffId(path::id(&id)?);
    staff::end_sign_ins(&admin.app, id, &member.doer()).await?;
    Ok(see_other(&format!("{}?done=staff-signed-out", address(id))))
}

/// Leads to the account after a change, or says why it was not made.
async fn told(
    admin: &Admin,
    request: &HttpRequest,
    member: &Member,
    id: StaffId,
    changed: Result<Staff, StaffError>,
    done: &str,
) -> Result<HttpResponse, PageError> {
    match changed {
        Ok(_) => Ok(see_other(&format!("{}?done={done}", address(id)))),
        Err(StaffError::LastOwner) => {
            let wrong = fl!(member.visit.texts, "staff-last-owner");
            detail::show(admin, request, member, id, Some(wrong)).await
        }
        Err(error) => Err(error.into()),
    }
}
