use exit3_domain::subscribers::{NewSubscriber, SubscriberInput};

use exit3_ports::TRACE;

use crate::{App, SaveError, telemetry};

/// Stores a subscription for somebody who must not learn who is subscribed: what is
/// there already stays as it is, and the outcome is the same. A stranger cannot end,
/// or begin again, the subscription of another that way.
///
/// # Errors
/// [`SaveError::Invalid`] with every broken rule; [`SaveError::Store`].
#[tracing::instrument(target = TRACE, name = "subscribers.sign_up", skip_all)]
pub async fn sign_up(app: &App, input: SubscriberInput) -> Result<NewSubscriber, SaveError> {
    let outcome = store(app, input).await;
    telemetry::count_subscriber(&outcome);
    outcome
}

async fn store(app: &App, input: SubscriberInput) -> Result<NewSubscriber, SaveError> {
    let subscriber = input.into_new(&app.disposable)?;
    app.subscribers.ensure(&subscriber).await.map_err(SaveError::Store)?;
    Ok(subscriber)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Mocks, away};
    use exit3_domain::raw::RawValue;

    fn input(email: &str) -> SubscriberInput {
        SubscriberInput { email: RawValue::text(email), ..SubscriberInput::default() }
    }

    #[tokio::test]
    async fn never_asks_who_is_subscribed() {
        let mut mocks = Mocks::new();
        mocks.subscribers.expect_create().never();
        mocks.subscribers.expect_find_by_email().never();
        mocks.subscribers.expect_ensure().times(1).returning(|_| Ok(()));
        let app = mocks.into_app();
        assert_eq!(sign_up(&app, input("News@acme.hr")).await.unwrap().email, "news@acme.hr");
        let mut wrong = input("news@acme.hr");
        wrong.is_subscribed = RawValue::text("maybe");
        assert!(matches!(sign_up(&app, wrong).await, Err(SaveError::Invalid(_))));
    }

    #[tokio::test]
    async fn what_could_not_be_stored_is_not_taken_for_stored() {
        let mut mocks = Mocks::new();
        mocks.subscribers.expect_ensure().returning(|_| Err(away()));
        let outcome = sign_up(&mocks.into_app(), input("news@acme.hr")).await;
        assert!(matches!(outcome, Err(SaveError::Store(_))));
    }
}
