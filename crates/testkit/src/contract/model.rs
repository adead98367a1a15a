//! A simple second implementation of filters and orders, and the test data on which adapters are
//! compared with it.

use std::fmt::Debug;
use std::time::Duration;

use chrono::{DateTime, Utc};
use exit3_domain::leads::{
    Lead, LeadCategory, LeadFilter, LeadOrder, LeadOwner, LeadSource, LeadStatus, LeadWork, NewLead,
};
use exit3_domain::order::{Order, Sort};
use exit3_domain::paging::{Direction, Page, PageNumber, PageRequest, Slice, Step};
use exit3_domain::search;
use exit3_domain::staff::StaffId;
use exit3_domain::subscribers::{Subscriber, SubscriberFilter, SubscriberOrder, search_document};
use exit3_ports::{LeadRepository, StoreError, SubscriberRepository};

use super::Harness;
use crate::builders::{act, at, lead, some_act};

/// A time with microseconds.
pub(super) const NOW: &str = "2026-03-01T12:00:00.123456Z";

/// 2025-01-01, in microseconds.
pub(super) const NEW_YEAR: i64 = 1_735_689_600_000_000;

/// Names that collations sort differently, or as equal.
const NAMES: &[&str] = &[
    "Ana Horvat",
    "ana horvat",
    "ANA HORVAT",
    "Đuro Đaković",
    "đuro đaković",
    "Zoë Straße",
    "Žarko",
    "zed",
    "_under score",
    "100% Sure",
    "O'Hara \"Quote\"",
    "🦀 Ferris",
    "\u{ff21}na wide",
    "Ana Horvat",
    "ana-horvat",
    "ana  horvat",
];

const COMPANIES: &[Option<&str>] = &[
    None,
    Some(""),
    Some("Acme d.o.o."),
    Some("acme"),
    Some("Čokolada"),
    Some("Zeta"),
    Some("🏠"),
];

/// Pseudo-random numbers that are the same in every run.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `sides`.
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())]
    }
}

/// A lead with mixed content, and a creation time that other leads may share.
pub(super) fn any_lead(dice: &mut Dice) -> (NewLead, DateTime<Utc>) {
    let new = lead()
        .full_name(dice.pick(NAMES))
        .company_name(dice.pick(COMPANIES))
        .email(dice.pick(&[None, Some(""), Some("ana@acme.hr"), Some("sales@straße.de")]))
        .phone_number(dice.pick(&[None, Some(""), Some("+385911234567"), Some("0038512345")]))
        .source(dice.pick(LeadSource::ALL))
        .status(dice.pick(LeadStatus::ALL))
        .notes(dice.pick(&[None, Some(""), Some("call back")]))
        .category(dice.pick(LeadCategory::ALL))
        .build();
    (new, at(NEW_YEAR + i64::try_from(dice.roll(12)).unwrap()))
}

/// Work on a lead with mixed content, and a time of the next step that other leads may share.
pub(super) fn any_work(dice: &mut Dice) -> LeadWork {
    let at = at(NEW_YEAR + i64::try_from(dice.roll(6)).unwrap());
    LeadWork {
        owner: dice.pick(&[None, Some(StaffId(1)), Some(StaffId(2))]),
        next_step: dice.pick(&[None, Some("call")]).map(str::to_owned),
        next_step_at: dice.pick(&[None, Some(at), Some(at)]),
    }
}

/// Stores `count` leads with mixed content and returns them.
pub(super) async fn fill(harness: &Harness, count: usize) -> Vec<Lead> {
    let mut dice = Dice::new(7);
    let given: Vec<_> = (0..count).map(|_| any_lead(&mut dice)).collect();
    harness.leads.create_many(&given, &some_act()).await.unwrap();
    // Some are changed, so that `created_at` and `updated_at` differ, and get owners and next steps.
    let stored = everything(harness.leads.as_ref()).await;
    for lead in stored.iter().step_by(3) {
        let now = at(NEW_YEAR + 100 + i64::try_from(dice.roll(5)).unwrap());
        let work = any_work(&mut dice);
        harness.leads.update(lead, &lead.details, &work, &act(now)).await.unwrap();
    }
    let stored = everything(harness.leads.as_ref()).await;
    assert_eq!(stored.len(), count);
    stored
}

/// All orders, in both directions.
pub(super) fn orders<S: Sort>() -> Vec<Order<S>> {
    let both = |by: &S| [false, true].map(|descending| Order { by: *by, descending });
    S::ALL.iter().flat_map(both).collect()
}

pub(super) fn page(number: u64, size: u32) -> PageRequest {
    PageRequest { number: PageNumber::Number(number), size }
}

pub(super) fn last(size: u32) -> PageRequest {
    PageRequest { number: PageNumber::Last, size }
}

/// A filter that searches for `query`.
pub(super) fn searching(query: &str) -> LeadFilter {
    LeadFilter { words: search::words(query).unwrap(), ..LeadFilter::default() }
}

/// All leads, newest first, read by pages.
pub(super) async fn everything(leads: &dyn LeadRepository) -> Vec<Lead> {
    listed(leads, &LeadFilter::default(), LeadOrder::NEWEST, 200).await
}

/// Reads all leads of a list by pages of `size` and checks the counts.
pub(super) async fn listed(
    leads: &dyn LeadRepository,
    filter: &LeadFilter,
    order: LeadOrder,
    size: u32,
) -> Vec<Lead> {
    all_pages(filter, size, |page| leads.list(filter, order, page)).await
}

