//! What operators see of jobs and do with them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use exit3_domain::jobs::{JobError, JobId, JobState, NewJob};
use exit3_ports::jobs::{Capacity, Change, Hold, JobFilter, MOST_COUNTED, TABLE, UNIQUE_KEY_TAKEN};
use exit3_ports::{Shape, StoreError, Value};
use tokio::time::sleep;

use super::Harness;
use super::jobs::{LONG, NONE, claim, claim_one, job, only, state, unique};
use crate::builders::at;

pub async fn a_running_job_can_be_cancelled(harness: &Harness) {
    harness.jobs.enqueue(&[unique("mail", "a")]).await.unwrap();
    let running = claim_one(harness, "mail", LONG).await.claim;
    assert_eq!(harness.jobs.cancel(running.id).await.unwrap(), Change::Done);
    assert_eq!(harness.jobs.extend(&[running], LONG).await.unwrap(), []);
    assert_eq!(harness.jobs.complete(running).await.unwrap(), Hold::Lost);
    let kept = only(harness, "mail").await;
    assert_eq!(kept.state, JobState::Cancelled);
    assert!(kept.ended_at.is_some());
    assert_eq!(claim(harness, "mail", 1, LONG).await, []);
    assert_eq!(harness.jobs.enqueue(&[unique("mail", "a")]).await.unwrap(), 1);
}

pub async fn waiting_and_failed_jobs_can_be_cancelled_once(harness: &Harness) {
    harness.jobs.enqueue(&[job("waits"), job("failed")]).await.unwrap();
    let failed = claim_one(harness, "failed", LONG).await.claim;
    harness.jobs.fail(failed, &JobError::new("refused"), None).await.unwrap();
    let id = only(harness, "waits").await.id;
    for id in [id, failed.id] {
        assert_eq!(harness.jobs.cancel(id).await.unwrap(), Change::Done);
        let refused = Change::Refused(JobState::Cancelled);
        assert_eq!(harness.jobs.cancel(id).await.unwrap(), refused);
    }
    assert_eq!(state(harness, "failed").await, JobState::Cancelled);
    assert_eq!(only(harness, "failed").await.last_error.as_deref(), Some("refused"));
    for id in [JobId(failed.id.0 + 100), JobId(0), JobId(i64::MIN)] {
        assert!(matches!(harness.jobs.cancel(id).await, Err(StoreError::NotFound)));
        assert!(matches!(harness.jobs.retry(id).await, Err(StoreError::NotFound)));
    }
}

pub async fn an_ended_job_can_be_tried_again(harness: &Harness) {
    harness.jobs.enqueue(&[job("mail")]).await.unwrap();
    let failed = claim_one(harness, "mail", LONG).await.claim;
    assert_eq!(harness.jobs.retry(failed.id).await.unwrap(), Change::Refused(JobState::Running));
    harness.jobs.fail(failed, &JobError::new("refused"), None).await.unwrap();
    assert_eq!(harness.jobs.retry(failed.id).await.unwrap(), Change::Done);
    let waiting = only(harness, "mail").await;
    assert_eq!((waiting.state, waiting.attempts), (JobState::Waiting, 0));
    assert_eq!((waiting.ended_at, waiting.last_error.as_deref()), (None, Some("refused")));
    let again = claim_one(harness, "mail", LONG).await;
    assert_eq!(again.attempts, 1);
    assert_eq!(harness.jobs.complete(failed).await.unwrap(), Hold::Lost, "of an earlier claim");
    harness.jobs.cancel(failed.id).await.unwrap();
    assert_eq!(harness.jobs.retry(failed.id).await.unwrap(), Change::Done);
    assert_eq!(claim_one(harness, "mail", LONG).await.attempts, 1);
}

