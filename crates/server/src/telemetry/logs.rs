//! Log lines.

use std::io::{self, IsTerminal, Write};
use std::panic::AssertUnwindSafe;
use std::path::Path;

use file_rotate::compression::Compression;
use file_rotate::suffix::AppendCount;
use file_rotate::{ContentLimit, FileRotate};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;

use super::json::JsonLines;
use super::lines::{Gathering, Lines};
use super::{Layer, TRACE};
use crate::settings::{LOG_FILE, LogFormat, TelemetrySettings, log_file};

/// Bytes of a log file that is full.
const FULL: usize = 10 * 1024 * 1024;
/// Log files, the one that is written to included.
const FILES: usize = 5;
/// Bytes that are written to a file at once, in whole lines.
const AT_ONCE: usize = 64 * 1024;

/// Begins to write lines to standard output, and to files.
///
/// # Errors
/// There is no thread to be had.
pub(super) fn standard_output(settings: &TelemetrySettings) -> io::Result<(Gathering, Lines)> {
    let gathering = Gathering::default();
    let file = settings.log_dir.as_deref().map(rotating);
    let lines = gathering.write_to(Outputs { file })?;
    Ok((gathering, lines))
}

type File = FileRotate<AppendCount>;

fn rotating(directory: &Path) -> File {
    FileRotate::new(
        directory.join(LOG_FILE),
        AppendCount::new(FILES - 1),
        ContentLimit::BytesSurpassed(FULL - AT_ONCE),
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
    match settings.format {
        LogFormat::Json => JsonLines(writer).with_filter(targets).boxed(),
        LogFormat::Pretty => {
            let terminal = settings.log_dir.is_none() && io::stdout().is_terminal();
            let lines = tracing_subscriber::fmt::layer().with_writer(writer);
            lines.with_ansi(terminal && io::stderr().is_terminal()).with_filter(targets).boxed()
        }
    }
}

/// Standard output, and a file. Neither is a reason to do without the other.
struct Outputs {
    file: Option<File>,
}

impl Write for Outputs {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let _ = io::stdout().write_all(lines);
        if let Some(file) = &mut self.file {
            // It panics where its directory is gone, and cannot be made again.
            let _ = std::panic::catch_unwind(AssertUnwindSafe(|| to_file(file, lines)));
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = io::stdout().flush();
        Ok(())
    }
}

/// Never cuts a line in two, since the file may be full in between. What a full disk does
/// not take is on standard output only.
fn to_file(file: &mut File, mut lines: &[u8]) {
    while !lines.is_empty() {
        // From the end, so that few bytes are looked at.
        let fit = lines.get(..AT_ONCE).unwrap_or(lines);
        let end = fit.iter().rposition(|byte| *byte == b'\n');
        let (whole, rest) = lines.split_at(end.map_or(lines.len(), |end| end + 1));
        let _ = file.write_all(whole);
        lines = rest;
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn there_are_five_files_of_ten_mebibytes_at_most_and_no_line_is_cut() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = rotating(directory.path());
        let line = format!("{}\n", "x".repeat(999));
        let lines = line.repeat(1024);
        for _ in 0..70 {
            to_file(&mut file, lines.as_bytes());
        }
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
