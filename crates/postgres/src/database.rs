//! The database, which creates the repositories.

use std::sync::Arc;

use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use exit3_ports::{Ladder, ModuleSchema, Moved, Rows, SchemaState, StoreError, Target};
use tokio::runtime::Handle;

use crate::documents;
use crate::health::Asked;
use crate::lists::Lists;
use crate::migrations::{self, MigrationError, OWN};
use crate::opening::Unfit;
use crate::pool::PgPool;
use crate::settings::PgSettings;
use crate::sql::Sql;
use crate::transfer::PgTransfer;

/// A PostgreSQL database, and the repositories over it.
#[derive(Clone)]
pub struct PgDatabase {
    settings: PgSettings,
    runtime: Handle,
    pub(crate) pool: PgPool,
    pub(crate) lists: Lists,
    pub(crate) asked: Arc<Asked>,
}

/// Creates a database from its settings. It does not connect yet, so this works while the database
/// is unavailable. Connections live on `runtime`, which must outlive every use of the repositories.
/// This database, and those of [`PgDatabase::of_worker`], share the limit of connections in the
/// settings; migrations and transfers open one more each.
pub fn connect(settings: &PgSettings, runtime: Handle) -> PgDatabase {
    let pool = PgPool::new(settings, runtime.clone());
    let lists = Lists::new(settings, pool.clone(), runtime.clone());
    PgDatabase { settings: settings.clone(), runtime, pool, lists, asked: Arc::default() }
}

impl PgDatabase {
    /// The same database for one of `workers` threads with runtimes of their own. If there are
    /// enough connections, some of them live on `runtime`, which saves switching threads; `runtime`
    /// must outlive every use of these repositories.
    pub fn of_worker(&self, workers: usize, runtime: Handle) -> Self {
        let pool = self.pool.of_worker(workers, runtime.clone());
        let lists = self.lists.of_worker(workers, pool.clone(), runtime);
        Self { pool, lists, ..self.clone() }
    }

    /// The port that copies the whole database.
    pub fn transfer(&self) -> PgTransfer {
        PgTransfer::new(self.settings.clone(), self.runtime.clone())
    }

    /// Keeps checking whether lists may come from the replica in the settings; never returns. One
    /// call serves everything created from the same settings. Without it lists come from the
    /// primary.
    pub async fn watch_replica(&self) {
        self.lists.watch_replica().await;
    }

    /// Rewrites a batch of search documents that an earlier release stored without folding accents;
    /// returns their number. Nothing else in the rows changes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn fold_accents(&self) -> Result<u64, StoreError> {
        documents::fold_accents(&self.pool).await
    }

    /// A description for people: `PostgreSQL at host:port/name`.
    pub fn describe(&self) -> String {
        self.settings.describe()
    }

    /// Checks that the server, and a pooler in front of it, allow this program to keep its
    /// promises. An unreachable server passes: every new connection checks again.
    ///
    /// # Errors
    /// [`Unfit`] if they do not.
    pub async fn check_fitness(&self) -> Result<(), Unfit> {
        self.pool.check_fitness().await
    }

    /// Names of server settings that could let a power cut ruin the database.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn careless_settings(&self) -> Result<Vec<String>, StoreError> {
        let names = self.pool.read(|mut connection| async move {
            let names = Sql::<Text>::planned(
                "SELECT name FROM pg_settings \
                 WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY name",
            );
            let names = names.load(&mut *connection).await;
            connection.done(names)
        });
        names.await
    }

    /// Applies all pending migrations, each completely or not at all, and returns their number. If
    /// several programs do this at the same time, one works and the others wait. The database can
    /// be used meanwhile: a migration waits up to ten minutes for a table in use, without making
    /// others wait.
    ///
    /// # Errors
    /// The database is unavailable, or this program cannot use it.
    pub async fn migrate(&self) -> Result<usize, MigrationError> {
        Ok(self.migrate_to(Target::Newest, Rows::Keep).await?.up)
    }

    /// Like [`Self::migrate`], to any schema. Migrating down happens completely or not at all, even
    /// over several migrations.
    ///
    /// # Errors
    /// Those of [`Self::migrate`], and if no migrations lead to that schema.
    pub async fn migrate_to(&self, target: Target, rows: Rows) -> Result<Moved, MigrationError> {
        migrations::run(&self.settings, &self.runtime, OWN, target, rows).await
    }

    /// The names of pending migrations that change existing rows.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn pending_data_changes(&self) -> Result<Vec<&'static str>, MigrationError> {
        migrations::pending_data_changes(&self.settings, &self.runtime, OWN).await
    }

    /// Which migrations are applied and which are pending.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn schema_state(&self) -> Result<SchemaState, MigrationError> {
        migrations::state(&self.settings, &self.runtime, OWN).await
    }
    /// Migrates the tables of a module, as [`Self::migrate_to`] does ours, which come first.
    ///
    /// # Errors
    /// Those of [`Self::migrate_to`].
    pub async fn migrate_module(
        &self,
        module: ModuleSchema,
        target: Target,
        rows: Rows,
    ) -> Result<Moved, MigrationError> {
        let ladder = Ladder::of(module, module.postgres);
        migrations::run(&self.settings, &self.runtime, ladder, target, rows).await
    }

    /// The names of pending migrations of a module that change existing rows.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn module_data_changes(
        &self,
        module: ModuleSchema,
    ) -> Result<Vec<&'static str>, MigrationError> {
        let ladder = Ladder::of(module, module.postgres);
        migrations::pending_data_changes(&self.settings, &self.runtime, ladder).await
    }

    /// Which migrations of a module are applied and which are pending.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn module_state(&self, module: ModuleSchema) -> Result<SchemaState, MigrationError> {
        let ladder = Ladder::of(module, module.postgres);
        migrations::state(&self.settings, &self.runtime, ladder).await
    }
}
