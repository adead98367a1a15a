use exit3_domain::raw::RawValue;
use exit3_domain::versions::{Version, Versions};
use exit3_ports::Constraint;

use super::*;
use crate::testing::{Mocks, act, author, away};

const ANY: Expected = Expected { only: None, except: None };

fn stored() -> Subscriber {
    Subscriber { id: SubscriberId(1), email: "a@acme.hr".into(), is_subscribed: false }
}

fn stale() -> StoreError {
    StoreError::Conflict(Constraint::Stale)
}

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
        .returning(|_, _| Err(StoreError::Conflict(EMAIL_TAKEN)));
    let input =
        SubscriberInput { email: RawValue::text("news@example.com"), ..SubscriberInput::default() };
    let Err(SaveError::Invalid(invalid)) = create(&mocks.into_app(), input, &author()).await else {
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
    let Err(SaveError::Invalid(invalid)) = create(&mocks.into_app(), input, &author()).await else {
        panic!("the subscription was accepted");
    };
    let fields: Vec<_> = invalid.fields().map(|(field, _)| field).collect();
    assert_eq!(fields, ["is_subscribed", "email"]);
}

#[tokio::test]
async fn an_invalid_address_never_reaches_the_database() {
    let mut mocks = Mocks::new();
    mocks.repositories.subscribers.expect_create().never();
    let outcome = create(&mocks.into_app(), SubscriberInput::default(), &author()).await;
    assert!(matches!(outcome, Err(SaveError::Invalid(_))));
}

#[tokio::test]
async fn never_asks_who_is_subscribed() {
    let mut mocks = Mocks::new();
    mocks.repositories.subscribers.expect_create().never();
    mocks.repositories.subscribers.expect_find_by_email().never();
    mocks
        .repositories
        .subscribers
        .expect_ensure()
        .times(1)
        .withf(|_, now| *now == act())
        .returning(|_, _| Ok(()));
    let app = mocks.into_app();
    assert_eq!(
        sign_up(&app, input("News@acme.hr"), &author()).await.unwrap().row.email,
        "news@acme.hr"
    );
    let mut wrong = input("news@acme.hr");
    wrong.is_subscribed = RawValue::text("maybe");
    assert!(matches!(sign_up(&app, wrong, &author()).await, Err(SaveError::Invalid(_))));
}

#[tokio::test]
async fn a_sign_up_is_never_the_opposite() {
    let mut mocks = Mocks::new();
    mocks
        .repositories
        .subscribers
        .expect_ensure()
        .times(1)
        .withf(|new, _| new.is_subscribed)
        .returning(|_, _| Ok(()));
    let mut refusing = input("news@acme.hr");
    refusing.is_subscribed = RawValue::Bool(false);
    assert!(sign_up(&mocks.into_app(), refusing, &author()).await.unwrap().row.is_subscribed);
}

#[tokio::test]
async fn a_sign_up_that_cannot_be_stored_fails() {
    let mut mocks = Mocks::new();
    mocks.repositories.subscribers.expect_ensure().returning(|_, _| Err(away()));
    let outcome = sign_up(&mocks.into_app(), input("news@acme.hr"), &author()).await;
    assert!(matches!(outcome, Err(SaveError::Store(_))));
}

#[tokio::test]
async fn taking_the_address_of_another_is_an_error_of_the_address() {
    let mut mocks = Mocks::new();
    mocks
        .repositories
        .subscribers
        .expect_update()
        .returning(|_, _, _| Err(StoreError::Conflict(EMAIL_TAKEN)));
    mocks.repositories.subscribers.expect_find().returning(|_| Ok(Some(stored())));
    let outcome =
        change(&mocks.into_app(), SubscriberId(1), input("a@acme.hr"), &ANY, &author()).await;
    let Err(UpdateError::Invalid(invalid)) = outcome else {
        panic!("the address was taken twice");
    };
    assert_eq!(invalid, already_subscribed());
}

