//! The pages of leads.

mod asked;
mod delete;
mod detail;
mod edit;
mod fields;
mod list;
mod row;
mod story;

use actix_web::http::Method;
use exit3_domain::access::Record;
use exit3_domain::events::{EventFilter, Verb};
use exit3_domain::leads;
use exit3_domain::leads::{Lead, LeadId};
use exit3_web::{Endpoint, path};

use crate::errors::PageError;
use crate::page::own_path;
use crate::resource::{Menu, Pages};
use crate::{Admin, BASE};

/// The list of leads.
const LIST: &str = "/backend/admin/leads/";

/// Leads in the back office.
pub(crate) const PAGES: Pages = Pages {
    name: "leads",
    menu: Some(Menu { path: "leads/", icon: "inbox", key: "g l", reads: Record::Lead(None) }),
    endpoints,
    lead_parts: &[story::part],
};

fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("leads/").route(Method::GET, list::list),
        Endpoint::new("leads/new/")
            .route(Method::GET, edit::blank)
            .route(Method::POST, edit::create),
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
        Err(exit3_app::FindError::NotFound) => Err(absent(admin, id).await?),
        Err(error) => Err(error.into()),
    }
}

/// The error for a lead that does not exist.
async fn absent(admin: &Admin, id: LeadId) -> Result<PageError, PageError> {
    let filter = EventFilter {
        resource: Some(leads::RESOURCE.into()),
        id: Some(id.0),
        verb: Some(Verb::of(leads::RESOURCE, Verb::DELETED)),
        ..EventFilter::default()
    };
    let deleted = exit3_app::events::list(&admin.app, &filter, None, 1).await?;
    Ok(deleted.first().map_or_else(PageError::not_found, |event| PageError::Deleted(event.id)))
}

/// The address of a lead.
fn address(id: LeadId) -> String {
    format!("{BASE}leads/{}/", id.0)
}

/// The page of the back office to which a form leads back.
fn back(path: &str) -> &str {
    own_path(path).unwrap_or(LIST)
}
