//! Creating, finding, changing and deleting subscribers.

use exit3_domain::subscribers::{
    NewSubscriber, Subscriber, SubscriberChange, SubscriberFilter, SubscriberId, SubscriberOrder,
};
use exit3_ports::subscribers::EMAIL_TAKEN;
use exit3_ports::{Shape, StoreError, Value, table};

use super::Harness;
use super::model::{last, subscribers_listed};
use crate::builders::{subscriber, unsubscribed};

/// Stores rows with all kinds of values.
pub(crate) async fn fill(harness: &Harness) {
    harness.subscribers.create(&subscriber("a@b.hr")).await.unwrap();
    harness.subscribers.create(&unsubscribed("đ@ž.hr")).await.unwrap();
}

fn address(email: &str) -> SubscriberChange {
    SubscriberChange { email: Some(email.to_owned()), is_subscribed: None }
}

fn wanted(is_subscribed: bool) -> SubscriberChange {
    SubscriberChange { email: None, is_subscribed: Some(is_subscribed) }
}

fn is_taken<T: std::fmt::Debug>(refused: Result<T, StoreError>) {
    let taken = matches!(refused, Err(StoreError::Conflict(EMAIL_TAKEN)));
    assert!(taken, "{refused:?}");
}

async fn create(harness: &Harness, email: &str) -> Subscriber {
    harness.subscribers.create(&subscriber(email)).await.unwrap()
}

async fn everyone(harness: &Harness) -> Vec<Subscriber> {
    let filter = SubscriberFilter::default();
    subscribers_listed(harness.subscribers.as_ref(), &filter, SubscriberOrder::NEWEST, 200).await
}

