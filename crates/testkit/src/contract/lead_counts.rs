//! The count of a list equals the number of its rows, after any sequence of writes.

use std::sync::Arc;

use exit3_domain::leads::{
    Lead, LeadCategory, LeadFilter, LeadOrder, LeadSource, LeadStatus, NewLead,
};
use exit3_ports::LeadRepository;
use tokio::task::JoinSet;

use super::Harness;
use super::model::{Dice, NEW_YEAR, any_lead, everything, expected, fill, listed, page, searching};
use crate::builders::{act, at, lead, some_act};

pub async fn counts_by_status_and_source(harness: &Harness) {
    assert_eq!(harness.leads.counts().await.unwrap(), []);
    let stored = fill(harness, 60).await;
    let mut counts = harness.leads.counts().await.unwrap();
    counts.sort_unstable_by_key(|(status, source, _)| (status.as_str(), source.as_str()));
    let mut expected = Vec::new();
    for status in LeadStatus::ALL {
        for source in LeadSource::ALL {
            let is_one =
                |lead: &&Lead| lead.details.status == *status && lead.details.source == *source;
            let count = stored.iter().filter(is_one).count() as u64;
            if count > 0 {
                expected.push((*status, *source, count));
            }
        }
    }
    expected.sort_unstable_by_key(|(status, source, _)| (status.as_str(), source.as_str()));
    assert_eq!(counts, expected);
    // One that was there is left out as soon as there are none.
    for lead in &stored {
        harness.leads.delete(lead, &some_act()).await.unwrap();
    }
    assert_eq!(harness.leads.counts().await.unwrap(), []);
}

/// Interesting restrictions of one field: none, each value, two values, one value twice, no value.
fn restrictions<T: Copy>(all: &[T]) -> Vec<Option<Vec<T>>> {
    let mut restrictions = vec![None, Some(vec![])];
    restrictions.extend(all.iter().map(|one| Some(vec![*one])));
    restrictions.push(Some(vec![all[0], all[3]]));
    restrictions.push(Some(vec![all[1], all[1]]));
    restrictions.push(Some(all.to_vec()));
    restrictions
}

/// Compares the counts under some combinations of filters with a count in Rust.
async fn counts_agree_somewhere(leads: &dyn LeadRepository, stored: &[Lead]) {
    let mut dice = Dice::new(4);
    for _ in 0..100 {
        let (statuses, sources, categories) = (
            restrictions(LeadStatus::ALL),
            restrictions(LeadSource::ALL),
            restrictions(LeadCategory::ALL),
        );
        let filter = LeadFilter {
            statuses: statuses[dice.roll(statuses.len())].clone(),
            sources: sources[dice.roll(sources.len())].clone(),
            categories: categories[dice.roll(categories.len())].clone(),
            ..LeadFilter::default()
        };
        counts_agree_under(leads, stored, &filter).await;
    }
}

/// Compares the counts under all combinations of filters with a count in Rust.
async fn counts_agree(leads: &dyn LeadRepository, stored: &[Lead]) {
    for statuses in restrictions(LeadStatus::ALL) {
        for sources in restrictions(LeadSource::ALL) {
            for categories in restrictions(LeadCategory::ALL) {
                let filter = LeadFilter {
                    statuses: statuses.clone(),
                    sources: sources.clone(),
                    categories: categories.clone(),
                    ..LeadFilter::default()
                };
                counts_agree_under(leads, stored, &filter).await;
            }
        }
    }
}

async fn counts_agree_under(leads: &dyn LeadRepository, stored: &[Lead], filter: &LeadFilter) {
    let found = leads.list(filter, LeadOrder::NEWEST, page(1, 1)).await;
    let wanted = expected(stored, filter, LeadOrder::NEWEST);
    let found = found.unwrap().unwrap();
    assert_eq!(usize::try_from(found.count).unwrap(), wanted.len(), "{filter:?}");
    assert_eq!(found.rows.first(), wanted.first(), "{filter:?}");
}

async fn count(leads: &dyn LeadRepository, filter: &LeadFilter) -> u64 {
    leads.list(filter, LeadOrder::NEWEST, page(1, 1)).await.unwrap().unwrap().count
}

fn of_status(status: LeadStatus) -> LeadFilter {
    LeadFilter { statuses: Some(vec![status]), ..LeadFilter::default() }
}

pub async fn counts_exactly_under_every_combination_of_choices(harness: &Harness) {
    let stored = fill(harness, 150).await;
    counts_agree(harness.leads.as_ref(), &stored).await;
}

pub async fn counts_exactly_after_updates_and_deletes(harness: &Harness) {
    let mut dice = Dice::new(3);
    for (n, seen) in fill(harness, 150).await.into_iter().enumerate() {
        if n % 3 == 0 {
            harness.leads.delete(&seen, &some_act()).await.unwrap();
        } else {
            let (details, _) = any_lead(&mut dice);
            harness.leads.update(&seen, &details, &seen.work, &act(at(NEW_YEAR))).await.unwrap();
        }
    }
    let stored = everything(harness.leads.as_ref()).await;
    assert_eq!(stored.len(), 100);
    counts_agree_somewhere(harness.leads.as_ref(), &stored).await;
    for seen in stored {
        harness.leads.delete(&seen, &some_act()).await.unwrap();
    }
    assert_eq!(count(harness.leads.as_ref(), &LeadFilter::default()).await, 0);
    assert_eq!(count(harness.leads.as_ref(), &of_status(LeadStatus::New)).await, 0);
}

