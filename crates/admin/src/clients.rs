//! The pages of clients.

mod asked;
mod delete;
mod detail;
mod edit;
mod export;
mod list;
mod of_lead;

use actix_web::http::Method;
use exit3_domain::access::Record;
use exit3_domain::clients::{Client, ClientId, Money, RESOURCE};
use exit3_domain::leads::Lead;
use exit3_web::{Endpoint, path};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use i18n_embed_fl::fl;

use crate::deleted::absent;
use crate::errors::PageError;
use crate::format;
use crate::i18n::{Texts, say};
use crate::resource::{Found, Menu, Pages};
use crate::visit::Member;
use crate::{Admin, BASE};

/// The list of clients.
const LIST: &str = "/backend/admin/clients/";

/// The fields that only those see who may know what a client pays.
const CHARGES: [&str; 2] = ["monthly_charge", "one_time_charge"];

/// Clients in the back office.
pub(crate) const PAGES: Pages = Pages {
    name: "clients",
    menu: Some(Menu {
        path: "clients/",
        icon: "building-2",
        key: "g c",
        reads: Record::Client(None),
    }),
    endpoints,
    rows: Some(RESOURCE),
    events: &[
        "created",
        "updated",
        "deleted",
        "restored",
        "contract_downloaded",
        "exported",
        "export_ended",
    ],
    search: Some(search),
    lead_parts: &[of_lead::part],
    ..Pages::EMPTY
};

fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("clients/").route(Method::GET, list::list),
        Endpoint::new("clients/new/")
            .route(Method::GET, edit::blank)
            .route(Method::POST, edit::create),
        Endpoint::new("clients/export/")
            .route(Method::GET, export::form)
            .route(Method::POST, export::send),
        Endpoint::new("clients/{id}/").route(Method::GET, detail::detail),
        Endpoint::new("clients/{id}/edit/")
            .route(Method::GET, edit::form)
            .route(Method::POST, edit::save),
        Endpoint::new("clients/{id}/delete/").route(Method::POST, delete::delete),
    ]
}

/// Finds the client of a path. One that was deleted leads to its restoration.
async fn find(admin: &Admin, id: &str) -> Result<Client, PageError> {
    let id = ClientId(path::id(id)?);
    match exit3_app::clients::find(&admin.app, id).await {
        Ok(client) => Ok(client),
        Err(exit3_app::FindError::NotFound) => Err(absent(admin, RESOURCE, id.0).await?),
        Err(error) => Err(error.into()),
    }
}

/// The address of a client.
fn address(id: ClientId) -> String {
    format!("{BASE}clients/{}/", id.0)
}

/// How a client is called.
fn name(texts: Texts, client: &Client, lead: Option<&Lead>) -> String {
    let name = client.name(lead).map(str::to_owned);
    name.unwrap_or_else(|| fl!(texts, "client-nameless", id = client.id.0.to_string()))
}

/// What an action on a client is about: the client of the owner of its lead.
fn record(lead: Option<&Lead>) -> Record {
    Record::Client(lead.and_then(|lead| lead.work.owner))
}

/// A charge for people; empty if there is none.
fn charge(texts: Texts, charge: Option<Money>) -> String {
    charge.map(|charge| format::money(texts, charge.hundredths())).unwrap_or_default()
}

/// The lead of a client among these.
fn lead_of<'a>(leads: &'a [Lead], client: &Client) -> Option<&'a Lead> {
    leads.iter().find(|lead| Some(lead.id) == client.details.lead)
}

/// What the search over everything finds.
fn search<'a>(
    admin: &'a Admin,
    member: &'a Member,
    typed: &'a str,
) -> LocalBoxFuture<'a, Result<Vec<Found>, PageError>> {
    async move {
        let texts = member.visit.texts;
        let clients = exit3_app::clients::suggest(&admin.app, typed).await?;
        let leads = exit3_app::clients::leads_of(&admin.app, &clients).await?;
        let shown = |client: &Client| Found {
            href: address(client.id),
            name: name(texts, client, lead_of(&leads, client)),
            about: client.details.team_id.clone(),
            dot: "converted",
            state: say(texts, "category", client.details.category.as_str()),
        };
        Ok(clients.iter().map(shown).collect())
    }
    .boxed_local()
}
