//! Finds out whether every thread that serves still gets to do what it has to do.
//!
//! Each of these threads counts up. A thread of its own looks whether they do, and tells
//! systemd's watchdog only as long as all of them do. Without systemd it ends the process
//! itself, so that a supervisor can start it again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use sd_notify::{NotifyState, watchdog_enabled};

use crate::systemd::tell;

/// The time that systemd gives, where it gives none.
const USUAL: Duration = Duration::from_secs(30);
/// How often the threads are looked at, unless there is less time.
const LOOK: Duration = Duration::from_secs(1);

/// Looks after threads.
#[derive(Clone)]
pub(crate) struct Watchdog {
    watched: Arc<Mutex<Vec<Watched>>>,
    every: Duration,
}

/// A thread, as long as it counts.
struct Watched {
    name: &'static str,
    count: Weak<AtomicU64>,
    seen: u64,
    /// How many looks in a row found the same count.
    silent: u32,
}

/// What is known of all threads.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Well,
    /// This thread has been silent for so many looks.
    Silent(&'static str, u32),
}

impl Watchdog {
    /// Begins to look.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(crate) fn start() -> std::io::Result<Self> {
        let given = watchdog_enabled();
        let time = given.unwrap_or(USUAL);
        let every = LOOK.min(time / 6);
        let watchdog = Self { watched: Arc::default(), every };
        let watching = watchdog.clone();
        std::thread::Builder::new()
            .name("watchdog".to_owned())
            .spawn(move || watching.watch(given.is_some(), time))?;
        Ok(watchdog)
    }

    /// Counts, on the thread that polls this, as long as that gets to it.
    pub(crate) fn beat(&self, name: &'static str) -> impl Future<Output = ()> + use<> {
        let (count, every) = (Arc::new(AtomicU64::new(0)), self.every);
        let watched = Watched { name, count: Arc::downgrade(&count), seen: 0, silent: 0 };
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).push(watched);
        async move {
            loop {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(every).await;
            }
        }
    }

    fn watch(&self, told: bool, time: Duration) {
        // Looks are counted, not seconds: a process that was stopped for a while, as by a
        // debugger, has not looked meanwhile.
        let looks = |time: Duration| (time.as_millis() / self.every.as_millis().max(1)) as u32;
        let (worrying, deadly) = (looks(time / 2), looks(time * 2));
        let mut was_well = true;
        loop {
            let verdict = self.look();
            let is_well = !matches!(verdict, Verdict::Silent(_, looks) if looks >= worrying);
            match verdict {
                Verdict::Silent(name, looks) if looks >= deadly => give_up(name),
                Verdict::Silent(name, _) if !is_well && was_well => {
                    tracing::error!("{name} hangs: it has not done anything for {:?}", time / 2);
                }
                Verdict::Well if !was_well => tracing::warn!("no thread hangs any more"),
                _ => {}
            }
            if told && is_well {
                tell(&[NotifyState::Watchdog]);
            }
            was_well = is_well;
            std::thread::sleep(self.every);
        }
    }

    /// Looks at all threads once.
    fn look(&self) -> Verdict {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        // A thread that has ended is rightly silent.
        watched.retain(|thread| thread.count.strong_count() > 0);
        let mut verdict = Verdict::Well;
        for thread in watched.iter_mut() {
            let Some(count) = thread.count.upgrade() else { continue };
            let count = count.load(Ordering::Relaxed);
            thread.silent = if count == thread.seen { thread.silent + 1 } else { 0 };
            thread.seen = count;
            let longest = match verdict {
                Verdict::Well => 0,
                Verdict::Silent(_, looks) => looks,
            };
            if thread.silent > longest {
                verdict = Verdict::Silent(thread.name, thread.silent);
            }
        }
        verdict
    }
}

/// Ends the process as systemd's watchdog would. A thread that hangs cannot be ended alone.
fn give_up(name: &str) -> ! {
    tracing::error!("{name} hangs: the service ends, so that it can be started again");
    // What was logged is written by another thread.
    std::thread::sleep(Duration::from_millis(200));
    std::process::abort();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_thread_that_does_not_count_is_found_and_one_that_has_ended_is_not() {
        let watchdog = Watchdog { watched: Arc::default(), every: LOOK };
        let (mut first, second) = (Box::pin(watchdog.beat("first")), watchdog.beat("second"));
        let counts = tokio::spawn(second);
        tokio::task::yield_now().await;
        let _ = futures_util::poll!(&mut first);
        assert_eq!(watchdog.look(), Verdict::Well);
        for looks in 1..4 {
            tokio::time::sleep(LOOK).await;
            assert_eq!(watchdog.look(), Verdict::Silent("first", looks));
        }
        let _ = futures_util::poll!(&mut first);
        tokio::time::sleep(LOOK).await;
        assert_eq!(watchdog.look(), Verdict::Well, "it counts again");
        counts.abort();
        let _ = counts.await;
        tokio::time::sleep(LOOK).await;
        assert_eq!(watchdog.look(), Verdict::Silent("first", 1));
        drop(first);
        assert_eq!(watchdog.look(), Verdict::Well, "whoever has ended hangs no more");
    }
}
