//! Reads archives.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Take};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use exit3_ports::{Row, Shape, TABLES, Table, Value, is_staged_name, table, with_causes};
use sha2::{Digest, Sha256};

use crate::error::{ArchiveError, unreadable};
use crate::hash;
use crate::keys::{Keys, Unlocked};
use crate::record::{FileSum, Head, Record, TableHead, TableSum};
use crate::rows::{Summing, decode};
use crate::write::{FORMAT, LONGEST_LINE, MAGIC, USUAL_LINE, WINDOW};

/// Bytes of the SHA-256 at the end.
const HASH: u64 = 32;
/// The longest first line, in bytes; every known one is shorter.
const LONGEST_FIRST_LINE: u64 = 64;

/// The highest id accepted. It leaves half of the id range for new rows.
const LAST_ID: i64 = 1 << 62;

/// The next piece of an archive.
#[derive(Debug)]
pub enum Event {
    /// A table begins.
    Table {
        /// The table's columns in this archive.
        shape: Shape,
        /// The number of rows that follow.
        rows: u64,
        /// The highest id that the database ever gave out.
        last_id: i64,
    },
    /// A row of the table; rows are ordered by id.
    Row(Row),
    /// The table is complete and matches its hash.
    TableEnd(TableSum),
    /// A contract file begins.
    File(String),
    /// A piece of the file's content.
    Chunk(Vec<u8>),
    /// The file is complete and matches its hash.
    FileEnd(FileSum),
    /// The archive is complete.
    End,
}

/// Verifies the hash of a whole archive. Returns the name of its encryption, and the offset and the
/// length of its content in bytes.
///
/// # Errors
/// [`ArchiveError::Foreign`], [`ArchiveError::Newer`], [`ArchiveError::Damaged`].
pub fn check(archive: &mut (impl Read + Seek)) -> Result<(String, u64, u64), ArchiveError> {
    let end = archive.seek(SeekFrom::End(0))?;
    archive.seek(SeekFrom::Start(0))?;
    let mut line = Vec::new();
    let mut first = BufReader::new(archive.by_ref().take(LONGEST_FIRST_LINE));
    first.read_until(b'\n', &mut line)?;
    let text = std::str::from_utf8(&line).map_err(|_| ArchiveError::Foreign)?;
    let words = text.strip_suffix('\n').and_then(|text| text.strip_prefix(MAGIC));
    let (format, lock) = words
        .and_then(|words| words.strip_prefix(' ')?.split_once(' '))
        .ok_or(ArchiveError::Foreign)?;
    let start = line.len() as u64;
    // A later format may end differently.
    if format.parse::<u32>().is_ok_and(|format| format > FORMAT) {
        return Err(ArchiveError::Newer(format!("format {format}")));
    }
    let length = end.checked_sub(start + HASH);
    let length = length.ok_or_else(|| ArchiveError::damaged("it ends too early"))?;
    if !is_whole(archive, start + length)? {
        return Err(ArchiveError::damaged("its hash does not match its content"));
    }
    Ok((lock.to_owned(), start, length))
}

/// Whether the first `length` bytes are followed by their hash.
fn is_whole(archive: &mut (impl Read + Seek), length: u64) -> io::Result<bool> {
    archive.seek(SeekFrom::Start(0))?;
    let hash = hash::of(archive.by_ref().take(length))?;
    let mut written = Vec::new();
    archive.read_to_end(&mut written)?;
    Ok(hash.as_slice() == written)
}

/// Reads an archive from its beginning to its end.
pub struct ArchiveReader<R: Read> {
    head: Head,
    lines: Lines<R>,
    table: Option<Open>,
    file: Option<(String, u64, Sha256)>,
    /// The tables read so far, in order.
    seen: Vec<&'static str>,
    tables: usize,
    files: usize,
}

