//! Lists of subscribers, by pages and by walks.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use exit3_domain::paging::{Direction, Step, last_page};
use exit3_domain::search;
use exit3_domain::subscribers::{
    NewSubscriber, Subscriber, SubscriberFilter, SubscriberOrder, SubscriberSort,
};

use super::Harness;
use super::model::{
    expected_subscribers, last, orders, page, subscribers_listed, subscribers_walked,
};
use crate::builders::{some_act, subscriber, unsubscribed};

const ALL: SubscriberFilter = SubscriberFilter { is_subscribed: None, words: Vec::new() };

fn searching(query: &str) -> SubscriberFilter {
    SubscriberFilter { words: search::words(query).unwrap(), ..ALL }
}

fn wanting(is_subscribed: bool) -> SubscriberFilter {
    SubscriberFilter { is_subscribed: Some(is_subscribed), ..ALL }
}

fn kinds() -> Vec<SubscriberFilter> {
    let both = SubscriberFilter { is_subscribed: Some(true), ..searching("acme") };
    vec![ALL, wanting(true), wanting(false), searching("1"), both]
}

/// Stores `count` subscribers, not in the order of their addresses.
async fn fill(harness: &Harness, count: usize) -> Vec<Subscriber> {
    let hosts = ["acme.hr", "đak.hr", "Zeta.com", "z-eta.com", "🦀.rs"];
    let given: Vec<NewSubscriber> = (0..count)
        .map(|n| NewSubscriber {
            email: format!("{}_{n}@{}", (n * 7919) % 101, hosts[n % hosts.len()]),
            is_subscribed: n % 3 != 0,
        })
        .collect();
    let stored = harness.subscribers.create_many(&given, &some_act()).await.unwrap();
    assert_eq!(usize::try_from(stored).unwrap(), count);
    let all = everyone(harness).await;
    assert_eq!(all.len(), count);
    all
}

async fn everyone(harness: &Harness) -> Vec<Subscriber> {
    subscribers_listed(harness.subscribers.as_ref(), &ALL, SubscriberOrder::NEWEST, 200).await
}

pub async fn an_empty_list_has_one_empty_page(harness: &Harness) {
    for filter in kinds() {
        let list = |request| harness.subscribers.list(&filter, SubscriberOrder::NEWEST, request);
        for request in [page(1, 50), last(50)] {
            let found = list(request).await.unwrap().unwrap();
            assert_eq!((found.count, found.number, found.rows), (0, 1, vec![]));
        }
        assert_eq!(list(page(2, 50)).await.unwrap(), None);
        assert_eq!(list(page(0, 50)).await.unwrap(), None);
        assert_eq!(list(page(u64::MAX, 50)).await.unwrap(), None);
    }
}

pub async fn lists_the_newest_first(harness: &Harness) {
    for email in ["b@acme.hr", "c@acme.hr", "a@acme.hr"] {
        harness.subscribers.create(&subscriber(email), &some_act()).await.unwrap();
    }
    let emails: Vec<_> = everyone(harness).await.into_iter().map(|one| one.email).collect();
    assert_eq!(emails, ["a@acme.hr", "c@acme.hr", "b@acme.hr"]);
}

pub async fn every_order_is_that_of_the_reference(harness: &Harness) {
    let stored = fill(harness, 100).await;
    for filter in kinds() {
        for order in orders::<SubscriberSort>() {
            let wanted = expected_subscribers(&stored, &filter, order);
            let found = subscribers_listed(harness.subscribers.as_ref(), &filter, order, 13).await;
            assert_eq!(found, wanted, "{filter:?} {order:?}");
        }
    }
}

pub async fn pages_cut_the_list_without_overlap(harness: &Harness) {
    let stored = fill(harness, 101).await;
    for size in [1, 10, 50, 100, 101, 200] {
        let subscribers = harness.subscribers.as_ref();
        let found = subscribers_listed(subscribers, &ALL, SubscriberOrder::NEWEST, size).await;
        assert_eq!(found, stored, "pages of {size}");
    }
}

