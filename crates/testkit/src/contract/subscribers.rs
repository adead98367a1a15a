//! Creating, finding, changing and deleting subscribers.

use exit3_domain::subscribers::{
    NewSubscriber, Subscriber, SubscriberChange, SubscriberFilter, SubscriberId, SubscriberOrder,
};
use exit3_ports::subscribers::EMAIL_TAKEN;
use exit3_ports::{Constraint, StoreError};

use super::Harness;
use super::model::{last, subscribers_listed};
use crate::builders::{some_act, subscriber, unsubscribed};

/// Stores rows with all kinds of values.
pub(crate) async fn fill(harness: &Harness) {
    harness.subscribers.create(&subscriber("a@b.hr"), &some_act()).await.unwrap();
    harness.subscribers.create(&unsubscribed("đ@ž.hr"), &some_act()).await.unwrap();
}

pub(super) fn address(email: &str) -> SubscriberChange {
    SubscriberChange { email: Some(email.to_owned()), is_subscribed: None }
}

pub(super) fn wanted(is_subscribed: bool) -> SubscriberChange {
    SubscriberChange { email: None, is_subscribed: Some(is_subscribed) }
}

pub(super) fn is_taken<T: std::fmt::Debug>(refused: Result<T, StoreError>) {
    let taken = matches!(refused, Err(StoreError::Conflict(EMAIL_TAKEN)));
    assert!(taken, "{refused:?}");
}

fn is_stale<T: std::fmt::Debug>(refused: Result<T, StoreError>) {
    let stale = matches!(refused, Err(StoreError::Conflict(Constraint::Stale)));
    assert!(stale, "{refused:?}");
}

pub(super) async fn create(harness: &Harness, email: &str) -> Subscriber {
    harness.subscribers.create(&subscriber(email), &some_act()).await.unwrap()
}

/// Changes the subscriber `seen`.
pub(super) async fn update(
    harness: &Harness,
    seen: &Subscriber,
    change: &SubscriberChange,
) -> Result<Subscriber, StoreError> {
    harness.subscribers.update(seen, &change.apply(seen), &some_act()).await
}

pub(super) async fn everyone(harness: &Harness) -> Vec<Subscriber> {
    let filter = SubscriberFilter::default();
    subscribers_listed(harness.subscribers.as_ref(), &filter, SubscriberOrder::NEWEST, 200).await
}

pub async fn returns_what_it_stored(harness: &Harness) {
    for given in [subscriber("ana@acme.hr"), unsubscribed("ivo@acme.hr")] {
        let created = harness.subscribers.create(&given, &some_act()).await.unwrap();
        let Subscriber { id: _, email, is_subscribed } = created.clone();
        assert_eq!(NewSubscriber { email, is_subscribed }, given);
        assert_eq!(harness.subscribers.find(created.id).await.unwrap(), Some(created));
    }
}

pub async fn finds_by_address_in_any_case(harness: &Harness) {
    let ana = create(harness, "ana@acme.hr").await;
    create(harness, "banana@acme.hr").await;
    for email in ["ana@acme.hr", "ANA@Acme.HR"] {
        let found = harness.subscribers.find_by_email(email).await.unwrap();
        assert_eq!(found.as_ref(), Some(&ana), "{email}");
    }
    for email in ["ivo@acme.hr", "ana@acme", "%", "", "ana@acme.hr\0"] {
        assert_eq!(harness.subscribers.find_by_email(email).await.unwrap(), None, "{email:?}");
    }
}

pub async fn refuses_a_second_subscription_of_the_same_address(harness: &Harness) {
    let first = create(harness, "ana@acme.hr").await;
    is_taken(harness.subscribers.create(&subscriber("ana@acme.hr"), &some_act()).await);
    is_taken(harness.subscribers.create(&unsubscribed("ana@acme.hr"), &some_act()).await);
    assert_eq!(everyone(harness).await, [first]);
    create(harness, "ivo@acme.hr").await;
}

pub async fn refuses_a_second_subscription_in_another_case(harness: &Harness) {
    create(harness, "ana@acme.hr").await;
    is_taken(harness.subscribers.create(&subscriber("Ana@ACME.hr"), &some_act()).await);
    create(harness, "IVO@ACME.HR").await;
    is_taken(harness.subscribers.create(&subscriber("ivo@acme.hr"), &some_act()).await);
    let eva = create(harness, "eva@acme.hr").await;
    is_taken(update(harness, &eva, &address("ANA@acme.hr")).await);
    assert_eq!(everyone(harness).await.len(), 3);
}

