//! Notes about leads.

use exit3_domain::access::{Action, Record};
use exit3_domain::lead_notes::{LeadNote, LeadNoteId, parse_text};
use exit3_domain::leads::LeadId;
use exit3_domain::raw::RawValue;
use exit3_ports::TRACE;
use serde::{Deserialize, Serialize};

use super::find;
use crate::access::Doer;
use crate::jobs::{JobFailure, Payload};
use crate::{App, EditError};

/// Checks that the doer may write notes about a lead.
async fn check(app: &App, lead: LeadId, doer: &Doer) -> Result<(), EditError> {
    let lead = find(app, lead).await?;
    Ok(doer.check(Action::Note, Record::Lead(lead.work.owner))?)
}

/// Adds a note to a lead.
///
/// # Errors
/// [`EditError::Forbidden`]; [`EditError::Invalid`] with all broken rules of the field `text`;
/// [`EditError::NotFound`] if the lead does not exist; [`EditError::Store`].
#[tracing::instrument(target = TRACE, name = "leads.notes.add", skip_all)]
pub async fn add(
    app: &App,
    lead: LeadId,
    text: RawValue,
    doer: &Doer,
) -> Result<LeadNote, EditError> {
    check(app, lead, doer).await?;
    let (text, act) = (parse_text(text)?, doer.author.at(app.clock.now()));
    Ok(app.repositories()?.lead_notes.add(lead, &text, &act).await?)
}

/// Removes a note about `lead`. Its event contains the note, so that it can be restored.
///
/// # Errors
/// [`EditError::Forbidden`]; [`EditError::NotFound`] if the lead has no such note;
/// [`EditError::Store`].
#[tracing::instrument(target = TRACE, name = "leads.notes.remove", skip_all)]
pub async fn remove(app: &App, lead: LeadId, id: LeadNoteId, doer: &Doer) -> Result<(), EditError> {
    check(app, lead, doer).await?;
    let notes = &app.repositories()?.lead_notes;
    let note = notes.find(id).await?.filter(|note| note.lead == lead);
    let note = note.ok_or(EditError::NotFound)?;
    Ok(notes.remove(&note, &doer.author.at(app.clock.now())).await?)
}

/// How many leads are looked at with one statement.
const STEP: u32 = 500;

/// The job that removes notes about leads that are gone for good.
#[derive(Debug, Serialize, Deserialize)]
pub struct RemoveOrphans {}

impl Payload for RemoveOrphans {
    const KIND: &'static str = "leads.remove_orphaned_notes";
}

/// Removes notes about leads that were deleted so long ago that the event of the deletion is
/// removed too: nobody can bring them back.
///
/// Notes that are already removed are not found again, so running it twice does no harm.
///
/// # Errors
/// The database is unavailable.
pub async fn remove_orphans(app: App, _: RemoveOrphans) -> Result<(), JobFailure> {
    let notes = &app.repositories()?.lead_notes;
    let mut after = LeadId(0);
    while let Some(last) = notes.remove_orphans(after, STEP).await? {
        after = last;
    }
    Ok(())
}

#[cfg(test)]
#[path = "notes_tests.rs"]
mod tests;
