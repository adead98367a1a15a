//! Tables of modules, which one database has and another one may lack.

use exit3_ports::{Column, ModuleRecord, Shape, Snapshot, table};

use crate::error::ArchiveError;
use crate::record::Head;

/// A table that was not restored, because the database does not have the module.
#[derive(Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The module.
    pub module: String,
    /// The name of the table.
    pub table: String,
    /// The number of its rows, which match their hash.
    pub rows: u64,
}

impl LeftOut {
    /// A table of an archive with this head.
    pub(crate) fn of(head: &Head, table: &str, rows: u64) -> Self {
        let has = |module: &&ModuleRecord| module.tables.iter().any(|own| own.name == table);
        let module = head.modules.iter().find(has).map(|module| module.module.clone());
        Self { module: module.unwrap_or_default(), table: table.to_owned(), rows }
    }
}

/// Refuses an archive with a module that is newer than that of the database.
pub(crate) fn check_archive(archive: &Head, own: &[ModuleRecord]) -> Result<(), ArchiveError> {
    let is_newer = |theirs: &&ModuleRecord| {
        own.iter().any(|own| is_of(own, theirs) && own.version < theirs.version)
    };
    match archive.modules.iter().find(is_newer).cloned() {
        Some(ModuleRecord { module, version, .. }) => {
            Err(ArchiveError::NewerModule { module, version })
        }
        None => Ok(()),
    }
}

/// Refuses to copy a database with a module that the other one lacks, or has in an older version.
///
/// # Errors
/// [`ArchiveError::WithoutModule`].
pub async fn check_modules<F: Snapshot + ?Sized, T: Snapshot + ?Sized>(
    from: &mut F,
    to: &mut T,
) -> Result<(), ArchiveError> {
    let has = to.modules().await?;
    let lacks = |module: &ModuleRecord| {
        !has.iter().any(|own| is_of(own, module) && own.version >= module.version)
    };
    match from.modules().await?.into_iter().find(lacks) {
        Some(ModuleRecord { module, version, .. }) => {
            Err(ArchiveError::WithoutModule { module, version })
        }
        None => Ok(()),
    }
}

fn is_of(one: &ModuleRecord, other: &ModuleRecord) -> bool {
    one.module == other.module
}

/// The columns of a table as the database with these tables knows them; `None` if it does not have
/// the table of a module. All names in statements come from the database.
pub(crate) fn fitting(own: &[Shape], theirs: &Shape) -> Result<Option<Shape>, ArchiveError> {
    let name = theirs.table.name;
    if table(name).is_some() {
        return Ok(Some(theirs.clone()));
    }
    let Some(own) = own.iter().find(|own| own.table.name == name) else { return Ok(None) };
    let known = |column: &&'static Column| own.columns.iter().copied().find(|own| own == column);
    let columns: Option<Vec<_>> = theirs.columns.iter().map(known).collect();
    match columns {
        Some(columns) => Ok(Some(Shape { table: own.table, columns })),
        None => Err(ArchiveError::Newer(format!("columns of table {name}"))),
    }
}
