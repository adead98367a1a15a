//! The records of modules: which of their migrations are applied, and how their tables are defined.

use exit3_ports::modules::RECORDS;
use exit3_ports::{Ladder, Migration, ModuleRecord, ModuleSchema, StoreError};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Transaction};

use super::lock::Patience;
use crate::error::Failure;

/// Creates the table of records.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS __exit3_modules (
    module text NOT NULL,
    version text NOT NULL,
    core text NOT NULL,
    tables text NOT NULL,
    run_on timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (module, version)
)";

/// The lock of a transaction that migrates a module: it holds up others only in [`close`].
pub(super) const HOLD: &str = "LOCK TABLE __exit3_modules IN ROW EXCLUSIVE MODE";

/// Creates the table of records, if it is not there, in a transaction of its own.
pub(super) async fn make(client: &mut Client, patience: &Patience) -> Result<(), Error> {
    if is_there(client, RECORDS).await? {
        return Ok(());
    }
    let transaction = client.build_transaction().read_only(false).start().await?;
    transaction.batch_execute(&patience.alone()).await?;
    transaction.batch_execute(TABLE).await?;
    transaction.commit().await
}

/// Waits for migrations of modules, and keeps later ones out. They may need what the service's
/// migrations drop, and record that only at their end.
pub(super) async fn close(transaction: &Transaction<'_>) -> Result<(), Error> {
    if is_there(transaction.client(), RECORDS).await? {
        transaction.batch_execute("LOCK TABLE __exit3_modules IN SHARE MODE").await?;
    }
    Ok(())
}

/// The versions of the applied migrations of a module.
pub(super) async fn versions(client: &Client, module: &ModuleSchema) -> Result<Vec<String>, Error> {
    if !is_there(client, RECORDS).await? {
        return Ok(Vec::new());
    }
    let select = "SELECT version FROM __exit3_modules WHERE module = $1";
    let rows = client.query_typed(select, &[(&module.module, Type::TEXT)]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// Records that a step was applied, or forgets it.
pub(super) async fn note(
    transaction: &Transaction<'_>,
    module: &ModuleSchema,
    step: &Migration,
    is_up: bool,
) -> Result<(), Error> {
    let (version, tables) = (step.version(), module.definition());
    let [name, version]: [(&(dyn ToSql + Sync), Type); 2] =
        [(&module.module, Type::TEXT), (&version, Type::TEXT)];
    if !is_up {
        let forget = "DELETE FROM __exit3_modules WHERE module = $1 AND version = $2";
        return transaction.execute_typed(forget, &[name, version]).await.map(drop);
    }
    let note = "INSERT INTO __exit3_modules (module, version, core, tables) \
                SELECT $1, $2, coalesce(max(version), ''), $3 FROM __diesel_schema_migrations";
    let binds = [name, version, (&tables, Type::TEXT)];
    transaction.execute_typed(note, &binds).await.map(drop)
}

/// Records how a program that needs no migration defines the tables, if it defines them otherwise
/// than the one that migrated, for example with one more contact. Usually this only reads.
pub(super) async fn define(
    client: &Client,
    module: &ModuleSchema,
    ladder: &Ladder,
) -> Result<(), Error> {
    let Some(newest) = ladder.steps.last().map(Migration::version) else { return Ok(()) };
    let tables = module.definition();
    let binds: [(&(dyn ToSql + Sync), Type); 3] =
        [(&module.module, Type::TEXT), (&newest, Type::TEXT), (&tables, Type::TEXT)];
    let differs = "SELECT FROM __exit3_modules WHERE module = $1 AND version = $2 AND tables <> $3";
    if client.query_typed(differs, &binds).await?.is_empty() {
        return Ok(());
    }
    let define = "UPDATE __exit3_modules SET tables = $3 WHERE module = $1 AND version = $2";
    client.execute_typed(define, &binds).await.map(drop)
}

/// The newest record of each module.
pub(crate) async fn newest(client: &Client) -> Result<Vec<ModuleRecord>, StoreError> {
    let failed = |error: Error| Failure::from(error).error;
    if !is_there(client, RECORDS).await.map_err(failed)? {
        return Ok(Vec::new());
    }
    let select = "SELECT module, version, core, tables FROM __exit3_modules \
                  ORDER BY module, version";
    let row = |row: &tokio_postgres::Row| {
        Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?))
    };
    let rows = client.query_typed(select, &[]).await.map_err(failed)?;
    ModuleRecord::newest(rows.iter().map(row).collect::<Result<Vec<_>, _>>().map_err(failed)?)
}

/// Whether a table exists.
pub(super) async fn is_there(client: &Client, table: &str) -> Result<bool, tokio_postgres::Error> {
    // Asks the catalogue itself: a name that was looked up before this transaction got the
    // migration lock may still be unknown to the session.
    let exists = format!(
        "SELECT EXISTS (SELECT FROM pg_class WHERE pg_table_is_visible(oid) \
         AND relname = '{table}')"
    );
    client.query_typed_one(&exists, &[]).await?.try_get(0)
}
