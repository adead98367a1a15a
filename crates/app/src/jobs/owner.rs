use std::fmt;
use std::future::{pending, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::modules::{self, Switch};

/// A thread that does nothing else for so long is blocked.
const BLOCKED: Duration = Duration::from_secs(1);

/// After so long, the log says what blocks a thread. It says it again after twice as long, each time.
const TOLD: Duration = Duration::from_secs(3);

/// Who owns work: the service, whose work runs on the runtime of the runner, or a module, whose work
/// runs on a runtime of its own. So a handler that blocks its thread stops no work but that of its
/// module.
#[derive(Clone, Default)]
pub(super) struct Owner(Option<Arc<Thread>>);

/// The thread of a module.
struct Thread {
    switch: &'static Switch,
    runtime: Handle,
    /// What it does at this moment, and since when.
    doing: Mutex<Option<(Work, Instant)>>,
    is_blocked: AtomicBool,
}

/// What a module does on its thread.
#[derive(Debug, Clone, Copy)]
pub(super) enum Work {
    /// A job of this kind.
    Job(&'static str),
    /// The consumer of events of this name.
    Consumer(&'static str),
    /// Other work that every node does for itself.
    Round,
}

impl fmt::Display for Work {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Job(kind) => write!(formatter, "the job {kind}"),
            Self::Consumer(name) => write!(formatter, "the consumer {name}"),
            Self::Round => formatter.write_str("what it does on each node"),
        }
    }
}

/// How work ended.
pub(super) enum End<T> {
    Done(T),
    Panicked,
    /// It took too long.
    Late,
    /// It was not begun, and never will be, because other work of the module blocks the thread.
    NotBegun,
}

impl Owner {
    /// A module.
    pub(super) fn of(switch: &'static Switch, runtime: Handle) -> Self {
        let (doing, is_blocked) = (Mutex::default(), AtomicBool::default());
        Self(Some(Arc::new(Thread { switch, runtime, doing, is_blocked })))
    }

    /// The name of the module; `None` for the service.
    pub(super) fn module(&self) -> Option<&'static str> {
        self.0.as_ref().map(|thread| thread.switch.module())
    }

    /// Whether its work is to be done.
    pub(super) fn is_on(&self) -> bool {
        self.0.as_ref().is_none_or(|thread| thread.switch.is_on())
    }

    /// Whether more work can be begun.
    pub(super) fn is_free(&self) -> bool {
        let is_blocked = |thread: &Thread| thread.is_blocked.load(Ordering::Relaxed);
        self.is_on() && !self.0.as_deref().is_some_and(is_blocked)
    }

    /// Does work; `None` if it panicked. If this is dropped, the work is dropped too, by a module as
    /// soon as it lets go of its thread.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        what: Work,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        match &self.0 {
            None => AssertUnwindSafe(work).catch_unwind().await.ok(),
            Some(thread) => {
                let mut tasks = JoinSet::new();
                let work = modules::within(Some(thread.switch), work);
                tasks.spawn_on(Arc::clone(thread).noting(what, work), &thread.runtime);
                tasks.join_next().await?.ok()
            }
        }
    }

    /// Does work that may take this long after it has begun.
    pub(super) async fn run_within<T: Send + 'static>(
        &self,
        limit: Duration,
        what: Work,
        work: impl Future<Output = T> + Send + 'static,
    ) -> End<T> {
        let (begin, begun) = oneshot::channel();
        let work = async move {
            // It was given up meanwhile.
            if begin.send(()).is_err() {
                pending::<()>().await;
            }
            work.await
        };
        let limited = async {
            let has_begun = timeout(BLOCKED, begun).await.is_ok();
            if has_begun {
                sleep(limit).await;
            }
            has_begun
        };
        tokio::select! {
            biased;
            done = self.run(what, work) => done.map_or(End::Panicked, End::Done),
            has_begun = limited => if has_begun { End::Late } else { End::NotBegun },
        }
    }

    /// Whether work of the module blocks its thread.
    pub(super) async fn is_blocked(&self) -> bool {
        match &self.0 {
            None => false,
            Some(thread) => timeout(BLOCKED, thread.answer()).await.is_err(),
        }
    }

    /// Notes from now on whether the thread of a module is blocked, and tells by what.
    pub(super) async fn watch(self) {
        let Some(thread) = self.0 else { return };
        loop {
            let (asked, mut told) = (Instant::now(), TOLD);
            let mut answer = pin!(thread.answer());
            if timeout(BLOCKED, answer.as_mut()).await.is_err() {
                thread.is_blocked.store(true, Ordering::Relaxed);
                while timeout_at(asked + told, answer.as_mut()).await.is_err() {
                    thread.tell(told);
                    told *= 2;
                }
                thread.is_blocked.store(false, Ordering::Relaxed);
                if told > TOLD {
                    let module = thread.switch.module();
                    tracing::info!("the thread of the module {module} is not blocked any more");
                }
            }
            sleep(BLOCKED).await;
        }
    }
}

impl Thread {
    /// Does work, and notes meanwhile what keeps the thread busy.
    async fn noting<T>(self: Arc<Self>, what: Work, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            let _busy = Busy::with(what, &self);
            work.as_mut().poll(context)
        })
        .await
    }

    fn note(&self, doing: Option<(Work, Instant)>) {
        *self.doing.lock().unwrap_or_else(PoisonError::into_inner) = doing;
    }

    /// Ends when the thread has done all that it was to do before.
    async fn answer(&self) {
        let mut tasks = JoinSet::new();
        tasks.spawn_on(async {}, &self.runtime);
        tasks.join_next().await;
    }

    fn tell(&self, silent: Duration) {
        let doing = *self.doing.lock().unwrap_or_else(PoisonError::into_inner);
        let (module, silent) = (self.switch.module(), silent.as_secs());
        match doing.map(|(what, since)| (what, since.elapsed().as_secs())) {
            Some((what, time)) => {
                tracing::warn!("the module {module} has blocked its thread for {time} s in {what}");
            }
            // For example in a task that a job has started.
            None => tracing::warn!("the module {module} has blocked its thread for {silent} s"),
        }
    }
}

/// While this lives, the thread is busy with something.
struct Busy<'a>(&'a Thread);

impl<'a> Busy<'a> {
    fn with(what: Work, thread: &'a Thread) -> Self {
        thread.note(Some((what, Instant::now())));
        Self(thread)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.note(None);
    }
}
