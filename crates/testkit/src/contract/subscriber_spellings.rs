//! Addresses that have several spellings.

use exit3_domain::subscribers::{Subscriber, SubscriberId};
use exit3_ports::{Shape, StoreError, Value, table};

use super::Harness;
use super::subscribers::{address, create, everyone, is_taken, update, wanted};
use crate::builders::{some_act, subscriber, unsubscribed};

const READABLE: &str = "iva@bücher.de";
const ENCODED: &str = "iva@xn--bcher-kva.de";

pub async fn one_mailbox_is_one_subscription_in_any_spelling(harness: &Harness) {
    let iva = create(harness, ENCODED).await;
    assert_eq!(iva.email, READABLE);
    for spelling in [READABLE, ENCODED, "IVA@XN--Bcher-KVA.de", "Iva@BÜCHER.DE"] {
        is_taken(harness.subscribers.create(&subscriber(spelling), &some_act()).await);
        harness.subscribers.ensure(&subscriber(spelling), &some_act()).await.unwrap();
        assert_eq!(
            harness.subscribers.create_many(&[subscriber(spelling)], &some_act()).await.unwrap(),
            0
        );
        let found = harness.subscribers.find_by_email(spelling).await.unwrap();
        assert_eq!(found.as_ref(), Some(&iva), "{spelling}");
        assert_eq!(update(harness, &iva, &address(spelling)).await.unwrap(), iva);
    }
    assert_eq!(everyone(harness).await, [iva]);
    let both = [READABLE, ENCODED].map(|email| subscriber(&email.replace("iva", "eva")));
    assert_eq!(harness.subscribers.create_many(&both, &some_act()).await.unwrap(), 1);
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
        is_taken(harness.subscribers.create(&subscriber(spelling), &some_act()).await);
        assert_eq!(
            harness.subscribers.create_many(&[subscriber(spelling)], &some_act()).await.unwrap(),
            0
        );
        let found = harness.subscribers.find_by_email(spelling).await.unwrap();
        assert_eq!(found.as_ref(), Some(&before), "{spelling}");
    }
    is_taken(harness.subscribers.create(&subscriber("a@bücher.xn--p1ai"), &some_act()).await);
    assert_eq!(everyone(harness).await, [mixed.clone(), before.clone()]);
    harness.subscribers.ensure(&unsubscribed(READABLE), &some_act()).await.unwrap();
    assert_eq!(everyone(harness).await, [mixed.clone(), before.clone()]);
    harness.subscribers.ensure(&subscriber(READABLE), &some_act()).await.unwrap();
    let again = Subscriber { is_subscribed: true, ..before };
    assert_eq!(everyone(harness).await, [mixed, again]);
    harness.subscribers.ensure(&subscriber("eva@bücher.de"), &some_act()).await.unwrap();
    assert_eq!(everyone(harness).await.len(), 3);
}

pub async fn an_address_in_another_spelling_can_be_changed(harness: &Harness) {
    let before = stored_before(harness, 7, ENCODED).await;
    let ivo = stored_before(harness, 8, "ivo@acme.hr").await;
    is_taken(update(harness, &ivo, &address(READABLE)).await);
    let missing = Subscriber { id: SubscriberId(9), ..before.clone() };
    let gone = update(harness, &missing, &address(READABLE)).await;
    assert!(matches!(gone, Err(StoreError::NotFound)), "{gone:?}");
    let changed = update(harness, &before, &wanted(true)).await.unwrap();
    assert_eq!((changed.email.as_str(), changed.is_subscribed), (ENCODED, true));
    let changed = update(harness, &changed, &address("Iva@xn--bcher-kva.de")).await.unwrap();
    assert_eq!(changed.email, READABLE);
    // Two rows of the same mailbox from an earlier version: each can be changed separately.
    let other = stored_before(harness, 9, ENCODED).await;
    let changed = update(harness, &other, &wanted(true)).await.unwrap();
    assert_eq!(changed, Subscriber { is_subscribed: true, ..other });
    is_taken(update(harness, &ivo, &address(ENCODED)).await);
}

pub async fn refuses_to_restore_an_address_that_is_taken_meanwhile(harness: &Harness) {
    let ana = create(harness, "ana@acme.hr").await;
    let iva = create(harness, READABLE).await;
    for gone in [&ana, &iva] {
        harness.subscribers.delete(gone, &some_act()).await.unwrap();
    }
    let now = [create(harness, "ANA@acme.hr").await, stored_before(harness, 70, ENCODED).await];
    for gone in [&ana, &iva] {
        is_taken(harness.subscribers.restore(gone, &some_act()).await);
    }
    let everyone = everyone(harness).await;
    assert_eq!(everyone, [now[1].clone(), now[0].clone()]);
}