pub async fn a_page_past_the_end_does_not_exist(harness: &Harness) {
    let stored = fill(harness, 100).await;
    for filter in kinds() {
        let count = expected_subscribers(&stored, &filter, SubscriberOrder::NEWEST).len();
        let end = last_page(u64::try_from(count).unwrap(), 10);
        let list =
            |number| harness.subscribers.list(&filter, SubscriberOrder::NEWEST, page(number, 10));
        assert!(!list(end).await.unwrap().unwrap().rows.is_empty());
        for beyond in [0, end + 1, end * 1000, 1 << 40, u64::MAX] {
            assert_eq!(list(beyond).await.unwrap(), None);
        }
    }
}

pub async fn the_last_page_is_found_without_its_number(harness: &Harness) {
    let stored = fill(harness, 100).await;
    for filter in kinds() {
        for order in orders::<SubscriberSort>() {
            let wanted = expected_subscribers(&stored, &filter, order);
            let count = u64::try_from(wanted.len()).unwrap();
            for size in [1, 7, 50, 100, 200] {
                let found = harness.subscribers.list(&filter, order, last(size)).await;
                let found = found.unwrap().unwrap();
                let number = last_page(count, size);
                let before = usize::try_from((number - 1) * u64::from(size)).unwrap();
                assert_eq!((found.count, found.number), (count, number));
                assert_eq!(found.rows, wanted[before..]);
            }
        }
    }
}

pub async fn filters_by_subscription(harness: &Harness) {
    let stored = fill(harness, 60).await;
    for wanted in [true, false] {
        let subscribers = harness.subscribers.as_ref();
        let filter = wanting(wanted);
        let found = subscribers_listed(subscribers, &filter, SubscriberOrder::NEWEST, 50).await;
        assert!(!found.is_empty() && found.iter().all(|one| one.is_subscribed == wanted));
        assert_eq!(found, expected_subscribers(&stored, &filter, SubscriberOrder::NEWEST));
    }
}

pub async fn counts_exactly_after_every_kind_of_write(harness: &Harness) {
    let subscribers = harness.subscribers.as_ref();
    let agree = async || {
        let stored = everyone(harness).await;
        for filter in kinds() {
            let found = subscribers.list(&filter, SubscriberOrder::NEWEST, page(1, 1)).await;
            let wanted = expected_subscribers(&stored, &filter, SubscriberOrder::NEWEST);
            let count = usize::try_from(found.unwrap().unwrap().count).unwrap();
            assert_eq!(count, wanted.len(), "{filter:?}");
        }
        stored.len()
    };
    let stored = fill(harness, 50).await;
    subscribers.create(&unsubscribed("new1@acme.hr"), &some_act()).await.unwrap();
    assert_eq!(agree().await, 51);
    subscribers.create(&subscriber("new1@acme.hr"), &some_act()).await.unwrap_err();
    assert_eq!(agree().await, 51);
    for (n, one) in stored.iter().enumerate() {
        match n % 4 {
            0 => subscribers.delete(one, &some_act()).await.unwrap(),
            1 => {
                let turned =
                    NewSubscriber { is_subscribed: !one.is_subscribed, ..one.clone().into() };
                subscribers.update(one, &turned, &some_act()).await.unwrap();
            }
            2 => {
                let taken = NewSubscriber {
                    email: "new1@acme.hr".to_owned(),
                    is_subscribed: !one.is_subscribed,
                };
                subscribers.update(one, &taken, &some_act()).await.unwrap_err();
            }
            _ => {}
        }
    }
    assert_eq!(agree().await, 38);
    let given = [subscriber("new1@acme.hr"), unsubscribed("new2@acme.hr"), subscriber("n@acme.hr")];
    assert_eq!(subscribers.create_many(&given, &some_act()).await.unwrap(), 2);
    assert_eq!(agree().await, 40);
    for one in everyone(harness).await {
        subscribers.delete(&one, &some_act()).await.unwrap();
    }
    assert_eq!(agree().await, 0);
}

