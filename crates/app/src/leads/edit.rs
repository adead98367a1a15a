//! What staff do to leads with forms.

use exit3_domain::access::{Action, Record};
use exit3_domain::edits::{Edit, Merged};
use exit3_domain::leads::{Lead, LeadId, LeadState, LeadWork, NewLead, parse_new, unknown_owner};
use exit3_domain::raw::RawValue;
use exit3_domain::staff::StaffId;
use exit3_domain::validation::Invalid;
use exit3_domain::versions::Expected;
use exit3_ports::{StoreError, TRACE};

use super::{delete, find};
use crate::access::Doer;
use crate::seen::{ATTEMPTS, unless_stale};
use crate::{App, EditError, SaveError};

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
pub async fn edit(app: &App, id: LeadId, mut edit: Edit, doer: &Doer) -> Result<Lead, EditError> {
    let leads = &app.repositories()?.leads;
    for _ in 0..ATTEMPTS {
        let seen = leads.find(id).await?.ok_or(EditError::NotFound)?;
        doer.check(Action::Edit, Record::Lead(seen.work.owner))?;
        edit = edit.seen(&seen);
        let (details, work) = match edit.merge(&seen, &app.disposable)? {
            Merged::State(LeadState { details, work }) => (details, work),
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
