//! Parses the log, see <https://sqlite.org/fileformat2.html#the_write_ahead_log>.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// The size of the log's header in bytes.
const HEADER: usize = 32;
/// The size of a frame's header in bytes.
const BEFORE_PAGE: usize = 24;
/// The possible page sizes.
const PAGES: std::ops::RangeInclusive<usize> = 512..=65536;

/// The header of a log. It identifies the log: SQLite chooses new random numbers at each restart.
pub(crate) type Header = [u8; HEADER];

/// The header and the last frame of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Log {
    header: Header,
    frames: u64,
    last: [u8; BEFORE_PAGE],
}

impl Log {
    /// Reads the log if exactly `frames` frames in it are valid, otherwise returns `None`.
    pub(crate) fn read(file: &File, frames: u64) -> io::Result<Option<Self>> {
        let mut header = [0; HEADER];
        if !read(file, &mut header, 0)? {
            return Ok(None);
        }
        let log = Self { header, frames, last: [0; BEFORE_PAGE] };
        let is_header = matches!(log.word(0), MAGIC | MAGIC_BIG) && PAGES.contains(&log.page());
        if !is_header || file.metadata()?.len() < log.start_of(frames + 1) {
            return Ok(None);
        }
        let Some(last) = log.frame(file, frames)? else { return Ok(None) };
        let ends_a_commit = word(&last, 4) != 0;
        let is_of_this_log = last.get(8..16) == log.header.get(16..24);
        Ok((ends_a_commit && is_of_this_log).then_some(Self { last, ..log }))
    }

    /// Whether this log continues `other`, which has the same header: its frames are still there.
    pub(crate) fn follows(&self, other: &Self, file: &File) -> io::Result<bool> {
        Ok(self.frames >= other.frames && self.frame(file, other.frames)? == Some(other.last))
    }

    pub(crate) fn has_same_header(&self, other: &Self) -> bool {
        self.header == other.header
    }

    pub(crate) fn header(&self) -> Header {
        self.header
    }

    /// The length of the main file once all frames have been moved to it.
    pub(crate) fn length_of_main(&self) -> u64 {
        u64::from(word(&self.last, 4)) * self.page() as u64
    }

    /// Whether the file still begins with this header.
    pub(crate) fn is_begun(&self, file: &File) -> io::Result<bool> {
        let mut header = [0; HEADER];
        Ok(read(file, &mut header, 0)? && header == self.header)
    }

    /// Whether all bytes of the frames `after + 1..=last` are unchanged: each frame has a checksum
    /// over everything before it.
    pub(crate) fn is_whole(&self, file: &File, after: u64, last: u64) -> io::Result<bool> {
        let big = self.word(0) == MAGIC_BIG;
        let mut sum = if after == 0 {
            let start = self.header.get(..24).unwrap_or_default();
            let sum = add_up((0, 0), start, big);
            if sum != (self.word(24), self.word(28)) {
                return Ok(false);
            }
            sum
        } else {
            let Some(before) = self.frame(file, after)? else { return Ok(false) };
            (word(&before, 16), word(&before, 20))
        };
        let mut frame = vec![0; BEFORE_PAGE + self.page()];
        for number in after + 1..=last {
            if !read(file, &mut frame, self.start_of(number))? {
                return Ok(false);
            }
            let (before, page) = frame.split_at(BEFORE_PAGE);
            sum = add_up(sum, before.get(..8).unwrap_or_default(), big);
            sum = add_up(sum, page, big);
            let is_of_this_log = before.get(8..16) == self.header.get(16..24);
            if !is_of_this_log || sum != (word(before, 16), word(before, 20)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn frame(&self, file: &File, number: u64) -> io::Result<Option<[u8; BEFORE_PAGE]>> {
        let mut frame = [0; BEFORE_PAGE];
        Ok(read(file, &mut frame, self.start_of(number))?.then_some(frame))
    }

    fn start_of(&self, frame: u64) -> u64 {
        HEADER as u64 + frame.saturating_sub(1) * (BEFORE_PAGE + self.page()) as u64
    }

    fn page(&self) -> usize {
        self.word(8) as usize
    }

    fn word(&self, at: usize) -> u32 {
        word(&self.header, at)
    }
}

const MAGIC: u32 = 0x377f_0682;
/// The magic number of logs with big-endian checksums.
const MAGIC_BIG: u32 = 0x377f_0683;

fn word(bytes: &[u8], at: usize) -> u32 {
    let bytes = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

fn add_up(mut sum: (u32, u32), bytes: &[u8], big: bool) -> (u32, u32) {
    let read = if big { u32::from_be_bytes } else { u32::from_le_bytes };
    let (pairs, _) = bytes.as_chunks::<8>();
    for [a, b, c, d, e, f, g, h] in pairs {
        sum.0 = sum.0.wrapping_add(read([*a, *b, *c, *d])).wrapping_add(sum.1);
        sum.1 = sum.1.wrapping_add(read([*e, *f, *g, *h])).wrapping_add(sum.0);
    }
    sum
}

/// Fills `bytes`; returns false if the file is too short.
fn read(file: &File, bytes: &mut [u8], at: u64) -> io::Result<bool> {
    match file.read_exact_at(bytes, at) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
