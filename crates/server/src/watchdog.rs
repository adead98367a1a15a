//! Detects threads that hang.
//!
//! Each serving thread increments a counter. A separate thread checks the counters, and notifies
//! systemd's watchdog only while all of them advance. Without systemd it ends the process itself,
//! so that a supervisor can restart it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use sd_notify::{NotifyState, watchdog_enabled};

use crate::systemd::tell;

/// The time limit if systemd sets none.
const USUAL: Duration = Duration::from_secs(30);
/// How often the threads are checked, unless the time limit is shorter.
const LOOK: Duration = Duration::from_secs(1);

/// Watches threads.
#[derive(Clone)]
pub(crate) struct Watchdog {
    watched: Arc<Mutex<Vec<Watched>>>,
    every: Duration,
}

/// A thread, for as long as it counts.
struct Watched {
    name: &'static str,
    count: Weak<AtomicU64>,
    seen: u64,
    /// How many checks in a row found the same count.
    silent: u32,
}

/// The state of all threads.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Well,
    /// This thread has been silent for this many checks.
    Silent(&'static str, u32),
}

impl Watchdog {
    /// Starts to watch.
    ///
    /// # Errors
    /// The thread cannot be started.
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

    /// Counts on the thread that polls the returned future.
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
        // Checks are counted instead of seconds: a process that was stopped for a while, for
        // example by a debugger, has not checked meanwhile.
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

    /// Checks all threads once.
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

/// Ends the process as systemd's watchdog would. A single thread cannot be ended.
fn give_up(name: &str) -> ! {
    tracing::error!("{name} hangs: ending the service so that it can be restarted");
    // Another thread writes the log.
    std::thread::sleep(Duration::from_millis(200));
    std::process::abort();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_silent_thread_is_found_unless_it_has_ended() {
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
        assert_eq!(watchdog.look(), Verdict::Well, "a thread that has ended does not hang");
    }
}
