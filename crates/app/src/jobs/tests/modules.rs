//! Work of modules: it runs on a runtime of the module, and harms nobody else.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use exit3_domain::events::{Actor, Author, Changes, Event, EventId, Subject, Verb};
use exit3_domain::jobs::Schedule;
use exit3_ports::events::{EventPosition, Unread};
use exit3_ports::jobs::{Claimed, ClaimedJob};
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::script::{HANDLING, Mail, SECOND, Script, app, claimed, run_for, script, write};
use crate::App;
use crate::jobs::{Handling, JobFailure, Payload, Registry};
use crate::modules::{Switch, conflict};
use crate::testing::{Mocks, now};

static MEETINGS: Switch = Switch::of("meetings");

#[derive(Serialize, Deserialize)]
struct Remind {}

impl Payload for Remind {
    const KIND: &'static str = "meetings.remind";
}

/// Runs one job of the module `meetings` and one of the service for a while.
async fn run_both<F>(
    runtime: Handle,
    handling: Handling,
    time: Duration,
    handler: impl Fn(App, Remind) -> F + Send + Sync + 'static,
) -> Vec<String>
where
    F: Future<Output = Result<(), JobFailure>> + Send + 'static,
{
    let remind = ClaimedJob { kind: "meetings.remind".to_owned(), ..claimed(1, 1) };
    let both = Claimed { jobs: vec![remind, claimed(2, 1)], given_up: Vec::new() };
    let script = Arc::new(Mutex::new(script([Ok(both)])));
    let mut registry = Registry::default();
    registry.within(&MEETINGS, runtime, |registry| registry.handle(handling, handler));
    registry.handle(HANDLING, |_, _: Mail| async { Ok(()) });
    run_for(time, &script, app(&script), registry).await
}

#[tokio::test]
async fn a_handler_that_blocks_its_thread_stops_nobody_else_and_is_named() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let handling = Handling { time_limit: SECOND / 5, ..HANDLING };
    let (own, handle) = (std::thread::current().id(), runtime.handle().clone());
    let log = run_both(handle, handling, SECOND * 3 / 2, move |_, _| async move {
        assert_ne!(std::thread::current().id(), own);
        std::thread::sleep(SECOND * 5);
        Ok(())
    });
    let blocked = "no result within 200ms, and the thread of the module meetings is blocked";
    assert_eq!(log.await, ["complete 2".to_owned(), format!("fail 1 in 1s: {blocked}")]);
    runtime.shutdown_background();
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_of_that_job_only_and_names_the_module() {
    let handler = |_, _| async { panic!("in a module") };
    let mut log = run_both(Handle::current(), HANDLING, SECOND / 2, handler).await;
    log.sort();
    let panicked = "the handler of the module meetings panicked: see the log";
    assert_eq!(log, ["complete 2".to_owned(), format!("fail 1 in 1s: {panicked}")]);
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
    let time = HANDLING.time_limit + SECOND;
    let log = run_both(Handle::current(), HANDLING, time, handler).await;
    assert_eq!(log.last().unwrap(), "fail 1 in 1s: no result within 100s");
    assert!(dropped.try_recv().is_err_and(|error| error == oneshot::error::TryRecvError::Closed));
}

#[tokio::test(start_paused = true)]
async fn the_work_of_a_module_rests_while_it_is_off() {
    static OFF: Switch = Switch::of("meetings");
    OFF.turn_off("its migration failed");
    let script = Arc::new(Mutex::new(Script::default()));
    let mut registry = Registry::default();
    let own = Arc::clone(&script);
    registry.within(&OFF, Handle::current(), |registry| {
        let often = Schedule::every("meetings.remind", SECOND * 600);
        registry.schedule(often, &Remind {}, HANDLING, |_, _| async { Ok(()) }).unwrap();
        registry.on_each_node(SECOND, move |_| {
            let own = Arc::clone(&own);
            async move { write(&own, "round".to_owned()).unwrap() }
        });
    });
    registry.handle(HANDLING, |_, _: Mail| async { Ok(()) });
    tokio::spawn(async {
        sleep(SECOND * 3 / 2).await;
        OFF.turn_on();
    });
    run_for(SECOND * 5 / 2, &script, app(&script), registry).await;
    let log = script.lock().unwrap().log.clone();
    let ask = r#"ask meetings.remind meetings.remind Some("schedule meetings.remind")"#;
    let off = ["claim mail 2", "claim mail 2"];
    let on = [ask, "claim mail 2, meetings.remind 2", "round"];
    let (before, mut after) = (&log[..2], log[2..].to_vec());
    after.sort();
    assert_eq!((before, after), (&off.map(str::to_owned)[..], on.map(str::to_owned).to_vec()));
}

