//! A module as a crate of others writes it: it uses public items only. Visits are in no database; what
//! the pages need of one is written here.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};
use exit3_admin::deleted::lead_back;
use exit3_admin::fields::{Field, Fields, Kind, values};
use exit3_admin::form_page::{self, Heading, Shown};
use exit3_admin::story::{ENTRIES, Told, before, render};
use exit3_admin::{
    Admin, BASE, Form, Found, Framed, Member, Menu, PageError, Pages, Texts, framed, see_other,
};
use exit3_admin::{format, say};
use exit3_app::modules::Switch;
use exit3_app::timeline::of_row;
use exit3_domain::access::{Action, Record, Rights, Whose};
use exit3_domain::leads::Lead;
use exit3_domain::raw::RawValue;
use exit3_domain::staff::{Language, Role};
use exit3_domain::validation::{Invalid, Violation};
use exit3_web::{Endpoint, path};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

const RESOURCE: &str = "visit";

static RIGHTS: Rights = Rights {
    resource: RESOURCE,
    roles: &[
        (Role::Manager, Action::ALL, Whose::All),
        (Role::Sales, &[Action::Read, Action::Create], Whose::All),
    ],
};

/// All visits.
pub(crate) const VISITS: Record = Record::Of(&RIGHTS, None);

static SWITCH: Switch = Switch::of("visits");

pub(crate) static PAGES: Pages = Pages {
    name: "visits",
    menu: Some(Menu { path: "visits/", icon: "calendar", key: "g v", reads: VISITS }),
    endpoints,
    rows: Some(RESOURCE),
    events: &["created"],
    search: Some(search),
    lead_parts: &[part],
    texts: &[(Language::English, ENGLISH), (Language::Croatian, CROATIAN)],
    switch: Some(&SWITCH),
    ..Pages::EMPTY
};

const ENGLISH: &str = "
menu-visits = Visits
visit-next = The next visit
field-starts-at = Starts at (UTC)
field-greeting = Greeting
rule-starts-at-invalid = Type a day and a time.
done-visit-created = The visit is stored.
done-visit-deleted = The visit is deleted.
story-visit-created = arranged this
events-about-visit = Visits
event-visit-created = arranged the visit
";

/// One text is missing.
const CROATIAN: &str = "
menu-visits = Posjeti
field-starts-at = Početak (UTC)
field-greeting = Pozdrav
rule-starts-at-invalid = Upišite dan i vrijeme.
done-visit-created = Posjet je spremljen.
done-visit-deleted = Posjet je obrisan.
story-visit-created = dogovara ovo
events-about-visit = Posjeti
event-visit-created = dogovara posjet
";

fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("visits/").route(Method::GET, list),
        Endpoint::new("visits/new/").route(Method::GET, blank).route(Method::POST, create),
        Endpoint::new("visits/{id}/").route(Method::GET, detail),
        Endpoint::new("visits/{id}/delete/").route(Method::POST, delete),
    ]
}

#[derive(Template)]
#[template(
    ext = "html",
    source = "<div class=\"head\"><h1>{{ title }}</h1></div>\n<p>{{ place }}, {{ when }}</p>"
)]
struct List {
    title: String,
    place: &'static str,
    when: String,
}

async fn list(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Read, VISITS)?;
    // The log of a panic would name it.
    assert_eq!(exit3_app::modules::current(), Some("visits"));
    let title = say(member.texts(), "menu", "visits");
    let when = format::moment(admin.app().clock.now());
    let content = List { title: title.clone(), place: "<b>Rijeka</b>", when }.render()?;
    framed(&request, &member, Framed { here: "visits", title, content })
}

/// The id in a path. There is one visit.
fn find(id: &str) -> Result<i64, PageError> {
    match path::id(id)? {
        4 => Ok(4),
        _ => Err(PageError::not_found()),
    }
}

