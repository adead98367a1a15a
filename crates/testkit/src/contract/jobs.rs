//! Background jobs: enqueuing, claiming, and leases.

use std::collections::BTreeSet;
use std::time::Duration;

use exit3_domain::jobs::{Job, JobError, JobId, JobState, NewJob, Schedule};
use exit3_ports::StoreError;
use exit3_ports::jobs::{Capacity, Change, Claim, ClaimedJob, Hold, JobFilter, RUNNER_DIED};
use tokio::time::{Instant, sleep};

use super::Harness;
use crate::builders::at;

/// A lease that does not end during a rule.
pub(super) const LONG: Duration = Duration::from_secs(600);
/// A lease that has ended when the next statement is run.
pub(super) const NONE: Duration = Duration::ZERO;

/// A job of a kind, due at once.
pub fn job(kind: &str) -> NewJob {
    NewJob {
        kind: kind.to_owned(),
        payload: r#"{"name":"Žana \u0000"}"#.to_owned(),
        run_at: None,
        unique_key: None,
    }
}

/// A job that must not wait or run twice at a time.
pub(super) fn unique(kind: &str, key: &str) -> NewJob {
    NewJob { unique_key: Some(key.to_owned()), ..job(kind) }
}

/// Stores a job in every state, and an occurrence of a schedule.
pub(crate) async fn fill(harness: &Harness) {
    for kind in ["waits", "runs", "failed", "cancelled"] {
        harness.jobs.enqueue(&[unique(kind, kind)]).await.unwrap();
    }
    claim_one(harness, "runs", LONG).await;
    let failed = claim_one(harness, "failed", LONG).await.claim;
    harness.jobs.fail(failed, &JobError::new("refused"), None).await.unwrap();
    let cancelled = only(harness, "cancelled").await.id;
    harness.jobs.cancel(cancelled).await.unwrap();
    let daily = Schedule::every("daily", Duration::from_secs(86_400));
    harness.jobs.enqueue_occurrence(&daily, &job("daily")).await.unwrap();
}

fn capacity(kind: &str, free: u32, attempts: u32) -> Capacity {
    Capacity { kind: kind.to_owned(), free, attempts }
}

pub(super) async fn claim(
    harness: &Harness,
    kind: &str,
    free: u32,
    lease: Duration,
) -> Vec<ClaimedJob> {
    let claimed = harness.jobs.claim(&[capacity(kind, free, 10)], lease).await.unwrap();
    assert_eq!(claimed.given_up, []);
    claimed.jobs
}

pub(super) async fn claim_one(harness: &Harness, kind: &str, lease: Duration) -> ClaimedJob {
    let mut claimed = claim(harness, kind, 1, lease).await;
    assert_eq!(claimed.len(), 1, "{kind}");
    claimed.remove(0)
}

/// Waits until a job of the kind can be claimed.
async fn claim_soon(harness: &Harness, kind: &str, lease: Duration) -> ClaimedJob {
    loop {
        if let Some(claimed) = claim(harness, kind, 1, lease).await.pop() {
            return claimed;
        }
        sleep(Duration::from_millis(5)).await;
    }
}

pub(super) async fn list(harness: &Harness, kind: &str) -> Vec<Job> {
    let filter = JobFilter { kind: Some(kind.to_owned()), state: None, most: 1_000 };
    harness.jobs.list(&filter).await.unwrap()
}

pub(super) async fn only(harness: &Harness, kind: &str) -> Job {
    let mut jobs = list(harness, kind).await;
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    jobs.remove(0)
}

pub(super) async fn state(harness: &Harness, kind: &str) -> JobState {
    only(harness, kind).await.state
}

pub async fn returns_what_it_stored(harness: &Harness) {
    let soon = at(4_000_000_000_000_001);
    let later = NewJob { run_at: Some(soon), ..unique("mail", "mail 1") };
    assert_eq!(harness.jobs.enqueue(std::slice::from_ref(&later)).await.unwrap(), 1);
    let stored = only(harness, "mail").await;
    assert_eq!(stored.payload, later.payload);
    assert_eq!(stored.unique_key, later.unique_key);
    assert_eq!((stored.state, stored.attempts), (JobState::Waiting, 0));
    assert_eq!(stored.due_at, soon);
    assert_eq!((stored.ended_at, stored.last_error), (None, None));
    assert!(stored.enqueued_at < soon);
}

