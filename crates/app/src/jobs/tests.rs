mod blocked;
mod modules;
mod script;
mod slow;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use exit3_domain::jobs::Schedule;
use exit3_ports::jobs::{Claimed, Occurrence};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use self::script::{
    HANDLING, Mail, Note, SECOND, Script, TIMES, app, claim, claimed, jobs, run, run_for, script,
};
use super::{JobFailure, Payload, Registry, Runner, RunnerSettings};
use crate::testing::away;

#[tokio::test(start_paused = true)]
async fn a_job_is_run_with_its_payload_and_completed() {
    let handler = async |_, mail: Mail| {
        assert_eq!(mail.to, "ana");
        Ok(())
    };
    let log = run(script([jobs([1])]), SECOND / 2, handler).await;
    assert_eq!(log, ["complete 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_job_waits_longer_each_time_until_it_is_given_up() {
    for (attempts, expected) in [(1, "in 1s"), (2, "in 2s"), (3, "never"), (4, "never")] {
        let again = Claimed { jobs: vec![claimed(1, attempts)], given_up: Vec::new() };
        let failing = |_, _| async { Err(JobFailure::Again("refused".to_owned())) };
        let log = run(script([Ok(again)]), SECOND / 2, failing).await;
        assert_eq!(log, [format!("fail 1 {expected}: refused")]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_can_never_succeed_is_given_up_at_once() {
    let failing = |_, _| async { Err(JobFailure::Never("no such lead".to_owned())) };
    let log = run(script([jobs([1])]), SECOND / 2, failing).await;
    assert_eq!(log, ["fail 1 never: no such lead"]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_of_that_job_only() {
    let count = Arc::new(Mutex::new(0));
    let handler = move |_, _| {
        *count.lock().unwrap() += 1;
        let number = *count.lock().unwrap();
        assert_ne!(number, 1, "a panic before the handler's first await");
        async move {
            sleep(SECOND / 10).await;
            assert_ne!(number, 2, "a panic after it");
            Ok(())
        }
    };
    let log = run(script([jobs([1, 2]), jobs([3])]), SECOND * 2, handler).await;
    let panicked = "the handler panicked: see the log";
    let expected = [
        format!("fail 1 in 1s: {panicked}"),
        format!("fail 2 in 1s: {panicked}"),
        "complete 3".to_owned(),
    ];
    assert_eq!(log, expected);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_is_dropped() {
    let (alive, mut dropped) = oneshot::channel::<()>();
    let alive = Mutex::new(Some(alive));
    let handler = move |_, _| {
        let alive = alive.lock().unwrap().take();
        async move {
            let _alive = alive;
            std::future::pending().await
        }
    };
    let log = run(script([jobs([1])]), HANDLING.time_limit + SECOND, handler).await;
    assert_eq!(log.last().unwrap(), "fail 1 in 1s: no result within 100s");
    assert!(dropped.try_recv().is_err_and(|error| error == oneshot::error::TryRecvError::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_cannot_be_read_is_a_failure_without_its_text() {
    let mut job = claimed(1, 1);
    job.payload = r#"{"from":"ana@acme.hr"}"#.to_owned();
    let odd = Claimed { jobs: vec![job], given_up: Vec::new() };
    let log = run(script([Ok(odd)]), SECOND / 2, |_, _| async { Ok(()) }).await;
    let expected = "fail 1 in 1s: the payload cannot be read: an error in line 1, column 22";
    assert_eq!(log, [expected]);
}

#[tokio::test(start_paused = true)]
async fn no_more_jobs_are_claimed_than_there_is_room_for_and_only_of_known_kinds() {
    let script = Arc::new(Mutex::new(script([jobs([1]), jobs([2]), jobs([3])])));
    let mut registry = Registry::default();
    registry.handle(HANDLING, |_, _: Mail| async {
        sleep(SECOND * 9 / 2).await;
        Ok(())
    });
    let time = SECOND * 7;
    run_for(time, &script, app(&script), registry).await;
    let expected = [
        "claim mail 2",
        "claim mail 1",
        // While both run, nothing is asked. When one ends, the next begins at once.
        "complete 1",
        "claim mail 1",
        "complete 2",
        "claim mail 1",
        "claim mail 1",
        // The process stops.
        "extend 1",
        "complete 3",
    ];
    let log = script.lock().unwrap().log.clone();
    assert_eq!(log, expected);
}

#[tokio::test(start_paused = true)]
async fn leases_are_extended_while_jobs_run() {
    let handler = |_, _| async {
        sleep(SECOND * 35).await;
        Ok(())
    };
    let log = run(script([jobs([1, 2])]), SECOND * 50, handler).await;
    // A quarter of the lease apart.
    let expected = ["extend 2", "extend 2", "extend 2", "complete 1", "complete 2"];
    assert_eq!(log, expected);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_lost_is_dropped() {
    let lost = Script { lost: vec![claim(2)], ..script([jobs([1, 2])]) };
    let handler = |_, _| async {
        sleep(SECOND * 15).await;
        Ok(())
    };
    let log = run(lost, SECOND * 25, handler).await;
    assert_eq!(log, ["extend 2", "complete 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_job_is_dropped_before_its_lease_ends_if_the_database_is_away() {
    let away = Script { failures: u32::MAX, ..script([jobs([1])]) };
    let script = Arc::new(Mutex::new(away));
    let mut registry = Registry::default();
    let begun = Instant::now();
    let ended = Arc::new(Mutex::new(None));
    let own = Arc::clone(&ended);
    registry.handle(HANDLING, move |_, _: Mail| {
        let note = Note(Arc::clone(&own));
        async move {
            let _note = note;
            std::future::pending().await
        }
    });
    run_for(SECOND * 90, &script, app(&script), registry).await;
    let after = ended.lock().unwrap().unwrap() - begun;
    assert!(SECOND * 25 < after && after < TIMES.lease, "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn a_result_that_cannot_be_noted_is_noted_later_and_the_job_is_not_run_again() {
    let count = Arc::new(Mutex::new(0));
    let own = Arc::clone(&count);
    let handler = move |_, _| {
        *own.lock().unwrap() += 1;
        async { Ok(()) }
    };
    let away = Script { failures: 5, ..script([jobs([1])]) };
    assert_eq!(run(away, SECOND * 8, handler).await, ["complete 1"]);
    assert_eq!(*count.lock().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn claiming_goes_on_after_the_database_was_away() {
    let claims = (0..20).map(|_| Err(away())).chain([jobs([1])]);
    let log = run(script(claims), SECOND * 30, |_, _| async { Ok(()) }).await;
    assert_eq!(log, ["complete 1"]);
}

#[tokio::test(start_paused = true)]
async fn an_idle_runner_asks_once_per_poll() {
    let script = Arc::new(Mutex::new(Script::default()));
    let mut registry = Registry::default();
    registry.handle(HANDLING, |_, _: Mail| async { Ok(()) });
    let others = run_for(SECOND * 60 - SECOND / 2, &script, app(&script), registry).await;
    assert_eq!(others, [""; 0]);
    assert_eq!(script.lock().unwrap().log.len(), 60);
}

#[tokio::test(start_paused = true)]
async fn enqueuing_wakes_the_runner_at_once() {
    let script = Arc::new(Mutex::new(script([jobs([]), jobs([1])])));
    let (done, ended) = oneshot::channel();
    let done = Mutex::new(Some(done));
    let mut registry = Registry::default();
    registry.handle(HANDLING, move |_, _: Mail| {
        let done = done.lock().unwrap().take();
        async move {
            done.unwrap().send(Instant::now()).unwrap();
            Ok(())
        }
    });
    let app = app(&script);
    let seldom = RunnerSettings { poll: SECOND * 1_000, ..TIMES };
    let running = tokio::spawn(Runner::new(app.clone(), registry, seldom).run(sleep(SECOND * 9)));
    sleep(SECOND).await;
    let enqueued = Instant::now();
    super::enqueue(&app, &[Mail { to: "ana".to_owned() }.job().unwrap()]).await.unwrap();
    assert_eq!(ended.await.unwrap(), enqueued);
    running.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn running_jobs_may_end_when_the_process_stops_and_others_are_given_back() {
    let times = Arc::new(Mutex::new(VecDeque::from([9, 11])));
    let ended = Arc::new(Mutex::new(None));
    let own = Arc::clone(&ended);
    let handler = move |_, _| {
        let seconds = times.lock().unwrap().pop_front().unwrap();
        let note = (seconds == 11).then(|| Note(Arc::clone(&own)));
        async move {
            sleep(SECOND * seconds + SECOND / 2).await;
            drop(note);
            Ok(())
        }
    };
    let begun = Instant::now();
    let log = run(script([jobs([1, 2]), jobs([3])]), SECOND / 2, handler).await;
    assert_eq!(log, ["extend 2", "complete 1", "release 1"]);
    assert_eq!(begun.elapsed(), TIMES.grace + SECOND / 2);
    assert!(ended.lock().unwrap().unwrap() <= Instant::now(), "dropped before it is given back");
}

#[tokio::test(start_paused = true)]
async fn a_runner_without_jobs_stops_at_once() {
    let begun = Instant::now();
    assert_eq!(run(Script::default(), SECOND * 3, |_, _| async { Ok(()) }).await, [""; 0]);
    assert_eq!(begun.elapsed(), SECOND * 3);
}

#[tokio::test(start_paused = true)]
async fn occurrences_are_asked_for_at_the_start_and_when_the_database_says() {
    let script = Arc::new(Mutex::new(Script::default()));
    script.lock().unwrap().occurrences = VecDeque::from([
        Ok(Occurrence { enqueued: true, next_in: SECOND * 5 / 2 }),
        Err(away()),
        Ok(Occurrence { enqueued: true, next_in: SECOND * 60 }),
    ]);
    let mut registry = Registry::default();
    let hourly = Schedule::every("hourly", SECOND * 3600);
    let mail = Mail { to: "ana".to_owned() };
    registry.schedule(hourly, &mail, HANDLING, |_, _: Mail| async { Ok(()) }).unwrap();
    let log = run_for(SECOND * 63 + SECOND / 2, &script, app(&script), registry).await;
    // At 0, 3, 4 (because 3 failed) seconds.
    assert_eq!(log, [r#"ask hourly mail Some("schedule hourly")"#; 3]);
}

#[tokio::test(start_paused = true)]
async fn each_node_does_its_own_rounds_even_after_a_panic() {
    let script = Arc::new(Mutex::new(Script::default()));
    let count = Arc::new(Mutex::new(0));
    let own = Arc::clone(&count);
    let mut registry = Registry::default();
    registry.on_each_node(SECOND * 10, move |_| {
        let own = Arc::clone(&own);
        async move {
            *own.lock().unwrap() += 1;
            let number = *own.lock().unwrap();
            assert_ne!(number, 2, "a panic in one round");
        }
    });
    run_for(SECOND * 35, &script, app(&script), registry).await;
    assert_eq!(*count.lock().unwrap(), 4);
}