pub async fn an_ended_job_is_not_tried_again_beside_another_of_its_key(harness: &Harness) {
    harness.jobs.enqueue(&[unique("mail", "a")]).await.unwrap();
    let ended = only(harness, "mail").await.id;
    harness.jobs.cancel(ended).await.unwrap();
    harness.jobs.enqueue(&[unique("mail", "a")]).await.unwrap();
    let refused = harness.jobs.retry(ended).await;
    assert!(matches!(refused, Err(StoreError::Conflict(UNIQUE_KEY_TAKEN))), "{refused:?}");
    let other = claim_one(harness, "mail", LONG).await.claim;
    harness.jobs.complete(other).await.unwrap();
    assert_eq!(harness.jobs.retry(ended).await.unwrap(), Change::Done);
}

pub async fn lists_the_newest_first_and_filters(harness: &Harness) {
    for kind in ["mail", "webhook", "mail", "mail"] {
        harness.jobs.enqueue(&[job(kind)]).await.unwrap();
    }
    claim(harness, "mail", 2, LONG).await;
    let all = JobFilter { kind: None, state: None, most: 100 };
    let ids = async |filter: &JobFilter| {
        let jobs = harness.jobs.list(filter).await.unwrap();
        jobs.iter().map(|job| job.id).collect::<Vec<_>>()
    };
    let every = ids(&all).await;
    assert_eq!(every.len(), 4);
    assert!(every.is_sorted_by(|before, after| before > after));
    assert_eq!(ids(&JobFilter { most: 2, ..all.clone() }).await, every[..2]);
    let mail = JobFilter { kind: Some("mail".to_owned()), ..all.clone() };
    assert_eq!(ids(&mail).await, [every[0], every[1], every[3]]);
    let waiting = JobFilter { state: Some(JobState::Waiting), ..mail };
    assert_eq!(ids(&waiting).await, every[..1]);
    let failed = JobFilter { state: Some(JobState::Failed), ..all.clone() };
    assert_eq!(ids(&failed).await, []);
    assert_eq!(ids(&JobFilter { kind: Some("%".to_owned()), ..all }).await, []);
}

pub async fn counts_by_kind_and_state_and_knows_the_oldest(harness: &Harness) {
    assert_eq!(harness.jobs.depths().await.unwrap(), []);
    let later = NewJob { run_at: Some(at(4_000_000_000_000_000)), ..job("later") };
    harness.jobs.enqueue(&[job("mail"), job("mail"), job("mail"), later]).await.unwrap();
    let failed = claim_one(harness, "mail", LONG).await.claim;
    harness.jobs.fail(failed, &JobError::new("refused"), None).await.unwrap();
    claim_one(harness, "mail", LONG).await;
    sleep(Duration::from_millis(20)).await;
    let depths = harness.jobs.depths().await.unwrap();
    let [later, mail] = depths.as_slice() else { panic!("{depths:?}") };
    assert_eq!((later.kind.as_str(), mail.kind.as_str()), ("later", "mail"));
    assert_eq!(later.counts, [(JobState::Waiting, 1)].into());
    let [waiting, running, failed] = [JobState::Waiting, JobState::Running, JobState::Failed];
    assert_eq!(mail.counts, [(waiting, 1), (running, 1), (failed, 1)].into());
    assert_eq!(later.overdue, None);
    assert!(mail.overdue.unwrap() >= Duration::from_millis(15), "{depths:?}");
    // What is left runs, has failed, or is due again because its lease has ended.
    harness.jobs.complete(claim_one(harness, "mail", LONG).await.claim).await.unwrap();
    harness.jobs.retry(only(harness, "later").await.id).await.unwrap();
    let running = claim_one(harness, "later", NONE).await.claim;
    sleep(Duration::from_millis(20)).await;
    let depths = harness.jobs.depths().await.unwrap();
    assert!(depths[0].overdue.unwrap() >= Duration::from_millis(15), "{depths:?}");
    assert_eq!(depths[1].overdue, None, "the lease has not ended");
    harness.jobs.cancel(running.id).await.unwrap();
    assert_eq!(harness.jobs.depths().await.unwrap()[0].overdue, None);
}