async fn hits(harness: &Harness, query: &str) -> usize {
    let (subscribers, filter) = (harness.subscribers.as_ref(), searching(query));
    subscribers_listed(subscribers, &filter, SubscriberOrder::NEWEST, 50).await.len()
}

pub async fn search_finds_parts_of_the_address(harness: &Harness) {
    for email in ["ana@acme.hr", "ivo@straße.de", "eva@đak.hr"] {
        harness.subscribers.create(&subscriber(email), &some_act()).await.unwrap();
    }
    for (query, found) in [
        ("acme", 1),
        ("ACME", 1),
        ("@", 3),
        ("hr ana", 1),
        (".hr", 2),
        ("ana ivo", 0),
        ("STRASSE", 1),
        ("ß", 1),
        ("Đ", 1),
        ("d", 2),
        ("ana acme.hr", 1),
        ("ana@acme.hra", 0),
        ("\0", 0),
        ("", 3),
    ] {
        assert_eq!(hits(harness, query).await, found, "{query}");
    }
}

pub async fn search_finds_addresses_without_their_accents(harness: &Harness) {
    for email in ["šarić@müller.de", "saric@muller.de"] {
        harness.subscribers.create(&subscriber(email), &some_act()).await.unwrap();
    }
    let changed =
        harness.subscribers.create(&subscriber("ana@acme.hr"), &some_act()).await.unwrap();
    let change = subscriber("đ@acme.hr");
    harness.subscribers.update(&changed, &change, &some_act()).await.unwrap();
    for (query, found) in [("saric@muller", 2), ("šarić", 1), ("d@acme", 1), ("ana@", 0)] {
        let filter = searching(query);
        let order = SubscriberOrder::NEWEST;
        let listed = subscribers_listed(harness.subscribers.as_ref(), &filter, order, 50).await;
        assert_eq!(listed.len(), found, "{query}");
    }
}

pub async fn wildcards_are_plain_characters(harness: &Harness) {
    for email in ["a%b@acme.hr", "a_b@acme.hr", "o'hara@acme.hr", "\"a\\b\"@acme.hr", "axb@acme.hr"]
    {
        harness.subscribers.create(&subscriber(email), &some_act()).await.unwrap();
    }
    for query in ["%", "_", "a%b", "a_b", "'", "\\", "\""] {
        assert_eq!(hits(harness, query).await, 1, "{query}");
    }
    for query in ["%%", "a%h", "o_h", "\\%", "''"] {
        assert_eq!(hits(harness, query).await, 0, "{query}");
    }
}

pub async fn a_changed_address_is_found_under_its_new_text_only(harness: &Harness) {
    let created =
        harness.subscribers.create(&subscriber("ana@acme.hr"), &some_act()).await.unwrap();
    let change = subscriber("ivo@zeta.hr");
    harness.subscribers.update(&created, &change, &some_act()).await.unwrap();
    assert_eq!(hits(harness, "ana").await, 0);
    assert_eq!(hits(harness, "IVO zeta").await, 1);
}

pub async fn walks_equal_the_list_in_every_order(harness: &Harness) {
    let stored = fill(harness, 60).await;
    for filter in kinds() {
        for order in orders::<SubscriberSort>() {
            let wanted = expected_subscribers(&stored, &filter, order);
            for direction in [Direction::Forward, Direction::Backward] {
                for size in [1, 7, 60, 200] {
                    let subscribers = harness.subscribers.as_ref();
                    let found = subscribers_walked(subscribers, &filter, order, direction, size);
                    assert_eq!(found.await, wanted, "{filter:?} {order:?} {direction:?} {size}");
                }
            }
        }
    }
}

