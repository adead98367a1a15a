//! Steps and pages of leads in bounded time.

use exit3_domain::leads::{
    Lead, LeadCategory, LeadFilter, LeadOrder, LeadOwner, LeadSort, LeadSource, LeadStatus,
};
use exit3_domain::paging::{Count, Direction, Glance, Step};
use exit3_domain::staff::StaffId;

use super::Harness;
use super::model::{NEW_YEAR, expected, fill, orders, searching};
use crate::builders::at;

/// Filters whose rows are all found.
fn filters() -> Vec<LeadFilter> {
    let all = LeadFilter::default();
    let statuses = Some(vec![LeadStatus::New, LeadStatus::Converted, LeadStatus::Closed]);
    let sources = Some(vec![LeadSource::Website, LeadSource::Referral, LeadSource::Other]);
    let categories = Some(vec![LeadCategory::WebDev, LeadCategory::MobileDev]);
    let (created_after, created_before) = (Some(at(NEW_YEAR + 2)), Some(at(NEW_YEAR + 9)));
    let some = Some(vec![LeadStatus::New, LeadStatus::Closed]);
    let due = Some(at(NEW_YEAR + 5));
    let bounded = LeadFilter { created_after, created_before, ..all.clone() };
    vec![
        LeadFilter { statuses: Some(vec![LeadStatus::New]), ..all.clone() },
        LeadFilter { sources: sources.clone(), ..all.clone() },
        LeadFilter { statuses: statuses.clone(), sources, categories, ..all.clone() },
        LeadFilter { statuses: Some(Vec::new()), ..all.clone() },
        LeadFilter { statuses: statuses.clone(), ..bounded.clone() },
        LeadFilter { created_before: None, ..bounded.clone() },
        LeadFilter { statuses: statuses.clone(), ..searching("ana") },
        LeadFilter { statuses, created_after, ..searching("acme horvat") },
        searching("ana"),
        searching("sales@straße ferris"),
        searching("nobody"),
        LeadFilter { owner: Some(LeadOwner::Staff(StaffId(1))), ..all.clone() },
        LeadFilter { owner: Some(LeadOwner::Staff(StaffId(2))), ..bounded.clone() },
        LeadFilter { owner: Some(LeadOwner::Somebody), statuses: some.clone(), ..all.clone() },
        LeadFilter { owner: Some(LeadOwner::Nobody), ..all.clone() },
        LeadFilter { owner: Some(LeadOwner::Nobody), statuses: some, ..bounded.clone() },
        LeadFilter { owner: Some(LeadOwner::Staff(StaffId(1))), ..searching("ana") },
        LeadFilter { owner: Some(LeadOwner::Nobody), ..searching("acme horvat") },
        LeadFilter { due, ..all.clone() },
        LeadFilter { due, owner: Some(LeadOwner::Nobody), ..searching("an") },
        bounded,
        all,
    ]
}

/// The step at a place of a sorted list.
fn expected_step(
    sorted: &[Lead],
    from: Option<usize>,
    direction: Direction,
    size: u32,
) -> Vec<Lead> {
    let size = size as usize;
    match (direction, from) {
        (Direction::Forward, from) => {
            let begin = from.map_or(0, |place| place + 1);
            sorted[begin..(begin + size).min(sorted.len())].to_vec()
        }
        (Direction::Backward, from) => {
            let end = from.unwrap_or(sorted.len());
            sorted[end.saturating_sub(size)..end].to_vec()
        }
    }
}

pub async fn a_glance_is_a_step_of_the_list(harness: &Harness) {
    let stored = fill(harness, 120).await;
    (harness.index_leads)(70).await;
    for filter in filters() {
        for order in orders::<LeadSort>() {
            let sorted = expected(&stored, &filter, order);
            let places = [0, 1, sorted.len() / 2, sorted.len().saturating_sub(1)];
            let places = places.into_iter().filter(|place| *place < sorted.len()).map(Some);
            for from in places.chain([None]) {
                for direction in [Direction::Forward, Direction::Backward] {
                    let at = from.map(|place| order.position(&sorted[place]));
                    let step = Step { from: at, direction, size: 7 };
                    let glance = harness.leads.glance(&filter, order, &step).await.unwrap();
                    let wanted = expected_step(&sorted, from, direction, 7);
                    let what = format!("{filter:?} {order:?} {from:?} {direction:?}");
                    assert_eq!(glance.slice.rows, wanted, "{what}");
                    assert!(!glance.is_cut_short, "{what}");
                    let is_more = match direction {
                        Direction::Forward => {
                            wanted.last().is_some_and(|last| sorted.last() != Some(last))
                        }
                        Direction::Backward => {
                            wanted.first().is_some_and(|first| sorted.first() != Some(first))
                        }
                    };
                    let found = match direction {
                        Direction::Forward => glance.slice.has_next,
                        Direction::Backward => glance.slice.has_previous,
                    };
                    assert_eq!(found, is_more, "{what}");
                    let page = harness.leads.page(&filter, order, &step).await.unwrap();
                    assert_eq!(page.glance, glance, "{what}");
                }
            }
        }
    }
}

