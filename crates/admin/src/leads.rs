//! The pages of leads.

mod asked;
mod delete;
mod detail;
mod edit;
mod export;
mod list;
mod row;
mod story;

use actix_web::http::Method;
use exit3_domain::access::Record;
use exit3_domain::leads::{Lead, LeadId, RESOURCE};
use exit3_web::{Endpoint, path};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

pub(crate) use self::asked::{Asked, LeadFilters};
use crate::deleted::absent;
use crate::errors::PageError;
use crate::i18n::say;
use crate::page::own_path;
use crate::resource::{Found, Menu, Pages};
use crate::visit::Member;
use crate::{Admin, BASE};

/// The list of leads.
const LIST: &str = "/backend/admin/leads/";

/// Leads in the back office.
pub(crate) const PAGES: Pages = Pages {
    name: "leads",
    menu: Some(Menu { path: "leads/", icon: "inbox", key: "g l", reads: Record::Lead(None) }),
    endpoints,
    rows: Some(RESOURCE),
    events: &[
        "created",
        "updated",
        "deleted",
        "restored",
        "noted",
        "note_removed",
        "note_restored",
        "exported",
        "export_ended",
    ],
    search: Some(search),
    lead_parts: &[story::part],
    ..Pages::EMPTY
};

fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("leads/").route(Method::GET, list::list),
        Endpoint::new("leads/new/")
            .route(Method::GET, edit::blank)
            .route(Method::POST, edit::create),
        Endpoint::new("leads/export/")
            .route(Method::GET, export::form)
            .route(Method::POST, export::send),
        Endpoint::new("leads/{id}/").route(Method::GET, detail::detail),
        Endpoint::new("leads/{id}/edit/")
            .route(Method::GET, edit::form)
            .route(Method::POST, edit::save),
        Endpoint::new("leads/{id}/row/").route(Method::POST, row::save),
        Endpoint::new("leads/{id}/delete/").route(Method::POST, delete::delete),
        Endpoint::new("leads/{id}/notes/").route(Method::POST, story::add),
        Endpoint::new("leads/{id}/notes/{note}/remove/").route(Method::POST, story::remove),
    ]
}

/// Finds the lead of a path. A lead that was deleted leads to its restoration.
async fn find(admin: &Admin, id: &str) -> Result<Lead, PageError> {
    let id = LeadId(path::id(id)?);
    match exit3_app::leads::find(&admin.app, id).await {
        Ok(lead) => Ok(lead),
        Err(exit3_app::FindError::NotFound) => Err(absent(admin, RESOURCE, id.0).await?),
        Err(error) => Err(error.into()),
    }
}

/// What the search over everything finds.
fn search<'a>(
    admin: &'a Admin,
    member: &'a Member,
    typed: &'a str,
) -> LocalBoxFuture<'a, Result<Vec<Found>, PageError>> {
    async move {
        let found = exit3_app::leads::suggest(&admin.app, typed).await?;
        let shown = |Lead { id, details, .. }: Lead| Found {
            href: address(id),
            name: details.full_name,
            about: [details.company_name, details.email, details.phone_number]
                .into_iter()
                .flatten()
                .filter(|text| !text.is_empty())
                .collect::<Vec<_>>()
                .join(" · "),
            dot: details.status.as_str(),
            state: say(member.visit.texts, "status", details.status.as_str()),
        };
        Ok(found.into_iter().map(shown).collect())
    }
    .boxed_local()
}

/// The address of a lead.
pub(crate) fn address(id: LeadId) -> String {
    format!("{BASE}leads/{}/", id.0)
}

/// The page of the back office to which a form leads back.
fn back(path: &str) -> &str {
    own_path(path).unwrap_or(LIST)
}
