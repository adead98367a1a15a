//! Occurrences of schedules.

use std::time::Duration;

use exit3_domain::jobs::Schedule;
use exit3_ports::jobs::{Hold, TABLE};
use exit3_ports::{Shape, StoreError, Value};
use tokio::time::sleep;

use super::Harness;
use super::jobs::{LONG, claim, claim_one, job, list, only, unique};

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

/// A clock that was far ahead has stored the job or extended its lease.
pub async fn a_job_from_the_future_does_not_stop_its_schedule(harness: &Harness) {
    for (kind, is_running) in [("waits", false), ("runs", true)] {
        let hourly = Schedule::every(kind, Duration::from_secs(3600));
        let job = unique(kind, kind);
        let enqueue =
            async || harness.jobs.enqueue_occurrence(&hourly, &job).await.unwrap().enqueued;
        harness.jobs.enqueue(std::slice::from_ref(&job)).await.unwrap();
        if is_running {
            claim_one(harness, kind, LONG).await;
        }
        move_ahead(harness, kind).await;
        assert_eq!(claim(harness, kind, 1, LONG).await, []);
        assert!(enqueue().await, "the job is due now");
        let claimed = claim_one(harness, kind, LONG).await;
        assert_eq!(claimed.attempts, if is_running { 2 } else { 1 });
        assert_eq!(harness.jobs.complete(claimed.claim).await.unwrap(), Hold::Held);
    }
}

/// Moves the times of a kind's only job years ahead.
async fn move_ahead(harness: &Harness, kind: &str) {
    let id = only(harness, kind).await.id.0;
    let shape = Shape::of(&TABLE, |_| true).unwrap();
    let mut load = harness.transfer.load().await.unwrap();
    let mut row = load.rows(&shape, id - 1, 1).await.unwrap().remove(0);
    for (column, cell) in shape.columns.iter().zip(&mut row) {
        if matches!(column.name, "due_at" | "enqueued_at") {
            *cell = Value::Time(4_000_000_000_000_000);
        }
    }
    load.replace(&shape, vec![row]).await.unwrap();
    load.commit().await.unwrap();
}
