//! The first page: what a person has to do now, and pictures of how leads come in.

mod pictures;
mod steps;

use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::NaiveDate;
use exit3_app::sign_ins;
use exit3_app::{App, leads};
use exit3_domain::access::{Action, Record};
use exit3_web::Endpoint;
use i18n_embed_fl::fl;

use self::pictures::{Bars, Columns};
use self::steps::Steps;
use crate::errors::PageError;
use crate::format;
use crate::i18n::Texts;
use crate::page::{page, see_other};
use crate::resource::{Menu, Pages};
use crate::shell::Shell;
use crate::visit::Member;
use crate::{Admin, BASE};

/// The first page.
pub(crate) const PAGES: Pages = Pages {
    name: "home",
    menu: Some(Menu { path: "", icon: "house", key: "g h", reads: Record::Lead(None) }),
    endpoints,
    ..Pages::EMPTY
};

fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new("").route(Method::GET, today)]
}

#[derive(Template)]
#[template(path = "home/today.html")]
struct TodayPage {
    shell: Shell,
    day: NaiveDate,
    steps: Vec<Steps>,
    columns: Vec<Columns>,
    bars: Vec<Bars>,
    /// What waits in the spool of this node.
    spool: Option<String>,
    may_create: bool,
}

/// The first page of an installation without leads.
#[derive(Template)]
#[template(path = "home/empty.html")]
struct EmptyPage {
    shell: Shell,
    spool: Option<String>,
    may_create: bool,
    is_owner: bool,
}

async fn today(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Read, Record::Lead(None))?;
    let (app, texts) = (&admin.app, member.visit.texts);
    let now = app.clock.now();
    let (counts, left_at) =
        tokio::try_join!(leads::counts(app), sign_ins::left_at(app, &member.who))?;
    let shell = Shell::of(&member.visit, "home");
    let may_create = member.may(Action::Create, Record::Lead(None));
    let spool = spool(app, texts).await;
    if counts.is_empty() {
        let is_owner = member.may(Action::Create, Record::ApiKey);
        return page(&request, &EmptyPage { shell, spool, may_create, is_owner });
    }
    let me = member.who.staff.id;
    let (weeks, own, waiting, new) = tokio::try_join!(
        async { Ok::<_, PageError>(leads::weeks::weeks(app).await?) },
        Steps::own(app, texts, me, now),
        Steps::waiting(app, texts, now),
        Steps::new(app, texts, left_at, now),
    )?;
    let template = TodayPage {
        day: now.date_naive(),
        steps: vec![own, waiting, new],
        columns: vec![Columns::received(texts, &weeks), Columns::waits(texts, &weeks)],
        spool,
        bars: vec![Bars::funnel(texts, &counts), Bars::sources(texts, &counts)],
        may_create,
        shell,
    };
    page(&request, &template)
}

/// Says how much waits in the spool of this node, if anything does.
async fn spool(app: &App, texts: Texts) -> Option<String> {
    let status = app.intake.as_ref()?.status().await.ok()?;
    let time = format::moment(status.oldest?);
    let waits = fl!(texts, "today-spool", count = status.waiting, time = time.as_str());
    let refused = fl!(texts, "today-spool-refused", count = status.problems);
    Some(if status.problems > 0 { format!("{waits} {refused}") } else { waits })
}

/// Leads from the address of the service to the back office.
pub(crate) async fn enter() -> HttpResponse {
    see_other(BASE)
}

/// An address without a page.
pub(crate) async fn nowhere() -> Result<HttpResponse, PageError> {
    Err(PageError::not_found())
}
