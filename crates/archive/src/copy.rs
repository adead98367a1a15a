//! Backs up, restores and copies databases.

use std::io::{Read, Write};

use exit3_ports::{
    ContractFound, ContractStaging, ContractStore, Load, PAGE_BYTES, Row, Shape, Snapshot,
    StoreError, Table, Value,
};

use crate::error::ArchiveError;
use crate::modules::{LeftOut, check_archive, check_modules, fitting};
use crate::read::{ArchiveReader, Event};
use crate::record::{FileSum, TableSum};
use crate::rows::{Summing, encode};
use crate::write::ArchiveWriter;

/// Rows in one batch. With the longest notes that a client may send (20 kB), a batch is one
/// megabyte, and up to ten copies of it exist at once. [`PAGE_BYTES`] reduces the batch when rows
/// are longer.
const BATCH: u32 = 50;

/// The most clients with missing files that are listed by id.
const TOLD: u64 = 10;

/// Receives the progress of a copy.
pub trait Progress {
    /// Starts a step of `rows` rows.
    fn begin(&self, what: &str, rows: u64);
    /// Reports that `rows` more rows are done.
    fn advance(&self, rows: u64);
}

/// The result of a copy.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The row count and hash of each table.
    pub tables: Vec<TableSum>,
    /// The number of contract files.
    pub files: u64,
    /// The total size of the contract files in bytes.
    pub file_bytes: u64,
    /// The tables of modules that were left out.
    pub left_out_tables: Vec<LeftOut>,
    /// Directory entries that are not files, such as links, and were left out.
    pub left_out: Vec<String>,
    /// The number of clients whose row names a contract file that is missing.
    pub without_file: u64,
    /// The first ids of those clients.
    pub first_without_file: Vec<i64>,
}

impl Summary {
    /// The number of rows in all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    fn miss(&mut self, client: &Row) {
        self.without_file += 1;
        if let (Some(Value::Integer(id)), true) = (client.first(), self.without_file <= TOLD) {
            self.first_without_file.push(*id);
        }
    }

    fn add_file(&mut self, sum: &FileSum) {
        self.files += 1;
        self.file_bytes += sum.size;
    }
}

/// Writes all tables of a snapshot and all contract files to an archive.
///
/// # Errors
/// [`ArchiveError`]; the unfinished archive is then useless.
pub async fn back_up<W: Write>(
    snapshot: &mut dyn Snapshot,
    files: &dyn ContractStore,
    mut archive: ArchiveWriter<W>,
    progress: &dyn Progress,
) -> Result<(W, Summary), ArchiveError> {
    files.check()?;
    be_sound(snapshot).await?;
    let mut summary = Summary::default();
    for shape in snapshot.shapes().await? {
        let contract = shape.columns.iter().position(|column| column.name == "contract_file");
        let count = snapshot.count(shape.table).await?;
        let last_id = snapshot.last_id(shape.table).await?;
        progress.begin(shape.table.name, count);
        let mut table = archive.table(&shape, count, last_id)?;
        let mut pages = Pages::of(&shape);
        while let Some(rows) = pages.next(snapshot).await? {
            for row in &rows {
                table.row(row)?;
                if let Some(Value::Text(name)) = contract.and_then(|at| row.get(at))
                    && !name.is_empty()
                    && !files.has(name)
                {
                    summary.miss(row);
                }
            }
            progress.advance(rows.len() as u64);
        }
        summary.tables.push(table.finish()?);
    }
    snapshot.confirm().await?;
    for found in files.list() {
        match found? {
            ContractFound::Other(name) => summary.left_out.push(name),
            ContractFound::File { name, .. } => {
                if let Some(file) = files.open(&name)? {
                    summary.add_file(&archive.file(&name, file.bytes)?);
                }
            }
        }
    }
    Ok((archive.finish()?, summary))
}

/// Restores an archive into a database and, if `staging` is given, its contract files. With
/// `replace`, existing data is replaced. An error means that nothing has changed, except for
/// [`ArchiveError::HalfPlaced`] and possibly [`ArchiveError::Uncertain`].
///
/// # Errors
/// [`ArchiveError`], for example [`ArchiveError::NotEmpty`].
pub async fn restore<R: Read>(
    archive: &mut ArchiveReader<R>,
    load: Box<dyn Load>,
    staging: Option<Box<dyn ContractStaging>>,
    replace: bool,
    progress: &dyn Progress,
) -> Result<Summary, ArchiveError> {
    restore_and(archive, load, staging, replace, progress, async |_| Ok(())).await
}

