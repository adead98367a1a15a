//! What staff do to subscribers with forms.

use exit3_domain::access::{Action, Record};
use exit3_domain::edits::{Edit, Merged};
use exit3_domain::subscribers::{Subscriber, SubscriberId, already_subscribed};
use exit3_domain::versions::Expected;
use exit3_ports::subscribers::EMAIL_TAKEN;
use exit3_ports::{StoreError, TRACE};

use super::delete;
use crate::access::Doer;
use crate::seen::{ATTEMPTS, unless_stale};
use crate::{App, EditError};

/// Saves a form: all fields of a subscriber, or `is_subscribed` alone. Changes that others made
/// meanwhile stay; a field that both changed differently is a conflict. If nothing differs from what is
/// stored, nothing is written.
///
/// # Errors
/// [`EditError`].
#[tracing::instrument(target = TRACE, name = "subscribers.edit", skip_all)]
pub async fn edit(
    app: &App,
    id: SubscriberId,
    mut edit: Edit,
    doer: &Doer,
) -> Result<Subscriber, EditError> {
    doer.check(Action::Edit, Record::Subscriber)?;
    let subscribers = &app.repositories()?.subscribers;
    for _ in 0..ATTEMPTS {
        let seen = subscribers.find(id).await?.ok_or(EditError::NotFound)?;
        edit = edit.seen(&seen);
        let details = match edit.merge(&seen, &app.disposable)? {
            Merged::State(details) => details,
            Merged::Conflicts(conflicts) => return Err(EditError::Conflicts(conflicts)),
        };
        if details == seen.clone().into() {
            return Ok(seen);
        }
        let act = doer.author.at(app.clock.now());
        match subscribers.update(&seen, &details, &act).await {
            Err(StoreError::Conflict(EMAIL_TAKEN)) => return Err(already_subscribed().into()),
            outcome => {
                if let Some(updated) = unless_stale(outcome)? {
                    return Ok(updated);
                }
            }
        }
    }
    Err(EditError::Contended)
}

/// Deletes a subscriber.
///
/// # Errors
/// [`EditError::Forbidden`]; [`EditError::NotFound`]; [`EditError::Contended`] also if the subscriber
/// is not the version that the caller expects; [`EditError::Store`].
#[tracing::instrument(target = TRACE, name = "subscribers.delete_by_staff", skip_all)]
pub async fn delete_by_staff(
    app: &App,
    id: SubscriberId,
    expected: &Expected,
    doer: &Doer,
) -> Result<(), EditError> {
    doer.check(Action::Delete, Record::Subscriber)?;
    Ok(delete(app, id, expected, &doer.author).await?)
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
