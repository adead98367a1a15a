//! Filters of lists of leads.

use chrono::{DateTime, TimeDelta, Utc};
use exit3_domain::leads::{
    Lead, LeadCategory, LeadFilter, LeadOrder, LeadOwner, LeadSort, LeadSource, LeadStatus,
};
use exit3_domain::paging::{Direction, Step};
use exit3_domain::staff::StaffId;

use super::Harness;
use super::model::{NEW_YEAR, everything, expected, fill, last, listed, orders, page, walked};
use crate::builders::{act, at, lead, some_act, time};

async fn agrees(harness: &Harness, filters: &[LeadFilter]) {
    let stored = fill(harness, 120).await;
    for filter in filters {
        for order in orders::<LeadSort>() {
            let found = listed(harness.leads.as_ref(), filter, order, 9).await;
            assert_eq!(found, expected(&stored, filter, order), "{filter:?} {order:?}");
        }
    }
}

pub async fn filters_by_each_choice(harness: &Harness) {
    let mut filters = Vec::new();
    for status in LeadStatus::ALL {
        filters.push(LeadFilter { statuses: Some(vec![*status]), ..LeadFilter::default() });
    }
    for source in LeadSource::ALL {
        filters.push(LeadFilter { sources: Some(vec![*source]), ..LeadFilter::default() });
    }
    for category in LeadCategory::ALL {
        filters.push(LeadFilter { categories: Some(vec![*category]), ..LeadFilter::default() });
    }
    agrees(harness, &filters).await;
}

pub async fn any_of_several_choices_matches(harness: &Harness) {
    let statuses = Some(vec![LeadStatus::Closed, LeadStatus::New, LeadStatus::Closed]);
    let sources = Some(LeadSource::ALL.to_vec());
    let categories = Some(vec![LeadCategory::SalesAuto, LeadCategory::WebDev]);
    agrees(
        harness,
        &[
            LeadFilter { statuses, ..LeadFilter::default() },
            LeadFilter { sources, ..LeadFilter::default() },
            LeadFilter { categories, ..LeadFilter::default() },
        ],
    )
    .await;
}

pub async fn no_choice_matches_nothing(harness: &Harness) {
    fill(harness, 30).await;
    let status = Some(vec![LeadStatus::New]);
    for filter in [
        LeadFilter { statuses: Some(vec![]), ..LeadFilter::default() },
        LeadFilter { sources: Some(vec![]), ..LeadFilter::default() },
        LeadFilter { categories: Some(vec![]), ..LeadFilter::default() },
        LeadFilter { statuses: status, sources: Some(vec![]), ..LeadFilter::default() },
    ] {
        for request in [page(1, 50), last(50)] {
            let found = harness.leads.list(&filter, LeadOrder::NEWEST, request).await;
            let found = found.unwrap().unwrap();
            assert_eq!((found.count, found.number, found.rows), (0, 1, vec![]), "{filter:?}");
        }
        let second = harness.leads.list(&filter, LeadOrder::NEWEST, page(2, 50)).await;
        assert_eq!(second.unwrap(), None);
    }
}

pub async fn filters_combine(harness: &Harness) {
    let one = LeadFilter {
        statuses: Some(vec![LeadStatus::New, LeadStatus::Contacted]),
        sources: Some(vec![LeadSource::Website]),
        categories: Some(LeadCategory::ALL[..4].to_vec()),
        ..LeadFilter::default()
    };
    let bounded = LeadFilter {
        created_after: Some(at(NEW_YEAR + 2)),
        created_before: Some(at(NEW_YEAR + 9)),
        ..one.clone()
    };
    let searched = LeadFilter { words: vec!["ana".to_owned()], ..bounded.clone() };
    let single = LeadFilter {
        statuses: Some(vec![LeadStatus::New]),
        created_before: Some(at(NEW_YEAR + 9)),
        ..LeadFilter::default()
    };
    agrees(harness, &[one, bounded, searched, single]).await;
}

/// Stores leads with a realistic distribution: the newest all have the status new and come from the
/// website.
async fn fill_skewed(harness: &Harness) -> Vec<Lead> {
    fill(harness, 60).await;
    let newest = |n: i64| (lead().full_name(format!("Zz {n}")).build(), at(NEW_YEAR + 1000 + n));
    let newest: Vec<_> = (0..60).map(newest).collect();
    harness.leads.create_many(&newest, &some_act()).await.unwrap();
    everything(harness.leads.as_ref()).await
}