pub async fn counts_exactly_after_refused_writes(harness: &Harness) {
    let leads = harness.leads.as_ref();
    let seen =
        leads.create(&lead().status(LeadStatus::New).build(), &act(at(NEW_YEAR))).await.unwrap();
    let bad = lead().status(LeadStatus::Closed).full_name("x".repeat(256)).build();
    leads.create(&bad, &act(at(NEW_YEAR))).await.unwrap_err();
    leads.update(&seen, &bad, &seen.work, &act(at(NEW_YEAR))).await.unwrap_err();
    let closed = (lead().status(LeadStatus::Closed).build(), at(NEW_YEAR));
    leads.create_many(&[closed, (bad, at(NEW_YEAR))], &some_act()).await.unwrap_err();
    leads.update(&seen, &seen.details, &seen.work, &act(at(NEW_YEAR))).await.unwrap();
    let closed = lead().status(LeadStatus::Closed).build();
    leads.update(&seen, &closed, &seen.work, &act(at(NEW_YEAR))).await.unwrap_err();
    assert_eq!(count(leads, &LeadFilter::default()).await, 1);
    assert_eq!(count(leads, &of_status(LeadStatus::New)).await, 1);
    assert_eq!(count(leads, &of_status(LeadStatus::Closed)).await, 0);
}

pub async fn counts_exactly_under_filters_that_are_not_kept_count_of(harness: &Harness) {
    let stored = fill(harness, 150).await;
    let restricted = |filter: LeadFilter| LeadFilter {
        statuses: Some(vec![LeadStatus::New, LeadStatus::Closed]),
        sources: Some(vec![LeadSource::Other, LeadSource::Website, LeadSource::Linkedin]),
        ..filter
    };
    let bounds = LeadFilter {
        created_after: Some(at(NEW_YEAR + 3)),
        created_before: Some(at(NEW_YEAR + 8)),
        ..LeadFilter::default()
    };
    let both = LeadFilter { words: searching("acme").words, ..bounds.clone() };
    for filter in [bounds, searching("ana"), searching("nobody at all"), both] {
        for filter in [filter.clone(), restricted(filter)] {
            let found = listed(harness.leads.as_ref(), &filter, LeadOrder::NEWEST, 7).await;
            assert_eq!(found, expected(&stored, &filter, LeadOrder::NEWEST), "{filter:?}");
        }
    }
}

pub async fn counts_include_the_callers_own_write_at_once(harness: &Harness) {
    let leads = harness.leads.as_ref();
    for n in 1..=20 {
        let created = leads.create(&lead().build(), &act(at(NEW_YEAR + n))).await.unwrap();
        let found = leads.list(&LeadFilter::default(), LeadOrder::NEWEST, page(1, 5)).await;
        let found = found.unwrap().unwrap();
        assert_eq!(found.count, u64::try_from(n).unwrap());
        assert_eq!(found.rows.first(), Some(&created));
        let moved = lead().status(LeadStatus::Converted).build();
        leads.update(&created, &moved, &created.work, &act(at(NEW_YEAR))).await.unwrap();
        let converted = count(leads, &of_status(LeadStatus::Converted)).await;
        assert_eq!(converted, u64::try_from(n).unwrap());
        assert_eq!(count(leads, &of_status(LeadStatus::New)).await, 0);
    }
}

pub async fn counts_exactly_after_concurrent_writes(harness: &Harness) {
    let mut tasks = JoinSet::new();
    for seed in 0..16 {
        let leads = Arc::clone(&harness.leads);
        tasks.spawn(async move {
            let mut dice = Dice::new(seed);
            let mut own: Vec<Lead> = Vec::new();
            for _ in 0..20 {
                let (new, now): (NewLead, _) = any_lead(&mut dice);
                match dice.roll(4) {
                    0 if !own.is_empty() => {
                        let gone = own.swap_remove(dice.roll(own.len()));
                        leads.delete(&gone, &some_act()).await.unwrap();
                    }
                    1 if !own.is_empty() => {
                        let seen = dice.roll(own.len());
                        own[seen] = leads
                            .update(&own[seen], &new, &own[seen].work, &act(now))
                            .await
                            .unwrap();
                    }
                    2 => {
                        let many = [any_lead(&mut dice), any_lead(&mut dice), (new, now)];
                        leads.create_many(&many, &some_act()).await.unwrap();
                    }
                    _ => own.push(leads.create(&new, &act(now)).await.unwrap()),
                }
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let stored = everything(harness.leads.as_ref()).await;
    counts_agree_somewhere(harness.leads.as_ref(), &stored).await;
}

pub async fn count_and_rows_are_of_the_same_moment(harness: &Harness) {
    let mut writers = JoinSet::new();
    for _ in 0..4 {
        let leads = Arc::clone(&harness.leads);
        writers.spawn(async move {
            for n in 0..40 {
                let created = leads.create(&lead().build(), &act(at(NEW_YEAR + n))).await.unwrap();
                if n % 2 == 0 {
                    leads.delete(&created, &some_act()).await.unwrap();
                }
            }
        });
    }
    let searched = searching("ana");
    while !writers.is_empty() {
        for filter in [LeadFilter::default(), of_status(LeadStatus::New), searched.clone()] {
            let found = harness.leads.list(&filter, LeadOrder::NEWEST, page(1, 200)).await;
            let found = found.unwrap().unwrap();
            assert_eq!(found.rows.len(), usize::try_from(found.count).unwrap(), "{filter:?}");
        }
        while let Some(done) = writers.try_join_next() {
            done.unwrap();
        }
    }
}
