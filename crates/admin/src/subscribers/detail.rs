//! The page of a subscriber.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use exit3_app::timeline;
use exit3_domain::access::{Action, Record};
use exit3_domain::subscribers::RESOURCE;
use exit3_domain::versions::Version;
use i18n_embed_fl::fl;

use super::asked::Asked;
use super::{address, find, state};
use crate::Admin;
use crate::errors::PageError;
use crate::page::page;
use crate::shell::Shell;
use crate::story::{ENTRIES, Told, before, render};
use crate::visit::Member;

#[derive(Template)]
#[template(path = "subscribers/detail.html")]
struct DetailPage {
    shell: Shell,
    id: i64,
    email: String,
    is_subscribed: bool,
    dot: &'static str,
    state: String,
    address: String,
    /// The list from which the subscriber was opened.
    back: String,
    /// This page.
    here: String,
    version: String,
    who: i64,
    may_edit: bool,
    may_delete: bool,
    story: String,
}

pub(super) async fn detail(
    admin: Data<Admin>,
    request: HttpRequest,
    member: Member,
    id: Path<String>,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Read, Record::Subscriber)?;
    let subscriber = find(&admin, &id).await?;
    let (id, address) = (subscriber.id, address(subscriber.id));
    let asked = Asked { beside: None, ..Asked::read(request.query_string()) };
    let found = timeline::of_row(&admin.app, RESOURCE, id.0, before(&request), ENTRIES).await?;
    let told = Told {
        resource: RESOURCE,
        record: Record::Subscriber,
        address: address.clone(),
        nobody: subscriber.email.clone(),
        hidden: &[],
        note: None,
    };
    let (dot, state) = state(member.visit.texts, subscriber.is_subscribed);
    let template = DetailPage {
        shell: Shell::of(&member.visit, "subscribers"),
        id: id.0,
        is_subscribed: subscriber.is_subscribed,
        dot,
        state,
        back: asked.link(),
        here: asked.link_from(&address),
        address,
        version: Version::of(&subscriber).as_str().to_owned(),
        email: subscriber.email,
        who: member.who.staff.id.0,
        may_edit: member.may(Action::Edit, Record::Subscriber),
        may_delete: member.may(Action::Delete, Record::Subscriber),
        story: render(&member, told, found)?,
    };
    page(&request, &template)
}