pub async fn a_walk_turns_round(harness: &Harness) {
    let stored = fill(harness, 30).await;
    for order in orders::<SubscriberSort>() {
        let sorted = expected_subscribers(&stored, &ALL, order);
        for place in [0, 1, 15, 29] {
            let from = Some(order.position(&sorted[place]));
            let step = Step { from: from.clone(), direction: Direction::Forward, size: 10 };
            let after = harness.subscribers.walk(&ALL, order, &step).await.unwrap();
            assert_eq!(after.rows, sorted[place + 1..(place + 11).min(30)]);
            assert_eq!((after.has_next, after.has_previous), (place < 19, true));
            let step = Step { from, direction: Direction::Backward, size: 10 };
            let before = harness.subscribers.walk(&ALL, order, &step).await.unwrap();
            assert_eq!(before.rows, sorted[place.saturating_sub(10)..place]);
            assert_eq!((before.has_next, before.has_previous), (true, place > 10));
        }
    }
}

pub async fn a_glance_is_a_step_or_says_that_it_was_cut_short(harness: &Harness) {
    let stored = fill(harness, 100).await;
    let rare = SubscriberFilter { is_subscribed: Some(false), ..searching("nobody") };
    let mut enough = 0;
    for filter in kinds().into_iter().chain([searching("crab"), searching("zeta"), rare]) {
        for order in orders::<SubscriberSort>() {
            let sorted = expected_subscribers(&stored, &filter, order);
            let at = |place: usize| sorted.get(place).map(|row| order.position(row));
            for (from, direction) in [
                (None, Direction::Forward),
                (None, Direction::Backward),
                (at(5), Direction::Forward),
                (at(5), Direction::Backward),
            ] {
                let step = Step { from, direction, size: 3 };
                let walked = harness.subscribers.walk(&filter, order, &step).await.unwrap();
                let glance = harness.subscribers.glance(&filter, order, &step).await.unwrap();
                let what = format!("{filter:?} {order:?} {step:?}");
                if glance.is_cut_short {
                    assert!(!filter.words.is_empty(), "{what}");
                    let rows = glance.slice.rows.len();
                    let nearest = match direction {
                        Direction::Forward => &walked.rows[..rows],
                        Direction::Backward => &walked.rows[walked.rows.len() - rows..],
                    };
                    assert_eq!(glance.slice.rows, nearest, "{what}");
                } else {
                    assert_eq!(glance.slice, walked, "{what}");
                    enough += 1;
                }
            }
        }
    }
    assert!(enough > 100, "{enough}");
}

pub async fn a_walk_neither_skips_nor_repeats_while_others_write(harness: &Harness) {
    let permanent = fill(harness, 60).await;
    let stop = Arc::new(AtomicBool::new(false));
    let (subscribers, stopped) = (Arc::clone(&harness.subscribers), Arc::clone(&stop));
    let other = tokio::spawn(async move {
        for n in 0.. {
            if stopped.load(Ordering::Relaxed) {
                break;
            }
            let new = subscriber(&format!("{}-{n}@mid.hr", n % 97));
            let created = subscribers.create(&new, &some_act()).await.unwrap();
            if n % 2 == 0 {
                subscribers.delete(&created, &some_act()).await.unwrap();
            }
        }
    });
    for order in orders::<SubscriberSort>() {
        for direction in [Direction::Forward, Direction::Backward] {
            let subscribers = harness.subscribers.as_ref();
            let mut times = HashMap::new();
            for one in subscribers_walked(subscribers, &ALL, order, direction, 10).await {
                *times.entry(one.id).or_insert(0) += 1;
            }
            assert!(times.values().all(|times| *times == 1), "{order:?} {direction:?} repeats");
            let skipped = permanent.iter().find(|one| !times.contains_key(&one.id));
            assert_eq!(skipped, None, "{order:?} {direction:?}");
        }
    }
    stop.store(true, Ordering::Relaxed);
    other.await.unwrap();
}