pub async fn returns_what_it_stored(harness: &Harness) {
    for given in [subscriber("ana@acme.hr"), unsubscribed("ivo@acme.hr")] {
        let created = harness.subscribers.create(&given).await.unwrap();
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
    is_taken(harness.subscribers.create(&subscriber("ana@acme.hr")).await);
    is_taken(harness.subscribers.create(&unsubscribed("ana@acme.hr")).await);
    assert_eq!(everyone(harness).await, [first]);
    create(harness, "ivo@acme.hr").await;
}

pub async fn refuses_a_second_subscription_in_another_case(harness: &Harness) {
    create(harness, "ana@acme.hr").await;
    is_taken(harness.subscribers.create(&subscriber("Ana@ACME.hr")).await);
    create(harness, "IVO@ACME.HR").await;
    is_taken(harness.subscribers.create(&subscriber("ivo@acme.hr")).await);
    let eva = create(harness, "eva@acme.hr").await;
    is_taken(harness.subscribers.update(eva.id, &address("ANA@acme.hr")).await);
    assert_eq!(everyone(harness).await.len(), 3);
}

pub async fn refuses_a_second_subscription_in_another_case_beyond_ascii(harness: &Harness) {
    create(harness, "ana@đak.hr").await;
    is_taken(harness.subscribers.create(&subscriber("ana@ĐAK.hr")).await);
    create(harness, "ana@BÜCHER.de").await;
    is_taken(harness.subscribers.create(&subscriber("ana@bücher.de")).await);
    let ivo = create(harness, "ivo@acme.hr").await;
    is_taken(harness.subscribers.update(ivo.id, &address("ana@Đak.hr")).await);
}

pub async fn stores_addresses_in_lower_case(harness: &Harness) {
    let created = create(harness, "Ana@ĐAK.hr").await;
    assert_eq!(created.email, "ana@đak.hr");
    harness.subscribers.create_many(&[subscriber("IVO@acme.hr")]).await.unwrap();
    let changed = harness.subscribers.update(created.id, &address("EVA@acme.hr")).await.unwrap();
    assert_eq!(changed.email, "eva@acme.hr");
    let emails: Vec<_> = everyone(harness).await.into_iter().map(|one| one.email).collect();
    assert_eq!(emails, ["ivo@acme.hr", "eva@acme.hr"]);
}

const READABLE: &str = "iva@bücher.de";
const ENCODED: &str = "iva@xn--bcher-kva.de";

pub async fn one_mailbox_is_one_subscription_in_any_spelling(harness: &Harness) {
    let iva = create(harness, ENCODED).await;
    assert_eq!(iva.email, READABLE);
    for spelling in [READABLE, ENCODED, "IVA@XN--Bcher-KVA.de", "Iva@BÜCHER.DE"] {
        is_taken(harness.subscribers.create(&subscriber(spelling)).await);
        harness.subscribers.ensure(&subscriber(spelling)).await.unwrap();
        assert_eq!(harness.subscribers.create_many(&[subscriber(spelling)]).await.unwrap(), 0);
        let found = harness.subscribers.find_by_email(spelling).await.unwrap();
        assert_eq!(found.as_ref(), Some(&iva), "{spelling}");
        assert_eq!(harness.subscribers.update(iva.id, &address(spelling)).await.unwrap(), iva);
    }
    assert_eq!(everyone(harness).await, [iva]);
    let both = [READABLE, ENCODED].map(|email| subscriber(&email.replace("iva", "eva")));
    assert_eq!(harness.subscribers.create_many(&both).await.unwrap(), 1);
}

/// Stores a subscription in the form of an earlier version.
async fn stored_before(harness: &Harness, id: i64, email: &str) -> Subscriber {
    let mut load = harness.transfer.load().await.unwrap();
    let shape = Shape::of(table("subscribers").unwrap(), |_| true).unwrap();
    let row = vec![Value::Integer(id), Value::Text(email.to_owned()), Value::Boolean(false)];
    load.write(&shape, vec![row]).await.unwrap();
    load.commit().await.unwrap();
    Subscriber { id: SubscriberId(id), email: email.to_owned(), is_subscribed: false }
}

pub async fn an_address_in_another_spelling_is_not_subscribed_again(harness: &Harness) {
    let before = stored_before(harness, 7, ENCODED).await;
    let mixed = stored_before(harness, 8, "a@xn--bcher-kva.рф").await;
    for spelling in [READABLE, ENCODED] {
        is_taken(harness.subscribers.create(&subscriber(spelling)).await);
        assert_eq!(harness.subscribers.create_many(&[subscriber(spelling)]).await.unwrap(), 0);
        let found = harness.subscribers.find_by_email(spelling).await.unwrap();
        assert_eq!(found.as_ref(), Some(&before), "{spelling}");
    }
    is_taken(harness.subscribers.create(&subscriber("a@bücher.xn--p1ai")).await);
    assert_eq!(everyone(harness).await, [mixed.clone(), before.clone()]);
    harness.subscribers.ensure(&unsubscribed(READABLE)).await.unwrap();
    assert_eq!(everyone(harness).await, [mixed.clone(), before.clone()]);
    harness.subscribers.ensure(&subscriber(READABLE)).await.unwrap();
    let again = Subscriber { is_subscribed: true, ..before };
    assert_eq!(everyone(harness).await, [mixed, again]);
    harness.subscribers.ensure(&subscriber("eva@bücher.de")).await.unwrap();
    assert_eq!(everyone(harness).await.len(), 3);
}

pub async fn an_address_in_another_spelling_can_be_changed(harness: &Harness) {
    let before = stored_before(harness, 7, ENCODED).await;
    let ivo = stored_before(harness, 8, "ivo@acme.hr").await;
    is_taken(harness.subscribers.update(ivo.id, &address(READABLE)).await);
    let gone = harness.subscribers.update(SubscriberId(9), &address(READABLE)).await;
    assert!(matches!(gone, Err(StoreError::NotFound)), "{gone:?}");
    let changed = harness.subscribers.update(before.id, &wanted(true)).await.unwrap();
    assert_eq!((changed.email.as_str(), changed.is_subscribed), (ENCODED, true));
    let changed = harness.subscribers.update(before.id, &address(ENCODED)).await.unwrap();
    assert_eq!(changed.email, READABLE);
    // Two rows of the same mailbox from an earlier version: each can be changed separately.
    let other = stored_before(harness, 9, ENCODED).await;
    let changed = harness.subscribers.update(other.id, &wanted(true)).await.unwrap();
    assert_eq!(changed, Subscriber { is_subscribed: true, ..other });
    is_taken(harness.subscribers.update(ivo.id, &address(ENCODED)).await);
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
    let refused = harness.subscribers.create(&subscriber(&"x".repeat(255))).await;
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
        harness.subscribers.delete(created.id).await.unwrap();
    }
}

pub async fn changes_only_the_given_fields(harness: &Harness) {
    let other = create(harness, "ivo@acme.hr").await;
    let created = create(harness, "ana@acme.hr").await;
    let subscribers = harness.subscribers.as_ref();
    let changed = subscribers.update(created.id, &wanted(false)).await.unwrap();
    assert_eq!(changed, Subscriber { is_subscribed: false, ..created.clone() });
    let changed = subscribers.update(created.id, &address("eva@acme.hr")).await.unwrap();
    assert_eq!((changed.email.as_str(), changed.is_subscribed), ("eva@acme.hr", false));
    let both =
        SubscriberChange { email: Some("iva@acme.hr".to_owned()), is_subscribed: Some(true) };
    let changed = subscribers.update(created.id, &both).await.unwrap();
    assert_eq!((changed.email.as_str(), changed.is_subscribed), ("iva@acme.hr", true));
    assert_eq!(subscribers.find(created.id).await.unwrap(), Some(changed));
    assert_eq!(subscribers.find(other.id).await.unwrap(), Some(other));
}

pub async fn an_empty_change_changes_nothing(harness: &Harness) {
    let created = create(harness, "ana@acme.hr").await;
    let nothing = SubscriberChange { email: None, is_subscribed: None };
    assert_eq!(harness.subscribers.update(created.id, &nothing).await.unwrap(), created);
    let refused = harness.subscribers.update(SubscriberId(0), &nothing).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
}

