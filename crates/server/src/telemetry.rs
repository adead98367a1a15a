//! Logs.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Writes log lines to standard error, from `level` up.
pub(crate) fn start(level: LevelFilter) {
    // The server below tells in three lines what ours tells in one, the database's
    // driver passes on every notice, and whoever sends rubbish instead of HTTP would
    // fill the log with errors.
    let quiet = level.min(LevelFilter::WARN);
    let targets = Targets::new()
        .with_default(level)
        .with_target("actix_http", LevelFilter::OFF)
        .with_target("actix_server", quiet)
        .with_target("tokio_postgres", quiet);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    // Only the first call in a process counts; tests call it many times.
    let _ = tracing_subscriber::registry().with(lines).with(targets).try_init();
}

/// Logs a panic by its place. Its message may quote what it stumbled over, which came
/// from a client.
pub(crate) fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a panic: a defect of the program");
    }));
}
