//! How far the log of a server has come.

use exit3_ports::LogPosition;

/// The position of a server in its log, and whether the server is a standby.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServerPosition {
    pub(crate) is_standby: bool,
    pub(crate) position: LogPosition,
}

/// Converts a position; a standby that has not started replaying has none.
pub(crate) fn position(at: Option<i64>) -> LogPosition {
    LogPosition(at.and_then(|at| u64::try_from(at).ok()).unwrap_or_default())
}