#[tokio::test]
async fn a_missing_subscriber_is_reported_even_if_the_input_is_invalid() {
    let mut mocks = Mocks::new();
    mocks.repositories.subscribers.expect_find().returning(|_| Ok(None));
    let app = mocks.into_app();
    for email in ["a@acme.hr", "no address"] {
        let outcome = replace(&app, SubscriberId(1), input(email), &ANY, &author()).await;
        assert!(matches!(outcome, Err(UpdateError::NotFound)));
    }
}

#[tokio::test]
async fn a_replacement_must_name_the_address_and_a_change_need_not() {
    let mut mocks = Mocks::new();
    mocks.repositories.subscribers.expect_find().returning(|_| Ok(Some(stored())));
    mocks
        .repositories
        .subscribers
        .expect_update()
        .times(1)
        .withf(|seen, details, now| *details == seen.clone().into() && *now == act())
        .returning(|_, _, _| Ok(stored()));
    let app = mocks.into_app();
    let (id, nothing) = (SubscriberId(1), SubscriberInput::default());
    let outcome = replace(&app, id, nothing.clone(), &ANY, &author()).await;
    assert!(matches!(outcome, Err(UpdateError::Invalid(_))));
    let unchanged = change(&app, id, nothing, &ANY, &author()).await;
    assert_eq!(unchanged.unwrap(), stored());
}

#[tokio::test]
async fn a_change_is_made_to_the_newest_row_when_someone_else_was_faster() {
    let mut mocks = Mocks::new();
    let now = Subscriber { is_subscribed: true, ..stored() };
    let found = now.clone();
    mocks.repositories.subscribers.expect_find().times(1).returning(|_| Ok(Some(stored())));
    mocks
        .repositories
        .subscribers
        .expect_find()
        .times(1)
        .returning(move |_| Ok(Some(found.clone())));
    mocks.repositories.subscribers.expect_update().times(1).returning(|_, _, _| Err(stale()));
    let details = NewSubscriber { email: "b@acme.hr".into(), is_subscribed: true };
    mocks
        .repositories
        .subscribers
        .expect_update()
        .times(1)
        .withf(move |seen, given, _| *seen == now && *given == details)
        .returning(|_, _, _| Ok(stored()));
    let id = SubscriberId(1);
    assert!(change(&mocks.into_app(), id, input("b@acme.hr"), &ANY, &author()).await.is_ok());
}

#[tokio::test]
async fn gives_up_when_others_never_stop_changing_the_row() {
    let mut mocks = Mocks::new();
    mocks.repositories.subscribers.expect_find().returning(|_| Ok(Some(stored())));
    let subscribers = &mut mocks.repositories.subscribers;
    subscribers.expect_update().times(ATTEMPTS).returning(|_, _, _| Err(stale()));
    subscribers.expect_delete().times(ATTEMPTS).returning(|_, _| Err(stale()));
    let (app, id) = (mocks.into_app(), SubscriberId(1));
    let outcome = change(&app, id, input("b@acme.hr"), &ANY, &author()).await;
    assert!(matches!(outcome, Err(UpdateError::Contended)));
    let outcome = delete(&app, id, &ANY, &author()).await;
    assert!(matches!(outcome, Err(UpdateError::Contended)));
}

#[tokio::test]
async fn an_unexpected_version_is_neither_changed_nor_deleted() {
    let mut mocks = Mocks::new();
    mocks.repositories.subscribers.expect_find().returning(|_| Ok(Some(stored())));
    let (app, id) = (mocks.into_app(), SubscriberId(1));
    let other = Version::of(&Subscriber { is_subscribed: true, ..stored() });
    let expected = Expected { only: Some(Versions::These(vec![other])), except: None };
    for email in ["b@acme.hr", "no address"] {
        let outcome = replace(&app, id, input(email), &expected, &author()).await;
        assert!(matches!(outcome, Err(UpdateError::Unexpected)));
        let outcome = change(&app, id, input(email), &expected, &author()).await;
        assert!(matches!(outcome, Err(UpdateError::Unexpected)));
    }
    let outcome = delete(&app, id, &expected, &author()).await;
    assert!(matches!(outcome, Err(UpdateError::Unexpected)));
}
