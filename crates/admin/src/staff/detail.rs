//! The page of an account.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use exit3_app::staff;
use exit3_domain::staff::{Role, StaffId};
use exit3_web::{ApiError, path};
use i18n_embed_fl::fl;

use super::{RoleChoice, address, role_text, roles, state_text};
use crate::errors::PageError;
use crate::page::page_with;
use crate::shell::Shell;
use crate::visit::Member;
use crate::{Admin, format};

#[derive(Template)]
#[template(path = "staff/detail.html")]
struct DetailPage {
    shell: Shell,
    id: i64,
    name: String,
    address: String,
    /// Why something was not done.
    wrong: Option<String>,
    facts: Vec<(String, String)>,
    roles: Vec<RoleChoice>,
    is_active: bool,
    is_own: bool,
    /// How many browsers are signed in, and when one of them was last seen.
    signed_in: Option<String>,
    who: i64,
    token: String,
}

pub(super) async fn detail(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    id: Path<String>,
) -> Result<HttpResponse, PageError> {
    show(&admin, &request, &member, StaffId(path::id(&id)?), None).await
}

/// Shows an account, with a sentence about what was not done.
pub(super) async fn show(
    admin: &Admin,
    request: &HttpRequest,
    member: &Member,
    id: StaffId,
    wrong: Option<String>,
) -> Result<HttpResponse, PageError> {
    let (texts, now) = (member.visit.texts, admin.app.clock.now());
    let (staff, sign_ins) = staff::find_by_id(&admin.app, id, &member.doer()).await?;
    let profile = &staff.profile;
    let signed_in = sign_ins.first().map(|last| {
        let seen = format::age(texts, last.seen_at, now);
        fl!(texts, "staff-signed-in", count = sign_ins.len(), seen = seen)
    });
    let last = staff.last_login.map_or_else(|| fl!(texts, "staff-never"), format::moment);
    let error = wrong.as_ref().map(|sentence| ApiError::bad_request(sentence.clone()));
    let template = DetailPage {
        shell: Shell::of(&member.visit, "staff"),
        id: id.0,
        name: profile.full_name(),
        address: address(id),
        wrong,
        facts: vec![
            (fl!(texts, "username"), profile.username.clone()),
            (fl!(texts, "field-email"), profile.email.clone()),
            (fl!(texts, "field-role"), role_text(texts, profile)),
            (fl!(texts, "staff-state"), state_text(texts, profile)),
            (fl!(texts, "staff-joined"), format::moment(staff.date_joined)),
            (fl!(texts, "staff-last"), last),
        ],
        roles: roles(texts, profile.works_as().map(Role::as_str)),
        is_active: profile.is_active,
        is_own: id == member.who.staff.id,
        signed_in,
        who: member.who.staff.id.0,
        token: admin.new_token(),
    };
    page_with(request, error.as_ref(), &template)
}
