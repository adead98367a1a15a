//! Meetings in the back office: a page with those to come, a form, and a part of a lead's page.

use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use exit3_admin::fields::{Field, Fields, Kind, values};
use exit3_admin::form_page::{self, Heading, Shown};
use exit3_admin::{
    Admin, BASE, Form, Framed, Member, Menu, PageError, Pages, format, framed, say, see_other,
};
use exit3_app::{EditError, SaveError};
use exit3_domain::access::{Action, Record, Rights, Whose};
use exit3_domain::leads::{Lead, LeadId};
use exit3_domain::order::Order;
use exit3_domain::staff::{Language, Role};
use exit3_domain::validation::Invalid;
use exit3_web::Endpoint;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::app;
use crate::domain::{Meeting, MeetingFilter, MeetingInput, MeetingSort, RESOURCE, step};

/// Who may do what with meetings. Owners may do everything.
pub static RIGHTS: Rights = Rights {
    resource: RESOURCE,
    roles: &[
        (Role::Manager, Action::ALL, Whose::All),
        (Role::Sales, &[Action::Read, Action::Create], Whose::All),
        (Role::Viewer, &[Action::Read], Whose::All),
    ],
};

const MEETINGS: Record = Record::Of(&RIGHTS, None);

/// The pages of the module.
pub const PAGES: Pages = Pages {
    name: "meetings",
    menu: Some(Menu { path: "meetings/", icon: "calendar", key: "g m", reads: MEETINGS }),
    endpoints,
    rows: Some(RESOURCE),
    events: &["created", "updated", "deleted", "reminded"],
    lead_parts: &[part],
    texts: &[
        (Language::English, include_str!("../i18n/en.ftl")),
        (Language::Croatian, include_str!("../i18n/hr.ftl")),
    ],
    ..Pages::EMPTY
};

fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("meetings/").route(Method::GET, list),
        Endpoint::new("meetings/new/").route(Method::GET, blank).route(Method::POST, create),
    ]
}

/// How many meetings a page shows.
const MOST: u32 = 50;

/// A meeting as it is shown.
struct Shows {
    /// The same time for programs and people.
    machine: String,
    starts_at: String,
    place: String,
    lead: i64,
    outcome: String,
}

impl Shows {
    fn of(member: &Member, meeting: Meeting) -> Self {
        let details = meeting.details;
        let outcome = details.outcome.map(|it| say(member.texts(), "meeting-outcome", it.as_str()));
        Self {
            machine: format::machine(details.starts_at),
            starts_at: format::moment(details.starts_at),
            place: details.place,
            lead: details.lead.0,
            outcome: outcome.unwrap_or_default(),
        }
    }
}

#[derive(Template)]
#[template(path = "list.html")]
struct List {
    title: String,
    new: Option<String>,
    add: String,
    empty: String,
    lead: String,
    meetings: Vec<Shows>,
}

/// The coming meetings that match, the next ones first.
async fn coming(
    admin: &Admin,
    member: &Member,
    filter: &MeetingFilter,
) -> Result<Vec<Shows>, PageError> {
    let order = Order { by: MeetingSort::StartsAt, descending: false };
    let found = app::walk(admin.app(), filter, order, &step(MOST)).await?;
    Ok(found.rows.into_iter().map(|meeting| Shows::of(member, meeting)).collect())
}

async fn list(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Read, MEETINGS)?;
    let filter = MeetingFilter { lead: None, from: Some(admin.app().clock.now()) };
    let texts = member.texts();
    let title = say(texts, "menu", "meetings");
    let may_create = member.may(Action::Create, MEETINGS);
    let page = List {
        title: title.clone(),
        new: may_create.then(|| format!("{BASE}meetings/new/")),
        add: say(texts, "meeting", "add"),
        empty: say(texts, "meeting", "none"),
        lead: format!("{BASE}leads/"),
        meetings: coming(&admin, &member, &filter).await?,
    };
    framed(&request, &member, Framed { here: "meetings", title, content: page.render()? })
}

#[derive(Template)]
#[template(path = "part.html")]
struct Part {
    title: String,
    new: Option<String>,
    add: String,
    empty: String,
    meetings: Vec<Shows>,
}

/// The meetings with a lead.
fn part<'a>(
    admin: &'a Admin,
    member: &'a Member,
    _: &'a HttpRequest,
    lead: &'a Lead,
) -> LocalBoxFuture<'a, Result<String, PageError>> {
    async move {
        if !member.may(Action::Read, MEETINGS) {
            return Ok(String::new());
        }
        let (texts, lead) = (member.texts(), lead.id);
        let may_create = member.may(Action::Create, MEETINGS);
        let part = Part {
            title: say(texts, "menu", "meetings"),
            new: may_create.then(|| format!("{BASE}meetings/new/?lead={}", lead.0)),
            add: say(texts, "meeting", "add"),
            empty: say(texts, "meeting", "none"),
            meetings: coming(admin, member, &MeetingFilter { lead: Some(lead), from: None })
                .await?,
        };
        Ok(part.render()?)
    }
    .boxed_local()
}

const FIELDS: &[Field] = &[
    Field::text("lead", 0).required(),
    Field::text("starts_at", 0).typed_as(Kind::Moment).required(),
    Field::text("place", 255).required(),
];

fn show(
    admin: &Admin,
    request: &HttpRequest,
    member: &Member,
    sent: Option<&Form>,
    invalid: Option<&Invalid>,
) -> Result<HttpResponse, PageError> {
    let list = format!("{BASE}meetings/");
    let heading = Heading {
        resource: "meetings",
        title: say(member.texts(), "meeting", "add"),
        action: format!("{list}new/"),
        back: list,
        back_text: say(member.texts(), "menu", "meetings"),
    };
    let params = exit3_web::query::Params::of(request);
    let lead = params.last("lead").unwrap_or_default().to_owned();
    let usual = move |name: &str| if name == "lead" { lead.clone() } else { String::new() };
    let fields = Fields { fields: FIELDS, usual: &usual, choices: &|_, _| Vec::new() };
    let shown = Shown { sent, invalid, ..Shown::default() };
    form_page::show(admin, request, member, heading, &fields, shown)
}

async fn blank(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Create, MEETINGS)?;
    show(&admin, &request, &member, None, None)
}

async fn create(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    form: Form,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Create, MEETINGS)?;
    if member.refills() {
        return show(&admin, &request, &member, Some(&form), None);
    }
    let sending = admin.begin(request.path(), &form, RESOURCE).await?;
    let lead = form.text("lead").parse().map(LeadId).ok();
    if sending.made.is_none() {
        let input = MeetingInput::of(values(FIELDS, &form));
        let author = member.sender(&sending.batch).author;
        match app::create(admin.app(), input, &author).await {
            Ok(_) => {}
            Err(SaveError::Invalid(invalid)) => {
                return show(&admin, &request, &member, Some(&form), Some(&invalid));
            }
            Err(error) => return Err(EditError::from(error).into()),
        }
    }
    // The page of the lead shows the meeting.
    let lead = lead.map_or_else(|| "meetings/".to_owned(), |id| format!("leads/{}/", id.0));
    Ok(see_other(&format!("{BASE}{lead}?done=meeting-created")))
}
