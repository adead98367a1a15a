use exit3_domain::subscribers::{NewSubscriber, SubscriberInput};

use exit3_ports::TRACE;

use crate::{App, SaveError, telemetry};

/// Subscribes an address for somebody who must not learn who is subscribed: the outcome
/// is the same whatever is there already. Whatever is asked for, it is a subscription
/// that is stored: a stranger cannot end that of another, nor keep one from ever
/// beginning; and who had left and signs up again gets the newsletter again.
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
    let asked = input.into_new(&app.disposable)?;
    let subscriber = NewSubscriber { is_subscribed: true, ..asked };
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
    async fn a_sign_up_is_never_the_opposite() {
        let mut mocks = Mocks::new();
        mocks
            .subscribers
            .expect_ensure()
            .times(1)
            .withf(|new| new.is_subscribed)
            .returning(|_| Ok(()));
        let mut refusing = input("news@acme.hr");
        refusing.is_subscribed = RawValue::Bool(false);
        assert!(sign_up(&mocks.into_app(), refusing).await.unwrap().is_subscribed);
    }

    #[tokio::test]
    async fn what_could_not_be_stored_is_not_taken_for_stored() {
        let mut mocks = Mocks::new();
        mocks.subscribers.expect_ensure().returning(|_| Err(away()));
        let outcome = sign_up(&mocks.into_app(), input("news@acme.hr")).await;
        assert!(matches!(outcome, Err(SaveError::Store(_))));
    }
}
