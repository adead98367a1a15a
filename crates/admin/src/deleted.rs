//! Rows that were deleted: how their deletion is taken back.

use actix_web::HttpResponse;
use exit3_app::events;
use exit3_domain::events::{EventFilter, Verb};
use exit3_domain::versions::{Expected, Version, Versions};

use crate::Admin;
use crate::errors::PageError;
use crate::form::Form;
use crate::page::{own_path, see_other};

/// The error for a row that does not exist. If it was deleted, the page leads to its restoration.
/// `resource` is the word of events, such as `lead`.
pub(crate) async fn absent(admin: &Admin, resource: &str, id: i64) -> Result<PageError, PageError> {
    let filter = EventFilter {
        resource: Some(resource.into()),
        id: Some(id),
        verb: Some(Verb::of(resource, Verb::DELETED)),
        ..EventFilter::default()
    };
    let deleted = events::list(&admin.app, &filter, None, 1).await?;
    Ok(deleted.first().map_or_else(PageError::not_found, |event| PageError::Deleted(event.id)))
}

/// What the form of a deletion expects: nobody deletes what somebody else has changed meanwhile
/// without having seen it.
pub fn expected(form: &Form) -> Expected {
    let seen = Versions::These(vec![Version::named(form.text("_version"))]);
    Expected { only: Some(seen), except: None }
}

/// Leads from a row that was deleted back to the list, which offers to undo that.
pub async fn lead_back(
    admin: &Admin,
    form: &Form,
    list: &str,
    resource: &str,
    id: i64,
) -> Result<HttpResponse, PageError> {
    let deleted = events::history(&admin.app, resource, id, None, 1).await?;
    let event = deleted.first().map(|event| format!("&event={}", event.id.0)).unwrap_or_default();
    let back = own_path(form.text("_back")).unwrap_or(list);
    let mark = if back.contains('?') { '&' } else { '?' };
    Ok(see_other(&format!("{back}{mark}done={resource}-deleted{event}")))
}
