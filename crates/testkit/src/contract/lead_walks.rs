//! Walks by keyset.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use exit3_domain::leads::{Lead, LeadFilter, LeadSort, LeadStatus};
use exit3_domain::paging::{Direction, Step};

use super::Harness;
use super::model::{Dice, NEW_YEAR, any_lead, expected, fill, listed, orders, searching, walked};
use crate::builders::{act, at, some_act};

pub async fn a_walk_through_nothing_ends_at_once(harness: &Harness) {
    for direction in [Direction::Forward, Direction::Backward] {
        for order in orders::<LeadSort>() {
            let step = Step { from: None, direction, size: 50 };
            let slice = harness.leads.walk(&LeadFilter::default(), order, &step).await.unwrap();
            assert!(slice.rows.is_empty() && !slice.has_next && !slice.has_previous);
        }
    }
}

async fn equals_the_list(harness: &Harness, direction: Direction) {
    fill(harness, 100).await;
    let (leads, filter) = (harness.leads.as_ref(), LeadFilter::default());
    for order in orders::<LeadSort>() {
        let wanted = listed(leads, &filter, order, 200).await;
        for size in [1, 7, 50, 99, 100, 200] {
            let found = walked(leads, &filter, order, direction, size).await;
            assert_eq!(found, wanted, "{order:?} in steps of {size}");
        }
    }
}

pub async fn a_walk_forward_equals_the_list_in_every_order(harness: &Harness) {
    equals_the_list(harness, Direction::Forward).await;
}

pub async fn a_walk_backward_equals_the_list_in_every_order(harness: &Harness) {
    equals_the_list(harness, Direction::Backward).await;
}

pub async fn a_filtered_walk_equals_the_filtered_list(harness: &Harness) {
    let stored = fill(harness, 120).await;
    let one = LeadFilter { statuses: Some(vec![LeadStatus::New]), ..LeadFilter::default() };
    let two = LeadFilter {
        statuses: Some(vec![LeadStatus::New, LeadStatus::Closed]),
        created_after: Some(at(NEW_YEAR + 2)),
        created_before: Some(at(NEW_YEAR + 10)),
        ..LeadFilter::default()
    };
    let none = LeadFilter { sources: Some(vec![]), ..LeadFilter::default() };
    for filter in [one, two, none, searching("ana")] {
        for order in orders::<LeadSort>() {
            let wanted = expected(&stored, &filter, order);
            for direction in [Direction::Forward, Direction::Backward] {
                let found = walked(harness.leads.as_ref(), &filter, order, direction, 4).await;
                assert_eq!(found, wanted, "{filter:?} {order:?} {direction:?}");
            }
        }
    }
}

pub async fn a_walk_turns_round(harness: &Harness) {
    let stored = fill(harness, 50).await;
    let (leads, filter) = (harness.leads.as_ref(), LeadFilter::default());
    for order in orders::<LeadSort>() {
        let sorted = expected(&stored, &filter, order);
        let count = sorted.len();
        for place in [0, 1, count / 4, count / 2, count - 2, count - 1] {
            let from = Some(order.position(&sorted[place]));
            let step = Step { from: from.clone(), direction: Direction::Forward, size: 10 };
            let after = leads.walk(&filter, order, &step).await.unwrap();
            assert_eq!(after.rows, sorted[place + 1..(place + 11).min(count)]);
            assert_eq!((after.has_next, after.has_previous), (place + 11 < count, true));
            let step = Step { from, direction: Direction::Backward, size: 10 };
            let before = leads.walk(&filter, order, &step).await.unwrap();
            assert_eq!(before.rows, sorted[place.saturating_sub(10)..place]);
            assert_eq!((before.has_next, before.has_previous), (true, place > 10));
        }
    }
}

pub async fn a_walk_goes_on_from_a_row_that_was_deleted(harness: &Harness) {
    let stored = fill(harness, 60).await;
    let (leads, filter) = (harness.leads.as_ref(), LeadFilter::default());
    let mut left = stored.clone();
    for order in orders::<LeadSort>() {
        let sorted = expected(&left, &filter, order);
        let place = sorted.len() / 2;
        let gone: Lead = sorted[place].clone();
        leads.delete(&gone, &some_act()).await.unwrap();
        left.retain(|lead| lead.id != gone.id);
        let from = Some(order.position(&gone));
        let step = Step { from: from.clone(), direction: Direction::Forward, size: 5 };
        let after = leads.walk(&filter, order, &step).await.unwrap().rows;
        assert_eq!(after, sorted[place + 1..sorted.len().min(place + 6)]);
        let step = Step { from, direction: Direction::Backward, size: 5 };
        let before = leads.walk(&filter, order, &step).await.unwrap().rows;
        assert_eq!(before, sorted[place.saturating_sub(5)..place]);
    }
}

pub async fn a_walk_past_either_end_is_empty(harness: &Harness) {
    let stored = fill(harness, 20).await;
    let (leads, filter) = (harness.leads.as_ref(), LeadFilter::default());
    for order in orders::<LeadSort>() {
        let sorted = expected(&stored, &filter, order);
        for (direction, end) in
            [(Direction::Forward, sorted.last()), (Direction::Backward, sorted.first())]
        {
            let step = Step { from: end.map(|row| order.position(row)), direction, size: 5 };
            let slice = leads.walk(&filter, order, &step).await.unwrap();
            assert!(slice.rows.is_empty());
        }
    }
}

pub async fn a_walk_neither_skips_nor_repeats_while_others_write(harness: &Harness) {
    let permanent = fill(harness, 60).await;
    let stop = Arc::new(AtomicBool::new(false));
    let others: Vec<_> = (0..3)
        .map(|seed| {
            let (leads, stop) = (Arc::clone(&harness.leads), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut dice = Dice::new(seed + 40);
                while !stop.load(Ordering::Relaxed) {
                    let (new, now) = any_lead(&mut dice);
                    let created = leads.create(&new, &act(now)).await.unwrap();
                    leads.create_many(&[any_lead(&mut dice)], &some_act()).await.unwrap();
                    leads.delete(&created, &some_act()).await.unwrap();
                }
            })
        })
        .collect();
    for order in orders::<LeadSort>() {
        for direction in [Direction::Forward, Direction::Backward] {
            let leads = harness.leads.as_ref();
            let seen = walked(leads, &LeadFilter::default(), order, direction, 10).await;
            let mut times = HashMap::new();
            for lead in seen {
                *times.entry(lead.id).or_insert(0) += 1;
            }
            assert!(times.values().all(|times| *times == 1), "{order:?} {direction:?} repeats");
            for lead in expected(&permanent, &LeadFilter::default(), order) {
                assert!(times.contains_key(&lead.id), "{order:?} {direction:?} skips");
            }
        }
    }
    stop.store(true, Ordering::Relaxed);
    for other in others {
        other.await.unwrap();
    }
}