async fn detail(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    id: Path<String>,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Read, VISITS)?;
    let id = find(&id)?;
    let found = of_row(admin.app(), RESOURCE, id, before(&request), ENTRIES).await?;
    let told = Told {
        resource: RESOURCE,
        record: VISITS,
        address: format!("{BASE}visits/{id}/"),
        nobody: String::new(),
        hidden: &[],
        note: None,
    };
    let content = format!("<h1>{id}</h1>{}", render(&member, told, found)?);
    framed(&request, &member, Framed { here: "visits", title: id.to_string(), content })
}

async fn delete(
    admin: Data<Admin>,
    member: Member,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Delete, VISITS)?;
    let id = find(&id)?;
    lead_back(&admin, &form, &format!("{BASE}visits/"), RESOURCE, id).await
}

const FIELDS: &[Field] =
    &[Field::text("starts_at", 0).typed_as(Kind::Moment).required(), Field::text("greeting", 100)];

fn show(
    admin: &Admin,
    request: &HttpRequest,
    member: &Member,
    sent: Option<&Form>,
    invalid: Option<&Invalid>,
) -> Result<HttpResponse, PageError> {
    let list = format!("{BASE}visits/");
    let title = say(member.texts(), "menu", "visits");
    let heading = Heading {
        resource: "visits",
        title: title.clone(),
        action: format!("{list}new/"),
        back: list,
        back_text: title,
    };
    let fields = Fields { fields: FIELDS, usual: &|_| String::new(), choices: &|_, _| Vec::new() };
    let shown = Shown { sent, invalid, ..Shown::default() };
    form_page::show(admin, request, member, heading, &fields, shown)
}

async fn blank(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Create, VISITS)?;
    show(&admin, &request, &member, None, None)
}

async fn create(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    form: Form,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Create, VISITS)?;
    if member.refills() {
        return show(&admin, &request, &member, Some(&form), None);
    }
    let sending = admin.begin(request.path(), &form, RESOURCE).await?;
    if sending.made.is_none() {
        let values = values(FIELDS, &form);
        let starts_at = values.iter().find_map(|(name, value)| match value {
            RawValue::Text(text) if name == "starts_at" => text.parse::<DateTime<Utc>>().ok(),
            _ => None,
        });
        if starts_at.is_none() {
            let violation = Violation::new("invalid", "A time is missing.");
            let invalid = Invalid::field("starts_at", violation);
            return show(&admin, &request, &member, Some(&form), Some(&invalid));
        }
    }
    Ok(see_other(&format!("{BASE}visits/?done=visit-created")))
}

/// What the name of a lead, or what somebody typed, does to the module.
fn go_wrong(how: &str) -> LocalBoxFuture<'static, Result<(), PageError>> {
    match how {
        "panic" => panic!("the module has a bug"),
        "hang" => tokio::time::sleep(Duration::from_secs(60)).map(Ok).boxed_local(),
        "fail" => async { Err(PageError::not_found()) }.boxed_local(),
        _ => async { Ok(()) }.boxed_local(),
    }
}

#[derive(Template)]
#[template(
    ext = "html",
    source = "<section class=\"card\"><h2>{{ title }}</h2><p>{{ name }}</p></section>"
)]
struct Part<'a> {
    title: String,
    name: &'a str,
}

fn part<'a>(
    _: &'a Admin,
    member: &'a Member,
    _: &'a HttpRequest,
    lead: &'a Lead,
) -> LocalBoxFuture<'a, Result<String, PageError>> {
    let name = &lead.details.full_name;
    let work = go_wrong(name);
    async move {
        work.await?;
        if !member.may(Action::Read, VISITS) {
            return Ok(String::new());
        }
        let texts: Texts = member.texts();
        Ok(Part { title: say(texts, "visit", "next"), name }.render()?)
    }
    .boxed_local()
}

fn search<'a>(
    _: &'a Admin,
    _: &'a Member,
    typed: &'a str,
) -> LocalBoxFuture<'a, Result<Vec<Found>, PageError>> {
    let work = go_wrong(typed);
    async move {
        work.await?;
        let found = Found {
            href: format!("{BASE}visits/"),
            name: "Rijeka".to_owned(),
            about: String::new(),
            dot: "new",
            state: String::new(),
        };
        Ok(vec![found])
    }
    .boxed_local()
}
