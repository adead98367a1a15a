//! What systemd is told, if it has started the service.

use sd_notify::NotifyState;

/// Tells systemd about the state of the service.
pub(crate) fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd could not be told");
    }
}
