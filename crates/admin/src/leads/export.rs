//! Exports the leads of a list.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use exit3_app::leads;
use exit3_domain::access::{Action, Record};
use exit3_domain::leads::{LeadFilter, LeadOrder, LeadOwner, LeadSort};
use exit3_domain::paging::{Direction, Step};
use i18n_embed_fl::fl;

use super::asked::Asked;
use crate::Admin;
use crate::errors::PageError;
use crate::exports::{self, ExportedList};
use crate::form::Form;
use crate::i18n::{Texts, say};
use crate::team::Team;
use crate::visit::Member;

pub(super) async fn form(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
) -> Result<HttpResponse, PageError> {
    show(&admin, &request, &member, None).await
}

pub(super) async fn send(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    form: Form,
) -> Result<HttpResponse, PageError> {
    if !member.visit.refills {
        let filter = filter(&admin, &Asked::read(request.query_string()));
        let file = exports::send::<LeadSort>(&admin, &request, &member, "leads", filter, &form);
        if let Some(file) = file.await? {
            return Ok(file);
        }
    }
    show(&admin, &request, &member, Some(&form)).await
}

/// The filter of the page, which its order restricts too.
fn filter(admin: &Admin, asked: &Asked) -> LeadFilter {
    let filter = asked.filters.filter(asked.words(), admin.app.clock.now());
    filter.ordered_by(asked.order.by)
}

async fn show(
    admin: &Admin,
    request: &HttpRequest,
    member: &Member,
    sent: Option<&Form>,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Export, Record::Lead(None))?;
    let asked = Asked::read(request.query_string());
    let filter = filter(admin, &asked);
    let step = Step { from: None, direction: Direction::Forward, size: 1 };
    let (page, team) = tokio::try_join!(
        async {
            Ok::<_, PageError>(leads::page(&admin.app, &filter, LeadOrder::NEWEST, &step).await?)
        },
        Team::load(admin),
    )?;
    let list = ExportedList {
        name: "leads",
        address: asked.link(),
        filters: in_words(member.visit.texts, &asked, &team),
        count: page.count,
    };
    exports::show::<LeadSort>(request, member, list, sent)
}

/// The filters that are chosen, in words.
fn in_words(texts: Texts, asked: &Asked, team: &Team) -> Vec<(String, String)> {
    let filters = &asked.filters;
    let owner = filters.owner.map(|owner| match owner {
        LeadOwner::Staff(id) => team.name(id).unwrap_or_else(|| format!("#{}", id.0)),
        _ => fl!(texts, "filter-nobody"),
    });
    let all = asked.order.by == LeadSort::NextStepAt;
    let chosen = [
        (fl!(texts, "search"), Some(asked.search.clone()).filter(|text| !text.is_empty())),
        (fl!(texts, "column-status"), filters.status.map(|one| say(texts, "status", one.as_str()))),
        (fl!(texts, "column-source"), filters.source.map(|one| say(texts, "source", one.as_str()))),
        (
            fl!(texts, "column-category"),
            filters.category.map(|one| say(texts, "category", one.as_str())),
        ),
        (fl!(texts, "column-owner"), owner),
        (fl!(texts, "filter-since"), filters.since.map(|day| day.to_string())),
        (fl!(texts, "filter-until"), filters.until.map(|day| day.to_string())),
        (fl!(texts, "column-next"), filters.due.then(|| fl!(texts, "filter-due"))),
        (fl!(texts, "column-next"), (all && !filters.due).then(|| fl!(texts, "filter-any"))),
    ];
    chosen.into_iter().filter_map(|(label, text)| Some((label, text?))).collect()
}
