//! The database as a whole.

use std::sync::Arc;

use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use exit3_ports::{Moved, Rows, SchemaState, StoreError, Target};
use tokio::runtime::Handle;

use crate::api_keys::PgApiKeyRepository;
use crate::backups::PgBackupLog;
use crate::clients::PgClientRepository;
use crate::documents;
use crate::health::{Asked, PgHealth};
use crate::leads::PgLeadRepository;
use crate::lists::Lists;
use crate::migrations::{self, MigrationError};
use crate::opening::Unfit;
use crate::pool::PgPool;
use crate::settings::PgSettings;
use crate::sql::Sql;
use crate::staff::PgStaffRepository;
use crate::subscribers::PgSubscriberRepository;
use crate::transfer::PgTransfer;

/// A PostgreSQL database, and the repositories that keep their rows in it.
#[derive(Clone)]
pub struct PgDatabase {
    settings: PgSettings,
    runtime: Handle,
    pool: PgPool,
    lists: Lists,
    asked: Arc<Asked>,
}

/// Makes a database of its settings. No connection is made yet, so that this
/// works while the database is away. Connections will live on `runtime`, which
/// must outlive every use of the repositories. What is made of this database, and of
/// [`PgDatabase::of_worker`], has at most as many connections together as the settings
/// say; migrations and transfers have one of their own.
pub fn connect(settings: &PgSettings, runtime: Handle) -> PgDatabase {
    let pool = PgPool::new(settings, runtime.clone());
    let lists = Lists::new(settings, pool.clone(), runtime.clone());
    PgDatabase { settings: settings.clone(), runtime, pool, lists, asked: Arc::default() }
}

impl PgDatabase {
    /// The same database for one of `workers` threads, each with a runtime of its own. If
    /// there are enough connections, some of them live on `runtime`, which saves the way
    /// between threads; `runtime` must outlive every use of these repositories.
    pub fn of_worker(&self, workers: usize, runtime: Handle) -> Self {
        let pool = self.pool.of_worker(workers, runtime.clone());
        let lists = self.lists.of_worker(workers, pool.clone(), runtime);
        Self { pool, lists, ..self.clone() }
    }

    /// The leads.
    pub fn leads(&self) -> PgLeadRepository {
        PgLeadRepository::new(self.pool.clone(), self.lists.clone())
    }

    /// The newsletter subscribers.
    pub fn subscribers(&self) -> PgSubscriberRepository {
        PgSubscriberRepository::new(self.pool.clone(), self.lists.clone())
    }

    /// The keys of the API.
    pub fn api_keys(&self) -> PgApiKeyRepository {
        PgApiKeyRepository::new(self.pool.clone())
    }

    /// The clients.
    pub fn clients(&self) -> PgClientRepository {
        PgClientRepository::new(self.pool.clone())
    }

    /// The accounts of staff.
    pub fn staff(&self) -> PgStaffRepository {
        PgStaffRepository::new(self.pool.clone())
    }

    /// What is known of the backups.
    pub fn backups(&self) -> PgBackupLog {
        PgBackupLog::new(self.pool.clone())
    }

    /// Copies the database as a whole.
    pub fn transfer(&self) -> PgTransfer {
        PgTransfer::new(self.settings.clone(), self.runtime.clone())
    }

    /// Whether the database can be used.
    pub fn health(&self) -> PgHealth {
        PgHealth::new(self.pool.clone(), Arc::clone(&self.asked))
    }

    /// Finds out, again and again, whether lists may come from the replica of the
    /// settings. Never ends. One of these serves all that was made of the same settings,
    /// and without it lists come from the primary.
    pub async fn watch_replica(&self) {
        self.lists.watch_replica().await;
    }

    /// Writes some of the search documents anew that an earlier release wrote, which did not
    /// fold accents; returns how many those were. Nothing else of the rows changes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn fold_accents(&self) -> Result<u64, StoreError> {
        documents::fold_accents(&self.pool).await
    }

    /// Which database this is, for a person: `PostgreSQL at host:port/name`.
    pub fn describe(&self) -> String {
        self.settings.describe()
    }

    /// Sees that the server, and a pooler in front of it, let this program keep its
    /// promises. One that cannot be reached may do so: that is found out with each
    /// connection.
    ///
    /// # Errors
    /// Where they do not.
    pub async fn check_fitness(&self) -> Result<(), Unfit> {
        self.pool.check_fitness().await
    }

    /// The settings of the server with which a power cut could ruin the database.
    ///
    /// # Errors
    /// Where the database is away.
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

    /// Applies the migrations that have not been applied yet, each wholly or not
    /// at all, and returns how many those were. Several programs may do this at
    /// the same time: one works, the others wait for it. Others use the database
    /// meanwhile; for a table that they hold a migration waits, at most ten minutes,
    /// and does not make them wait.
    ///
    /// # Errors
    /// Where there is no database, or none that this program can use.
    pub async fn migrate(&self) -> Result<usize, MigrationError> {
        Ok(self.migrate_to(Target::Newest, Rows::Keep).await?.up)
    }

    /// As [`Self::migrate`], to any schema, also back to an earlier one: that happens
    /// wholly or not at all, however many migrations it takes.
    ///
    /// # Errors
    /// As for [`Self::migrate`], and where there is no way to that schema.
    pub async fn migrate_to(&self, target: Target, rows: Rows) -> Result<Moved, MigrationError> {
        migrations::run(&self.settings, &self.runtime, target, rows).await
    }

    /// The names of the migrations that [`Self::migrate`] would apply and that change
    /// rows which are there.
    ///
    /// # Errors
    /// Where the database is away.
    pub async fn pending_data_changes(&self) -> Result<Vec<&'static str>, MigrationError> {
        migrations::pending_data_changes(&self.settings, &self.runtime).await
    }

    /// How far the schema is.
    ///
    /// # Errors
    /// Where the database is away.
    pub async fn schema_state(&self) -> Result<SchemaState, MigrationError> {
        migrations::state(&self.settings, &self.runtime).await
    }
}
