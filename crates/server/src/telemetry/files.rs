//! Log files with rotation: the current one, and older ones with a number.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::output::AT_ONCE;
use crate::ownership::adopt;
use crate::secrets::ensure_directory;
use crate::settings::{LOG_FILE, log_file};

/// The size in bytes at which a log file is full. A line longer than one batch may exceed it.
const FULL: u64 = 10 * 1024 * 1024;
/// The number of log files, including the current one.
const FILES: usize = 5;

/// A log file that is rotated when it is full.
pub(super) struct Rotating {
    path: PathBuf,
    file: Option<File>,
    size: u64,
    /// Whether the last write ended in the middle of a line. Its rest belongs to the same file.
    torn: bool,
}

impl Rotating {
    /// Opens the log file in `directory`. A full disk does not prevent the start.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(super) fn begin(directory: &Path) -> io::Result<Self> {
        let path = directory.join(LOG_FILE);
        let mut files = Self { path, file: None, size: 0, torn: false };
        match files.open() {
            Err(error) if !is_full(&error) => Err(error),
            _ => Ok(files),
        }
    }

    /// The file to write to. Opens it again if somebody has moved it, or removed it with its
    /// directory.
    fn current(&mut self) -> io::Result<&mut File> {
        let found = fs::metadata(&self.path).ok();
        let opened = self.file.as_ref().and_then(|file| file.metadata().ok());
        let identity = |file: &fs::Metadata| (file.dev(), file.ino());
        if opened.is_none() || found.as_ref().map(identity) != opened.as_ref().map(identity) {
            self.file = None;
            self.open()?;
        }
        if self.size > FULL - AT_ONCE as u64 && !self.torn {
            self.make_room()?;
        }
        self.file.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn open(&mut self) -> io::Result<()> {
        if let Some(directory) = self.path.parent() {
            ensure_directory(directory)?;
        }
        let is_new = !self.path.exists();
        let file = log_file().open(&self.path)?;
        if is_new {
            adopt(&file)?;
        }
        self.size = file.metadata()?.len();
        self.file = Some(file);
        Ok(())
    }

    /// Renames each file to the next older one; the oldest is removed.
    fn make_room(&mut self) -> io::Result<()> {
        let name = |age: usize| match age {
            0 => self.path.clone(),
            age => self.path.with_file_name(format!("{LOG_FILE}.{age}")),
        };
        for age in (1..FILES).rev() {
            match fs::rename(name(age - 1), name(age)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.file = None;
        self.open()
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

impl Write for Rotating {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.current()?.write(bytes)?;
        self.size += written as u64;
        self.torn = written > 0 && bytes.get(written - 1) != Some(&b'\n');
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::output::Output;
    use super::*;

    #[test]
    fn keeps_five_files_of_ten_mebibytes_and_cuts_no_line() {
        let directory = tempfile::tempdir().unwrap();
        let mut output = Output::new(Rotating::begin(directory.path()).unwrap());
        let line = format!("{}\n", "x".repeat(999));
        let long = format!("{}\n", "x".repeat(100_999));
        let lines = format!("{long}{}", line.repeat(1024));
        for _ in 0..70 {
            output.write_lines(lines.as_bytes()).unwrap();
        }
        let most = FULL as usize - AT_ONCE + long.len();
        let files: Vec<_> = fs::read_dir(directory.path()).unwrap().map(Result::unwrap).collect();
        assert_eq!(files.len(), FILES);
        for file in files {
            let metadata = file.metadata().unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "only the owner may read it");
            let written = fs::read(file.path()).unwrap();
            assert!(written.len() <= most, "{} bytes", written.len());
            let mut whole = written.split_inclusive(|byte| *byte == b'\n');
            assert!(whole.all(|found| found == line.as_bytes() || found == long.as_bytes()));
        }
    }

    #[test]
    fn a_moved_or_removed_file_is_created_again() {
        let directory = tempfile::tempdir().unwrap();
        let logs = directory.path().join("logs");
        let mut output = Output::new(Rotating::begin(&logs).unwrap());
        output.write_lines(b"one\n").unwrap();
        fs::rename(logs.join(LOG_FILE), logs.join("moved")).unwrap();
        output.write_lines(b"two\n").unwrap();
        assert_eq!(fs::read(logs.join("moved")).unwrap(), b"one\n");
        assert_eq!(fs::read(logs.join(LOG_FILE)).unwrap(), b"two\n");
        fs::remove_dir_all(&logs).unwrap();
        output.write_lines(b"three\n").unwrap();
        assert_eq!(fs::read(logs.join(LOG_FILE)).unwrap(), b"three\n");
        // A file that cannot be created is reported on every write.
        fs::remove_dir_all(&logs).unwrap();
        fs::write(&logs, "in the way").unwrap();
        assert_eq!(output.write_lines(b"four\nfive\n").unwrap_err().0, 2);
        fs::remove_file(&logs).unwrap();
        output.write_lines(b"six\n").unwrap();
        assert_eq!(fs::read(logs.join(LOG_FILE)).unwrap(), b"six\n");
    }
}
