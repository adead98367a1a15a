//! Writes whole lines to an output, and counts the lines that could not be written.

use std::io::{self, Write};
use std::time::Duration;

/// The most bytes in one write, which consists of whole lines. The output may become full in
/// between.
pub(super) const AT_ONCE: usize = 64 * 1024;
/// How long to wait before writing again to an output that accepts nothing at the moment.
const PAUSE: Duration = Duration::from_millis(10);

/// An output for lines.
pub(super) struct Output<W> {
    writer: W,
    /// Whether the output ends in the middle of a line.
    torn: bool,
}

impl<W: Write> Output<W> {
    pub(super) fn new(writer: W) -> Self {
        Self { writer, torn: false }
    }

    /// Writes lines. If a full disk cuts a line, the next write starts on a new line.
    ///
    /// # Errors
    /// The number of lines that were not written completely, and the last error.
    pub(super) fn write_lines(&mut self, mut lines: &[u8]) -> Result<(), (u64, io::Error)> {
        let mut failed: Option<(u64, io::Error)> = None;
        while !lines.is_empty() {
            // Searches from the end, where a newline is near. A line longer than a batch is written
            // on its own.
            let fit = lines.get(..AT_ONCE).unwrap_or(lines);
            let newline = |byte: &u8| *byte == b'\n';
            let end = fit.iter().rposition(newline).or_else(|| lines.iter().position(newline));
            let (whole, rest) = lines.split_at(end.map_or(lines.len(), |end| end + 1));
            if let Err((left, error)) = self.write_whole(whole) {
                let lost = left.iter().filter(|byte| **byte == b'\n').count() as u64;
                failed = Some((failed.map_or(0, |(lost, _)| lost) + lost, error));
            }
            lines = rest;
        }
        failed.map_or(Ok(()), Err)
    }

    /// # Errors
    /// The rest that was not written.
    fn write_whole<'a>(&mut self, whole: &'a [u8]) -> Result<(), (&'a [u8], io::Error)> {
        if self.torn {
            self.take(b"\n").map_err(|(_, error)| (whole, error))?;
            self.torn = false;
        }
        let taken = self.take(whole);
        if let Err((left, _)) = &taken {
            let written = whole.len() - left.len();
            self.torn = written > 0 && whole.get(written - 1) != Some(&b'\n');
        }
        taken
    }

    fn take<'a>(&mut self, mut left: &'a [u8]) -> Result<(), (&'a [u8], io::Error)> {
        while !left.is_empty() {
            match self.writer.write(left) {
                Ok(0) => return Err((left, io::ErrorKind::WriteZero.into())),
                Ok(written) => left = left.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A full pipe that is set to non-blocking.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    std::thread::sleep(PAUSE);
                }
                Err(error) => return Err((left, error)),
            }
        }
        self.writer.flush().map_err(|error| (left, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with room for `room` bytes.
    #[derive(Default)]
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
    fn a_line_cut_by_a_full_disk_stays_a_line_of_its_own() {
        let mut output = Output::new(Disk { room: 10, ..Disk::default() });
        let (lost, error) = output.write_lines(b"first\nsecond\n").unwrap_err();
        assert_eq!((lost, error.kind()), (1, io::ErrorKind::StorageFull));
        assert_eq!(output.write_lines(b"third\n").unwrap_err().0, 1);
        output.writer.room = 100;
        output.write_lines(b"fourth\n").unwrap();
        output.write_lines(b"fifth\n").unwrap();
        assert_eq!(output.writer.file, b"first\nseco\nfourth\nfifth\n");
    }

    #[test]
    fn every_lost_line_is_counted() {
        let line = format!("{}\n", "x".repeat(999));
        let mut output = Output::new(Disk { room: 306_000, ..Disk::default() });
        let (lost, _) = output.write_lines(line.repeat(1500).as_bytes()).unwrap_err();
        let arrived = output.writer.file.iter().filter(|byte| **byte == b'\n').count();
        assert_eq!((arrived, lost), (306, 1194));
    }
}
