//! Stops the service without losing a request.
//!
//! actix-server drops connections that it has accepted but not yet handed to a worker, and
//! actix-http drops those whose request is incomplete. Therefore the service first stops accepting:
//! new connections wait in the socket, if another process (such as systemd) holds it as well. When
//! the workers have taken over all accepted connections, responses announce the end of the
//! connection, and [`super::guarded`] closes idle ones. Then the server is stopped.

use std::time::Duration;

use actix_server::ServerHandle;
use sd_notify::NotifyState;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use crate::signals::service_stops;

/// How long the accepting thread has to notice that it is paused.
const PAUSE: Duration = Duration::from_millis(250);
/// How often a worker yields to its other tasks before it has certainly taken over all connections
/// handed to it: it takes 128 at a time.
const ROUNDS: usize = 64;
/// How long the workers may take to take over their connections.
const HAND_OVER: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    HandingOver,
    Stopping,
}

/// Tells workers and connections to stop.
pub(super) struct Stop {
    phase: watch::Sender<Phase>,
    handed_over: mpsc::UnboundedReceiver<()>,
}

/// Tells whether the service is stopping.
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
    /// Completes when the process was asked to stop and all `workers` have taken over their
    /// connections.
    pub(super) async fn when_asked(
        mut self,
        server: oneshot::Receiver<ServerHandle>,
        workers: usize,
    ) {
        if let Err(error) = service_stops().await {
            tracing::error!(%error, "signals cannot be handled");
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

    /// Completes when the service stops.
    pub(super) async fn begins(self) {
        self.comes_to(Phase::Stopping).await;
    }

    /// Runs on a worker, and reports that it has taken over its connections.
    pub(super) async fn hand_over(self) {
        let hands_over = self.hands_over.clone();
        self.comes_to(Phase::HandingOver).await;
        for _ in 0..ROUNDS {
            yield_now().await;
        }
        // Fails only if waiting for the workers took too long.
        let _ = hands_over.send(());
    }

    async fn comes_to(mut self, phase: Phase) {
        // The last value is still seen after the sender is gone.
        if self.phase.wait_for(|now| *now >= phase).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Notifies systemd, if it has started the service.
pub(crate) fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "could not notify systemd");
    }
}
