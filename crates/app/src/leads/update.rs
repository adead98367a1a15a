use exit3_domain::leads::{Lead, LeadChange, LeadId, LeadInput};
use exit3_ports::{Constraint, StoreError, TRACE};

use crate::{App, UpdateError};

/// How often a change is tried anew when others change the lead meanwhile. Each time
/// one of them is done, so this is how many may change one lead at once.
const ATTEMPTS: usize = 200;

/// Gives a lead new details; optional fields that are not given stay.
///
/// # Errors
/// [`UpdateError`].
#[tracing::instrument(target = TRACE, name = "leads.replace", skip_all)]
pub async fn replace(app: &App, id: LeadId, input: LeadInput) -> Result<Lead, UpdateError> {
    let seen = app.leads.find(id).await?.ok_or(UpdateError::NotFound)?;
    apply(app, seen, &input.into_replacement(&app.disposable)?).await
}

/// Changes the given fields of a lead.
///
/// # Errors
/// [`UpdateError`].
#[tracing::instrument(target = TRACE, name = "leads.change", skip_all)]
pub async fn change(app: &App, id: LeadId, input: LeadInput) -> Result<Lead, UpdateError> {
    let seen = app.leads.find(id).await?.ok_or(UpdateError::NotFound)?;
    apply(app, seen, &input.into_change(&app.disposable)?).await
}

/// The rules of the whole lead are checked against what was read, so the write
/// must not happen if someone else wrote in between: two changes that are fine
/// by themselves could leave a lead that nobody can reach.
async fn apply(app: &App, mut seen: Lead, change: &LeadChange) -> Result<Lead, UpdateError> {
    for _ in 0..ATTEMPTS {
        let details = change.apply(&seen)?;
        match app.leads.update(&seen, &details, app.clock.now()).await {
            Err(StoreError::Conflict(Constraint::Stale)) => {
                seen = app.leads.find(seen.id).await?.ok_or(UpdateError::NotFound)?;
            }
            outcome => return Ok(outcome?),
        }
    }
    Err(UpdateError::Contended)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Mocks, stored};
    use exit3_domain::raw::RawValue;

    fn no_email() -> LeadInput {
        LeadInput { email: RawValue::Null, ..LeadInput::default() }
    }

    fn stale() -> StoreError {
        StoreError::Conflict(Constraint::Stale)
    }

    #[tokio::test]
    async fn checks_the_change_again_when_someone_else_was_faster() {
        let mut mocks = Mocks::new();
        let mut with_phone = stored(1);
        with_phone.details.phone_number = Some("0911234567".into());
        mocks.leads.expect_find().times(1).returning(move |_| Ok(Some(with_phone.clone())));
        // Meanwhile the phone number was taken away, so the e-mail must stay.
        mocks.leads.expect_update().times(1).returning(|_, _, _| Err(stale()));
        mocks.leads.expect_find().times(1).returning(|_| Ok(Some(stored(1))));
        let outcome = change(&mocks.into_app(), LeadId(1), no_email()).await;
        assert!(matches!(outcome, Err(UpdateError::Invalid(_))));
    }

    #[tokio::test]
    async fn outlasts_a_hundred_others_that_change_the_lead() {
        let mut mocks = Mocks::new();
        mocks.leads.expect_find().returning(|_| Ok(Some(stored(1))));
        mocks.leads.expect_update().times(100).returning(|_, _, _| Err(stale()));
        mocks.leads.expect_update().times(1).returning(|seen, _, _| Ok(seen.clone()));
        let outcome = change(&mocks.into_app(), LeadId(1), LeadInput::default()).await;
        assert!(outcome.is_ok());
    }

    #[tokio::test]
    async fn gives_up_when_others_never_stop_changing_the_lead() {
        let mut mocks = Mocks::new();
        mocks.leads.expect_find().returning(|_| Ok(Some(stored(1))));
        mocks.leads.expect_update().times(ATTEMPTS).returning(|_, _, _| Err(stale()));
        let outcome = change(&mocks.into_app(), LeadId(1), LeadInput::default()).await;
        assert!(matches!(outcome, Err(UpdateError::Contended)));
    }

    #[tokio::test]
    async fn a_lead_that_is_not_there_is_not_found_whatever_the_input() {
        let mut mocks = Mocks::new();
        mocks.leads.expect_find().returning(|_| Ok(None));
        let app = mocks.into_app();
        let outcome = replace(&app, LeadId(1), LeadInput::default()).await;
        assert!(matches!(outcome, Err(UpdateError::NotFound)));
        assert!(matches!(change(&app, LeadId(1), no_email()).await, Err(UpdateError::NotFound)));
    }

    #[tokio::test]
    async fn a_lead_that_goes_away_meanwhile_is_not_found() {
        let mut mocks = Mocks::new();
        mocks.leads.expect_find().returning(|_| Ok(Some(stored(1))));
        mocks.leads.expect_update().returning(|_, _, _| Err(StoreError::NotFound));
        let outcome = change(&mocks.into_app(), LeadId(1), LeadInput::default()).await;
        assert!(matches!(outcome, Err(UpdateError::NotFound)));
    }
}
