//! What staff do to leads with forms.

use exit3_domain::events::Author;
use exit3_domain::leads::{
    Conflicts, Lead, LeadEdit, LeadId, LeadWork, Merged, parse_new, unknown_owner,
};
use exit3_domain::raw::RawValue;
use exit3_domain::staff::StaffId;
use exit3_domain::validation::Invalid;
use exit3_ports::{StoreError, TRACE};

use crate::seen::{ATTEMPTS, unless_stale};
use crate::{App, SaveError};

/// Why a form was not saved. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// A value is invalid.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Somebody else has changed the same fields differently.
    #[error("somebody else has changed the same fields")]
    Conflicts(Conflicts),
    /// The lead does not exist.
    #[error("not found")]
    NotFound,
    /// Concurrent changes kept interfering.
    #[error("changed by others at the same time")]
    Contended,
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for EditError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            error => Self::Store(error),
        }
    }
}

/// Creates a lead together with the work on it, from the values of a form.
///
/// # Errors
/// [`SaveError::Invalid`] with all broken rules; [`SaveError::Store`].
#[tracing::instrument(target = TRACE, name = "leads.create_by_staff", skip_all)]
pub async fn create_by_staff(
    app: &App,
    values: Vec<(String, RawValue)>,
    author: &Author,
) -> Result<Lead, SaveError> {
    let outcome = store(app, values, author).await;
    crate::telemetry::count_lead(&outcome);
    outcome
}

async fn store(
    app: &App,
    values: Vec<(String, RawValue)>,
    author: &Author,
) -> Result<Lead, SaveError> {
    let (lead, work) = parse_new(values, &app.disposable)?;
    check_owner(app, None, &work).await??;
    let act = author.at(app.clock.now());
    Ok(app.repositories()?.leads.create_with_work(&lead, &work, &act).await?)
}

/// Saves a form: all fields of a lead, or some of them, such as the status alone. Changes that
/// others made meanwhile stay; a field that both changed differently is a conflict. If nothing
/// differs from what is stored, nothing is written.
///
/// # Errors
/// [`EditError`].
#[tracing::instrument(target = TRACE, name = "leads.edit", skip_all)]
pub async fn edit(
    app: &App,
    id: LeadId,
    mut edit: LeadEdit,
    author: &Author,
) -> Result<Lead, EditError> {
    let leads = &app.repositories()?.leads;
    for _ in 0..ATTEMPTS {
        let seen = leads.find(id).await?.ok_or(EditError::NotFound)?;
        edit = edit.seen(&seen);
        // Here, against the row that will be written, is the place to check what the author may do:
        // a change of the owner is to claim or to assign.
        let (details, work) = match edit.merge(&seen, &app.disposable)? {
            Merged::State(details, work) => (details, work),
            Merged::Conflicts(conflicts) => return Err(EditError::Conflicts(conflicts)),
        };
        if details == seen.details && work == seen.work {
            return Ok(seen);
        }
        check_owner(app, seen.work.owner, &work).await??;
        let act = author.at(app.clock.now());
        let updated = leads.update(&seen, &details, &work, &act).await;
        if let Some(updated) = unless_stale(updated)? {
            return Ok(updated);
        }
    }
    Err(EditError::Contended)
}

/// Checks that the owner, if it is a new one, is an account that may sign in.
async fn check_owner(
    app: &App,
    before: Option<StaffId>,
    work: &LeadWork,
) -> Result<Result<(), Invalid>, StoreError> {
    let Some(owner) = work.owner.filter(|owner| Some(*owner) != before) else { return Ok(Ok(())) };
    let found = app.repositories()?.staff.find(owner).await?;
    let is_active = found.is_some_and(|staff| staff.profile.is_active);
    Ok(if is_active { Ok(()) } else { Err(Invalid::field("owner", unknown_owner())) })
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
