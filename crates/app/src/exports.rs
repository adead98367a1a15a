//! Exports of lists as CSV files, which are read step by step while they are sent.

use std::io;

use async_trait::async_trait;
use exit3_domain::access::{Action, Record};
use exit3_domain::choice::Choice;
use exit3_domain::events::{self, Author, Changes, NewEvent, Subject, Verb};
use exit3_domain::exports::{Column, Format, Sheet, Usernames};
use exit3_domain::order::{ListPosition, Order, Sort};
use exit3_domain::paging::{Direction, MAX_PAGE_SIZE, Slice, Step};
use exit3_ports::{Repositories, StoreError, TRACE};
use serde_json::Value;

use crate::App;
use crate::access::{Doer, Forbidden};

/// A list that can be exported. It is read in the order `NEWEST` of its sort keys: the sort values of
/// that order never change, so a walk neither skips nor repeats a row while others write.
#[async_trait]
pub trait Exported: Sort<Row: Send + Sync> {
    /// What selects rows.
    type Filter: Send + Sync + 'static;

    /// The word for a row in events.
    const RESOURCE: &'static str;

    /// What a worker must be allowed to export.
    const RECORD: Record;

    /// All columns that a file can have.
    const COLUMNS: &'static [Column<Self::Row>];

    /// What an event tells about a filter. Words of a search may name a person, and an erasure would
    /// not find a part of a name, so the event only tells that there was a search.
    fn told(filter: &Self::Filter) -> Vec<(&'static str, Option<Value>)>;

    /// Reads rows in the order `NEWEST`.
    async fn step(
        all: &Repositories,
        filter: &Self::Filter,
        step: &Step,
    ) -> Result<Slice<Self::Row>, StoreError>;
}

/// Why an export did not begin, or broke off.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The worker may not export this list.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// No column was chosen.
    #[error("no column was chosen")]
    NoColumns,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A piece of the file could not be made.
    #[error("a row cannot be written: {0}")]
    Write(#[from] io::Error),
}

/// A file that is being exported. Between two pieces, it holds no connection to the database.
pub struct Export<S: Exported> {
    app: App,
    filter: S::Filter,
    sheet: Sheet<S::Row>,
    usernames: Usernames,
    author: Author,
    next: Next,
    rows: u64,
}

/// What the next piece of a file contains.
enum Next {
    Head,
    RowsAfter(ListPosition),
    Nothing,
}

/// Begins an export of the rows that `filter` selects, with the columns of these names. The event of
/// the export is stored before the first row is read.
///
/// # Errors
/// [`ExportError`].
#[tracing::instrument(target = TRACE, name = "exports.begin", skip_all)]
pub async fn begin<S: Exported>(
    app: &App,
    filter: S::Filter,
    columns: &[&str],
    format: Format,
    doer: &Doer,
) -> Result<Export<S>, ExportError> {
    doer.check(Action::Export, S::RECORD)?;
    let sheet = Sheet::of(S::COLUMNS, |name| columns.contains(&name), format);
    let sheet = sheet.ok_or(ExportError::NoColumns)?;
    let accounts = crate::staff::all(app).await?;
    let usernames = accounts.into_iter().map(|staff| (staff.id, staff.profile.username)).collect();
    let author = doer.author.clone();
    let export =
        Export { app: app.clone(), filter, sheet, usernames, author, next: Next::Head, rows: 0 };
    let columns: Vec<Value> = export.sheet.columns().map(Value::from).collect();
    let filter = S::told(&export.filter).into_iter();
    let filter: events::Record =
        filter.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    let told = [("filter", filter.into()), ("columns", columns.into())];
    export.note(Verb::EXPORTED, told).await?;
    Ok(export)
}

impl<S: Exported> Export<S> {
    /// The next piece of the file, which is never empty; `None` after the last one. An event with the
    /// number of rows is stored before the last piece is returned.
    ///
    /// # Errors
    /// [`ExportError`]. The file is incomplete then.
    #[tracing::instrument(target = TRACE, name = "exports.next", skip_all)]
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ExportError> {
        let (mut piece, from) = match &self.next {
            Next::Head => (self.sheet.head()?, None),
            Next::RowsAfter(position) => (Vec::new(), Some(position.clone())),
            Next::Nothing => return Ok(None),
        };
        let step = Step { from, direction: Direction::Forward, size: MAX_PAGE_SIZE };
        self.next = loop {
            let slice = S::step(self.app.repositories()?, &self.filter, &step).await?;
            self.sheet.add(&mut piece, &slice.rows, &self.usernames)?;
            self.rows += slice.rows.len() as u64;
            match slice.rows.last() {
                _ if !slice.has_next => {
                    self.note(Verb::EXPORT_ENDED, [("rows", self.rows.into())]).await?;
                    break Next::Nothing;
                }
                Some(row) => break Next::RowsAfter(Order::<S>::NEWEST.position(row)),
                // All rows of the step were deleted while they were read, and others follow.
                None => {}
            }
        };
        Ok(Some(piece).filter(|piece| !piece.is_empty()))
    }

    async fn note<const N: usize>(
        &self,
        action: &str,
        told: [(&str, Value); N],
    ) -> Result<(), StoreError> {
        let told = told.into_iter().map(|(name, value)| (name.to_owned(), value));
        let event = NewEvent {
            verb: Verb::of(S::RESOURCE, action),
            subject: Subject { resource: S::RESOURCE.into(), id: 0 },
            changes: Changes::Row(told.collect()),
        };
        let act = self.author.at(self.app.clock.now());
        self.app.repositories()?.events.note(&event, &act).await
    }
}

/// The words of the values of a filter, for its event.
pub(crate) fn words_of<C: Choice>(values: Option<&Vec<C>>) -> Option<Value> {
    let words = values?.iter().map(|value| value.as_str().to_owned());
    Some(words.collect::<Vec<_>>().into())
}

#[cfg(test)]
mod tests;