pub async fn refuses_a_second_subscription_in_another_case_beyond_ascii(harness: &Harness) {
    create(harness, "ana@đak.hr").await;
    is_taken(harness.subscribers.create(&subscriber("ana@ĐAK.hr"), &some_act()).await);
    create(harness, "ana@BÜCHER.de").await;
    is_taken(harness.subscribers.create(&subscriber("ana@bücher.de"), &some_act()).await);
    let ivo = create(harness, "ivo@acme.hr").await;
    is_taken(update(harness, &ivo, &address("ana@Đak.hr")).await);
}

pub async fn stores_addresses_in_lower_case(harness: &Harness) {
    let created = create(harness, "Ana@ĐAK.hr").await;
    assert_eq!(created.email, "ana@đak.hr");
    harness.subscribers.create_many(&[subscriber("IVO@acme.hr")], &some_act()).await.unwrap();
    let changed = update(harness, &created, &address("EVA@acme.hr")).await.unwrap();
    assert_eq!(changed.email, "eva@acme.hr");
    let emails: Vec<_> = everyone(harness).await.into_iter().map(|one| one.email).collect();
    assert_eq!(emails, ["ivo@acme.hr", "eva@acme.hr"]);
}

pub async fn distinguishes_addresses_that_only_look_alike(harness: &Harness) {
    for email in [
        "ana@acme.hr",
        "ána@acme.hr",
        "ana@acme.hr.",
        "a.na@acme.hr",
        "ana+1@acme.hr",
        "ana@ácme.hr",
    ] {
        create(harness, email).await;
    }
    create(harness, "ana@strasse.de").await;
    create(harness, "ana@straße.de").await;
    assert_eq!(everyone(harness).await.len(), 8);
}

pub async fn counts_lengths_in_characters(harness: &Harness) {
    create(harness, &"đ".repeat(254)).await;
    let refused = harness.subscribers.create(&subscriber(&"x".repeat(255)), &some_act()).await;
    assert!(matches!(refused, Err(StoreError::Other(_))), "{refused:?}");
    assert_eq!(everyone(harness).await.len(), 1);
}

pub async fn finds_nothing_under_an_unknown_id(harness: &Harness) {
    for id in [0, 1, -1, i64::MIN, i64::MAX] {
        assert_eq!(harness.subscribers.find(SubscriberId(id)).await.unwrap(), None);
    }
}

pub async fn never_reuses_an_id(harness: &Harness) {
    let mut highest = SubscriberId(0);
    for _ in 0..3 {
        let created = create(harness, "ana@acme.hr").await;
        assert!(created.id > highest);
        highest = created.id;
        harness.subscribers.delete(&created, &some_act()).await.unwrap();
    }
}

pub async fn replaces_the_details_and_nothing_else(harness: &Harness) {
    let other = create(harness, "ivo@acme.hr").await;
    let created = create(harness, "ana@acme.hr").await;
    let changed = update(harness, &created, &wanted(false)).await.unwrap();
    assert_eq!(changed, Subscriber { is_subscribed: false, ..created.clone() });
    let changed = update(harness, &changed, &address("eva@acme.hr")).await.unwrap();
    assert_eq!((changed.email.as_str(), changed.is_subscribed), ("eva@acme.hr", false));
    let details = subscriber("iva@acme.hr");
    let changed = harness.subscribers.update(&changed, &details, &some_act()).await.unwrap();
    assert_eq!(NewSubscriber::from(changed.clone()), details);
    assert_eq!(changed.id, created.id);
    assert_eq!(harness.subscribers.find(created.id).await.unwrap(), Some(changed));
    assert_eq!(harness.subscribers.find(other.id).await.unwrap(), Some(other));
}

pub async fn an_update_to_the_same_details_changes_nothing(harness: &Harness) {
    let created = create(harness, "ana@acme.hr").await;
    let nothing = SubscriberChange { email: None, is_subscribed: None };
    assert_eq!(update(harness, &created, &nothing).await.unwrap(), created);
    let missing = Subscriber { id: SubscriberId(0), ..created };
    let refused = update(harness, &missing, &nothing).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
}