pub async fn counts_no_more_than_are_worth_counting(harness: &Harness) {
    let most = u64::from(MOST_COUNTED);
    let jobs = vec![job("mail"); usize::try_from(most).unwrap() + 1];
    for some in jobs.chunks(1000) {
        harness.jobs.enqueue(some).await.unwrap();
    }
    harness.jobs.enqueue(&[job("other")]).await.unwrap();
    let depths = harness.jobs.depths().await.unwrap();
    let counts: Vec<u64> = depths.iter().flat_map(|it| it.counts.values().copied()).collect();
    assert_eq!(counts, [most, 1]);
}

pub async fn removes_jobs_that_ended_long_ago(harness: &Harness) {
    harness.jobs.enqueue(&[job("waits"), job("mail"), job("mail"), job("mail")]).await.unwrap();
    for claimed in claim(harness, "mail", 2, LONG).await {
        harness.jobs.fail(claimed.claim, &JobError::new("refused"), None).await.unwrap();
    }
    let last = claim_one(harness, "mail", LONG).await.claim.id;
    harness.jobs.cancel(last).await.unwrap();
    sleep(Duration::from_millis(5)).await;
    let remove = async |before| harness.jobs.remove_ended(before, 2).await.unwrap();
    let later = at(4_000_000_000_000_000);
    for early in [at(7), DateTime::<Utc>::MIN_UTC] {
        assert_eq!(remove(early).await, 0);
    }
    assert_eq!(remove(later).await, 2);
    assert_eq!(only(harness, "mail").await.id, last, "the oldest go first");
    assert_eq!(remove(DateTime::<Utc>::MAX_UTC).await, 1);
    assert_eq!(remove(later).await, 0);
    assert_eq!(state(harness, "waits").await, JobState::Waiting);
}

/// Writes numbers into a job, as only a hand can.
async fn set(harness: &Harness, kind: &str, claims: i64, attempts: i64) {
    let id = only(harness, kind).await.id.0;
    let shape = Shape::of(&TABLE, |_| true).unwrap();
    let mut load = harness.transfer.load().await.unwrap();
    let mut row = load.rows(&shape, id - 1, 1).await.unwrap().pop().unwrap();
    for (column, cell) in shape.columns.iter().zip(&mut row) {
        match column.name {
            "claims" => *cell = Value::Integer(claims),
            "attempts" => *cell = Value::Integer(attempts),
            _ => {}
        }
    }
    load.replace(&shape, vec![row]).await.unwrap();
    load.commit().await.unwrap();
}

pub async fn numbers_that_no_runner_writes_stop_no_other_job(harness: &Harness) {
    harness.jobs.enqueue(&[job("last"), job("mail")]).await.unwrap();
    set(harness, "last", i64::MAX, i64::MIN).await;
    let last = claim_one(harness, "last", NONE).await;
    assert_eq!(last.attempts, 0);
    let again = claim_one(harness, "last", LONG).await;
    assert_ne!(last.claim, again.claim, "the fencing token");
    assert_eq!(harness.jobs.complete(last.claim).await.unwrap(), Hold::Lost);
    set(harness, "last", again.claim.token, i64::MIN).await;
    harness.jobs.release(&[again.claim]).await.unwrap();
    assert_eq!(claim_one(harness, "last", LONG).await.attempts, 1);
    // Too many attempts: the job is given up.
    set(harness, "mail", i64::MAX, i64::MAX).await;
    let wanted = Capacity { kind: "mail".to_owned(), free: 1, attempts: 9 };
    let claimed = harness.jobs.claim(&[wanted], LONG).await.unwrap();
    assert_eq!((claimed.jobs, claimed.given_up.len()), (Vec::new(), 1));
    let given_up = only(harness, "mail").await;
    assert_eq!((given_up.state, given_up.attempts), (JobState::Failed, u32::MAX));
    harness.jobs.retry(given_up.id).await.unwrap();
    assert_eq!(claim_one(harness, "mail", LONG).await.attempts, 1);
}
