//! The log: its outputs, its format and its filter.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;

use super::files::Rotating;
use super::json::JsonLines;
use super::lines::{Gathering, Lines};
use super::{Layer, TRACE, TelemetryError};
use crate::settings::{LogFormat, TelemetrySettings};

/// Starts to write lines to standard output and to the files in `LOG_DIR`.
///
/// # Errors
/// A thread cannot be started, standard output is missing, or `LOG_DIR` cannot be used.
pub(super) fn outputs(
    settings: &TelemetrySettings,
) -> Result<(Gathering, Vec<Lines>), TelemetryError> {
    let mut gathering = Gathering::default();
    // Bypasses the standard library's buffer, which would keep what could not be written.
    let stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let mut lines = vec![gathering.write_to("standard output", stdout)?];
    if let Some(directory) = &settings.log_dir {
        let files = Rotating::begin(directory);
        let files = files.map_err(|error| TelemetryError::LogDir(directory.clone(), error))?;
        lines.push(gathering.write_to(directory.display().to_string(), files)?);
    }
    Lines::dropped(&lines).tell()?;
    Ok((gathering, lines))
}

/// A layer for lines of the configured level and above.
pub(super) fn layer<W>(settings: &TelemetrySettings, writer: W) -> Layer
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let level = settings.level;
    // actix logs three lines for each of ours, the database driver passes on every notice, and
    // clients that do not speak HTTP would fill the log with errors.
    let quiet = level.min(LevelFilter::WARN);
    let targets = Targets::new()
        .with_default(level)
        .with_target("actix_http", LevelFilter::OFF)
        .with_target("actix_server", quiet)
        .with_target("tokio_postgres", quiet)
        .with_target(TRACE, LevelFilter::OFF);
    match settings.format {
        LogFormat::Json => JsonLines(writer).with_filter(targets).boxed(),
        LogFormat::Pretty => {
            let terminal = settings.log_dir.is_none() && io::stdout().is_terminal();
            let lines = tracing_subscriber::fmt::layer().with_writer(writer);
            lines.with_ansi(terminal && io::stderr().is_terminal()).with_filter(targets).boxed()
        }
    }
}