/// Like [`restore`], and runs `then` on the restored rows before they are committed.
///
/// # Errors
/// As for [`restore`], and those of `then`.
pub async fn restore_and<R: Read>(
    archive: &mut ArchiveReader<R>,
    mut load: Box<dyn Load>,
    mut staging: Option<Box<dyn ContractStaging>>,
    replace: bool,
    progress: &dyn Progress,
    then: impl AsyncFnOnce(&mut dyn Load) -> Result<(), StoreError>,
) -> Result<Summary, ArchiveError> {
    check_archive(archive.head(), &load.modules().await?)?;
    make_room(load.as_mut(), replace).await?;
    let shapes = load.shapes().await?;
    let mut summary = Summary::default();
    let mut table = None;
    let (mut rows, mut bytes) = (Vec::new(), 0);
    loop {
        match archive.next_event()? {
            Event::Table { shape, rows: count, last_id } => {
                progress.begin(shape.table.name, count);
                table = fitting(&shapes, &shape)?.map(|shape| (shape, last_id));
            }
            Event::Row(_) if table.is_none() => progress.advance(1),
            Event::Row(row) => {
                bytes += size(&row);
                rows.push(row);
                if rows.len() == BATCH as usize || bytes >= PAGE_BYTES {
                    bytes = 0;
                    put(load.as_mut(), table.as_ref(), &mut rows, progress).await?;
                }
            }
            Event::TableEnd(sum) => {
                bytes = 0;
                put(load.as_mut(), table.as_ref(), &mut rows, progress).await?;
                if let Some((shape, last_id)) = table.take() {
                    end(load.as_mut(), &shape, last_id, &sum).await?;
                    summary.tables.push(sum);
                } else {
                    let left_out = LeftOut::of(archive.head(), &sum.name, sum.rows);
                    summary.left_out_tables.push(left_out);
                }
            }
            Event::File(name) => {
                if let Some(staging) = &mut staging {
                    staging.begin(name)?;
                }
            }
            Event::Chunk(bytes) => {
                if let Some(staging) = &mut staging {
                    staging.add(&bytes)?;
                }
            }
            Event::FileEnd(sum) => {
                summary.add_file(&sum);
                if let Some(staging) = &mut staging {
                    staging.end(&sum.sha256)?;
                }
            }
            Event::End => break,
        }
    }
    if let Some(staging) = &staging {
        staging.check()?;
    }
    be_sound(load.as_mut()).await?;
    load.pass_events().await?;
    then(load.as_mut()).await?;
    commit(load).await?;
    if let Some(staging) = staging {
        staging.finish().map_err(ArchiveError::HalfPlaced)?;
    }
    Ok(summary)
}

/// Copies all tables from one database to another, empty one. Consumers of events go on there where
/// they are here, so none of them misses an event that it has not read yet.
///
/// # Errors
/// [`ArchiveError`]; nothing has changed then, except possibly for [`ArchiveError::Uncertain`].
pub async fn copy(
    from: &mut dyn Snapshot,
    mut to: Box<dyn Load>,
    progress: &dyn Progress,
) -> Result<Summary, ArchiveError> {
    check_modules(from, to.as_mut()).await?;
    make_room(to.as_mut(), false).await?;
    be_sound(from).await?;
    let mut summary = Summary::default();
    let shapes = to.shapes().await?;
    for shape in from.shapes().await? {
        // Only a table that its module has left behind is missing.
        let Some(own) = fitting(&shapes, &shape)? else { continue };
        progress.begin(shape.table.name, from.count(shape.table).await?);
        let (mut summing, mut line) = (Summing::default(), Vec::new());
        let mut pages = Pages::of(&shape);
        while let Some(rows) = pages.next(from).await? {
            sum_up(&rows, &mut summing, &mut line)?;
            let count = rows.len() as u64;
            to.write(&own, rows).await.map_err(refused(&shape))?;
            progress.advance(count);
        }
        let sum = summing.sum(shape.table.name);
        let last_id = from.last_id(shape.table).await?;
        end(to.as_mut(), &own, last_id, &sum).await?;
        summary.tables.push(sum);
    }
    let consumers = from.consumers().await?;
    from.confirm().await?;
    to.pass_events().await?;
    for (name, read) in consumers {
        to.place_consumer(&name, read).await?;
    }
    commit(to).await?;
    Ok(summary)
}

