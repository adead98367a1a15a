//! Invites people: a new account, or another link for an existing one. The link is in one response
//! only, because nothing but a digest of it is stored.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use exit3_app::staff::{self, StaffError};
use exit3_domain::access::{Action, Record};
use exit3_domain::sign_ins::SecretToken;
use exit3_domain::staff::{AccountInput, Role, Staff, StaffId};
use exit3_domain::validation::{Invalid, Violation};
use exit3_web::{ApiError, path};
use i18n_embed_fl::fl;

use super::{RoleChoice, address, detail, roles};
use crate::errors::PageError;
use crate::fields::wrong;
use crate::form::Form;
use crate::format::violations_by_field;
use crate::i18n::say;
use crate::page::{page, page_with, see_other, site};
use crate::shell::Shell;
use crate::visit::Member;
use crate::{Admin, BASE};

/// The texts of an account: the name of each field, its type, what browsers fill in, and its longest
/// text.
const FIELDS: [(&str, &str, &str, usize); 4] = [
    ("username", "text", "off", 150),
    ("first_name", "text", "off", 150),
    ("last_name", "text", "off", 150),
    ("email", "email", "off", 254),
];

#[derive(Template)]
#[template(path = "staff/form.html")]
struct FormPage {
    shell: Shell,
    errors: Vec<(&'static str, String)>,
    is_refilled: bool,
    who: i64,
    token: String,
    fields: Vec<Field>,
    roles: Vec<RoleChoice>,
    role_wrong: Vec<String>,
}

/// A text of the form.
struct Field {
    name: &'static str,
    label: String,
    kind: &'static str,
    autocomplete: &'static str,
    longest: usize,
    value: String,
    is_required: bool,
    wrong: Vec<String>,
}

fn show(
    admin: &Admin,
    request: &HttpRequest,
    member: &Member,
    sent: Option<&Form>,
    invalid: Option<&Invalid>,
) -> Result<HttpResponse, PageError> {
    let texts = member.visit.texts;
    let given = |name| sent.and_then(|form| form.given(name)).unwrap_or_default();
    let wrong = |name: &str| invalid.map(|invalid| wrong(texts, invalid, name)).unwrap_or_default();
    let fields = FIELDS.map(|(name, kind, autocomplete, longest)| Field {
        name,
        label: say(texts, "field", name),
        kind,
        autocomplete,
        longest,
        value: given(name).to_owned(),
        is_required: name == "username",
        wrong: wrong(name),
    });
    let role = match sent {
        Some(_) => given("role"),
        None => Role::Sales.as_str(),
    };
    let template = FormPage {
        shell: Shell::of(&member.visit, "staff"),
        errors: invalid.map(|invalid| violations_by_field(texts, invalid)).unwrap_or_default(),
        is_refilled: member.visit.refills,
        who: member.who.staff.id.0,
        token: sent.map_or_else(|| admin.new_token(), |form| form.text("_token").to_owned()),
        fields: fields.into(),
        roles: roles(texts, Some(role)),
        role_wrong: wrong("role"),
    };
    page_with(request, invalid.cloned().map(ApiError::from).as_ref(), &template)
}

pub(super) async fn blank(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Create, Record::Staff)?;
    show(&admin, &request, &member, None, None)
}

pub(super) async fn create(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    form: Form,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Create, Record::Staff)?;
    if member.visit.refills {
        return show(&admin, &request, &member, Some(&form), None);
    }
    let sending = admin.begin(request.path(), &form, exit3_domain::staff::RESOURCE).await?;
    if let Some(made) = &sending.made {
        return Ok(shown_before(StaffId(made.id)));
    }
    let invited = match input(&form) {
        Ok(input) => staff::invite_new(&admin.app, input, &member.sender(&sending.batch)).await,
        Err(invalid) => Err(invalid.into()),
    };
    match invited {
        Ok((staff, token)) => link(&request, &member, &staff, &token),
        Err(StaffError::Invalid(invalid)) => match sending.made_meanwhile(&admin).await? {
            Some(made) => Ok(shown_before(StaffId(made.id))),
            None => show(&admin, &request, &member, Some(&form), Some(&invalid)),
        },
        Err(error) => Err(error.into()),
    }
}

/// The account that a form asks for.
fn input(form: &Form) -> Result<AccountInput, Invalid> {
    let text = |name| form.given(name).unwrap_or_default().to_owned();
    let role = Role::from_word(form.text("role"));
    let input = AccountInput {
        username: text("username"),
        first_name: text("first_name"),
        last_name: text("last_name"),
        email: text("email"),
        role: role.unwrap_or(Role::Viewer),
    };
    if role.is_none() {
        let unknown = Violation::new("invalid_choice", "This is not one of the roles.");
        let mut invalid = Invalid::field("role", unknown);
        // The errors of all fields are told at once.
        invalid.merge(input.into_profile().err().unwrap_or_default());
        return Err(invalid);
    }
    Ok(input)
}

pub(super) async fn again(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Edit, Record::Staff)?;
    let id = StaffId(path::id(&id)?);
    let (staff, _) = staff::find_by_id(&admin.app, id, &member.doer()).await?;
    let sending = admin.begin(request.path(), &form, exit3_domain::staff::RESOURCE).await?;
    if sending.made.is_some() {
        return Ok(shown_before(id));
    }
    match staff::invite(&admin.app, id, &member.sender(&sending.batch)).await {
        Ok(token) => link(&request, &member, &staff, &token),
        Err(StaffError::NotFound) => {
            let wrong = fl!(member.visit.texts, "staff-invite-disabled");
            detail::show(&admin, &request, &member, id, Some(wrong)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Leads to the account of a form that was sent before. Its link is not shown again.
fn shown_before(id: StaffId) -> HttpResponse {
    see_other(&format!("{}?done=staff-shown-before", address(id)))
}

#[derive(Template)]
#[template(path = "staff/link.html")]
struct LinkPage {
    shell: Shell,
    name: String,
    address: String,
    link: String,
}

/// Shows the link of an invitation, once.
fn link(
    request: &HttpRequest,
    member: &Member,
    staff: &Staff,
    token: &SecretToken,
) -> Result<HttpResponse, PageError> {
    let template = LinkPage {
        shell: Shell::of(&member.visit, "staff"),
        name: staff.profile.full_name(),
        address: address(staff.id),
        link: format!("{}{BASE}invitation/{}/", site(request), token.expose()),
    };
    page(request, &template)
}
