//! Exports the subscribers of a list.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use exit3_app::subscribers;
use exit3_domain::access::{Action, Record};
use exit3_domain::paging::{Direction, Step};
use exit3_domain::subscribers::{SubscriberOrder, SubscriberSort};
use i18n_embed_fl::fl;

use super::asked::Asked;
use super::state;
use crate::Admin;
use crate::errors::PageError;
use crate::exports::{self, ExportedList};
use crate::form::Form;
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
        let asked = Asked::read(request.query_string());
        let (name, filter) = ("subscribers", asked.filters.filter(asked.words()));
        let file = exports::send::<SubscriberSort>(&admin, &request, &member, name, filter, &form);
        if let Some(file) = file.await? {
            return Ok(file);
        }
    }
    show(&admin, &request, &member, Some(&form)).await
}

async fn show(
    admin: &Admin,
    request: &HttpRequest,
    member: &Member,
    sent: Option<&Form>,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Export, Record::Subscriber)?;
    let (asked, texts) = (Asked::read(request.query_string()), member.visit.texts);
    let filter = asked.filters.filter(asked.words());
    let step = Step { from: None, direction: Direction::Forward, size: asked.size };
    let order = SubscriberOrder::NEWEST;
    let page = subscribers::page(&admin.app, &filter, &asked.search, order, &step).await?;
    let chosen = [
        (fl!(texts, "search"), Some(asked.search.clone()).filter(|text| !text.is_empty())),
        (
            fl!(texts, "column-subscribed"),
            asked.filters.is_subscribed.map(|wanted| state(texts, wanted).1),
        ),
    ];
    let list = ExportedList {
        name: "subscribers",
        address: asked.link(),
        filters: chosen.into_iter().filter_map(|(label, text)| Some((label, text?))).collect(),
        count: page.count,
    };
    exports::show::<SubscriberSort>(request, member, list, sent)
}
