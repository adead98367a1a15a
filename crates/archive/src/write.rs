//! Writes archives.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use exit3_ports::{Row, Shape, Value};
use sha2::{Digest, Sha256};

use crate::error::ArchiveError;
use crate::keys::{Lock, Locked};
use crate::record::{FileSum, Head, Record, TableHead, TableSum};
use crate::rows::{Summing, encode};

/// The first words of every archive, followed by the version of its format.
pub(crate) const MAGIC: &str = "exit3 archive";
pub(crate) const FORMAT: u32 = 1;
/// The longest line in bytes, including its end. The Django service took requests of up to 2.5 MB:
/// such a text in JSON, and once more inside of a row's stored JSON, makes 18 MB at most. A power
/// of two, so that a doubling buffer ends exactly there.
pub(crate) const LONGEST_LINE: usize = 32 << 20;
/// The capacity that the line buffer keeps for the next line. Lines that are not rows are shorter:
/// a [`CHUNK`], a path, or names of columns or settings.
pub(crate) const USUAL_LINE: usize = 1 << 20;
/// zstd's default level. Level 9 saves a fifth of the size and takes four times as long.
const LEVEL: i32 = 3;
/// The compression window as a power of two: 2 MiB, which is the default of that level. Reading
/// needs as much memory.
pub(crate) const WINDOW: u32 = 21;
/// Bytes of a file in one line.
pub(crate) const CHUNK: usize = 48 << 10;

/// Writes an archive from start to end.
pub struct ArchiveWriter<W: Write> {
    content: zstd::Encoder<'static, Locked<Hashing<W>>>,
    line: Vec<u8>,
    tables: usize,
    files: usize,
}

impl<W: Write> ArchiveWriter<W> {
    /// Starts an archive.
    ///
    /// # Errors
    /// If `out` cannot be written.
    pub fn begin(out: W, lock: &Lock, head: Head) -> Result<Self, ArchiveError> {
        let mut out = Hashing { out, hash: Sha256::new() };
        out.write_all(format!("{MAGIC} {FORMAT} {}\n", lock.word()).as_bytes())?;
        let mut content = zstd::Encoder::new(lock.close(out)?, LEVEL)?;
        content.window_log(WINDOW)?;
        let mut archive = Self { content, line: Vec::new(), tables: 0, files: 0 };
        archive.record(&Record::Head(head))?;
        Ok(archive)
    }

    /// Starts a table of `rows` rows.
    ///
    /// # Errors
    /// Those of [`Self::begin`].
    pub fn table(
        &mut self,
        shape: &Shape,
        rows: u64,
        last_id: i64,
    ) -> Result<TableWriter<'_, W>, ArchiveError> {
        let name = shape.table.name.to_owned();
        let columns = shape.columns.iter().map(|column| column.name.to_owned()).collect();
        self.record(&Record::Table(TableHead { name, columns, rows, last_id }))?;
        self.tables += 1;
        Ok(TableWriter { archive: self, summing: Summing::default(), name: shape.table.name })
    }

    /// Adds a file.
    ///
    /// # Errors
    /// If the file cannot be read, or the archive cannot be written.
    pub fn file(&mut self, path: &str, mut file: impl io::Read) -> Result<FileSum, ArchiveError> {
        self.record(&Record::File { path: path.to_owned() })?;
        let (mut size, mut hash) = (0, Sha256::new());
        let mut bytes = vec![0; CHUNK];
        loop {
            let read = file.read(&mut bytes)?;
            let chunk = bytes.get(..read).unwrap_or_default();
            if chunk.is_empty() {
                break;
            }
            size += chunk.len() as u64;
            hash.update(chunk);
            self.record(&Record::Chunk(STANDARD.encode(chunk)))?;
        }
        let sum = FileSum { path: path.to_owned(), size, sha256: hex::encode(hash.finalize()) };
        self.record(&Record::FileEnd(sum.clone()))?;
        self.files += 1;
        Ok(sum)
    }

    /// Completes the archive.
    ///
    /// # Errors
    /// Those of [`Self::begin`].
    pub fn finish(mut self) -> Result<W, ArchiveError> {
        self.record(&Record::End { tables: self.tables, files: self.files })?;
        let Hashing { mut out, hash } = self.content.finish()?.finish()?;
        out.write_all(&hash.finalize())?;
        out.flush()?;
        Ok(out)
    }

    fn clear(&mut self) {
        self.line.clear();
        self.line.shrink_to(USUAL_LINE);
    }

    fn record(&mut self, record: &Record) -> Result<(), ArchiveError> {
        self.clear();
        serde_json::to_writer(&mut self.line, record).map_err(io::Error::from)?;
        self.line.push(b'\n');
        self.put()
    }

    fn put(&mut self) -> Result<(), ArchiveError> {
        Ok(self.content.write_all(&self.line)?)
    }
}

/// Writes the rows of one table.
pub struct TableWriter<'a, W: Write> {
    archive: &'a mut ArchiveWriter<W>,
    summing: Summing,
    name: &'static str,
}

impl<W: Write> TableWriter<'_, W> {
    /// Adds a row. Rows must be ordered by id.
    ///
    /// # Errors
    /// Those of [`ArchiveWriter::begin`], and [`ArchiveError::TooLong`].
    pub fn row(&mut self, row: &Row) -> Result<(), ArchiveError> {
        self.archive.clear();
        encode(row, &mut self.archive.line)?;
        if self.archive.line.len() > LONGEST_LINE {
            let id = match row.first() {
                Some(Value::Integer(id)) => *id,
                _ => 0,
            };
            return Err(ArchiveError::TooLong { table: self.name, id });
        }
        self.summing.add(&self.archive.line);
        self.archive.put()
    }

    /// Completes the table.
    ///
    /// # Errors
    /// Those of [`ArchiveWriter::begin`].
    pub fn finish(self) -> Result<TableSum, ArchiveError> {
        let sum = self.summing.sum(self.name);
        self.archive.record(&Record::TableEnd(sum.clone()))?;
        Ok(sum)
    }
}

/// Hashes everything that is written through it.
struct Hashing<W> {
    out: W,
    hash: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
