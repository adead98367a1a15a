use exit3_domain::subscribers::{Subscriber, SubscriberInput, already_subscribed};
use exit3_ports::{Constraint, StoreError, TRACE};

use crate::{App, SaveError, telemetry};

/// Stores a subscription.
///
/// # Errors
/// [`SaveError::Invalid`] with every broken rule, or with
/// [`already_subscribed`]; [`SaveError::Store`].
#[tracing::instrument(target = TRACE, name = "subscribers.create", skip_all)]
pub async fn create(app: &App, input: SubscriberInput) -> Result<Subscriber, SaveError> {
    let outcome = store(app, input).await;
    telemetry::count_subscriber(&outcome);
    outcome
}

async fn store(app: &App, input: SubscriberInput) -> Result<Subscriber, SaveError> {
    let address = input.address(&app.disposable);
    let subscriber = match input.into_new(&app.disposable) {
        Ok(subscriber) => subscriber,
        Err(invalid) => {
            let invalid = super::with_taken_address(app, invalid, address, None).await;
            return Err(invalid.map_err(SaveError::Store)?.into());
        }
    };
    app.subscribers.create(&subscriber).await.map_err(|error| match error {
        StoreError::Conflict(Constraint::SubscriberEmail) => already_subscribed().into(),
        other => SaveError::Store(other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Mocks;
    use exit3_domain::raw::RawValue;
    use exit3_domain::subscribers::SubscriberId;

    #[tokio::test]
    async fn a_second_subscription_is_an_error_of_the_address() {
        let mut mocks = Mocks::new();
        mocks
            .subscribers
            .expect_create()
            .returning(|_| Err(StoreError::Conflict(Constraint::SubscriberEmail)));
        let input = SubscriberInput {
            email: RawValue::text("news@example.com"),
            ..SubscriberInput::default()
        };
        let Err(SaveError::Invalid(invalid)) = create(&mocks.into_app(), input).await else {
            panic!("the subscription was accepted");
        };
        assert_eq!(invalid, already_subscribed());
    }

    #[tokio::test]
    async fn a_taken_address_is_told_together_with_other_errors() {
        let mut mocks = Mocks::new();
        mocks.subscribers.expect_find_by_email().times(1).returning(|email| {
            let id = SubscriberId(1);
            Ok(Some(Subscriber { id, email: email.to_owned(), is_subscribed: true }))
        });
        let input = SubscriberInput {
            email: RawValue::text("News@example.com"),
            is_subscribed: RawValue::text("maybe"),
        };
        let Err(SaveError::Invalid(invalid)) = create(&mocks.into_app(), input).await else {
            panic!("the subscription was accepted");
        };
        let fields: Vec<_> = invalid.fields().map(|(field, _)| field).collect();
        assert_eq!(fields, ["is_subscribed", "email"]);
    }

    #[tokio::test]
    async fn an_invalid_address_never_reaches_the_database() {
        let mut mocks = Mocks::new();
        mocks.subscribers.expect_create().never();
        let outcome = create(&mocks.into_app(), SubscriberInput::default()).await;
        assert!(matches!(outcome, Err(SaveError::Invalid(_))));
    }
}
