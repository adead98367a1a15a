//! Which leads a list shows.

use chrono::{DateTime, TimeDelta, Utc};
use exit3_domain::leads::{LeadCategory, LeadFilter, LeadOrder, LeadSource, LeadStatus};

use super::Harness;
use super::model::{NEW_YEAR, expected, fill, last, listed, orders, page};
use crate::builders::{at, lead, time};

async fn agrees(harness: &Harness, filters: &[LeadFilter]) {
    let stored = fill(harness, 120).await;
    for filter in filters {
        for order in orders() {
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

pub async fn created_after_includes_its_moment_and_created_before_does_not(harness: &Harness) {
    let moment = time("2025-06-30T12:00:00.123456Z");
    let microsecond = TimeDelta::microseconds(1);
    for created in [moment - microsecond, moment, moment + microsecond] {
        harness.leads.create(&lead().build(), created).await.unwrap();
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
    harness.leads.create(&lead().build(), at(NEW_YEAR)).await.unwrap();
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
