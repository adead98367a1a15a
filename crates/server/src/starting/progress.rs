//! The progress of the start: written by one thread, read by all workers.

use std::sync::Arc;

use tokio::sync::watch;

use crate::backend::Backend;

/// The phase of the start.
#[derive(Clone)]
#[allow(clippy::large_enum_variant, reason = "a process has one")]
pub(super) enum Phase {
    /// The first attempt to reach the database. Requests wait for it.
    Begun,
    /// The start takes longer, for this reason. Requests are refused.
    Waits(Arc<str>),
    /// Requests are served from this database.
    Serves(Backend),
}

/// Publishes the progress of the start.
pub(super) struct Teller(watch::Sender<Phase>);

/// Reads the progress of the start.
#[derive(Clone)]
pub(crate) struct Progress(watch::Receiver<Phase>);

pub(super) fn channel() -> (Teller, Progress) {
    let (sender, receiver) = watch::channel(Phase::Begun);
    (Teller(sender), Progress(receiver))
}

impl Teller {
    /// Publishes what the start waits for, unless requests are served already.
    pub(super) fn waits(&self, reason: &str) {
        self.0.send_if_modified(|phase| {
            let serves = matches!(phase, Phase::Serves(_));
            if !serves {
                *phase = Phase::Waits(reason.into());
            }
            !serves
        });
    }

    /// Publishes that even the first attempt takes long.
    pub(super) fn takes_long(&self, reason: &str) {
        if matches!(*self.0.borrow(), Phase::Begun) {
            self.waits(reason);
        }
    }

    /// Lets requests be served.
    pub(super) fn serves(&self, backend: Backend) {
        self.0.send_replace(Phase::Serves(backend));
    }
}

impl Progress {
    pub(super) fn now(&self) -> Phase {
        self.0.borrow().clone()
    }

    /// The database from which requests are served, once there is one. It may come before the end of
    /// the start.
    pub(crate) async fn backend(&self) -> Option<Backend> {
        let mut phase = self.0.clone();
        match &*phase.wait_for(|phase| matches!(phase, Phase::Serves(_))).await.ok()? {
            Phase::Serves(backend) => Some(backend.clone()),
            _ => None,
        }
    }

    /// Waits until the first attempt to reach the database is over, with any outcome. False if the
    /// start has failed for good.
    pub(crate) async fn settled(&self) -> bool {
        let mut phase = self.0.clone();
        phase.wait_for(|phase| !matches!(phase, Phase::Begun)).await.is_ok()
    }

    /// What the start waits for, to follow a colon.
    pub(super) fn reason(&self) -> Arc<str> {
        match &*self.0.borrow() {
            Phase::Waits(reason) => Arc::clone(reason),
            Phase::Begun | Phase::Serves(_) => "the service starts".into(),
        }
    }
}