/// A lead opened from a list knows its neighbours there, also among equal values.
pub async fn neighbours_are_those_of_the_list(harness: &Harness) {
    let stored = fill(harness, 60).await;
    for filter in [LeadFilter::default(), filters().swap_remove(2), searching("ana")] {
        for order in orders::<LeadSort>() {
            let sorted = expected(&stored, &filter, order);
            let id = |glance: Glance<Lead>| glance.slice.rows.first().map(|lead| lead.id);
            for (place, lead) in sorted.iter().enumerate() {
                let step =
                    |direction| Step { from: Some(order.position(lead)), direction, size: 1 };
                let (back, on) = (step(Direction::Backward), step(Direction::Forward));
                let before = harness.leads.glance(&filter, order, &back).await.unwrap();
                let after = harness.leads.glance(&filter, order, &on).await.unwrap();
                let of = |place: Option<usize>| place.and_then(|it| sorted.get(it)).map(|it| it.id);
                assert_eq!(id(before), of(place.checked_sub(1)), "{filter:?} {order:?}");
                assert_eq!(id(after), of(Some(place + 1)), "{filter:?} {order:?}");
            }
        }
    }
}

fn holds(count: Count, real: usize) -> bool {
    let real = u64::try_from(real).unwrap();
    match count {
        Count::Exact(found) => found == real,
        Count::AtLeast(found) => found <= real,
    }
}

pub async fn counts_of_a_page_are_right_as_far_as_they_say(harness: &Harness) {
    let stored = fill(harness, 150).await;
    let step = Step { from: None, direction: Direction::Forward, size: 5 };
    for indexed in [0, 60, 1000] {
        if indexed > 0 {
            (harness.index_leads)(indexed).await;
        }
        let short = ["ß", "an"].map(searching);
        for filter in filters().into_iter().chain(short) {
            let page = harness.leads.page(&filter, LeadOrder::NEWEST, &step).await.unwrap();
            let real = expected(&stored, &filter, LeadOrder::NEWEST).len();
            assert!(holds(page.count, real), "{filter:?}: {:?}, not {real}", page.count);
            if filter.is_counted() {
                assert_eq!(page.count, Count::Exact(real as u64));
            }
            let statuses: Vec<_> = page.by_status.iter().map(|(status, _)| *status).collect();
            assert_eq!(statuses, LeadStatus::ALL);
            for (status, count) in page.by_status {
                let of_it = LeadFilter { statuses: Some(vec![status]), ..filter.clone() };
                let real = expected(&stored, &of_it, LeadOrder::NEWEST).len();
                assert!(holds(count, real), "{of_it:?}: {count:?}, not {real}");
                if filter.is_indexed() {
                    assert_eq!(count, Count::Exact(real as u64), "{of_it:?}");
                }
            }
        }
    }
    let rare = searching("nobody");
    let page = harness.leads.page(&rare, LeadOrder::NEWEST, &step).await.unwrap();
    assert_eq!(page.count, Count::Exact(0), "a rare word is counted exactly");
}

pub async fn a_short_word_is_looked_for_among_the_newest_rows(harness: &Harness) {
    let stored = fill(harness, 200).await;
    let step = Step { from: None, direction: Direction::Forward, size: 50 };
    for query in ["ß", "🦀", "z", "an"] {
        let filter = searching(query);
        let glance = harness.leads.glance(&filter, LeadOrder::NEWEST, &step).await.unwrap();
        let wanted = expected(&stored, &filter, LeadOrder::NEWEST);
        let rows = glance.slice.rows;
        assert_eq!(rows, wanted[..rows.len()], "{query}");
        let is_all = rows.len() == wanted.len().min(50);
        assert!(is_all || glance.is_cut_short, "{query}");
    }
}
