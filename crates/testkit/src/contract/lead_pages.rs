//! Pages, their counts, and orders.

use exit3_domain::leads::{LeadFilter, LeadOrder, LeadSort, LeadStatus};
use exit3_domain::paging::last_page;

use super::Harness;
use super::model::{NEW_YEAR, expected, fill, last, listed, orders, page, searching};
use crate::builders::{act, at, lead};

/// One filter for each way to count: the total count, stored counts of choices, counting the rows.
fn kinds() -> [LeadFilter; 3] {
    let statuses = Some(vec![LeadStatus::New, LeadStatus::Closed, LeadStatus::Contacted]);
    [LeadFilter::default(), LeadFilter { statuses, ..LeadFilter::default() }, searching("a")]
}

pub async fn an_empty_list_has_one_empty_page(harness: &Harness) {
    for filter in kinds() {
        for request in [page(1, 50), last(50), page(1, 1), last(200)] {
            let found = harness.leads.list(&filter, LeadOrder::NEWEST, request).await;
            let found = found.unwrap().unwrap();
            assert_eq!((found.count, found.number, found.rows), (0, 1, vec![]));
        }
        let second = harness.leads.list(&filter, LeadOrder::NEWEST, page(2, 50)).await;
        assert_eq!(second.unwrap(), None);
    }
}

pub async fn pages_cut_the_list_without_overlap(harness: &Harness) {
    let stored = fill(harness, 101).await;
    for filter in kinds() {
        let wanted = expected(&stored, &filter, LeadOrder::NEWEST);
        assert!(wanted.len() > 20);
        for size in [1, 2, 10, 50, 100, 101, 102, 200] {
            let found = listed(harness.leads.as_ref(), &filter, LeadOrder::NEWEST, size).await;
            assert_eq!(found, wanted, "pages of {size}");
        }
    }
}

pub async fn a_page_past_the_end_does_not_exist(harness: &Harness) {
    let stored = fill(harness, 100).await;
    for filter in kinds() {
        let count = expected(&stored, &filter, LeadOrder::NEWEST).len();
        for size in [1, 7, 50, 100] {
            let end = last_page(u64::try_from(count).unwrap(), size);
            let list = |number| harness.leads.list(&filter, LeadOrder::NEWEST, page(number, size));
            assert!(!list(end).await.unwrap().unwrap().rows.is_empty());
            for beyond in [end + 1, end + 2, end * 1000, 1 << 40] {
                assert_eq!(list(beyond).await.unwrap(), None);
            }
        }
    }
}

pub async fn a_page_beyond_all_integers_does_not_exist(harness: &Harness) {
    no_page(harness, &[u64::MAX, u64::MAX / 50, i64::MAX as u64, (i64::MAX as u64) + 1]).await;
}

pub async fn page_zero_does_not_exist(harness: &Harness) {
    no_page(harness, &[0]).await;
}

/// Checks that none of these pages exists, neither in an empty list nor in another.
async fn no_page(harness: &Harness, numbers: &[u64]) {
    for stored in [0, 10] {
        fill(harness, stored).await;
        for filter in kinds() {
            for size in [1, 50, 200] {
                for number in numbers {
                    let request = page(*number, size);
                    let found = harness.leads.list(&filter, LeadOrder::NEWEST, request).await;
                    assert_eq!(found.unwrap(), None);
                }
            }
        }
    }
}

pub async fn the_last_page_is_found_without_its_number(harness: &Harness) {
    let stored = fill(harness, 101).await;
    for filter in kinds() {
        for order in orders::<LeadSort>() {
            let wanted = expected(&stored, &filter, order);
            let count = u64::try_from(wanted.len()).unwrap();
            for size in [1, 7, 50, 100, 101, 200] {
                let found = harness.leads.list(&filter, order, last(size)).await;
                let found = found.unwrap().unwrap();
                let number = last_page(count, size);
                let before = usize::try_from((number - 1) * u64::from(size)).unwrap();
                assert_eq!((found.count, found.number), (count, number));
                assert_eq!(found.rows, wanted[before..], "{order:?} in pages of {size}");
            }
        }
    }
}

pub async fn the_last_page_of_an_exact_multiple_is_full(harness: &Harness) {
    fill(harness, 100).await;
    for (size, number) in [(50, 2), (100, 1), (10, 10), (1, 100)] {
        let found = harness.leads.list(&LeadFilter::default(), LeadOrder::NEWEST, last(size)).await;
        let found = found.unwrap().unwrap();
        assert_eq!((found.number, found.rows.len()), (number, size as usize));
    }
}

pub async fn every_order_is_that_of_the_reference(harness: &Harness) {
    let stored = fill(harness, 150).await;
    for filter in kinds() {
        for order in orders::<LeadSort>() {
            let found = listed(harness.leads.as_ref(), &filter, order, 13).await;
            assert_eq!(found, expected(&stored, &filter, order), "{order:?}");
        }
    }
}

/// The names of all leads, sorted by name.
async fn names(harness: &Harness, by: LeadSort) -> Vec<String> {
    let order = LeadOrder { by, descending: false };
    let found = listed(harness.leads.as_ref(), &LeadFilter::default(), order, 50).await;
    found.into_iter().map(|lead| lead.details.full_name).collect()
}

pub async fn texts_sort_by_code_point(harness: &Harness) {
    // U+FF21 sorts after U+1F980 in UTF-16, but before it by code point.
    let sorted =
        [" b", "-a", "A", "B", "_", "a", "a b", "ab", "b", "z", "ä", "Đ", "đ", "\u{ff21}", "🦀"];
    for name in sorted.iter().rev() {
        harness.leads.create(&lead().full_name(*name).build(), &act(at(NEW_YEAR))).await.unwrap();
    }
    assert_eq!(names(harness, LeadSort::FullName).await, sorted);
}

pub async fn an_unknown_company_sorts_as_the_empty_text(harness: &Harness) {
    for (name, company) in [
        ("1", Some("b")),
        ("2", None),
        ("3", Some("")),
        ("4", None),
        ("5", Some(" ")),
        ("6", Some("A")),
    ] {
        let new = lead().full_name(name).company_name(company).build();
        harness.leads.create(&new, &act(at(NEW_YEAR))).await.unwrap();
    }
    assert_eq!(names(harness, LeadSort::CompanyName).await, ["2", "3", "4", "5", "6", "1"]);
}

pub async fn ties_go_by_id_in_the_same_direction(harness: &Harness) {
    for _ in 0..30 {
        harness.leads.create(&lead().build(), &act(at(NEW_YEAR))).await.unwrap();
    }
    for order in orders::<LeadSort>() {
        let found = listed(harness.leads.as_ref(), &LeadFilter::default(), order, 7).await;
        let mut ids: Vec<_> = found.into_iter().map(|lead| lead.id).collect();
        if order.descending {
            ids.reverse();
        }
        assert!(ids.is_sorted(), "{order:?}");
    }
}

pub async fn a_status_list_goes_by_time_within_a_status(harness: &Harness) {
    for (name, status, time) in [
        ("1", LeadStatus::New, 3),
        ("2", LeadStatus::Contacted, 9),
        ("3", LeadStatus::New, 1),
        ("4", LeadStatus::Closed, 5),
        ("5", LeadStatus::New, 2),
    ] {
        let new = lead().full_name(name).status(status).build();
        harness.leads.create(&new, &act(at(NEW_YEAR + time))).await.unwrap();
    }
    assert_eq!(names(harness, LeadSort::Status).await, ["4", "2", "3", "5", "1"]);
}
