use exit3_domain::subscribers::{Subscriber, SubscriberInput, already_subscribed};
use exit3_ports::{Constraint, StoreError};

use crate::{App, SaveError};

/// Stores a subscription.
///
/// # Errors
/// [`SaveError::Invalid`] with every broken rule, or with
/// [`already_subscribed`]; [`SaveError::Store`].
pub async fn create(app: &App, input: SubscriberInput) -> Result<Subscriber, SaveError> {
    let subscriber = input.into_new(&app.disposable)?;
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
    async fn an_invalid_address_never_reaches_the_database() {
        let mut mocks = Mocks::new();
        mocks.subscribers.expect_create().never();
        let outcome = create(&mocks.into_app(), SubscriberInput::default()).await;
        assert!(matches!(outcome, Err(SaveError::Invalid(_))));
    }
}
