//! What staff do to clients with forms.

use exit3_domain::access::{Action, Record};
use exit3_domain::clients::{Client, ClientId, ClientInput, NewClient};
use exit3_domain::edits::{Edit, Merged};
use exit3_domain::leads::{Lead, LeadId};
use exit3_domain::raw::RawValue;
use exit3_domain::staff::StaffId;
use exit3_domain::versions::Expected;
use exit3_ports::{StoreError, TRACE};

use super::{create, delete, find, store_converted, update, with_wrong_lead};
use crate::access::{Doer, Forbidden};
use crate::seen::ATTEMPTS;
use crate::{App, EditError};

/// Creates a client from the values of a form. If it has a lead, that becomes `converted`.
///
/// # Errors
/// [`EditError::Forbidden`]; [`EditError::Invalid`] with all broken rules; [`EditError::Store`].
#[tracing::instrument(target = TRACE, name = "clients.create_by_staff", skip_all)]
pub async fn create_by_staff(
    app: &App,
    values: Vec<(String, RawValue)>,
    doer: &Doer,
) -> Result<Client, EditError> {
    doer.check(Action::Create, Record::Client(None))?;
    Ok(create(app, ClientInput::of(values), &doer.author).await?.row)
}

/// Makes a client of a lead, with the values of a form. The lead becomes `converted`. A lead in the
/// values does not count. Sales people become the owner of a lead that nobody owns, or else they
/// could not work on the client that they have just made.
///
/// # Errors
/// [`EditError`]; [`EditError::Contended`] also if the lead is not the version that the caller
/// expects.
#[tracing::instrument(target = TRACE, name = "clients.convert", skip_all)]
pub async fn convert(
    app: &App,
    lead: LeadId,
    expected: &Expected,
    values: Vec<(String, RawValue)>,
    doer: &Doer,
) -> Result<Client, EditError> {
    let input = ClientInput { lead: RawValue::Missing, ..ClientInput::of(values) };
    let leads = &app.repositories()?.leads;
    for _ in 0..ATTEMPTS {
        let seen = leads.find(lead).await?.ok_or(EditError::NotFound)?;
        doer.check(Action::Convert, Record::Lead(seen.work.owner))?;
        if !expected.admits(&seen) {
            return Err(EditError::Contended);
        }
        let client = match input.clone().into_new() {
            Ok(client) => client,
            Err(invalid) => {
                return Err(with_wrong_lead(app, invalid, Some(lead), None).await?.into());
            }
        };
        let owner = doer.owner_after_conversion(seen.work.owner);
        if let Some(created) = store_converted(app, &seen, owner, &client, &doer.author).await? {
            return Ok(created);
        }
    }
    Err(EditError::Contended)
}

/// Saves a form: all fields of a client, or some of them. Changes that others made meanwhile stay; a
/// field that both changed differently is a conflict. If nothing differs from what is stored,
/// nothing is written.
///
/// A client belongs to the owner of its lead. So another lead gives the client to somebody else.
///
/// # Errors
/// [`EditError`].
#[tracing::instrument(target = TRACE, name = "clients.edit", skip_all)]
pub async fn edit(
    app: &App,
    id: ClientId,
    mut edit: Edit,
    doer: &Doer,
) -> Result<Client, EditError> {
    for _ in 0..ATTEMPTS {
        let seen = find(app, id).await?;
        let record = Record::Client(owner(app, &seen).await?);
        doer.check(Action::Edit, record)?;
        edit = edit.seen(&seen);
        let details = match edit.merge(&seen, &app.disposable)? {
            Merged::State(details) => details,
            Merged::Conflicts(conflicts) => return Err(EditError::Conflicts(conflicts)),
        };
        if details == seen.details {
            return Ok(seen);
        }
        check_change(doer, record, &seen.details, &details)?;
        if let Some(updated) = update(app, &seen, &details, &doer.author).await? {
            return Ok(updated);
        }
    }
    Err(EditError::Contended)
}

/// Checks that the doer may change these fields.
fn check_change(
    doer: &Doer,
    record: Record,
    before: &NewClient,
    after: &NewClient,
) -> Result<(), Forbidden> {
    let charges = |client: &NewClient| (client.monthly_charge, client.one_time_charge);
    if charges(before) != charges(after) {
        doer.check(Action::Charge, record)?;
    }
    if before.lead != after.lead {
        doer.check(Action::Assign, record)?;
    }
    Ok(())
}

/// Deletes a client. Its lead stays.
///
/// # Errors
/// [`EditError::Forbidden`]; [`EditError::NotFound`]; [`EditError::Contended`] also if the client is
/// not the version that the caller expects; [`EditError::Store`].
#[tracing::instrument(target = TRACE, name = "clients.delete_by_staff", skip_all)]
pub async fn delete_by_staff(
    app: &App,
    id: ClientId,
    expected: &Expected,
    doer: &Doer,
) -> Result<(), EditError> {
    let seen = find(app, id).await?;
    doer.check(Action::Delete, Record::Client(owner(app, &seen).await?))?;
    Ok(delete(app, id, expected, &doer.author).await?)
}

/// The owner of a client: the owner of its lead.
///
/// # Errors
/// [`StoreError`].
pub async fn owner(app: &App, client: &Client) -> Result<Option<StaffId>, StoreError> {
    let Some(lead) = client.details.lead else { return Ok(None) };
    let lead: Option<Lead> = app.repositories()?.leads.find(lead).await?;
    Ok(lead.and_then(|lead| lead.work.owner))
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
