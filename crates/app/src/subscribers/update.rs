use exit3_domain::subscribers::{
    Subscriber, SubscriberChange, SubscriberId, SubscriberInput, already_subscribed,
};
use exit3_ports::{Constraint, StoreError, TRACE};

use crate::{App, UpdateError};

/// Gives a subscriber a new address; an `is_subscribed` that is not given stays.
///
/// # Errors
/// [`UpdateError`].
#[tracing::instrument(target = TRACE, name = "subscribers.replace", skip_all)]
pub async fn replace(
    app: &App,
    id: SubscriberId,
    input: SubscriberInput,
) -> Result<Subscriber, UpdateError> {
    apply(app, id, input, SubscriberInput::into_replacement).await
}

/// Changes the given fields of a subscriber.
///
/// # Errors
/// [`UpdateError`].
#[tracing::instrument(target = TRACE, name = "subscribers.change", skip_all)]
pub async fn change(
    app: &App,
    id: SubscriberId,
    input: SubscriberInput,
) -> Result<Subscriber, UpdateError> {
    apply(app, id, input, SubscriberInput::into_change).await
}

type Parse = fn(
    SubscriberInput,
    &exit3_domain::email::DisposableDomains,
) -> Result<SubscriberChange, exit3_domain::validation::Invalid>;

async fn apply(
    app: &App,
    id: SubscriberId,
    input: SubscriberInput,
    parse: Parse,
) -> Result<Subscriber, UpdateError> {
    let address = input.address(&app.disposable);
    let change = match parse(input, &app.disposable) {
        Ok(change) => change,
        // What is wrong with the input is of no interest where nothing is to change.
        Err(invalid) => {
            app.subscribers.find(id).await?.ok_or(UpdateError::NotFound)?;
            let invalid = super::with_taken_address(app, invalid, address, Some(id)).await?;
            return Err(invalid.into());
        }
    };
    app.subscribers.update(id, &change).await.map_err(|error| match error {
        StoreError::Conflict(Constraint::SubscriberEmail) => already_subscribed().into(),
        other => other.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Mocks;
    use exit3_domain::raw::RawValue;

    fn input(email: &str) -> SubscriberInput {
        SubscriberInput { email: RawValue::text(email), ..SubscriberInput::default() }
    }

    #[tokio::test]
    async fn taking_the_address_of_another_is_an_error_of_the_address() {
        let mut mocks = Mocks::new();
        mocks
            .subscribers
            .expect_update()
            .returning(|_, _| Err(StoreError::Conflict(Constraint::SubscriberEmail)));
        let outcome = change(&mocks.into_app(), SubscriberId(1), input("a@acme.hr")).await;
        let Err(UpdateError::Invalid(invalid)) = outcome else {
            panic!("the address was taken twice");
        };
        assert_eq!(invalid, already_subscribed());
    }

    #[tokio::test]
    async fn a_subscriber_that_is_not_there_is_not_found_whatever_the_input() {
        let mut mocks = Mocks::new();
        mocks.subscribers.expect_find().returning(|_| Ok(None));
        mocks.subscribers.expect_update().returning(|_, _| Err(StoreError::NotFound));
        let app = mocks.into_app();
        for email in ["a@acme.hr", "no address"] {
            let outcome = replace(&app, SubscriberId(1), input(email)).await;
            assert!(matches!(outcome, Err(UpdateError::NotFound)));
        }
    }

    #[tokio::test]
    async fn a_replacement_must_name_the_address_and_a_change_need_not() {
        let mut mocks = Mocks::new();
        let stored =
            Subscriber { id: SubscriberId(1), email: "a@acme.hr".into(), is_subscribed: false };
        let found = stored.clone();
        mocks.subscribers.expect_find().returning(move |_| Ok(Some(found.clone())));
        let updated = stored.clone();
        mocks
            .subscribers
            .expect_update()
            .times(1)
            .withf(|_, change| change.email.is_none())
            .returning(move |_, _| Ok(updated.clone()));
        let app = mocks.into_app();
        let outcome = replace(&app, SubscriberId(1), SubscriberInput::default()).await;
        assert!(matches!(outcome, Err(UpdateError::Invalid(_))));
        let unchanged = change(&app, SubscriberId(1), SubscriberInput::default()).await;
        assert_eq!(unchanged.unwrap(), stored);
    }
}
