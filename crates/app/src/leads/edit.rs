//! What staff do to leads with forms.

use exit3_domain::access::{Action, Record};
use exit3_domain::leads::{
    Conflicts, Lead, LeadEdit, LeadId, LeadWork, Merged, NewLead, parse_new, unknown_owner,
};
use exit3_domain::raw::RawValue;
use exit3_domain::staff::StaffId;
use exit3_domain::validation::Invalid;
use exit3_domain::versions::Expected;
use exit3_ports::{StoreError, TRACE};

use super::{delete, find};
use crate::access::{Doer, Forbidden};
use crate::seen::{ATTEMPTS, unless_stale};
use crate::{App, FindError, SaveError, UpdateError};

/// Why a form was not saved. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The rules of the back office do not allow it.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
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

impl From<FindError> for EditError {
    fn from(error: FindError) -> Self {
        match error {
            FindError::NotFound => Self::NotFound,
            FindError::Store(error) => error.into(),
        }
    }
}

impl From<SaveError> for EditError {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::Invalid(invalid) => Self::Invalid(invalid),
            SaveError::Store(error) => error.into(),
        }
    }
}

impl From<UpdateError> for EditError {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::Invalid(invalid) => Self::Invalid(invalid),
            UpdateError::NotFound => Self::NotFound,
            UpdateError::Unexpected | UpdateError::Contended => Self::Contended,
            UpdateError::Store(error) => error.into(),
        }
    }
}

/// Creates a lead together with the work on it, from the values of a form.
///
/// # Errors
/// [`EditError::Forbidden`]; [`EditError::Invalid`] with all broken rules; [`EditError::Store`].
#[tracing::instrument(target = TRACE, name = "leads.create_by_staff", skip_all)]
pub async fn create_by_staff(
    app: &App,
    values: Vec<(String, RawValue)>,
    doer: &Doer,
) -> Result<Lead, EditError> {
    doer.check(Action::Create, Record::Lead(None))?;
    let parsed = parse_new(values, &app.disposable).map_err(SaveError::from);
    let outcome = match parsed {
        Ok((lead, work)) => {
            doer.check_owner(None, work.owner)?;
            store(app, &lead, &work, doer).await
        }
        Err(error) => Err(error),
    };
    crate::telemetry::count_lead(&outcome);
    Ok(outcome?)
}

async fn store(app: &App, lead: &NewLead, work: &LeadWork, doer: &Doer) -> Result<Lead, SaveError> {
    check_owner(app, None, work).await??;
    let act = doer.author.at(app.clock.now());
    Ok(app.repositories()?.leads.create_with_work(lead, work, &act).await?)
}

/// Deletes a lead.
///
/// # Errors
/// [`EditError::Forbidden`]; [`EditError::NotFound`]; [`EditError::Contended`] also if the lead is
/// not the version that the caller expects; [`EditError::Store`].
#[tracing::instrument(target = TRACE, name = "leads.delete_by_staff", skip_all)]
pub async fn delete_by_staff(
    app: &App,
    id: LeadId,
    expected: &Expected,
    doer: &Doer,
) -> Result<(), EditError> {
    let seen = find(app, id).await?;
    doer.check(Action::Delete, Record::Lead(seen.work.owner))?;
    Ok(delete(app, id, expected, &doer.author).await?)
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
    doer: &Doer,
) -> Result<Lead, EditError> {
    let leads = &app.repositories()?.leads;
    for _ in 0..ATTEMPTS {
        let seen = leads.find(id).await?.ok_or(EditError::NotFound)?;
        doer.check(Action::Edit, Record::Lead(seen.work.owner))?;
        edit = edit.seen(&seen);
        let (details, work) = match edit.merge(&seen, &app.disposable)? {
            Merged::State(details, work) => (details, work),
            Merged::Conflicts(conflicts) => return Err(EditError::Conflicts(conflicts)),
        };
        if details == seen.details && work == seen.work {
            return Ok(seen);
        }
        doer.check_owner(seen.work.owner, work.owner)?;
        check_owner(app, seen.work.owner, &work).await??;
        let act = doer.author.at(app.clock.now());
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
