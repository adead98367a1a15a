//! Canaries: leads that the service sends to itself through the public way, to see whether leads arrive.

use chrono::TimeDelta;
use exit3_domain::canaries::{CanaryId, STATUS};
use exit3_domain::events::Author;
use exit3_domain::leads::{Lead, LeadInput};
use exit3_domain::raw::RawValue;
use exit3_ports::{StoreError, TRACE};

use crate::{App, SaveError};

/// A canary that nobody took away within this time is left over.
const LEFT_OVER: TimeDelta = TimeDelta::hours(1);

/// Why a canary did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum CanaryError {
    /// The input is not that of the canary: it was changed on the way, or is somebody's lead.
    #[error("not the lead of the canary")]
    OtherLead,
    /// As for a lead.
    #[error(transparent)]
    Save(#[from] SaveError),
}

/// Lets a canary arrive: does all that is done with a lead, except that the lead is not stored, and not
/// counted.
///
/// # Errors
/// [`CanaryError`].
#[tracing::instrument(target = TRACE, name = "canaries.create", skip_all)]
pub async fn create(
    app: &App,
    id: CanaryId,
    input: LeadInput,
    author: &Author,
) -> Result<Lead, CanaryError> {
    if input.status != RawValue::text(STATUS) {
        return Err(CanaryError::OtherLead);
    }
    let input = LeadInput { status: RawValue::Missing, ..input };
    let lead = input.into_new(&app.disposable).map_err(SaveError::from)?;
    if lead != id.lead() {
        return Err(CanaryError::OtherLead);
    }
    let canaries = &app.repositories().map_err(SaveError::from)?.canaries;
    let created = canaries.create(id, &lead, &author.at(app.clock.now())).await;
    Ok(created.map_err(SaveError::from)?)
}

/// Takes a canary away, together with those that are left over. Returns whether it had arrived.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "canaries.take", skip_all)]
pub async fn take(app: &App, id: CanaryId) -> Result<bool, StoreError> {
    let before = app.clock.now() - LEFT_OVER;
    app.repositories()?.canaries.take(id, before).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Mocks, act, ana, author, now, stored};
    use exit3_domain::leads::NewLead;

    const ID: CanaryId = CanaryId(7);

    fn input() -> LeadInput {
        let NewLead { full_name, position, company_name, phone_number, email, notes, .. } =
            ID.lead();
        let text = |text: Option<String>| RawValue::text(text.unwrap());
        LeadInput {
            full_name: RawValue::text(full_name),
            position: RawValue::text(position),
            company_name: text(company_name),
            phone_number: text(phone_number),
            email: text(email),
            notes: text(notes),
            status: RawValue::text(STATUS),
            ..LeadInput::default()
        }
    }

    #[tokio::test]
    async fn a_canary_arrives_as_its_lead() {
        let mut mocks = Mocks::new();
        let create = mocks.repositories.canaries.expect_create().times(1);
        create
            .withf(|id, lead, by| (*id, lead, by) == (ID, &ID.lead(), &act()))
            .returning(|_, _, _| Ok(stored(3)));
        let created = create_with(mocks, input()).await.unwrap();
        assert_eq!(created, stored(3));
    }

    async fn create_with(mocks: Mocks, input: LeadInput) -> Result<Lead, CanaryError> {
        create(&mocks.into_app(), ID, input, &author()).await
    }

    /// The mock takes no canary.
    #[tokio::test]
    async fn what_is_not_the_lead_of_the_canary_is_refused() {
        let of_another = LeadInput { notes: RawValue::text(CanaryId(8).to_string()), ..input() };
        let without_status = LeadInput { status: RawValue::Missing, ..input() };
        let of_visitor = LeadInput { status: RawValue::text(STATUS), ..ana() };
        for other in [of_another, without_status, of_visitor, ana()] {
            let refused = create_with(Mocks::new(), other).await;
            assert!(matches!(refused, Err(CanaryError::OtherLead)), "{refused:?}");
        }
        let invalid = LeadInput { full_name: RawValue::text("7"), ..input() };
        let refused = create_with(Mocks::new(), invalid).await;
        assert!(matches!(refused, Err(CanaryError::Save(SaveError::Invalid(_)))), "{refused:?}");
    }

    #[tokio::test]
    async fn those_that_are_left_over_go_with_a_canary() {
        let mut mocks = Mocks::new();
        let take = mocks.repositories.canaries.expect_take().times(1);
        take.withf(|id, before| (*id, *before) == (ID, now() - TimeDelta::hours(1)))
            .returning(|_, _| Ok(true));
        assert!(take_with(mocks).await);
    }

    async fn take_with(mocks: Mocks) -> bool {
        take(&mocks.into_app(), ID).await.unwrap()
    }
}
