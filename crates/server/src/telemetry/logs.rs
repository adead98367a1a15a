//! Log lines.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Duration;

use file_rotate::compression::Compression;
use file_rotate::suffix::AppendCount;
use file_rotate::{ContentLimit, FileRotate};
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;

use super::{Layer, TRACE};
use crate::settings::{LOG_FILE, LogFormat, TelemetrySettings, log_file};

/// Bytes of a log file that is full.
const FULL: usize = 10 * 1024 * 1024;
/// Log files, the one that is written to included.
const FILES: usize = 5;
/// Lines that wait to be written; those for which there is no room are dropped.
const WAITING: usize = 16_384;
/// How long lines are gathered, to be written at once: a write of each would cost more
/// than all else that is done for it.
const GATHER: Duration = Duration::from_millis(20);
/// Bytes that are written at once.
const BUFFER: usize = 64 * 1024;

/// What was written of the log. The rest is written when this is dropped.
pub(crate) struct Lines {
    counter: ErrorCounter,
    _guard: WorkerGuard,
}

impl Lines {
    /// Counts the lines for which there was no room.
    pub(crate) fn dropped(&self) -> ErrorCounter {
        self.counter.clone()
    }
}

/// What lines go through on their way to standard output, and to files.
pub(super) fn standard_output(settings: &TelemetrySettings) -> (NonBlocking, Lines) {
    let outputs = Outputs { file: settings.log_dir.as_deref().map(rotating) };
    let writer = Gathered(BufWriter::with_capacity(BUFFER, outputs));
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(WAITING)
        .thread_name("log")
        .finish(writer);
    let counter = writer.error_counter();
    (writer, Lines { counter, _guard: guard })
}

fn rotating(directory: &Path) -> FileRotate<AppendCount> {
    FileRotate::new(
        directory.join(LOG_FILE),
        AppendCount::new(FILES - 1),
        ContentLimit::BytesSurpassed(FULL - BUFFER),
        Compression::None,
        Some(log_file()),
    )
}

/// Lines from the level of the settings up.
pub(super) fn layer<W>(settings: &TelemetrySettings, writer: W) -> Layer
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let level = settings.level;
    // The server below tells in three lines what ours tells in one, the database's
    // driver passes on every notice, and whoever sends rubbish instead of HTTP would
    // fill the log with errors.
    let quiet = level.min(LevelFilter::WARN);
    let targets = Targets::new()
        .with_default(level)
        .with_target("actix_http", LevelFilter::OFF)
        .with_target("actix_server", quiet)
        .with_target("tokio_postgres", quiet)
        .with_target(TRACE, LevelFilter::OFF);
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    match settings.format {
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_filter(targets)
            .boxed(),
        LogFormat::Pretty => {
            let terminal = settings.log_dir.is_none() && io::stdout().is_terminal();
            lines.with_ansi(terminal && io::stderr().is_terminal()).with_filter(targets).boxed()
        }
    }
}

/// Standard output, and a file. Neither is a reason to do without the other.
struct Outputs {
    file: Option<FileRotate<AppendCount>>,
}

impl Write for Outputs {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let _ = io::stdout().write_all(lines);
        if let Some(file) = &mut self.file {
            // It panics where its directory is gone, and cannot be made again.
            let written = std::panic::catch_unwind(AssertUnwindSafe(|| file.write_all(lines)));
            drop(written);
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = io::stdout().flush();
        Ok(())
    }
}

/// Lets lines gather after what there was has been written.
struct Gathered<W: Write>(BufWriter<W>);

impl<W: Write> Write for Gathered<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()?;
        std::thread::sleep(GATHER);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn there_are_five_files_of_ten_mebibytes_at_most_and_no_line_is_cut() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = BufWriter::with_capacity(BUFFER, rotating(directory.path()));
        let line = format!("{}\n", "x".repeat(999));
        for _ in 0..70 * 1024 {
            file.write_all(line.as_bytes()).unwrap();
        }
        file.flush().unwrap();
        let files: Vec<_> =
            std::fs::read_dir(directory.path()).unwrap().map(Result::unwrap).collect();
        assert_eq!(files.len(), FILES);
        for file in files {
            let metadata = file.metadata().unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "for the owner alone");
            let size = usize::try_from(metadata.len()).unwrap();
            assert!(size <= FULL && size.is_multiple_of(line.len()), "{size} bytes");
        }
    }
}
