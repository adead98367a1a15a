//! Copies the database as a whole.

pub(crate) mod bulk;
mod consumers;
mod counts;
mod value;

use async_trait::async_trait;
use exit3_ports::{Load, Migration, Snapshot, StoreError, Transfer, contract_files};
use tokio::runtime::Handle;

use self::bulk::{PgBulkTransaction, list};
use crate::migrations::MIGRATIONS;
use crate::obstacles::Needs;
use crate::settings::PgSettings;

/// Loaded rows must be on disk when the load is reported as done. Any setting except `off` is the
/// operator's choice, and stays.
const DURABLY: &str = "SELECT set_config('synchronous_commit', 'on', true) \
                       WHERE current_setting('synchronous_commit') = 'off'";

/// The rights that a load needs, besides those of the owner that some loads need.
const LOADING: &str = "SELECT, INSERT, UPDATE, DELETE";

/// Copies the whole database over connections of its own, because the pool is meant for quick
/// operations.
#[derive(Clone)]
pub struct PgTransfer {
    settings: PgSettings,
    runtime: Handle,
}

impl PgTransfer {
    pub(crate) fn new(settings: PgSettings, runtime: Handle) -> Self {
        Self { settings, runtime }
    }
}

#[async_trait]
impl Transfer for PgTransfer {
    fn newest_schema(&self) -> &'static str {
        MIGRATIONS.last().map(Migration::version).unwrap_or_default()
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        let mut transaction = PgBulkTransaction::open(&self.settings, &self.runtime).await?;
        let tables = transaction.complete(self.newest_schema()).await?;
        // A table emptied by TRUNCATE is empty for older snapshots as well. The first statement
        // that reads takes the snapshot, so it must come after the locks.
        let locks = match list(tables.iter().map(|shape| shape.table.name)) {
            names if names.is_empty() => String::new(),
            names => format!("LOCK TABLE {names} IN ACCESS SHARE MODE"),
        };
        transaction.begin_with("REPEATABLE READ READ ONLY", &locks).await?;
        if transaction.complete(self.newest_schema()).await? != tables {
            return Err(StoreError::Unavailable("its tables are being changed".into()));
        }
        Ok(Box::new(transaction))
    }

    async fn load(&self) -> Result<Box<dyn Load>, StoreError> {
        let mut transaction = PgBulkTransaction::open(&self.settings, &self.runtime).await?;
        let tables = transaction.needed().await?;
        transaction.lacks_nothing(&Needs::of_copy(&tables, LOADING)).await?;
        // Last what triggers write to: a writer has locked the table of its statement by then.
        let (last, first): (Vec<_>, Vec<_>) = tables
            .iter()
            .map(|shape| shape.table.name)
            .partition(|name| *name == contract_files::TABLE.name);
        let names = list(first.into_iter().chain(last));
        let locks = format!("LOCK TABLE {names} IN EXCLUSIVE MODE");
        transaction.begin_with("READ COMMITTED READ WRITE", &locks).await?;
        transaction.execute(DURABLY).await?;
        Ok(Box::new(transaction))
    }
}
