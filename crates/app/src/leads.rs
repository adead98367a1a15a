//! Use cases of leads.

mod edit;
mod export;
pub mod notes;
mod pages;
pub mod timeline;
pub mod weeks;

use exit3_domain::events::Author;
use exit3_domain::leads::{Lead, LeadChange, LeadFilter, LeadId, LeadInput, LeadOrder};
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_domain::versions::Expected;
use exit3_ports::{StoreError, TRACE};

use crate::intake::create_lead;
use crate::once::Made;
use crate::seen::{ATTEMPTS, admitted, unless_stale};
use crate::{App, FindError, ListError, SaveError, UpdateError, telemetry};

pub use edit::{create_by_staff, delete_by_staff, edit};
pub use pages::{Neighbours, count, counts, neighbours, page, suggest, with_contact};

/// Creates a lead, or returns what the same request has created before. While the database is away,
/// the lead waits in the spool.
///
/// # Errors
/// [`SaveError::Invalid`] with all broken rules; [`SaveError::KeyReused`]; [`SaveError::Store`].
#[tracing::instrument(target = TRACE, name = "leads.create", skip_all)]
pub async fn create(app: &App, input: LeadInput, author: &Author) -> Result<Made<Lead>, SaveError> {
    let outcome = store(app, input, author).await;
    telemetry::count_made(&outcome, telemetry::count_lead);
    outcome
}

async fn store(app: &App, input: LeadInput, author: &Author) -> Result<Made<Lead>, SaveError> {
    let lead = input.into_new(&app.disposable)?;
    create_lead(app, lead, author).await
}

/// Finds a lead by id.
///
/// # Errors
/// [`FindError`].
#[tracing::instrument(target = TRACE, name = "leads.find", skip_all)]
pub async fn find(app: &App, id: LeadId) -> Result<Lead, FindError> {
    app.repositories()?.leads.find(id).await?.ok_or(FindError::NotFound)
}

/// One page of the matching leads, with their total count.
///
/// # Errors
/// [`ListError`].
#[tracing::instrument(target = TRACE, name = "leads.list", skip_all)]
pub async fn list(
    app: &App,
    filter: &LeadFilter,
    order: LeadOrder,
    page: PageRequest,
) -> Result<Page<Lead>, ListError> {
    app.repositories()?.leads.list(filter, order, page).await?.ok_or(ListError::PastTheEnd)
}

/// One step of a walk through the matching leads.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "leads.walk", skip_all)]
pub async fn walk(
    app: &App,
    filter: &LeadFilter,
    order: LeadOrder,
    step: &Step,
) -> Result<Slice<Lead>, StoreError> {
    app.repositories()?.leads.walk(filter, order, step).await
}

/// Replaces the details of a lead; missing optional fields keep their values.
///
/// # Errors
/// [`UpdateError`].
#[tracing::instrument(target = TRACE, name = "leads.replace", skip_all)]
pub async fn replace(
    app: &App,
    id: LeadId,
    input: LeadInput,
    expected: &Expected,
    author: &Author,
) -> Result<Lead, UpdateError> {
    let seen = see(app, id, expected).await?;
    apply(app, seen, input.into_replacement(&app.disposable)?, expected, author).await
}

/// Changes the given fields of a lead.
///
/// # Errors
/// [`UpdateError`].
#[tracing::instrument(target = TRACE, name = "leads.change", skip_all)]
pub async fn change(
    app: &App,
    id: LeadId,
    input: LeadInput,
    expected: &Expected,
    author: &Author,
) -> Result<Lead, UpdateError> {
    let seen = see(app, id, expected).await?;
    apply(app, seen, input.into_change(&app.disposable)?, expected, author).await
}

/// The lead, if it is one that the caller expects.
async fn see(app: &App, id: LeadId, expected: &Expected) -> Result<Lead, UpdateError> {
    admitted(app.repositories()?.leads.find(id).await?, expected)
}

/// Applies a change. The rules of the lead as a whole are checked against the row `seen`, so the
/// write must fail if someone else wrote in between: two changes that are valid on their own could
/// together leave a lead without e-mail and phone.
async fn apply(
    app: &App,
    mut seen: Lead,
    change: LeadChange,
    expected: &Expected,
    author: &Author,
) -> Result<Lead, UpdateError> {
    for _ in 0..ATTEMPTS {
        let (details, act) = (change.apply(&seen)?, author.at(app.clock.now()));
        let leads = &app.repositories()?.leads;
        match unless_stale(leads.update(&seen, &details, &seen.work, &act).await)? {
            Some(updated) => return Ok(updated),
            None => seen = see(app, seen.id, expected).await?,
        }
    }
    Err(UpdateError::Contended)
}

/// Deletes a lead.
///
/// # Errors
/// [`UpdateError`].
#[tracing::instrument(target = TRACE, name = "leads.delete", skip_all)]
pub async fn delete(
    app: &App,
    id: LeadId,
    expected: &Expected,
    author: &Author,
) -> Result<(), UpdateError> {
    for _ in 0..ATTEMPTS {
        let (seen, act) = (see(app, id, expected).await?, author.at(app.clock.now()));
        if unless_stale(app.repositories()?.leads.delete(&seen, &act).await)?.is_some() {
            return Ok(());
        }
    }
    Err(UpdateError::Contended)
}

#[cfg(test)]
mod tests;
