//! A module that blocks its thread. These tests take real time, since the thread is a real one.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use exit3_ports::jobs::{Claimed, ClaimedJob};
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};
use tracing::subscriber::set_default;

use super::script::{HANDLING, Mail, SECOND, Script, app, claimed, run_for, script};
use crate::jobs::{JobFailure, Payload, Registry};
use crate::modules::Switch;

static TAGS: Switch = Switch::of("tags");

#[derive(Serialize, Deserialize)]
struct Slow {}

impl Payload for Slow {
    const KIND: &'static str = "tags.slow";
}

#[derive(Serialize, Deserialize)]
struct Quick {}

impl Payload for Quick {
    const KIND: &'static str = "tags.quick";
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Runs what a module adds, together with a job of the service, and returns the log of the process.
async fn watch(
    time: Duration,
    script: &Arc<Mutex<Script>>,
    add: impl FnOnce(&mut Registry),
) -> String {
    let runtime = thread();
    let log = Log::default();
    let own = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || own.clone()).with_ansi(false);
    let listening = set_default(subscriber.finish());
    let mut registry = Registry::default();
    registry.handle(HANDLING, |_, _: Mail| async { Ok(()) });
    registry.within(&TAGS, runtime.handle().clone(), add);
    run_for(time, script, app(script), registry).await;
    drop(listening);
    runtime.shutdown_background();
    log.text()
}

#[tokio::test]
async fn jobs_that_a_blocked_thread_cannot_begin_lose_no_attempt_and_no_more_are_taken() {
    let job = |id, kind: &str| ClaimedJob { kind: kind.to_owned(), ..claimed(id, 1) };
    let first = Claimed { jobs: vec![job(1, "tags.slow")], given_up: Vec::new() };
    let then = Claimed { jobs: vec![job(2, "tags.quick")], given_up: Vec::new() };
    let script = Arc::new(Mutex::new(script([Ok(first), Ok(then)])));
    let told = watch(SECOND * 13 / 2, &script, |registry| {
        registry.handle(HANDLING, |_, _: Slow| async {
            std::thread::sleep(SECOND * 9 / 2);
            Ok::<(), JobFailure>(())
        });
        registry.handle(HANDLING, |_, _: Quick| async { Ok(()) });
    });
    let told = told.await;
    let log = script.lock().unwrap().log.clone();
    let others: Vec<_> = log.iter().filter(|line| !line.starts_with("claim")).collect();
    assert_eq!(others, ["release 1", "complete 1"], "{log:?}");
    // Meanwhile the jobs of the service are taken, and afterwards all are again.
    let blocked = log.iter().filter(|line| *line == "claim mail 2").count();
    assert!((1..=4).contains(&blocked), "{log:?}");
    assert!(log.last().unwrap().contains("tags.quick 2, tags.slow 2"), "{log:?}");
    let sentence = "the module tags has blocked its thread for ";
    assert_eq!(told.matches(sentence).count(), 1, "{told}");
    assert!(told.contains(" s in the job tags.slow\n"), "{told}");
    assert!(told.contains("the thread of the module tags is not blocked any more"), "{told}");
}

#[tokio::test]
async fn a_consumer_and_a_round_that_block_the_thread_are_named() {
    let add = |name: Option<&'static str>| {
        move |registry: &mut Registry| {
            registry.round(name, SECOND * 60, |_| async { std::thread::sleep(SECOND * 7 / 2) });
        }
    };
    let script = Arc::<Mutex<Script>>::default();
    let told = watch(SECOND * 10 / 3, &script, add(Some("tags.mail"))).await;
    assert!(told.contains(" s in the consumer tags.mail\n"), "{told}");
    let told = watch(SECOND * 10 / 3, &script, add(None)).await;
    assert!(told.contains(" s in what it does on each node\n"), "{told}");
}