/// Reads all leads of a list by a walk in steps of `size`.
pub(super) async fn walked(
    leads: &dyn LeadRepository,
    filter: &LeadFilter,
    order: LeadOrder,
    direction: Direction,
    size: u32,
) -> Vec<Lead> {
    let walk = |step: Step| async move { leads.walk(filter, order, &step).await };
    all_steps(order, direction, size, walk).await
}

/// Reads a whole list by pages of `size` and checks the counts.
pub(super) async fn all_pages<T, F>(
    filter: &impl Debug,
    size: u32,
    list: impl Fn(PageRequest) -> F,
) -> Vec<T>
where
    F: Future<Output = Result<Option<Page<T>>, StoreError>>,
{
    let mut rows = Vec::new();
    let mut count = 0;
    for number in 1.. {
        let Some(found) = list(page(number, size)).await.unwrap() else {
            assert_ne!(number, 1, "page 1 is never past the end");
            break;
        };
        assert_eq!(found.number, number);
        count = found.count;
        rows.extend(found.rows);
        if rows.is_empty() {
            break;
        }
    }
    assert_eq!(count, u64::try_from(rows.len()).unwrap(), "count of {filter:?}");
    rows
}

/// Reads a whole list by a walk in steps of `size`.
pub(super) async fn all_steps<S: Sort, F>(
    order: Order<S>,
    direction: Direction,
    size: u32,
    walk: impl Fn(Step) -> F,
) -> Vec<S::Row>
where
    F: Future<Output = Result<Slice<S::Row>, StoreError>>,
{
    let mut rows: Vec<S::Row> = Vec::new();
    let mut from = None;
    loop {
        let begun = from.is_some();
        let slice = walk(Step { from: from.take(), direction, size }).await.unwrap();
        assert!(slice.rows.len() <= size as usize);
        let (goes_on, came_from) = match direction {
            Direction::Forward => (slice.has_next, slice.has_previous),
            Direction::Backward => (slice.has_previous, slice.has_next),
        };
        assert_eq!(came_from, begun);
        match direction {
            Direction::Forward => {
                from = slice.rows.last().map(|row| order.position(row));
                rows.extend(slice.rows);
            }
            Direction::Backward => {
                from = slice.rows.first().map(|row| order.position(row));
                rows.splice(0..0, slice.rows);
            }
        }
        if !goes_on {
            return rows;
        }
    }
}

/// The rows of `leads` that a list must show, in order.
pub(super) fn expected(leads: &[Lead], filter: &LeadFilter, order: LeadOrder) -> Vec<Lead> {
    let filter = filter.ordered_by(order.by);
    sorted(leads.iter().filter(|lead| matches(lead, &filter)).cloned().collect(), order)
}

pub(super) fn sorted<S: Sort>(mut rows: Vec<S::Row>, order: Order<S>) -> Vec<S::Row> {
    rows.sort_by(|one, other| {
        let ordering = order.position(one).cmp(&order.position(other));
        if order.descending { ordering.reverse() } else { ordering }
    });
    rows
}

fn matches(lead: &Lead, filter: &LeadFilter) -> bool {
    let document = lead.details.search_document();
    filter.statuses.as_ref().is_none_or(|any| any.contains(&lead.details.status))
        && filter.sources.as_ref().is_none_or(|any| any.contains(&lead.details.source))
        && filter.categories.as_ref().is_none_or(|any| any.contains(&lead.details.category))
        && filter.created_after.is_none_or(|bound| lead.created_at >= bound)
        && filter.created_before.is_none_or(|bound| lead.created_at < bound)
        && filter.owner.is_none_or(|owner| match owner {
            LeadOwner::Staff(id) => lead.work.owner == Some(id),
            LeadOwner::Somebody => lead.work.owner.is_some(),
            LeadOwner::Nobody => lead.work.owner.is_none(),
        })
        && filter.due.is_none_or(|due| lead.work.next_step_at.is_some_and(|at| at <= due))
        && filter.words.iter().all(|word| document.contains(word))
}

/// Reads all subscribers of a list by pages of `size` and checks the counts.
pub(super) async fn subscribers_listed(
    subscribers: &dyn SubscriberRepository,
    filter: &SubscriberFilter,
    order: SubscriberOrder,
    size: u32,
) -> Vec<Subscriber> {
    all_pages(filter, size, |page| subscribers.list(filter, order, page)).await
}

/// Reads all subscribers of a list by a walk in steps of `size`.
pub(super) async fn subscribers_walked(
    subscribers: &dyn SubscriberRepository,
    filter: &SubscriberFilter,
    order: SubscriberOrder,
    direction: Direction,
    size: u32,
) -> Vec<Subscriber> {
    let walk = |step: Step| async move { subscribers.walk(filter, order, &step).await };
    all_steps(order, direction, size, walk).await
}

/// The rows of `subscribers` that a list must show, in order.
pub(super) fn expected_subscribers(
    subscribers: &[Subscriber],
    filter: &SubscriberFilter,
    order: SubscriberOrder,
) -> Vec<Subscriber> {
    let matches = |subscriber: &&Subscriber| {
        let document = search_document(&subscriber.email);
        filter.is_subscribed.is_none_or(|wanted| subscriber.is_subscribed == wanted)
            && filter.words.iter().all(|word| document.contains(word))
    };
    sorted(subscribers.iter().filter(matches).cloned().collect(), order)
}

/// Runs a write that must succeed soon, even after failures.
pub(super) async fn soon<T>(write: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(5), write).await.expect("an answer within 5 s")
}
