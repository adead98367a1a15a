use exit3_domain::raw::RawValue;

use super::*;
use crate::testing::{Mocks, away};

fn input(email: &str) -> SubscriberInput {
    SubscriberInput { email: RawValue::text(email), ..SubscriberInput::default() }
}

#[tokio::test]
async fn a_second_subscription_is_an_error_of_the_address() {
    let mut mocks = Mocks::new();
    mocks
        .repositories
        .subscribers
        .expect_create()
        .returning(|_| Err(StoreError::Conflict(EMAIL_TAKEN)));
    let input =
        SubscriberInput { email: RawValue::text("news@example.com"), ..SubscriberInput::default() };
    let Err(SaveError::Invalid(invalid)) = create(&mocks.into_app(), input).await else {
        panic!("the subscription was accepted");
    };
    assert_eq!(invalid, already_subscribed());
}

#[tokio::test]
async fn a_taken_address_is_reported_together_with_other_errors() {
    let mut mocks = Mocks::new();
    mocks.repositories.subscribers.expect_find_by_email().times(1).returning(|email| {
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
    mocks.repositories.subscribers.expect_create().never();
    let outcome = create(&mocks.into_app(), SubscriberInput::default()).await;
    assert!(matches!(outcome, Err(SaveError::Invalid(_))));
}

#[tokio::test]
async fn never_asks_who_is_subscribed() {
    let mut mocks = Mocks::new();
    mocks.repositories.subscribers.expect_create().never();
    mocks.repositories.subscribers.expect_find_by_email().never();
    mocks.repositories.subscribers.expect_ensure().times(1).returning(|_| Ok(()));
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
        .repositories
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
async fn a_sign_up_that_cannot_be_stored_fails() {
    let mut mocks = Mocks::new();
    mocks.repositories.subscribers.expect_ensure().returning(|_| Err(away()));
    let outcome = sign_up(&mocks.into_app(), input("news@acme.hr")).await;
    assert!(matches!(outcome, Err(SaveError::Store(_))));
}

#[tokio::test]
async fn taking_the_address_of_another_is_an_error_of_the_address() {
    let mut mocks = Mocks::new();
    mocks
        .repositories
        .subscribers
        .expect_update()
        .returning(|_, _| Err(StoreError::Conflict(EMAIL_TAKEN)));
    let outcome = change(&mocks.into_app(), SubscriberId(1), input("a@acme.hr")).await;
    let Err(UpdateError::Invalid(invalid)) = outcome else {
        panic!("the address was taken twice");
    };
    assert_eq!(invalid, already_subscribed());
}

#[tokio::test]
async fn a_missing_subscriber_is_reported_even_if_the_input_is_invalid() {
    let mut mocks = Mocks::new();
    mocks.repositories.subscribers.expect_find().returning(|_| Ok(None));
    mocks.repositories.subscribers.expect_update().returning(|_, _| Err(StoreError::NotFound));
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
    mocks.repositories.subscribers.expect_find().returning(move |_| Ok(Some(found.clone())));
    let updated = stored.clone();
    mocks
        .repositories
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