pub async fn refuses_to_change_or_delete_a_row_that_has_changed(harness: &Harness) {
    let created = create(harness, "ana@acme.hr").await;
    let ended = update(harness, &created, &wanted(false)).await.unwrap();
    let moved = update(harness, &ended, &address("eva@acme.hr")).await.unwrap();
    let other_flag = Subscriber { is_subscribed: true, ..moved.clone() };
    let other_address = Subscriber { email: "iva@acme.hr".to_owned(), ..moved.clone() };
    for seen in [&created, &ended, &other_flag, &other_address] {
        // Even if nothing would change.
        for details in [subscriber("ivo@acme.hr"), moved.clone().into()] {
            let refused = harness.subscribers.update(seen, &details, &some_act()).await;
            is_stale(refused);
        }
        is_stale(harness.subscribers.delete(seen, &some_act()).await);
    }
    assert_eq!(everyone(harness).await, std::slice::from_ref(&moved));
    harness.subscribers.delete(&moved, &some_act()).await.unwrap();
}

pub async fn restores_a_deleted_row_with_its_id(harness: &Harness) {
    let (ana, ivo) = (create(harness, "ana@acme.hr").await, create(harness, "ivo@acme.hr").await);
    let ana = update(harness, &ana, &wanted(false)).await.unwrap();
    is_stale(harness.subscribers.restore(&ana, &some_act()).await);
    harness.subscribers.delete(&ana, &some_act()).await.unwrap();
    harness.subscribers.delete(&ivo, &some_act()).await.unwrap();
    harness.subscribers.restore(&ana, &some_act()).await.unwrap();
    harness.subscribers.restore(&ivo, &some_act()).await.unwrap();
    assert_eq!(everyone(harness).await, [ivo.clone(), ana.clone()]);
    is_stale(harness.subscribers.restore(&ana, &some_act()).await);
    let other = Subscriber { email: "eva@acme.hr".to_owned(), ..ana.clone() };
    is_stale(harness.subscribers.restore(&other, &some_act()).await);
    assert_eq!(everyone(harness).await, [ivo.clone(), ana]);
    assert!(create(harness, "eva@acme.hr").await.id > ivo.id);
}

pub async fn an_address_may_be_changed_to_itself(harness: &Harness) {
    let created = create(harness, "ana@acme.hr").await;
    for email in ["ana@acme.hr", "ANA@acme.hr"] {
        let changed = update(harness, &created, &address(email)).await.unwrap();
        assert_eq!(changed, created);
    }
}

pub async fn refuses_to_take_over_the_address_of_another(harness: &Harness) {
    let ana = create(harness, "ana@acme.hr").await;
    let ivo = create(harness, "ivo@acme.hr").await;
    let both =
        SubscriberChange { email: Some("ana@acme.hr".to_owned()), is_subscribed: Some(false) };
    is_taken(update(harness, &ivo, &both).await);
    assert_eq!(everyone(harness).await, [ivo, ana]);
}

pub async fn refuses_to_change_or_delete_missing_rows(harness: &Harness) {
    create(harness, "ivo@acme.hr").await;
    let gone = create(harness, "ana@acme.hr").await;
    harness.subscribers.delete(&gone, &some_act()).await.unwrap();
    for id in [gone.id, SubscriberId(0), SubscriberId(i64::MAX)] {
        let missing = Subscriber { id, ..gone.clone() };
        for change in [address("eva@acme.hr"), address("ivo@acme.hr"), wanted(false)] {
            let refused = update(harness, &missing, &change).await;
            assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
        }
        let refused = harness.subscribers.delete(&missing, &some_act()).await;
        assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    }
    assert_eq!(everyone(harness).await.len(), 1);
}

pub async fn an_address_is_free_again_after_a_delete(harness: &Harness) {
    let created = create(harness, "ana@acme.hr").await;
    harness.subscribers.delete(&created, &some_act()).await.unwrap();
    let ivo = create(harness, "ana@acme.hr").await;
    update(harness, &ivo, &address("ivo@acme.hr")).await.unwrap();
    create(harness, "ana@acme.hr").await;
}

pub async fn create_many_skips_existing_addresses(harness: &Harness) {
    let ana = harness.subscribers.create(&unsubscribed("ana@acme.hr"), &some_act()).await.unwrap();
    let given = ["ivo@acme.hr", "ana@acme.hr", "ANA@acme.hr", "eva@acme.hr"].map(subscriber);
    assert_eq!(harness.subscribers.create_many(&given, &some_act()).await.unwrap(), 2);
    assert_eq!(harness.subscribers.create_many(&given, &some_act()).await.unwrap(), 0);
    assert_eq!(harness.subscribers.create_many(&[], &some_act()).await.unwrap(), 0);
    let stored = everyone(harness).await;
    assert_eq!(stored.len(), 3);
    assert!(stored.contains(&ana), "what is there stays as it is");
}

