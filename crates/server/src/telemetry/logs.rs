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

/// Bytes of a log file that is full. A line of more than is written at once may pass it.
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
    let lines = gathering.write_to(Outputs { file, torn: false })?;
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
    /// Whether the file may end in the middle of a line.
    torn: bool,
}

impl Write for Outputs {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let _ = io::stdout().write_all(lines);
        if let Some(file) = &mut self.file {
            // It panics where its directory is gone, and cannot be made again.
            let _ = std::panic::catch_unwind(AssertUnwindSafe(|| {
                to_file(file, &mut self.torn, lines);
            }));
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = io::stdout().flush();
        Ok(())
    }
}

/// Never cuts a line in two, since the file may be full in between. What a full disk does
/// not take is on standard output only; what it took of a line stays a line of its own,
/// and an empty one where that was nothing.
fn to_file(file: &mut impl Write, torn: &mut bool, mut lines: &[u8]) {
    while !lines.is_empty() {
        // From the end, so that few bytes are looked at; a line that does not fit goes by
        // itself.
        let fit = lines.get(..AT_ONCE).unwrap_or(lines);
        let newline = |byte: &u8| *byte == b'\n';
        let end = fit.iter().rposition(newline).or_else(|| lines.iter().position(newline));
        let (whole, rest) = lines.split_at(end.map_or(lines.len(), |end| end + 1));
        *torn = (*torn && file.write_all(b"\n").is_err()) || file.write_all(whole).is_err();
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
        let long = format!("{}\n", "x".repeat(100_999));
        let lines = format!("{long}{}", line.repeat(1024));
        let mut torn = false;
        for _ in 0..70 {
            to_file(&mut file, &mut torn, lines.as_bytes());
        }
        assert!(!torn);
        let most = FULL - AT_ONCE + long.len();
        let files: Vec<_> =
            std::fs::read_dir(directory.path()).unwrap().map(Result::unwrap).collect();
        assert_eq!(files.len(), FILES);
        for file in files {
            let metadata = file.metadata().unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "for the owner alone");
            let written = std::fs::read(file.path()).unwrap();
            assert!(written.len() <= most, "{} bytes", written.len());
            let mut whole = written.split_inclusive(|byte| *byte == b'\n');
            assert!(whole.all(|found| found == line.as_bytes() || found == long.as_bytes()));
        }
    }

    /// A disk that has room for so many bytes.
    struct Disk {
        room: usize,
        file: Vec<u8>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.room);
            if taken == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.room -= taken;
            self.file.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_full_disk_took_of_a_line_is_continued_by_none() {
        let mut disk = Disk { room: 10, file: Vec::new() };
        let mut torn = false;
        to_file(&mut disk, &mut torn, b"first\nsecond\n");
        to_file(&mut disk, &mut torn, b"third\n");
        disk.room = 100;
        to_file(&mut disk, &mut torn, b"fourth\n");
        to_file(&mut disk, &mut torn, b"fifth\n");
        assert_eq!(disk.file, b"first\nseco\nfourth\nfifth\n");
    }
}