pub async fn a_time_in_the_past_means_at_once(harness: &Harness) {
    let past = [Some(at(0)), Some(at(-62_000_000_000_000_000)), Some(at(1_000_000)), None];
    for run_at in past {
        harness.jobs.enqueue(&[NewJob { run_at, ..job("mail") }]).await.unwrap();
    }
    for stored in list(harness, "mail").await {
        assert_eq!(stored.due_at, stored.enqueued_at);
    }
    assert_eq!(claim(harness, "mail", 9, LONG).await.len(), past.len());
}

pub async fn a_job_waits_for_its_time(harness: &Harness) {
    let later = at(4_000_000_000_000_000);
    harness.jobs.enqueue(&[NewJob { run_at: Some(later), ..job("mail") }]).await.unwrap();
    assert_eq!(claim(harness, "mail", 9, LONG).await, []);
    assert_eq!(harness.jobs.retry(only(harness, "mail").await.id).await.unwrap(), Change::Done);
    assert_eq!(claim_one(harness, "mail", LONG).await.attempts, 1);
}

pub async fn refuses_texts_that_are_too_long_or_have_nul(harness: &Harness) {
    for refused in [
        job(&"đ".repeat(101)),
        job(""),
        job("a\0"),
        NewJob { payload: "đ".repeat(65_537), ..job("mail") },
        NewJob { payload: "\0".to_owned(), ..job("mail") },
        unique("mail", &"đ".repeat(201)),
        unique("mail", ""),
        unique("mail", "a\0b"),
    ] {
        // The valid job beside it is not stored either.
        let outcome = harness.jobs.enqueue(&[job("mail"), refused.clone()]).await;
        assert!(matches!(outcome, Err(StoreError::Other(_))), "{refused:?}");
    }
    let all = JobFilter { kind: None, state: None, most: 100 };
    assert_eq!(harness.jobs.list(&all).await.unwrap(), []);
    let longest =
        NewJob { payload: "đ".repeat(65_536), ..unique(&"đ".repeat(100), &"đ".repeat(200)) };
    assert_eq!(harness.jobs.enqueue(&[longest]).await.unwrap(), 1);
    assert_eq!(harness.jobs.enqueue(&[]).await.unwrap(), 0);
    let odd = JobFilter { kind: Some("a\0".to_owned()), ..all };
    assert_eq!(harness.jobs.list(&odd).await.unwrap(), []);
}

pub async fn an_unfinished_job_keeps_its_unique_key(harness: &Harness) {
    let both = [unique("mail", "a"), unique("mail", "a"), unique("mail", "b"), job("mail")];
    assert_eq!(harness.jobs.enqueue(&both).await.unwrap(), 3);
    assert_eq!(harness.jobs.enqueue(&both[..3]).await.unwrap(), 0, "they wait");
    let claimed = claim(harness, "mail", 9, LONG).await;
    assert_eq!(harness.jobs.enqueue(&both[..3]).await.unwrap(), 0, "they run");
    for claimed in &claimed {
        assert_eq!(harness.jobs.complete(claimed.claim).await.unwrap(), Hold::Held);
    }
    assert_eq!(harness.jobs.enqueue(&both[..3]).await.unwrap(), 2, "they are finished");
    for claimed in claim(harness, "mail", 9, LONG).await {
        harness.jobs.fail(claimed.claim, &JobError::new("refused"), None).await.unwrap();
    }
    assert_eq!(harness.jobs.enqueue(&both[..3]).await.unwrap(), 2, "they have failed");
}

pub async fn fifty_writers_of_a_unique_key_store_one(harness: &Harness) {
    let writers = (0..50).map(|number| {
        let queue = harness.jobs.clone();
        // In different orders, so that they could wait for each other in turn.
        let mut jobs: Vec<NewJob> = ["a", "b", "c"].map(|key| unique("mail", key)).into();
        jobs.rotate_left(number % 3);
        tokio::spawn(async move { queue.enqueue(&jobs).await.unwrap() })
    });
    let mut stored = 0;
    for writer in writers.collect::<Vec<_>>() {
        stored += writer.await.unwrap();
    }
    assert_eq!((stored, list(harness, "mail").await.len()), (3, 3));
}

