//! Use cases of leads.

use exit3_domain::leads::{Lead, LeadChange, LeadFilter, LeadId, LeadInput, LeadOrder};
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_ports::{Constraint, StoreError, TRACE};

use crate::{App, FindError, ListError, SaveError, UpdateError, telemetry};

/// How often a change is retried if others change the lead at the same time. Each failed attempt
/// means that another change succeeded, so this many callers can change one lead at once.
const ATTEMPTS: usize = 200;

/// Creates a lead.
///
/// # Errors
/// [`SaveError::Invalid`] with all broken rules; [`SaveError::Store`].
#[tracing::instrument(target = TRACE, name = "leads.create", skip_all)]
pub async fn create(app: &App, input: LeadInput) -> Result<Lead, SaveError> {
    let outcome = store(app, input).await;
    telemetry::count_lead(&outcome);
    outcome
}

async fn store(app: &App, input: LeadInput) -> Result<Lead, SaveError> {
    let lead = input.into_new(&app.disposable)?;
    Ok(app.repositories()?.leads.create(&lead, app.clock.now()).await?)
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
pub async fn replace(app: &App, id: LeadId, input: LeadInput) -> Result<Lead, UpdateError> {
    let seen = app.repositories()?.leads.find(id).await?.ok_or(UpdateError::NotFound)?;
    apply(app, seen, &input.into_replacement(&app.disposable)?).await
}

/// Changes the given fields of a lead.
///
/// # Errors
/// [`UpdateError`].
#[tracing::instrument(target = TRACE, name = "leads.change", skip_all)]
pub async fn change(app: &App, id: LeadId, input: LeadInput) -> Result<Lead, UpdateError> {
    let seen = app.repositories()?.leads.find(id).await?.ok_or(UpdateError::NotFound)?;
    apply(app, seen, &input.into_change(&app.disposable)?).await
}

/// Applies a change. The rules of the lead as a whole are checked against the row `seen`, so the
/// write must fail if someone else wrote in between: two changes that are valid on their own could
/// together leave a lead without e-mail and phone.
async fn apply(app: &App, mut seen: Lead, change: &LeadChange) -> Result<Lead, UpdateError> {
    for _ in 0..ATTEMPTS {
        let details = change.apply(&seen)?;
        match app.repositories()?.leads.update(&seen, &details, app.clock.now()).await {
            Err(StoreError::Conflict(Constraint::Stale)) => {
                seen =
                    app.repositories()?.leads.find(seen.id).await?.ok_or(UpdateError::NotFound)?;
            }
            outcome => return Ok(outcome?),
        }
    }
    Err(UpdateError::Contended)
}

/// Deletes a lead.
///
/// # Errors
/// [`FindError`].
#[tracing::instrument(target = TRACE, name = "leads.delete", skip_all)]
pub async fn delete(app: &App, id: LeadId) -> Result<(), FindError> {
    Ok(app.repositories()?.leads.delete(id).await?)
}

#[cfg(test)]
mod tests;
