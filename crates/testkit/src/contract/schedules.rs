//! Occurrences of schedules.

use std::time::Duration;

use exit3_domain::jobs::Schedule;
use exit3_ports::StoreError;
use tokio::time::sleep;

use super::Harness;
use super::jobs::{LONG, claim_one, job, list, unique};

pub async fn one_of_fifty_nodes_enqueues_an_occurrence(harness: &Harness) {
    let daily = Schedule::every("daily", Duration::from_secs(86_400));
    let nodes = (0..50).map(|_| {
        let queue = harness.jobs.clone();
        // Without a unique key, so that only the schedule keeps the others out.
        tokio::spawn(async move { queue.enqueue_occurrence(&daily, &job("daily")).await.unwrap() })
    });
    let mut count = 0;
    for node in nodes.collect::<Vec<_>>() {
        let occurrence = node.await.unwrap();
        count += usize::from(occurrence.enqueued);
        assert!(Duration::ZERO < occurrence.next_in && occurrence.next_in <= daily.every);
    }
    // At midnight there may be two.
    assert!(count == 1 || count == 2, "{count}");
    assert_eq!(list(harness, "daily").await.len(), count);
    let other = Schedule { name: "other", ..daily };
    assert!(harness.jobs.enqueue_occurrence(&other, &job("other")).await.unwrap().enqueued);
}

pub async fn the_next_occurrence_comes_when_it_was_announced(harness: &Harness) {
    let every = Duration::from_millis(300);
    let often = Schedule { name: "often", every, offset: Duration::from_millis(130) };
    let first = harness.jobs.enqueue_occurrence(&often, &job("often")).await.unwrap();
    assert!(first.enqueued);
    sleep(first.next_in + Duration::from_millis(2)).await;
    let second = harness.jobs.enqueue_occurrence(&often, &job("often")).await.unwrap();
    assert!(second.enqueued);
    // Those that passed meanwhile count as one.
    sleep(every * 3).await;
    assert!(harness.jobs.enqueue_occurrence(&often, &job("often")).await.unwrap().enqueued);
    assert_eq!(list(harness, "often").await.len(), 3);
}

pub async fn an_occurrence_is_left_out_while_the_job_before_is_unfinished(harness: &Harness) {
    let often = Schedule::every("often", Duration::from_millis(1));
    let job = unique("often", "schedule often");
    assert!(harness.jobs.enqueue_occurrence(&often, &job).await.unwrap().enqueued);
    sleep(Duration::from_millis(3)).await;
    assert!(!harness.jobs.enqueue_occurrence(&often, &job).await.unwrap().enqueued);
    let claimed = claim_one(harness, "often", LONG).await.claim;
    harness.jobs.complete(claimed).await.unwrap();
    sleep(Duration::from_millis(3)).await;
    assert!(harness.jobs.enqueue_occurrence(&often, &job).await.unwrap().enqueued);
}

pub async fn an_occurrence_with_a_wrong_text_is_not_noted(harness: &Harness) {
    let daily = Schedule::every("daily", Duration::from_secs(86_400));
    let refused = harness.jobs.enqueue_occurrence(&daily, &job("")).await;
    assert!(matches!(refused, Err(StoreError::Other(_))), "{refused:?}");
    assert!(harness.jobs.enqueue_occurrence(&daily, &job("daily")).await.unwrap().enqueued);
}