pub async fn hands_out_the_kinds_that_a_node_knows_and_no_more_than_it_has_room_for(
    harness: &Harness,
) {
    for kind in ["mail", "unknown", "webhook", "mail", "webhook", "mail", "mail"] {
        harness.jobs.enqueue(&[job(kind)]).await.unwrap();
    }
    let capacities = [capacity("mail", 3, 5), capacity("webhook", 9, 5), capacity("full", 0, 5)];
    let claimed = harness.jobs.claim(&capacities, LONG).await.unwrap().jobs;
    let kinds: Vec<&str> = claimed.iter().map(|job| job.kind.as_str()).collect();
    assert_eq!(kinds, ["mail", "webhook", "mail", "webhook", "mail"]);
    assert_eq!(state(harness, "unknown").await, JobState::Waiting);
    assert_eq!(harness.jobs.claim(&capacities, LONG).await.unwrap().jobs.len(), 1);
    assert_eq!(harness.jobs.claim(&capacities, LONG).await.unwrap().jobs, []);
    assert_eq!(harness.jobs.claim(&[], LONG).await.unwrap().jobs, []);
    assert_eq!(harness.jobs.claim(&capacities[2..], LONG).await.unwrap().jobs, []);
}

pub async fn fifty_claimers_get_each_job_once(harness: &Harness) {
    let jobs: Vec<NewJob> = (0..200).map(|_| job("mail")).collect();
    assert_eq!(harness.jobs.enqueue(&jobs).await.unwrap(), 200);
    let claimers = (0..50).map(|_| {
        let queue = harness.jobs.clone();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let wanted = [capacity("mail", 3, 5), capacity("other", 3, 5)];
                let claimed = queue.claim(&wanted, LONG).await.unwrap();
                assert!(claimed.jobs.len() <= 3, "more than there is room for");
                if claimed.jobs.is_empty() {
                    return mine;
                }
                mine.extend(claimed.jobs.into_iter().map(|job| job.claim.id));
            }
        })
    });
    let mut all: Vec<JobId> = Vec::new();
    for claimer in claimers.collect::<Vec<_>>() {
        all.extend(claimer.await.unwrap());
    }
    // A claimer may have seen nothing while others held the last rows.
    all.extend(claim(harness, "mail", 200, LONG).await.iter().map(|job| job.claim.id));
    assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (200, 200));
}

pub async fn a_job_whose_lease_has_ended_is_taken_over_and_the_late_runner_changes_nothing(
    harness: &Harness,
) {
    harness.jobs.enqueue(&[job("mail")]).await.unwrap();
    let late = claim_one(harness, "mail", NONE).await;
    let present = claim_soon(harness, "mail", LONG).await;
    assert_eq!((late.claim.id, late.attempts, present.attempts), (present.claim.id, 1, 2));
    assert!(late.claim.token < present.claim.token);
    let before = only(harness, "mail").await;
    let (late, refused) = (late.claim, JobError::new("refused"));
    assert_eq!(harness.jobs.complete(late).await.unwrap(), Hold::Lost);
    assert_eq!(harness.jobs.fail(late, &refused, Some(NONE)).await.unwrap(), Hold::Lost);
    assert_eq!(harness.jobs.fail(late, &refused, None).await.unwrap(), Hold::Lost);
    assert_eq!(harness.jobs.extend(&[late], LONG * 2).await.unwrap(), []);
    harness.jobs.release(&[late]).await.unwrap();
    assert_eq!(only(harness, "mail").await, before);
    assert_eq!(harness.jobs.complete(present.claim).await.unwrap(), Hold::Held);
    assert_eq!(harness.jobs.complete(present.claim).await.unwrap(), Hold::Lost);
    assert_eq!(list(harness, "mail").await, []);
}

pub async fn a_lease_that_is_extended_does_not_end(harness: &Harness) {
    harness.jobs.enqueue(&[job("mail"), job("mail")]).await.unwrap();
    let claims: Vec<Claim> =
        claim(harness, "mail", 2, NONE).await.iter().map(|job| job.claim).collect();
    // Nobody has taken them over.
    let mut held = harness.jobs.extend(&claims, LONG).await.unwrap();
    held.sort();
    assert_eq!(held, claims);
    assert_eq!(claim(harness, "mail", 2, LONG).await, []);
    assert_eq!(harness.jobs.extend(&claims[..1], NONE).await.unwrap(), claims[..1]);
    assert_eq!(claim_soon(harness, "mail", LONG).await.claim.id, claims[0].id);
    let mut held = harness.jobs.extend(&claims, LONG).await.unwrap();
    held.sort();
    assert_eq!(held, claims[1..]);
    assert_eq!(harness.jobs.extend(&[], LONG).await.unwrap(), []);
}

