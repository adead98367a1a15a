//! The part of the page of a lead: its client, or how it becomes one.

use actix_web::HttpRequest;
use askama::Template;
use askama::filters::Safe;
use exit3_app::clients;
use exit3_domain::access::{Action, Record};
use exit3_domain::leads::Lead;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use i18n_embed_fl::fl;

use super::{LIST, address, charge, name};
use crate::Admin;
use crate::errors::PageError;
use crate::i18n::Texts;
use crate::icons::icon;
use crate::visit::Member;

#[derive(Template)]
#[template(path = "clients/of-lead.html")]
struct Part {
    texts: Texts,
    /// The client: its address, its name, and what it pays, if the person may see that.
    client: Option<(String, String, String)>,
    /// Where the lead becomes a client, if the person may do that.
    convert: Option<String>,
}

impl Part {
    fn icon(&self) -> Safe<&'static str> {
        icon("building-2")
    }
}

pub(super) fn part<'a>(
    admin: &'a Admin,
    member: &'a Member,
    _: &'a HttpRequest,
    lead: &'a Lead,
) -> LocalBoxFuture<'a, Result<String, PageError>> {
    async move {
        let texts = member.visit.texts;
        let client = clients::of_lead(&admin.app, lead.id).await?;
        let may_convert = member.may(Action::Convert, Record::Lead(lead.work.owner));
        if client.is_none() && !may_convert {
            return Ok(String::new());
        }
        let convert = client.is_none().then(|| format!("{LIST}new/?lead={}", lead.id.0));
        let pays = |client: &exit3_domain::clients::Client| {
            let details = &client.details;
            let monthly = charge(texts, details.monthly_charge);
            let once = charge(texts, details.one_time_charge);
            let monthly =
                (!monthly.is_empty()).then(|| fl!(texts, "client-monthly", amount = monthly));
            let once = (!once.is_empty()).then(|| fl!(texts, "client-once", amount = once));
            monthly.into_iter().chain(once).collect::<Vec<_>>().join(" · ")
        };
        let sees_charges = member.may(Action::Charge, Record::Client(lead.work.owner));
        let client = client.map(|client| {
            let pays = if sees_charges { pays(&client) } else { String::new() };
            (address(client.id), name(texts, &client, Some(lead)), pays)
        });
        Ok(Part { texts, client, convert }.render()?)
    }
    .boxed_local()
}
