//! Reads the database of another program if it is an SQLite file.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use async_trait::async_trait;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Binary;
use exit3_ports::{ForeignRow, ForeignSource, ForeignTable, StoreError};
use tempfile::TempDir;

use crate::connection::{Connector, OpenError};
use crate::error::{Refusal, from_diesel, unreachable};
use crate::sql::Sql;
use crate::transfer::bulk::{SqliteBulkTransaction, blocking, columns};

/// How long the copy waits for writers, in milliseconds.
const PATIENCE: &str = "PRAGMA busy_timeout = 30000";

/// A copy of the file. The other program cannot write while somebody reads, so it waits no longer
/// than copying takes.
struct ForeignSnapshot {
    transaction: SqliteBulkTransaction,
    _directory: TempDir,
}

/// Opens the database of another program at `path`, as it is now.
///
/// # Errors
/// [`StoreError`] if the file is missing or is not a database.
pub async fn foreign_source(path: &Path) -> Result<Box<dyn ForeignSource>, StoreError> {
    let wrong = |source| unreachable(OpenError::File { path: path.to_owned(), source });
    let from = path.canonicalize().map_err(wrong)?;
    let directory = scratch().map_err(|source| {
        unreachable(OpenError::Temporary { place: tempfile::env::temp_dir(), source })
    })?;
    let to = directory.path().join("foreign.sqlite3");
    let connector = |path: &Path| {
        Connector::new(path).ok_or_else(|| unreachable(OpenError::Path(path.to_owned())))
    };
    let from = connector(&from)?;
    let name = to.to_str().ok_or(Refusal::FileGone)?.to_owned();
    blocking(move || {
        let mut connection = from.foreign().map_err(unreachable)?;
        connection.batch_execute(PATIENCE).map_err(from_diesel)?;
        let mut vacuum = Sql::<()>::new("VACUUM INTO ");
        vacuum.text(name);
        vacuum.execute(&mut connection).map(drop).map_err(from_diesel)
    })
    .await?;
    let copy = connector(&to)?;
    let transaction = SqliteBulkTransaction::begin(&copy, Connector::reader, "BEGIN").await?;
    Ok(Box::new(ForeignSnapshot { transaction, _directory: directory }))
}

/// A directory that only its owner may enter, because the copy contains names and password hashes.
/// The name is that of temporary files of interrupted commands, which the next command removes.
fn scratch() -> std::io::Result<TempDir> {
    let owner_only = std::fs::Permissions::from_mode(0o700);
    tempfile::Builder::new().prefix(".exit3-").suffix(".partial").permissions(owner_only).tempdir()
}

#[async_trait]
impl ForeignSource for ForeignSnapshot {
    async fn columns(&mut self) -> Result<HashSet<(String, String)>, StoreError> {
        self.transaction.with(|connection| columns(connection).map_err(from_diesel)).await
    }

    async fn rows(
        &mut self,
        table: &'static ForeignTable,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ForeignRow>, StoreError> {
        self.transaction
            .with(move |connection| {
                // Read as bytes, because a text of a foreign file may not be valid UTF-8.
                let mut select = Sql::<Binary>::new("SELECT CAST(json_array(");
                for (at, column) in table.columns.iter().enumerate() {
                    select.sql(if at == 0 { "CAST(\"" } else { ", CAST(\"" });
                    select.sql(column).sql("\" AS TEXT)");
                }
                select.sql(") AS BLOB) FROM ").sql(table.name).sql(" WHERE id > ").int(after);
                select.sql(" ORDER BY id LIMIT ").int(limit.into());
                let rows: Vec<Vec<u8>> = select.load(connection).map_err(from_diesel)?;
                let row = |row: &Vec<u8>| serde_json::from_str(&String::from_utf8_lossy(row));
                let rows: Result<_, _> = rows.iter().map(row).collect();
                rows.map_err(|error| StoreError::Other(error.into()))
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_can_read_the_copy() {
        let mode = scratch().unwrap().path().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
