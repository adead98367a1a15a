//! The queue of jobs in SQLite.

use std::time::Duration;

use exit3_domain::jobs::{NewJob, Schedule};
use exit3_ports::StoreError;
use exit3_ports::jobs::{Capacity, Claimed};
use exit3_testkit::builders;
use exit3_testkit::contract::jobs::job;

use crate::kept;

#[tokio::test]
async fn an_idle_queue_of_jobs_writes_nothing() {
    let kept = kept();
    let queue = kept.database.repositories().jobs;
    let daily = Schedule::every("daily", Duration::from_secs(86_400));
    let later = NewJob { run_at: Some(builders::at(4_000_000_000_000_000)), ..job("mail") };
    queue.enqueue(&[later]).await.unwrap();
    queue.enqueue_occurrence(&daily, &job("daily")).await.unwrap();
    let before = kept.database.commits();
    for kind in ["mail", "other"] {
        let wanted = Capacity { kind: kind.to_owned(), free: 9, attempts: 9 };
        let claimed = queue.claim(&[wanted], Duration::from_secs(60)).await.unwrap();
        assert_eq!(claimed, Claimed::default());
    }
    queue.enqueue_occurrence(&daily, &job("daily")).await.unwrap();
    queue.extend(&[], Duration::from_secs(60)).await.unwrap();
    queue.release(&[]).await.unwrap();
    queue.enqueue(&[]).await.unwrap();
    queue.depths().await.unwrap();
    assert_eq!(kept.database.commits(), before);
}

#[tokio::test]
async fn a_frozen_database_runs_no_jobs() {
    let kept = kept();
    let queue = kept.database.repositories().jobs;
    queue.enqueue(&[job("mail")]).await.unwrap();
    kept.database.freeze().unwrap();
    let wanted = [Capacity { kind: "mail".to_owned(), free: 9, attempts: 9 }];
    let often = Schedule::every("often", Duration::from_millis(1));
    let minute = Duration::from_secs(60);
    for refused in [
        queue.claim(&wanted, minute).await.map(drop),
        queue.enqueue(&[job("mail")]).await.map(drop),
        queue.enqueue_occurrence(&often, &job("mail")).await.map(drop),
    ] {
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    }
    kept.database.thaw().unwrap();
    assert_eq!(queue.claim(&wanted, minute).await.unwrap().jobs.len(), 1);
}