fn created(id: i64) -> Event {
    Event {
        id: EventId(id),
        act: Author::from(Actor::Service).at(now()),
        verb: Verb::from_word("meeting.created"),
        subject: Subject { resource: "meeting".into(), id },
        changes: Changes::None,
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_follow_from_the_events_that_a_consumer_reads() {
    let mut mocks = Mocks::new();
    let events = &mut mocks.repositories.events;
    let at = |id| EventPosition { transaction: 0, id };
    let unread = move |events| Unread { from: at(0), to: at(2), events };
    events
        .expect_unread()
        .times(1)
        .withf(|consumer, _| consumer == "meetings.notify")
        .returning(move |_, _| Ok(unread(vec![created(1), created(2)])));
    events.expect_unread().times(2).returning(move |_, _| Ok(unread(Vec::new())));
    events
        .expect_note_read()
        .times(1)
        .withf(|_, _, jobs| jobs.len() == 2 && jobs.iter().all(|job| job.kind == Remind::KIND))
        .returning(|_, _, _| Ok(()));
    let mut registry = Registry::default();
    registry.within(&MEETINGS, Handle::current(), |registry| {
        registry.consume("meetings.notify", |_, events| async move {
            Ok(events.iter().map(|_| Remind {}.job().unwrap()).collect())
        });
    });
    let script = Arc::new(Mutex::new(Script::default()));
    run_for(SECOND * 15, &script, mocks.into_app(), registry).await;
}

#[tokio::test]
async fn kinds_schedules_and_consumers_belong_to_one_module() {
    static AGENDA: Switch = Switch::of("agenda");
    let add = |registry: &mut Registry| {
        registry.handle(HANDLING, |_, _: Remind| async { Ok(()) });
        registry.consume("meetings.notify", |_, _| async { Ok(Vec::new()) });
    };
    let mut registry = Registry::default();
    let hourly = Schedule::every("hourly", SECOND * 3600);
    let mail = Mail { to: "ana".to_owned() };
    registry.schedule(hourly, &mail, HANDLING, |_, _: Mail| async { Ok(()) }).unwrap();
    registry.within(&MEETINGS, Handle::current(), add);
    assert_eq!(conflict(registry.claims()), None);
    let claims = registry.claims().map(|(module, claim)| (module, claim.to_string()));
    let meetings = Some("meetings");
    assert_eq!(
        claims.collect::<Vec<_>>(),
        [
            (None, "the kind of jobs mail".to_owned()),
            (None, "the schedule hourly".to_owned()),
            (meetings, "the kind of jobs meetings.remind".to_owned()),
            (meetings, "the consumer meetings.notify".to_owned()),
        ]
    );
    registry.within(&AGENDA, Handle::current(), add);
    let told = conflict(registry.claims()).unwrap();
    assert!(told.starts_with("the modules meetings and agenda both claim the kind of"), "{told}");
}

/// A module that panics while it adds its work has added half of it, which must not run, and what others
/// add later is not the module's.
#[tokio::test(start_paused = true)]
async fn the_work_of_a_module_that_panics_while_it_adds_it_never_runs() {
    static BROKEN: Switch = Switch::of("agenda");
    let script = Arc::new(Mutex::new(Script::default()));
    let mut registry = Registry::default();
    let added = BROKEN.or_break("it added its jobs", || {
        registry.within(&BROKEN, Handle::current(), |registry| {
            registry.handle(HANDLING, |_, _: Remind| async { Ok(()) });
            panic!("in a module");
        })
    });
    assert!(added.is_none());
    registry.handle(HANDLING, |_, _: Mail| async { Ok(()) });
    let owners: Vec<_> = registry.claims().map(|(module, _)| module).collect();
    assert_eq!(owners, [Some("agenda"), None]);
    BROKEN.turn_on();
    run_for(SECOND / 2, &script, app(&script), registry).await;
    assert_eq!(script.lock().unwrap().log, ["claim mail 2"]);
}

#[tokio::test(start_paused = true)]
async fn the_work_of_a_module_knows_whose_it_is() {
    let seen = Arc::new(Mutex::new(None));
    let own = Arc::clone(&seen);
    let handler = move |_, _| {
        *own.lock().unwrap() = crate::modules::current();
        async { Ok(()) }
    };
    run_both(Handle::current(), HANDLING, SECOND, handler).await;
    assert_eq!(*seen.lock().unwrap(), Some("meetings"));
}

#[test]
fn the_consumers_of_a_module_are_called_after_it() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let mut registry = Registry::default();
    registry.consume("own", |_, _| async { Ok(Vec::new()) });
    registry.within(&MEETINGS, runtime.handle().clone(), |registry| {
        registry.consume("meetings.notify", |_, _| async { Ok(Vec::new()) });
        for name in ["notify", "meetings", "meetings.", "meetings_of.notify"] {
            registry.consume(name, |_, _| async { Ok(Vec::new()) });
        }
    });
    let faults: Vec<_> = registry.faults().collect();
    let first = "the module meetings has a consumer of events called \"notify\", but its name must \
                 begin with \"meetings.\"";
    assert_eq!((faults.len(), faults[0].as_str()), (4, first));
    assert_eq!(registry.consumers().count(), 6);
}
