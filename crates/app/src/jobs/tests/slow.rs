//! A database that takes longer than a lease.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use exit3_domain::jobs::{Job, JobError, JobId, NewJob, Schedule};
use exit3_ports::jobs::{Capacity, Change, Claim, Depth, Hold, JobFilter};
use exit3_ports::{JobQueue, StoreError};

use super::script::Shared;
use super::*;

/// A queue whose claims take a while, and the extensions of leases too.
struct Slow {
    queue: Arc<dyn JobQueue>,
    claiming: Duration,
    extending: Duration,
}

#[async_trait]
impl JobQueue for Slow {
    async fn claim(&self, capacities: &[Capacity], lease: Duration) -> Result<Claimed, StoreError> {
        // As the database sees it, the lease begins here.
        let claimed = self.queue.claim(capacities, lease).await;
        sleep(self.claiming).await;
        claimed
    }

    async fn extend(&self, claims: &[Claim], lease: Duration) -> Result<Vec<Claim>, StoreError> {
        sleep(self.extending).await;
        self.queue.extend(claims, lease).await
    }

    async fn release(&self, claims: &[Claim]) -> Result<(), StoreError> {
        self.queue.release(claims).await
    }

    async fn enqueue(&self, jobs: &[NewJob]) -> Result<u64, StoreError> {
        self.queue.enqueue(jobs).await
    }
    async fn enqueue_occurrence(
        &self,
        schedule: &Schedule,
        job: &NewJob,
    ) -> Result<Occurrence, StoreError> {
        self.queue.enqueue_occurrence(schedule, job).await
    }
    async fn complete(&self, claim: Claim) -> Result<Hold, StoreError> {
        self.queue.complete(claim).await
    }
    async fn fail(
        &self,
        claim: Claim,
        error: &JobError,
        again: Option<Duration>,
    ) -> Result<Hold, StoreError> {
        self.queue.fail(claim, error, again).await
    }
    async fn list(&self, filter: &JobFilter) -> Result<Vec<Job>, StoreError> {
        self.queue.list(filter).await
    }
    async fn retry(&self, id: JobId) -> Result<Change, StoreError> {
        self.queue.retry(id).await
    }
    async fn cancel(&self, id: JobId) -> Result<Change, StoreError> {
        self.queue.cancel(id).await
    }
    async fn depths(&self) -> Result<Vec<Depth>, StoreError> {
        self.queue.depths().await
    }
    async fn remove_ended(&self, before: DateTime<Utc>, most: u32) -> Result<u64, StoreError> {
        self.queue.remove_ended(before, most).await
    }
}

/// When a job ended that never ends by itself, counted from its claim; `None` if it was not begun.
async fn dropped_after(claiming: Duration, extending: Duration) -> Option<Duration> {
    let script: Shared = Arc::new(Mutex::new(script([jobs([1])])));
    let mut app = app(&script);
    if let Ok(repositories) = &mut app.database {
        let queue = Arc::clone(&repositories.jobs);
        repositories.jobs = Arc::new(Slow { queue, claiming, extending });
    }
    let mut registry = Registry::default();
    let ended = Arc::new(Mutex::new(None));
    let own = Arc::clone(&ended);
    registry.handle(HANDLING, move |_, _: Mail| {
        let own = Arc::clone(&own);
        async move {
            let _note = Note(own);
            std::future::pending().await
        }
    });
    let begun = Instant::now();
    run_for(SECOND * 90, &script, app, registry).await;
    let ended = *ended.lock().unwrap();
    ended.map(|ended| ended - begun)
}

#[tokio::test(start_paused = true)]
async fn a_job_is_dropped_before_its_lease_ends_however_long_the_database_takes() {
    for extending in [SECOND * 15, SECOND * 500] {
        let after = dropped_after(Duration::ZERO, extending).await.unwrap();
        assert!(SECOND * 25 < after && after < TIMES.lease, "{extending:?}: {after:?}");
    }
    let after = dropped_after(SECOND * 20, SECOND * 500).await.unwrap();
    assert!(after < TIMES.lease, "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_claim_took_longer_than_its_lease_is_not_begun() {
    // The queue would have to say that the job is still held.
    assert_eq!(dropped_after(SECOND * 45, SECOND * 500).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_extended_slowly_holds_its_job() {
    // The process stops after 90 s, and the grace ends 10 s later.
    let after = dropped_after(Duration::ZERO, SECOND * 5).await.unwrap();
    assert!(after > SECOND * 90, "{after:?}");
}
