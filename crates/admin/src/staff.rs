//! The pages of staff accounts, for owners.

mod change;
mod detail;
mod invite;

use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use exit3_app::staff;
use exit3_domain::access::Record;
use exit3_domain::paging::{DEFAULT_PAGE_SIZE, PageNumber, PageRequest, last_page};
use exit3_domain::staff::{RESOURCE, Role, Staff, StaffId, StaffProfile};
use exit3_web::Endpoint;
use i18n_embed_fl::fl;

use crate::errors::PageError;
use crate::i18n::{Texts, say};
use crate::page::page;
use crate::resource::{Menu, Pages};
use crate::shell::Shell;
use crate::visit::Member;
use crate::{Admin, BASE, format};

/// Accounts in the back office.
pub(crate) const PAGES: Pages = Pages {
    name: "staff",
    menu: Some(Menu { path: "staff/", icon: "shield", key: "g t", reads: Record::Staff }),
    endpoints,
    rows: Some(RESOURCE),
    events: &[
        "created",
        "updated",
        "invited",
        "password_set",
        "preferences_set",
        "signed_in",
        "signed_out",
    ],
    ..Pages::EMPTY
};

fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("staff/").route(Method::GET, list),
        Endpoint::new("staff/new/")
            .route(Method::GET, invite::blank)
            .route(Method::POST, invite::create),
        Endpoint::new("staff/{id}/").route(Method::GET, detail::detail),
        Endpoint::new("staff/{id}/invite/").route(Method::POST, invite::again),
        Endpoint::new("staff/{id}/role/").route(Method::POST, change::role),
        Endpoint::new("staff/{id}/disable/").route(Method::POST, change::disable),
        Endpoint::new("staff/{id}/enable/").route(Method::POST, change::enable),
        Endpoint::new("staff/{id}/sign-out/").route(Method::POST, change::sign_out),
    ]
}

/// The page of an account.
fn address(id: StaffId) -> String {
    format!("{BASE}staff/{}/", id.0)
}

/// The choice of a role.
struct RoleChoice {
    word: &'static str,
    text: String,
    /// What the role may do, in one sentence.
    about: String,
    is_chosen: bool,
}

fn roles(texts: Texts, chosen: Option<&str>) -> Vec<RoleChoice> {
    let choice = |word: &&'static str| RoleChoice {
        word,
        text: say(texts, "role", word),
        about: say(texts, "role-about", word),
        is_chosen: chosen == Some(*word),
    };
    Role::WORDS.iter().map(choice).collect()
}

/// The role of an account in words.
fn role_text(texts: Texts, profile: &StaffProfile) -> String {
    let role = profile.works_as();
    role.map_or_else(|| fl!(texts, "staff-no-role"), |role| say(texts, "role", role.as_str()))
}

/// Whether an account can sign in, in words.
fn state_text(texts: Texts, profile: &StaffProfile) -> String {
    match profile.is_active {
        true => fl!(texts, "staff-active"),
        false => fl!(texts, "staff-disabled"),
    }
}

#[derive(Template)]
#[template(path = "staff/list.html")]
struct ListPage {
    shell: Shell,
    rows: Vec<Row>,
    count: String,
    previous: Option<u64>,
    next: Option<u64>,
}

/// An account in the list.
struct Row {
    href: String,
    name: String,
    username: String,
    email: String,
    role: String,
    state: String,
    is_active: bool,
    /// The last sign-in: for programs, and how long ago.
    seen: Option<(String, String)>,
}

async fn list(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
) -> Result<HttpResponse, PageError> {
    let (texts, now) = (member.visit.texts, admin.app.clock.now());
    let mut query = form_urlencoded::parse(request.query_string().as_bytes());
    let number = query.find(|(name, _)| name == "page").and_then(|(_, value)| value.parse().ok());
    let size = DEFAULT_PAGE_SIZE;
    let wanted = PageRequest { number: PageNumber::Number(number.unwrap_or(1)), size };
    let found = staff::list(&admin.app, wanted, &member.doer()).await?;
    let found = found.ok_or_else(PageError::not_found)?;
    let row = |staff: &Staff| Row {
        href: address(staff.id),
        name: staff.profile.full_name(),
        username: staff.profile.username.clone(),
        email: staff.profile.email.clone(),
        role: role_text(texts, &staff.profile),
        state: state_text(texts, &staff.profile),
        is_active: staff.profile.is_active,
        seen: staff.last_login.map(|at| (format::machine(at), format::age(texts, at, now))),
    };
    let template = ListPage {
        shell: Shell::of(&member.visit, "staff"),
        rows: found.rows.iter().map(row).collect(),
        count: format::number(texts, found.count),
        previous: (found.number > 1).then(|| found.number - 1),
        next: (found.number < last_page(found.count, size)).then(|| found.number + 1),
    };
    page(&request, &template)
}