fn skewed_filters() -> Vec<LeadFilter> {
    let late = Some(vec![LeadStatus::Converted, LeadStatus::Contacted]);
    let new = Some(vec![LeadStatus::New]);
    let sources = Some(vec![LeadSource::Website, LeadSource::Referral]);
    let all = LeadFilter::default();
    let bounded = LeadFilter {
        created_after: Some(at(NEW_YEAR + 3)),
        created_before: Some(at(NEW_YEAR + 1030)),
        ..all.clone()
    };
    vec![
        LeadFilter { statuses: late.clone(), ..all.clone() },
        LeadFilter { sources: sources.clone(), ..all.clone() },
        LeadFilter { statuses: new, sources: sources.clone(), ..all.clone() },
        LeadFilter {
            statuses: late.clone(),
            categories: Some(vec![LeadCategory::WebDev]),
            ..bounded.clone()
        },
        LeadFilter { statuses: late, words: vec!["ana".to_owned()], ..all.clone() },
        LeadFilter { sources, words: vec!["a".to_owned()], ..bounded.clone() },
        LeadFilter { owner: Some(LeadOwner::Staff(StaffId(1))), ..all.clone() },
        LeadFilter { owner: Some(LeadOwner::Somebody), ..bounded.clone() },
        LeadFilter { owner: Some(LeadOwner::Nobody), ..bounded.clone() },
        LeadFilter { owner: Some(LeadOwner::Nobody), ..all.clone() },
        LeadFilter { due: Some(at(NEW_YEAR + 3)), ..all },
        bounded,
    ]
}

pub async fn agrees_where_the_newest_are_all_of_one_kind(harness: &Harness) {
    let stored = fill_skewed(harness).await;
    let leads = harness.leads.as_ref();
    for filter in skewed_filters() {
        for order in orders::<LeadSort>() {
            let wanted = expected(&stored, &filter, order);
            assert_eq!(listed(leads, &filter, order, 7).await, wanted, "{filter:?} {order:?}");
            for direction in [Direction::Forward, Direction::Backward] {
                let walked = walked(leads, &filter, order, direction, 7).await;
                assert_eq!(walked, wanted, "{filter:?} {order:?} {direction:?}");
            }
        }
    }
}

/// Clients may change the filters in a link.
pub async fn walks_on_from_a_row_that_the_filter_leaves_out(harness: &Harness) {
    let stored = fill_skewed(harness).await;
    for filter in skewed_filters() {
        for order in orders::<LeadSort>() {
            let all = expected(&stored, &LeadFilter::default(), order);
            let wanted = expected(&stored, &filter, order);
            for place in [0, 17, 59, 60, 93, 119] {
                let Some(from) = all.get(place) else { continue };
                let from = Some(order.position(from));
                let step = Step { from, direction: Direction::Forward, size: 5 };
                let found = harness.leads.walk(&filter, order, &step).await.unwrap();
                let beyond = |lead: &&Lead| all[place + 1..].contains(lead);
                let next: Vec<_> = wanted.iter().filter(beyond).take(5).cloned().collect();
                assert_eq!(found.rows, next, "{filter:?} {order:?} from {place}");
            }
        }
    }
}

pub async fn created_after_includes_its_moment_and_created_before_does_not(harness: &Harness) {
    let moment = time("2025-06-30T12:00:00.123456Z");
    let microsecond = TimeDelta::microseconds(1);
    for created in [moment - microsecond, moment, moment + microsecond] {
        harness.leads.create(&lead().build(), &act(created)).await.unwrap();
    }
    for (after, before, wanted) in [
        (Some(moment), None, vec![moment + microsecond, moment]),
        (None, Some(moment), vec![moment - microsecond]),
        (Some(moment), Some(moment + microsecond), vec![moment]),
        (Some(moment), Some(moment), vec![]),
        (Some(moment + microsecond), Some(moment), vec![]),
        (Some(moment + microsecond), None, vec![moment + microsecond]),
        (Some(moment + microsecond * 2), None, vec![]),
    ] {
        let filter =
            LeadFilter { created_after: after, created_before: before, ..LeadFilter::default() };
        let found = listed(harness.leads.as_ref(), &filter, LeadOrder::NEWEST, 50).await;
        let found: Vec<_> = found.into_iter().map(|lead| lead.created_at).collect();
        assert_eq!(found, wanted);
    }
}

pub async fn takes_bounds_beyond_the_reach_of_any_database(harness: &Harness) {
    harness.leads.create(&lead().build(), &act(at(NEW_YEAR))).await.unwrap();
    let (first, last) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
    for (after, before, count) in [
        (Some(first), None, 1),
        (None, Some(last), 1),
        (Some(first), Some(last), 1),
        (Some(last), None, 0),
        (None, Some(first), 0),
    ] {
        let filter =
            LeadFilter { created_after: after, created_before: before, ..LeadFilter::default() };
        let found = listed(harness.leads.as_ref(), &filter, LeadOrder::NEWEST, 50).await;
        assert_eq!(found.len(), count, "{after:?} {before:?}");
    }
}