pub async fn create_many_leaves_out_repetitions(harness: &Harness) {
    let given = [
        subscriber("ana@acme.hr"),
        subscriber("ivo@acme.hr"),
        unsubscribed("ana@acme.hr"),
        unsubscribed("IVO@acme.hr"),
    ];
    assert_eq!(harness.subscribers.create_many(&given, &some_act()).await.unwrap(), 2);
    let stored = everyone(harness).await;
    assert_eq!(stored.len(), 2);
    assert!(stored.iter().all(|one| one.is_subscribed), "the first of several counts");
}

pub async fn create_many_stores_all_or_none(harness: &Harness) {
    let mut given: Vec<_> = (0..100).map(|n| subscriber(&format!("a{n}@acme.hr"))).collect();
    given[60] = subscriber(&"x".repeat(255));
    let refused = harness.subscribers.create_many(&given, &some_act()).await;
    assert!(matches!(refused, Err(StoreError::Other(_))), "{refused:?}");
    assert_eq!(everyone(harness).await, []);
    given.remove(60);
    assert_eq!(harness.subscribers.create_many(&given, &some_act()).await.unwrap(), 99);
}

pub async fn create_many_takes_more_than_a_statement_has_room_for(harness: &Harness) {
    let given: Vec<_> = (0..40_000).map(|n| subscriber(&format!("a{n}@acme.hr"))).collect();
    assert_eq!(harness.subscribers.create_many(&given, &some_act()).await.unwrap(), 40_000);
    assert_eq!(harness.subscribers.create_many(&given, &some_act()).await.unwrap(), 0);
    let filter = SubscriberFilter::default();
    let found = harness.subscribers.list(&filter, SubscriberOrder::NEWEST, last(10)).await;
    assert_eq!(found.unwrap().unwrap().count, 40_000);
}

pub async fn ensure_stores_what_is_new(harness: &Harness) {
    for given in [subscriber("Ana@acme.hr"), unsubscribed("ivo@acme.hr")] {
        harness.subscribers.ensure(&given, &some_act()).await.unwrap();
        let found = harness.subscribers.find_by_email(&given.email).await.unwrap().unwrap();
        assert_eq!(found.email, given.email.to_lowercase());
        assert_eq!(found.is_subscribed, given.is_subscribed);
    }
    is_taken(harness.subscribers.create(&subscriber("ana@acme.hr"), &some_act()).await);
}

pub async fn ensure_reactivates_a_subscription_but_never_ends_one(harness: &Harness) {
    let ana = create(harness, "ana@acme.hr").await;
    let ivo = harness.subscribers.create(&unsubscribed("ivo@acme.hr"), &some_act()).await.unwrap();
    let eva = harness.subscribers.create(&unsubscribed("eva@acme.hr"), &some_act()).await.unwrap();
    for given in [
        unsubscribed("ANA@acme.hr"),
        subscriber("ana@acme.hr"),
        unsubscribed("eva@acme.hr"),
        subscriber("Ivo@acme.hr"),
    ] {
        harness.subscribers.ensure(&given, &some_act()).await.unwrap();
    }
    let ivo = Subscriber { is_subscribed: true, ..ivo };
    assert_eq!(everyone(harness).await, [eva, ivo, ana]);
    let expected = [(true, vec!["ivo@acme.hr", "ana@acme.hr"]), (false, vec!["eva@acme.hr"])];
    for (is_subscribed, expected) in expected {
        let filter =
            SubscriberFilter { is_subscribed: Some(is_subscribed), ..SubscriberFilter::default() };
        let found =
            subscribers_listed(harness.subscribers.as_ref(), &filter, SubscriberOrder::NEWEST, 200);
        let emails: Vec<String> = found.await.into_iter().map(|found| found.email).collect();
        assert_eq!(emails, expected);
    }
}

pub async fn ensure_by_fifty_at_once_stores_one(harness: &Harness) {
    let writers: Vec<_> = (0..50)
        .map(|number| {
            let subscribers = std::sync::Arc::clone(&harness.subscribers);
            let email = if number % 2 == 0 { "ana@acme.hr" } else { "ANA@ACME.hr" };
            tokio::spawn(async move { subscribers.ensure(&subscriber(email), &some_act()).await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(everyone(harness).await.len(), 1);
}
