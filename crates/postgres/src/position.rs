//! Where a server is in the history of its database.

use exit3_ports::Position;

/// A server's position in the history of its database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) is_standby: bool,
    pub(crate) position: Position,
}

/// Converts a position; a standby that has not started replaying has none.
pub(crate) fn position(at: Option<i64>) -> Position {
    Position(at.and_then(|at| u64::try_from(at).ok()).unwrap_or_default())
}
