use exit3_domain::leads::{Lead, LeadInput};

use exit3_ports::TRACE;

use crate::{App, SaveError, telemetry};

/// Stores a lead.
///
/// # Errors
/// [`SaveError::Invalid`] with every broken rule; [`SaveError::Store`].
#[tracing::instrument(target = TRACE, name = "leads.create", skip_all)]
pub async fn create(app: &App, input: LeadInput) -> Result<Lead, SaveError> {
    let outcome = store(app, input).await;
    telemetry::count_lead(&outcome);
    outcome
}

async fn store(app: &App, input: LeadInput) -> Result<Lead, SaveError> {
    let lead = input.into_new(&app.disposable)?;
    app.leads.create(&lead, app.clock.now()).await.map_err(SaveError::Store)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Mocks, ana, away, now, stored};

    #[tokio::test]
    async fn stores_the_valid_lead_with_the_time_of_the_clock() {
        let mut mocks = Mocks::new();
        mocks
            .leads
            .expect_create()
            .times(1)
            .withf(|lead, at| lead.full_name == "Ana Horvat" && *at == now())
            .returning(|_, _| Ok(stored(7)));
        assert_eq!(create(&mocks.into_app(), ana()).await.unwrap(), stored(7));
    }

    #[tokio::test]
    async fn an_invalid_lead_never_reaches_the_database() {
        let mut mocks = Mocks::new();
        mocks.leads.expect_create().never();
        let outcome = create(&mocks.into_app(), LeadInput::default()).await;
        assert!(matches!(outcome, Err(SaveError::Invalid(_))));
    }

    #[tokio::test]
    async fn passes_on_that_the_database_is_away() {
        let mut mocks = Mocks::new();
        mocks.leads.expect_create().returning(|_, _| Err(away()));
        let outcome = create(&mocks.into_app(), ana()).await;
        assert!(matches!(outcome, Err(SaveError::Store(exit3_ports::StoreError::Unavailable(_)))));
    }
}