pub async fn a_failed_attempt_is_repeated_after_its_wait(harness: &Harness) {
    harness.jobs.enqueue(&[job("mail")]).await.unwrap();
    let first = claim_one(harness, "mail", LONG).await.claim;
    let wait = Duration::from_millis(50);
    let failed = Instant::now();
    let refused = JobError::new("refused\0");
    assert_eq!(harness.jobs.fail(first, &refused, Some(wait)).await.unwrap(), Hold::Held);
    let waiting = only(harness, "mail").await;
    assert_eq!((waiting.state, waiting.attempts), (JobState::Waiting, 1));
    assert_eq!(waiting.last_error.as_deref(), Some("refused\u{fffd}"));
    assert_eq!(waiting.ended_at, None);
    let second = claim_soon(harness, "mail", LONG).await;
    assert!(failed.elapsed() >= wait - Duration::from_millis(5));
    assert_eq!(second.attempts, 2);
    assert_eq!(only(harness, "mail").await.last_error, waiting.last_error);
    // A wait that no database could add up.
    let endless = harness.jobs.fail(second.claim, &refused, Some(Duration::MAX)).await;
    assert_eq!(endless.unwrap(), Hold::Held);
    assert_eq!(claim(harness, "mail", 1, LONG).await, []);
}

pub async fn a_job_that_is_given_up_is_kept_with_its_last_error(harness: &Harness) {
    harness.jobs.enqueue(&[job("mail")]).await.unwrap();
    let claim_ = claim_one(harness, "mail", LONG).await.claim;
    let error = JobError::new(&"đ".repeat(5_000));
    assert_eq!(harness.jobs.fail(claim_, &error, None).await.unwrap(), Hold::Held);
    let kept = only(harness, "mail").await;
    assert_eq!((kept.state, kept.attempts), (JobState::Failed, 1));
    assert_eq!(kept.last_error.as_deref(), Some(error.as_str()));
    assert!(kept.ended_at.is_some_and(|at| at >= kept.enqueued_at));
    assert_eq!(claim(harness, "mail", 1, LONG).await, []);
}

pub async fn a_job_that_kills_its_runners_is_given_up(harness: &Harness) {
    harness.jobs.enqueue(&[job("mail"), job("other")]).await.unwrap();
    let wanted = [capacity("mail", 1, 2)];
    for attempt in [1, 2] {
        let claimed = loop {
            let claimed = harness.jobs.claim(&wanted, NONE).await.unwrap();
            if !claimed.jobs.is_empty() {
                break claimed;
            }
        };
        assert_eq!((claimed.jobs[0].attempts, claimed.given_up.len()), (attempt, 0));
    }
    let id = only(harness, "mail").await.id;
    let given_up = loop {
        let claimed = harness.jobs.claim(&wanted, NONE).await.unwrap();
        assert_eq!(claimed.jobs, []);
        if !claimed.given_up.is_empty() {
            break claimed.given_up;
        }
    };
    assert_eq!(given_up, [(id, "mail".to_owned())]);
    let kept = only(harness, "mail").await;
    assert_eq!((kept.state, kept.attempts), (JobState::Failed, 2));
    assert_eq!(kept.last_error.as_deref(), Some(RUNNER_DIED));
    assert!(kept.ended_at.is_some());
}

pub async fn a_job_that_is_given_back_has_lost_no_attempt(harness: &Harness) {
    harness.jobs.enqueue(&[job("mail"), job("mail")]).await.unwrap();
    let claimed = claim(harness, "mail", 2, LONG).await;
    harness.jobs.release(&[claimed[0].claim]).await.unwrap();
    let again = claim_one(harness, "mail", LONG).await;
    assert_eq!((again.claim.id, again.attempts), (claimed[0].claim.id, 1));
    // The token tells two claims with the same number of attempts apart.
    assert_eq!(harness.jobs.complete(claimed[0].claim).await.unwrap(), Hold::Lost);
    assert_eq!(harness.jobs.complete(again.claim).await.unwrap(), Hold::Held);
    assert_eq!(harness.jobs.complete(claimed[1].claim).await.unwrap(), Hold::Held);
    harness.jobs.release(&[]).await.unwrap();
}
