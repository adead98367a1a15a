//! Takes all events of one bulk action back.

use actix_web::HttpResponse;
use actix_web::web::Data;
use exit3_app::UpdateError;
use exit3_app::events::{UndoError, undo_batch_by_staff};
use exit3_domain::access::{Action, Record};
use exit3_domain::events::BatchId;

use super::asked::Asked;
use crate::Admin;
use crate::errors::PageError;
use crate::form::Form;
use crate::page::see_other;
use crate::visit::Member;

/// Sending the form twice does no harm: what was taken back cannot be taken back again.
pub(super) async fn undo(
    admin: Data<Admin>,
    member: Member,
    form: Form,
) -> Result<HttpResponse, PageError> {
    member.check(Action::Read, Record::Event)?;
    let batch = form.text("batch");
    // No stored text contains such a character, and databases refuse it.
    if batch.is_empty() || batch.chars().any(char::is_control) {
        return Err(PageError::not_found());
    }
    let batch = BatchId(batch.into());
    let done = match undo_batch_by_staff(&admin.app, &batch, &member.doer()).await {
        Ok(outcomes) => {
            let undone: Vec<_> = outcomes.iter().filter_map(|(_, one)| one.as_ref().ok()).collect();
            let is_whole = undone.iter().all(|one| one.conflicts.is_empty());
            match undone.len() {
                0 => "undone-not",
                all if all == outcomes.len() && is_whole => "undone",
                _ => "undone-some",
            }
        }
        Err(UndoError::TooMany) => "undone-too-many",
        Err(UndoError::Forbidden(_)) => return Err(PageError::Forbidden),
        Err(UndoError::NotFound) => return Err(PageError::not_found()),
        Err(UndoError::Store(error)) => return Err(error.into()),
        Err(_) => return Err(UpdateError::Contended.into()),
    };
    Ok(see_other(&format!("{}&done={done}", Asked::of_batch(&batch).link())))
}