/// A table whose rows are being read.
struct Open {
    shape: Shape,
    summing: Summing,
    /// The number of rows that its head announced.
    rows: u64,
    last_id: i64,
    /// The id of the last row; the next one must be higher.
    after: i64,
}

type Content<R> = BufReader<zstd::Decoder<'static, BufReader<Unlocked<Take<R>>>>>;

struct Lines<R: Read> {
    content: Content<R>,
    line: Vec<u8>,
}

impl<R: Read + Seek> ArchiveReader<R> {
    /// Verifies all of `archive` (see [`check`]), decrypts it and reads its head.
    ///
    /// # Errors
    /// Those of [`check`], and an error if the keys do not open it.
    pub fn open(mut archive: R, keys: &Keys) -> Result<Self, ArchiveError> {
        let (lock, start, length) = check(&mut archive)?;
        archive.seek(SeekFrom::Start(start))?;
        let content = archive.take(length);
        let content = match lock.as_str() {
            "plain" => {
                keys.take_plain()?;
                Unlocked::Open(content)
            }
            "age" => keys.open(content)?,
            _ => return Err(ArchiveError::Newer(lock)),
        };
        let mut content = zstd::Decoder::new(content).map_err(unreadable)?;
        content.window_log_max(WINDOW)?;
        let mut lines = Lines { content: BufReader::new(content), line: Vec::new() };
        match lines.next_record()? {
            Record::Head(head) if head.schema.is_empty() => {
                Err(ArchiveError::damaged("it names no schema version"))
            }
            Record::Head(head) => Ok(Self {
                head,
                lines,
                table: None,
                file: None,
                seen: Vec::new(),
                tables: 0,
                files: 0,
            }),
            _ => Err(ArchiveError::damaged("it does not begin with a head")),
        }
    }
}

impl<R: Read> ArchiveReader<R> {
    /// The archive's head.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Reads the next piece.
    ///
    /// # Errors
    /// [`ArchiveError::Damaged`]; [`ArchiveError::Newer`] for a table or column that this
    /// program does not know.
    pub fn next_event(&mut self) -> Result<Event, ArchiveError> {
        self.lines.advance()?;
        if self.lines.line.first() == Some(&b'[') {
            let table = self.table.as_mut();
            let table = table.ok_or_else(|| ArchiveError::damaged("a row outside of a table"))?;
            return Ok(Event::Row(table.row(&self.lines.line)?));
        }
        match self.lines.record()? {
            Record::Table(head) if self.table.is_none() => self.begin_table(&head),
            Record::TableEnd(sum) => {
                let table = self.table.take().ok_or_else(disorder)?;
                self.tables += 1;
                if sum.rows != table.rows || table.summing.sum(table.shape.table.name) != sum {
                    return Err(ArchiveError::damaged(format!("table {}", sum.name)));
                }
                Ok(Event::TableEnd(sum))
            }
            Record::File { path } if self.file.is_none() && self.table.is_none() => {
                if is_staged_name(Path::new(&path)) {
                    return Err(ArchiveError::damaged(
                        "a temporary file of an interrupted restore",
                    ));
                }
                self.file = Some((path.clone(), 0, Sha256::new()));
                Ok(Event::File(path))
            }
            Record::Chunk(text) => {
                let (_, size, hash) = self.file.as_mut().ok_or_else(disorder)?;
                let bytes = STANDARD.decode(text).map_err(|_| disorder())?;
                *size += bytes.len() as u64;
                hash.update(&bytes);
                Ok(Event::Chunk(bytes))
            }
            Record::FileEnd(sum) => {
                let (path, size, hash) = self.file.take().ok_or_else(disorder)?;
                self.files += 1;
                if (FileSum { path, size, sha256: hex::encode(hash.finalize()) }) != sum {
                    return Err(ArchiveError::damaged(format!("file {}", sum.path)));
                }
                Ok(Event::FileEnd(sum))
            }
            Record::End { tables, files }
                if (tables, files) == (self.tables, self.files)
                    && self.table.is_none()
                    && self.file.is_none() =>
            {
                self.lines.end()?;
                // Every schema version has the first table.
                if self.seen.first() != TABLES.first().map(|table| &table.name) {
                    return Err(ArchiveError::damaged("it lacks tables"));
                }
                Ok(Event::End)
            }
            _ => Err(disorder()),
        }
    }

