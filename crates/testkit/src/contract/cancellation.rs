//! Callers that disconnect in the middle of a call: their future is dropped.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use exit3_domain::leads::{Lead, LeadFilter, LeadOrder, LeadStatus};
use exit3_domain::paging::{Direction, Step};
use exit3_domain::subscribers::{NewSubscriber, SubscriberFilter, SubscriberOrder};
use exit3_ports::StoreError;
use tokio::task::JoinSet;

use super::Harness;
use super::model::{
    Dice, NEW_YEAR, everything, fill, last, listed, page, searching, soon, subscribers_listed,
};
use crate::builders::{act, at, lead, some_act, subscriber};

/// How many times each call is abandoned, at different moments.
const TIMES: usize = 40;

/// Starts `call` and drops it after some polls or some time. Returns its result if it finished
/// earlier.
pub(super) async fn abandon<T>(moment: usize, call: impl Future<Output = T>) -> Option<T> {
    let mut call = pin!(call);
    if moment.is_multiple_of(2) {
        let mut polls = moment / 2 % 6;
        std::future::poll_fn(|context| {
            if polls == 0 {
                return Poll::Ready(None);
            }
            polls -= 1;
            match call.as_mut().poll(context) {
                Poll::Ready(result) => Poll::Ready(Some(result)),
                Poll::Pending if polls == 0 => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    } else {
        let patience = Duration::from_micros(u64::try_from(moment * moment * 3).unwrap());
        tokio::time::timeout(patience, call).await.ok()
    }
}

/// Waits until the leads no longer change, because an abandoned write may still be running.
pub(super) async fn settled(harness: &Harness) -> Vec<Lead> {
    let mut before = everything(harness.leads.as_ref()).await;
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = everything(harness.leads.as_ref()).await;
        if now == before {
            return now;
        }
        before = now;
    }
}

/// Checks that every kind of write still works and that the counts are correct.
async fn is_usable(harness: &Harness) {
    let leads = harness.leads.as_ref();
    let created = soon(leads.create(&lead().build(), &act(at(NEW_YEAR)))).await.unwrap();
    let closed = lead().status(LeadStatus::Closed).build();
    let updated =
        soon(leads.update(&created, &closed, &created.work, &act(at(NEW_YEAR)))).await.unwrap();
    soon(leads.delete(&updated, &some_act())).await.unwrap();
    let stored = settled(harness).await;
    for status in LeadStatus::ALL {
        let filter = LeadFilter { statuses: Some(vec![*status]), ..LeadFilter::default() };
        let found = listed(leads, &filter, LeadOrder::NEWEST, 200).await;
        let wanted = stored.iter().filter(|lead| lead.details.status == *status).count();
        assert_eq!(found.len(), wanted);
    }
    let created =
        soon(harness.subscribers.create(&subscriber("usable@acme.hr"), &some_act())).await.unwrap();
    soon(harness.subscribers.delete(&created, &some_act())).await.unwrap();
}

pub async fn an_abandoned_create_happens_wholly_or_not_at_all(harness: &Harness) {
    let mut answered = Vec::new();
    for moment in 0..TIMES {
        let new = lead().full_name(format!("Lead {moment}")).build();
        answered.extend(abandon(moment, harness.leads.create(&new, &act(at(NEW_YEAR)))).await);
    }
    let answered: Vec<Lead> = answered.into_iter().map(Result::unwrap).collect();
    let stored = settled(harness).await;
    assert!(answered.iter().all(|lead| stored.contains(lead)));
    let mut names: Vec<_> = stored.iter().map(|lead| lead.details.full_name.clone()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), stored.len(), "none is stored twice");
    is_usable(harness).await;
}

pub async fn an_abandoned_create_many_happens_wholly_or_not_at_all(harness: &Harness) {
    let mut answered = 0;
    for moment in 0..TIMES {
        let new = lead().full_name(format!("Batch {moment}")).build();
        let given = vec![(new, at(NEW_YEAR)); 40];
        answered += usize::from(
            abandon(moment, harness.leads.create_many(&given, &some_act())).await.is_some(),
        );
    }
    let mut batches = HashMap::new();
    for lead in settled(harness).await {
        *batches.entry(lead.details.full_name).or_insert(0) += 1;
    }
    assert!(batches.values().all(|size| *size == 40), "{batches:?}");
    assert!(batches.len() >= answered);
    is_usable(harness).await;
}

pub async fn an_abandoned_update_happens_wholly_or_not_at_all(harness: &Harness) {
    let mut seen = harness.leads.create(&lead().build(), &act(at(NEW_YEAR))).await.unwrap();
    for moment in 0..TIMES {
        let name = format!("Lead {moment}");
        let details = lead().full_name(&name).notes(Some(&name)).status(LeadStatus::Contacted);
        let details = details.build();
        let act = act(at(NEW_YEAR));
        match abandon(moment, harness.leads.update(&seen, &details, &seen.work, &act)).await {
            Some(Ok(updated)) => seen = updated,
            Some(Err(StoreError::Conflict(_))) => {
                seen = settled(harness).await.pop().unwrap();
            }
            Some(Err(error)) => panic!("{error:?}"),
            None => {}
        }
    }
    let found = settled(harness).await.pop().unwrap();
    assert_eq!(found.details.notes.as_ref(), Some(&found.details.full_name));
    assert_eq!(found.created_at, at(NEW_YEAR));
    is_usable(harness).await;
}

pub async fn an_abandoned_delete_happens_wholly_or_not_at_all(harness: &Harness) {
    let stored = fill(harness, TIMES).await;
    let mut answered = Vec::new();
    for (moment, lead) in stored.iter().enumerate() {
        if let Some(answer) = abandon(moment, harness.leads.delete(lead, &some_act())).await {
            answer.unwrap();
            answered.push(lead.id);
        }
    }
    let left = settled(harness).await;
    assert!(left.iter().all(|lead| stored.contains(lead) && !answered.contains(&lead.id)));
    is_usable(harness).await;
}

pub async fn abandoned_reads_leave_the_repository_usable(harness: &Harness) {
    let stored = fill(harness, 200).await;
    let leads = harness.leads.as_ref();
    for moment in 0..TIMES {
        let (all, some) = (LeadFilter::default(), searching("ana"));
        abandon(moment, leads.find(stored[0].id)).await;
        abandon(moment, leads.list(&all, LeadOrder::NEWEST, page(1, 200))).await;
        abandon(moment, leads.list(&some, LeadOrder::NEWEST, last(50))).await;
        let step = Step { from: None, direction: Direction::Forward, size: 200 };
        abandon(moment, leads.walk(&some, LeadOrder::NEWEST, &step)).await;
        abandon(moment, harness.health.ping()).await;
        abandon(moment, harness.health.schema_is_current()).await;
    }
    assert_eq!(everything(leads).await, stored);
    is_usable(harness).await;
}

pub async fn abandoned_subscriptions_happen_wholly_or_not_at_all(harness: &Harness) {
    let subscribers = harness.subscribers.as_ref();
    let kept = subscribers.create(&subscriber("kept@acme.hr"), &some_act()).await.unwrap();
    for moment in 0..TIMES {
        let one = subscriber(&format!("one{moment}@acme.hr"));
        let created = abandon(moment, subscribers.create(&one, &some_act())).await;
        let many: Vec<_> =
            (0..10).map(|n| subscriber(&format!("{n}many{moment}@acme.hr"))).collect();
        abandon(moment, subscribers.create_many(&many, &some_act())).await;
        let seen = subscribers.find(kept.id).await.unwrap().unwrap();
        let turned = NewSubscriber { is_subscribed: moment % 3 == 0, ..seen.clone().into() };
        abandon(moment, subscribers.update(&seen, &turned, &some_act())).await;
        if let Some(Ok(created)) = created {
            abandon(moment, subscribers.delete(&created, &some_act())).await;
        }
        let (filter, order) = (SubscriberFilter::default(), SubscriberOrder::NEWEST);
        abandon(moment, subscribers.list(&filter, order, page(1, 50))).await;
        abandon(moment, subscribers.find(kept.id)).await;
    }
    is_usable(harness).await;
    for moment in 0..TIMES {
        let words = vec![format!("many{moment}@")];
        let filter = SubscriberFilter { is_subscribed: None, words };
        let found = subscribers_listed(subscribers, &filter, SubscriberOrder::NEWEST, 50).await;
        assert!(found.is_empty() || found.len() == 10, "{} of 10", found.len());
    }
}

pub async fn many_abandoned_at_once_leave_the_repository_usable(harness: &Harness) {
    let mut tasks = JoinSet::new();
    for seed in 0..32 {
        let leads = Arc::clone(&harness.leads);
        tasks.spawn(async move {
            let mut dice = Dice::new(seed);
            for _ in 0..20 {
                let moment = dice.roll(TIMES);
                let created =
                    abandon(moment, leads.create(&lead().build(), &act(at(NEW_YEAR)))).await;
                let moment = dice.roll(TIMES);
                if let Some(Ok(seen)) = created {
                    abandon(
                        moment,
                        leads.update(&seen, &seen.details, &seen.work, &act(at(NEW_YEAR))),
                    )
                    .await;
                } else {
                    let (all, order) = (LeadFilter::default(), LeadOrder::NEWEST);
                    abandon(moment, leads.list(&all, order, page(1, 10))).await;
                }
            }
        });
    }
    tasks.join_all().await;
    is_usable(harness).await;
}
