//! Writing lines so that none is cut in two, and knowing which were not written.

use std::io::{self, Write};
use std::time::Duration;

/// Bytes that are written at once, in whole lines. The output may be full in between.
pub(super) const AT_ONCE: usize = 64 * 1024;
/// How long an output is left alone that takes nothing just now.
const PAUSE: Duration = Duration::from_millis(10);

/// What lines are written to.
pub(super) struct Output<W> {
    writer: W,
    /// Whether it ends in the middle of a line.
    torn: bool,
}

impl<W: Write> Output<W> {
    pub(super) fn new(writer: W) -> Self {
        Self { writer, torn: false }
    }

    /// Writes lines. What a full disk took of a line stays a line of its own.
    ///
    /// # Errors
    /// How many lines were not wholly written, and why the last of them was not.
    pub(super) fn write_lines(&mut self, mut lines: &[u8]) -> Result<(), (u64, io::Error)> {
        let mut failed: Option<(u64, io::Error)> = None;
        while !lines.is_empty() {
            // From the end, so that few bytes are looked at; a line that does not fit goes by
            // itself.
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
    /// What is left of it.
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
                // A pipe that is full, and was set not to make its writers wait.
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

    /// A disk that has room for so many bytes.
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
    fn what_a_full_disk_took_of_a_line_is_continued_by_none() {
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
    fn each_line_that_is_lost_counts() {
        let line = format!("{}\n", "x".repeat(999));
        let mut output = Output::new(Disk { room: 306_000, ..Disk::default() });
        let (lost, _) = output.write_lines(line.repeat(1500).as_bytes()).unwrap_err();
        let arrived = output.writer.file.iter().filter(|byte| **byte == b'\n').count();
        assert_eq!((arrived, lost), (306, 1194));
    }
}
