//! How far the start has come: written by one thread, read by all that serve.

use std::sync::Arc;

use tokio::sync::watch;

use crate::backend::Backend;

/// How far the start has come.
#[derive(Clone)]
#[allow(clippy::large_enum_variant, reason = "a process has one")]
pub(super) enum Phase {
    /// The database is asked for the first time. Requests wait for that.
    Begun,
    /// It takes longer, for this reason. Requests are refused.
    Waits(Arc<str>),
    /// Requests are served with this database.
    Serves(Backend),
}

/// Tells how far the start has come.
pub(super) struct Teller(watch::Sender<Phase>);

/// Knows how far the start has come.
#[derive(Clone)]
pub(crate) struct Progress(watch::Receiver<Phase>);

pub(super) fn channel() -> (Teller, Progress) {
    let (sender, receiver) = watch::channel(Phase::Begun);
    (Teller(sender), Progress(receiver))
}

impl Teller {
    /// Says what the start waits for, unless requests are served already.
    pub(super) fn waits(&self, reason: &str) {
        self.0.send_if_modified(|phase| {
            let serves = matches!(phase, Phase::Serves(_));
            if !serves {
                *phase = Phase::Waits(reason.into());
            }
            !serves
        });
    }

    /// Says that even the first answer takes long.
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

    /// Waits until the database was asked for the first time, with any outcome. False if the
    /// start has failed for good.
    pub(crate) async fn settled(&self) -> bool {
        let mut phase = self.0.clone();
        phase.wait_for(|phase| !matches!(phase, Phase::Begun)).await.is_ok()
    }

    /// What the start waits for, to be told behind a colon.
    pub(super) fn reason(&self) -> Arc<str> {
        match &*self.0.borrow() {
            Phase::Waits(reason) => Arc::clone(reason),
            Phase::Begun | Phase::Serves(_) => "the service starts".into(),
        }
    }
}
