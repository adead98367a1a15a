//! Logs.

use tracing_subscriber::filter::LevelFilter;

/// Writes log lines to standard error, from `level` up.
pub(crate) fn start(level: LevelFilter) {
    // Only the first call in a process counts; tests call it many times.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .try_init();
}