/// The row count and hash of every table of a database.
///
/// # Errors
/// [`ArchiveError::Store`].
pub async fn sums(snapshot: &mut dyn Snapshot) -> Result<Vec<TableSum>, ArchiveError> {
    let mut sums = Vec::new();
    for shape in snapshot.shapes().await? {
        sums.push(sum(snapshot, &shape).await?);
    }
    Ok(sums)
}

/// Refuses to copy a damaged database, because the copy would look like a good one.
async fn be_sound<S: Snapshot + ?Sized>(snapshot: &mut S) -> Result<(), ArchiveError> {
    snapshot.damage().await?.map_or(Ok(()), |damage| Err(ArchiveError::Unsound(damage)))
}

async fn make_room(load: &mut dyn Load, replace: bool) -> Result<(), ArchiveError> {
    if replace {
        return Ok(load.clear().await?);
    }
    for shape in load.shapes().await? {
        if load.count(shape.table).await? > 0 {
            return Err(ArchiveError::NotEmpty(shape.table.name));
        }
    }
    Ok(())
}

async fn put(
    load: &mut dyn Load,
    shape: Option<&(Shape, i64)>,
    rows: &mut Vec<Row>,
    progress: &dyn Progress,
) -> Result<(), ArchiveError> {
    if let (Some((shape, _)), false) = (shape, rows.is_empty()) {
        progress.advance(rows.len() as u64);
        load.write(shape, std::mem::take(rows)).await.map_err(refused(shape))?;
    }
    Ok(())
}

/// Completes a table: reads the rows back and compares them with what was written. A database that
/// takes rows as a stream reports its errors only now.
async fn end(
    load: &mut dyn Load,
    shape: &Shape,
    last_id: i64,
    written: &TableSum,
) -> Result<(), ArchiveError> {
    let table: &'static Table = shape.table;
    load.keep_ids(table, last_id).await.map_err(refused(shape))?;
    if sum(load, shape).await? == *written {
        Ok(())
    } else {
        Err(ArchiveError::Differs(table.name))
    }
}

fn refused(shape: &Shape) -> impl Fn(StoreError) -> ArchiveError + use<> {
    let table = shape.table.name;
    move |source| ArchiveError::Refused { table, source }
}

/// A missing answer says nothing about whether the commit happened.
async fn commit(load: Box<dyn Load>) -> Result<(), ArchiveError> {
    load.commit().await.map_err(|error| match error {
        StoreError::Unavailable(_) => ArchiveError::Uncertain(error),
        error => error.into(),
    })
}

async fn sum<S: Snapshot + ?Sized>(
    snapshot: &mut S,
    shape: &Shape,
) -> Result<TableSum, ArchiveError> {
    let (mut summing, mut line) = (Summing::default(), Vec::new());
    let mut pages = Pages::of(shape);
    while let Some(rows) = pages.next(snapshot).await? {
        sum_up(&rows, &mut summing, &mut line)?;
    }
    Ok(summing.sum(shape.table.name))
}

fn sum_up(rows: &[Row], summing: &mut Summing, line: &mut Vec<u8>) -> Result<(), ArchiveError> {
    for row in rows {
        line.clear();
        encode(row, line)?;
        summing.add(line);
    }
    Ok(())
}

/// The rough size of a row in memory, in bytes.
fn size(row: &Row) -> usize {
    let sizes = row.iter().map(|value| match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        _ => size_of::<Value>(),
    });
    sizes.sum()
}

/// Pages through a table by id. After long rows the next page is smaller, because a server may send
/// all rows of the query, even those beyond the page.
struct Pages<'a> {
    shape: &'a Shape,
    after: i64,
    most: u32,
}

impl<'a> Pages<'a> {
    fn of(shape: &'a Shape) -> Self {
        Self { shape, after: i64::MIN, most: BATCH }
    }

    async fn next<S: Snapshot + ?Sized>(
        &mut self,
        snapshot: &mut S,
    ) -> Result<Option<Vec<Row>>, ArchiveError> {
        let rows = snapshot.rows(self.shape, self.after, self.most).await?;
        let average = rows.iter().map(size).sum::<usize>() / rows.len().max(1);
        let fit = u32::try_from(PAGE_BYTES / average.max(1)).unwrap_or(BATCH);
        self.most = fit.clamp(1, BATCH);
        if let Some(Value::Integer(id)) = rows.last().and_then(|row| row.first()) {
            self.after = *id;
        }
        Ok((!rows.is_empty()).then_some(rows))
    }
}