    /// The table of a module, as the head defines it.
    fn of_module(&self, name: &str) -> Result<&'static Table, ArchiveError> {
        let mut tables = self.head.modules.iter().flat_map(|module| &module.tables);
        let definition = tables.find(|table| table.name == name);
        let definition = definition.ok_or_else(|| ArchiveError::Newer(format!("table {name}")))?;
        definition.table().map_err(|error| ArchiveError::damaged(with_causes(&error)))
    }

    fn begin_table(&mut self, head: &TableHead) -> Result<Event, ArchiveError> {
        let known = match table(&head.name) {
            Some(own) => own,
            None => self.of_module(&head.name)?,
        };
        let shape = Shape::of(known, |name| head.columns.iter().any(|column| column == name));
        let shape = shape.ok_or_else(disorder)?;
        if !shape.columns.iter().map(|column| column.name).eq(&head.columns) {
            return Err(ArchiveError::Newer(format!("columns of table {}", head.name)));
        }
        if !(0..=LAST_ID).contains(&head.last_id) || self.seen.contains(&known.name) {
            return Err(ArchiveError::damaged(format!("table {}", head.name)));
        }
        self.seen.push(known.name);
        self.table = Some(Open {
            shape: shape.clone(),
            summing: Summing::default(),
            rows: head.rows,
            last_id: head.last_id,
            after: i64::MIN,
        });
        Ok(Event::Table { shape, rows: head.rows, last_id: head.last_id })
    }
}

impl Open {
    /// Reads a row. Negative ids are accepted, since imported rows may have them. An id above the
    /// highest one given out is refused, because the database would give it out again.
    fn row(&mut self, line: &[u8]) -> Result<Row, ArchiveError> {
        let row = decode(line, &self.shape)?;
        match row.first() {
            Some(Value::Integer(id)) if *id > self.after && *id <= self.last_id => self.after = *id,
            _ => {
                let name = self.shape.table.name;
                return Err(ArchiveError::damaged(format!("a row of {name} has an invalid id")));
            }
        }
        self.summing.add(line);
        Ok(row)
    }
}

impl<R: Read> Lines<R> {
    /// Checks that nothing follows.
    fn end(&mut self) -> Result<(), ArchiveError> {
        match self.content.fill_buf().map_err(unreadable)? {
            [] => Ok(()),
            _ => Err(ArchiveError::damaged("it continues after its end")),
        }
    }

    /// Reads the next line.
    fn advance(&mut self) -> Result<(), ArchiveError> {
        self.line.clear();
        self.line.shrink_to(USUAL_LINE);
        let is_row = self.content.fill_buf().map_err(unreadable)?.first() == Some(&b'[');
        let longest = if is_row { LONGEST_LINE } else { USUAL_LINE };
        let mut content = self.content.by_ref().take(longest as u64);
        content.read_until(b'\n', &mut self.line).map_err(unreadable)?;
        match self.line.last() {
            Some(b'\n') => Ok(()),
            _ if self.line.len() == longest => {
                Err(ArchiveError::damaged("a line is longer than the format allows"))
            }
            _ => Err(ArchiveError::damaged("it ends too early")),
        }
    }

    fn record(&self) -> Result<Record, ArchiveError> {
        serde_json::from_slice(&self.line).map_err(|_| disorder())
    }

    fn next_record(&mut self) -> Result<Record, ArchiveError> {
        self.advance()?;
        self.record()
    }
}

fn disorder() -> ArchiveError {
    ArchiveError::damaged("a record in the wrong place")
}