pub async fn an_address_may_be_changed_to_itself(harness: &Harness) {
    let created = create(harness, "ana@acme.hr").await;
    for email in ["ana@acme.hr", "ANA@acme.hr"] {
        let changed = harness.subscribers.update(created.id, &address(email)).await.unwrap();
        assert_eq!(changed, created);
    }
}

pub async fn refuses_to_take_over_the_address_of_another(harness: &Harness) {
    let ana = create(harness, "ana@acme.hr").await;
    let ivo = create(harness, "ivo@acme.hr").await;
    let both =
        SubscriberChange { email: Some("ana@acme.hr".to_owned()), is_subscribed: Some(false) };
    is_taken(harness.subscribers.update(ivo.id, &both).await);
    assert_eq!(everyone(harness).await, [ivo, ana]);
}

pub async fn refuses_to_change_or_delete_missing_rows(harness: &Harness) {
    create(harness, "ivo@acme.hr").await;
    let gone = create(harness, "ana@acme.hr").await;
    harness.subscribers.delete(gone.id).await.unwrap();
    for id in [gone.id, SubscriberId(0), SubscriberId(i64::MAX)] {
        for change in [address("eva@acme.hr"), address("ivo@acme.hr"), wanted(false)] {
            let refused = harness.subscribers.update(id, &change).await;
            assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
        }
        let refused = harness.subscribers.delete(id).await;
        assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    }
    assert_eq!(everyone(harness).await.len(), 1);
}

pub async fn an_address_is_free_again_after_a_delete(harness: &Harness) {
    let created = create(harness, "ana@acme.hr").await;
    harness.subscribers.delete(created.id).await.unwrap();
    let ivo = create(harness, "ana@acme.hr").await;
    harness.subscribers.update(ivo.id, &address("ivo@acme.hr")).await.unwrap();
    create(harness, "ana@acme.hr").await;
}

pub async fn create_many_skips_existing_addresses(harness: &Harness) {
    let ana = harness.subscribers.create(&unsubscribed("ana@acme.hr")).await.unwrap();
    let given = ["ivo@acme.hr", "ana@acme.hr", "ANA@acme.hr", "eva@acme.hr"].map(subscriber);
    assert_eq!(harness.subscribers.create_many(&given).await.unwrap(), 2);
    assert_eq!(harness.subscribers.create_many(&given).await.unwrap(), 0);
    assert_eq!(harness.subscribers.create_many(&[]).await.unwrap(), 0);
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
    assert_eq!(harness.subscribers.create_many(&given).await.unwrap(), 2);
    let stored = everyone(harness).await;
    assert_eq!(stored.len(), 2);
    assert!(stored.iter().all(|one| one.is_subscribed), "the first of several counts");
}

pub async fn create_many_stores_all_or_none(harness: &Harness) {
    let mut given: Vec<_> = (0..100).map(|n| subscriber(&format!("a{n}@acme.hr"))).collect();
    given[60] = subscriber(&"x".repeat(255));
    let refused = harness.subscribers.create_many(&given).await;
    assert!(matches!(refused, Err(StoreError::Other(_))), "{refused:?}");
    assert_eq!(everyone(harness).await, []);
    given.remove(60);
    assert_eq!(harness.subscribers.create_many(&given).await.unwrap(), 99);
}

pub async fn create_many_takes_more_than_a_statement_has_room_for(harness: &Harness) {
    let given: Vec<_> = (0..40_000).map(|n| subscriber(&format!("a{n}@acme.hr"))).collect();
    assert_eq!(harness.subscribers.create_many(&given).await.unwrap(), 40_000);
    assert_eq!(harness.subscribers.create_many(&given).await.unwrap(), 0);
    let filter = SubscriberFilter::default();
    let found = harness.subscribers.list(&filter, SubscriberOrder::NEWEST, last(10)).await;
    assert_eq!(found.unwrap().unwrap().count, 40_000);
}

pub async fn ensure_stores_what_is_new(harness: &Harness) {
    for given in [subscriber("Ana@acme.hr"), unsubscribed("ivo@acme.hr")] {
        harness.subscribers.ensure(&given).await.unwrap();
        let found = harness.subscribers.find_by_email(&given.email).await.unwrap().unwrap();
        assert_eq!(found.email, given.email.to_lowercase());
        assert_eq!(found.is_subscribed, given.is_subscribed);
    }
    is_taken(harness.subscribers.create(&subscriber("ana@acme.hr")).await);
}

pub async fn ensure_reactivates_a_subscription_but_never_ends_one(harness: &Harness) {
    let ana = create(harness, "ana@acme.hr").await;
    let ivo = harness.subscribers.create(&unsubscribed("ivo@acme.hr")).await.unwrap();
    let eva = harness.subscribers.create(&unsubscribed("eva@acme.hr")).await.unwrap();
    for given in [
        unsubscribed("ANA@acme.hr"),
        subscriber("ana@acme.hr"),
        unsubscribed("eva@acme.hr"),
        subscriber("Ivo@acme.hr"),
    ] {
        harness.subscribers.ensure(&given).await.unwrap();
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
            tokio::spawn(async move { subscribers.ensure(&subscriber(email)).await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(everyone(harness).await.len(), 1);
}
