//! How the service stops without losing a request.
//!
//! actix-server drops connections that it has accepted and not yet handed to a worker,
//! and actix-http those whose request has not wholly arrived. So, first nothing more is
//! accepted: connections wait where the socket is held by others, as systemd does. Once
//! the workers have what was accepted, answers say that the connection ends, and
//! [`super::guarded`] ends those on which nothing arrives. Then the server is stopped.

use std::time::Duration;

use actix_server::ServerHandle;
use sd_notify::NotifyState;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use crate::signals::service_stops;

/// How long the thread that accepts has to hear that it is to stop.
const PAUSE: Duration = Duration::from_millis(250);
/// How often a worker turns to all that it has to do, before it is certain that it has
/// taken over what was handed to it: it takes 128 connections at a time.
const ROUNDS: usize = 64;
/// How long the workers have for that.
const HAND_OVER: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    HandingOver,
    Stopping,
}

/// Tells workers and connections that the service is to stop.
pub(super) struct Stop {
    phase: watch::Sender<Phase>,
    handed_over: mpsc::UnboundedReceiver<()>,
}

/// Knows whether the service is to stop.
#[derive(Clone)]
pub(super) struct Stopping {
    phase: watch::Receiver<Phase>,
    hands_over: mpsc::UnboundedSender<()>,
}

pub(super) fn channel() -> (Stop, Stopping) {
    let (sender, phase) = watch::channel(Phase::Serving);
    let (hands_over, handed_over) = mpsc::unbounded_channel();
    (Stop { phase: sender, handed_over }, Stopping { phase, hands_over })
}

impl Stop {
    /// Ends when the process was asked to stop and no connection waits
    /// for one of `workers` any more.
    pub(super) async fn when_asked(
        mut self,
        server: oneshot::Receiver<ServerHandle>,
        workers: usize,
    ) {
        if let Err(error) = service_stops().await {
            tracing::error!(%error, "signals cannot be heard");
            std::future::pending::<()>().await;
        }
        tell(&[NotifyState::Stopping]);
        if let Ok(server) = server.await {
            server.pause().await;
            sleep(PAUSE).await;
            self.phase.send_replace(Phase::HandingOver);
            let all = async {
                for _ in 0..workers {
                    self.handed_over.recv().await;
                }
            };
            if timeout(HAND_OVER, all).await.is_err() {
                tracing::warn!("a worker is stuck; connections that wait for it are lost");
            }
        }
        self.begin();
    }

    pub(super) fn begin(&self) {
        self.phase.send_replace(Phase::Stopping);
    }
}

impl Stopping {
    pub(super) fn has_begun(&self) -> bool {
        *self.phase.borrow() == Phase::Stopping
    }

    /// Waits until the service is to stop.
    pub(super) async fn begins(self) {
        self.comes_to(Phase::Stopping).await;
    }

    /// Tells, among the tasks of a worker, when that has taken over its connections.
    pub(super) async fn hand_over(self) {
        let hands_over = self.hands_over.clone();
        self.comes_to(Phase::HandingOver).await;
        for _ in 0..ROUNDS {
            yield_now().await;
        }
        // Nobody waits for it any more only where it took too long.
        let _ = hands_over.send(());
    }

    async fn comes_to(mut self, phase: Phase) {
        // What was told is known also when whoever told it is gone.
        if self.phase.wait_for(|now| *now >= phase).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Tells systemd, where it has started the service.
pub(crate) fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd could not be told");
    }
}
