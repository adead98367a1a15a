//! Exports the clients of a list.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use exit3_app::clients;
use exit3_domain::access::{Action, Record};
use exit3_domain::clients::ClientSort;
use exit3_domain::paging::Count;
use i18n_embed_fl::fl;

use super::asked::Asked;
use crate::Admin;
use crate::errors::PageError;
use crate::exports::{self, ExportedList};
use crate::form::Form;
use crate::i18n::say;
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
        let (name, filter) = ("clients", asked.filters.filter(asked.words()));
        let file = exports::send::<ClientSort>(&admin, &request, &member, name, filter, &form);
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
    member.check(Action::Export, Record::Client(None))?;
    let (asked, texts) = (Asked::read(request.query_string()), member.visit.texts);
    let filters = &asked.filters;
    let totals = clients::totals(&admin.app, &filters.filter(asked.words())).await?;
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let chosen = [
        (fl!(texts, "search"), given(&asked.search)),
        (
            fl!(texts, "column-category"),
            filters.category.map(|one| say(texts, "category", one.as_str())),
        ),
        (fl!(texts, "column-team"), given(&filters.team)),
        (
            fl!(texts, "field-has-contract"),
            filters
                .has_contract
                .map(|has| say(texts, "contract", if has { "true" } else { "false" })),
        ),
    ];
    let list = ExportedList {
        name: "clients",
        address: asked.link(),
        filters: chosen.into_iter().filter_map(|(label, text)| Some((label, text?))).collect(),
        count: Count::Exact(totals.count),
    };
    exports::show::<ClientSort>(request, member, list, sent)
}
