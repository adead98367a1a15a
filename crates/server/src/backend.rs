//! Composes the service: a database, the use cases over it, and the API.

mod accents;
mod modules;
mod search_index;
mod shared;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use exit3_app::App;
use exit3_ports::{
    ForeignSource, Moved, Repositories, Rows, SchemaState, Target, Transfer, with_causes,
};
use exit3_postgres::{PgDatabase, PgSettings};
use exit3_sqlite::{OpenError, SqliteDatabase, SqliteSettings};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::module::ModuleDatabase;
use crate::ownership;
use crate::secrets::ensure_directory;
use crate::settings::{DatabaseSettings, Settings};
pub(crate) use modules::turn;
pub(crate) use shared::Shared;

/// How long a command waits for one statement.
const PATIENCE: Duration = Duration::from_secs(120);

/// A database, from which use cases can be created.
#[derive(Clone)]
pub struct Backend {
    database: Database,
    /// The connections of this process, if the database is PostgreSQL.
    connections: Arc<OnceLock<PgDatabase>>,
    shared: Shared,
}

#[derive(Clone)]
#[allow(clippy::large_enum_variant, reason = "a process has one")]
enum Database {
    Postgres(PgSettings),
    Sqlite(Arc<SqliteDatabase>),
}

/// Why a database could not be opened or migrated.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct DatabaseError {
    text: String,
    /// Whether trying again later can help.
    pub(crate) may_pass: bool,
}

impl DatabaseError {
    fn of(error: impl std::error::Error + 'static) -> Self {
        Self { text: with_causes(&error), may_pass: false }
    }

    /// An error of a server, which may pass: an operator starts the server, corrects a password, or
    /// creates the database.
    fn of_server(error: impl std::error::Error + 'static) -> Self {
        Self { may_pass: true, ..Self::of(error) }
    }

    /// An error that may pass.
    pub(crate) fn passing(text: &str) -> Self {
        Self { text: text.to_owned(), may_pass: true }
    }

    /// An error that does not pass.
    pub(crate) fn defect(text: &str) -> Self {
        Self { text: text.to_owned(), may_pass: false }
    }

    fn of_file(error: OpenError) -> Self {
        Self { may_pass: error.may_pass(), ..Self::of(error) }
    }
}

impl Backend {
    /// Opens the database. It does not connect to PostgreSQL yet, so a service that starts before
    /// its database recovers by itself.
    ///
    /// # Errors
    /// [`DatabaseError`] if the embedded database cannot be opened.
    pub fn open(settings: &Settings) -> Result<Self, DatabaseError> {
        Self::open_with(Shared::of(settings), &settings.database)
    }

    /// Opens another database with the same settings.
    pub(crate) fn open_database(
        database: &DatabaseSettings,
        settings: &Settings,
    ) -> Result<Self, DatabaseError> {
        Self::open_with(Shared::of(settings), database)
    }

    /// Opens a database for use cases that share everything else with others.
    pub(crate) fn open_with(
        shared: Shared,
        database: &DatabaseSettings,
    ) -> Result<Self, DatabaseError> {
        let database = match database {
            DatabaseSettings::Postgres(settings) => Database::Postgres(settings.clone()),
            DatabaseSettings::Sqlite(path) => Database::Sqlite(Arc::new(open_file(path)?)),
        };
        Ok(Self { database, connections: Arc::default(), shared })
    }

    /// Checks that the database, and a pooler in front of it, allow the service to keep its
    /// promises. An unreachable one passes.
    ///
    /// # Errors
    /// [`DatabaseError`] if they do not.
    pub(crate) async fn check_fitness(&self) -> Result<(), DatabaseError> {
        match &self.database {
            Database::Postgres(settings) => {
                self.connections(settings).check_fitness().await.map_err(DatabaseError::of)
            }
            Database::Sqlite(_) => Ok(()),
        }
    }

    /// Names of server settings that could let a power cut ruin the database.
    ///
    /// # Errors
    /// [`DatabaseError`] if the database is unavailable.
    pub(crate) async fn careless_settings(&self) -> Result<Vec<String>, DatabaseError> {
        match &self.database {
            Database::Postgres(settings) => {
                self.connections(settings).careless_settings().await.map_err(DatabaseError::of)
            }
            Database::Sqlite(_) => Ok(Vec::new()),
        }
    }

    /// Applies all pending migrations, also of modules; returns their number. A failure of one turns it off.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn migrate(&self) -> Result<usize, DatabaseError> {
        let own = self.migrate_to(Target::Newest, Rows::Keep).await?.up;
        Ok(own + self.migrate_modules().await)
    }

    /// Migrates the database to any schema, including earlier ones.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn migrate_to(&self, target: Target, rows: Rows) -> Result<Moved, DatabaseError> {
        match &self.database {
            Database::Postgres(settings) => {
                connect(settings).migrate_to(target, rows).await.map_err(DatabaseError::of_server)
            }
            Database::Sqlite(database) => {
                blocking(database, move |it| it.migrate_to(target, rows)).await
            }
        }
    }

    /// The names of pending migrations that change existing rows, which need a backup first.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn pending_data_changes(&self) -> Result<Vec<&'static str>, DatabaseError> {
        match &self.database {
            Database::Postgres(settings) => {
                connect(settings).pending_data_changes().await.map_err(DatabaseError::of_server)
            }
            Database::Sqlite(database) => {
                blocking(database, move |it| it.pending_data_changes()).await
            }
        }
    }

    /// Which migrations are applied and which are pending.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub(crate) async fn schema_state(&self) -> Result<SchemaState, DatabaseError> {
        match &self.database {
            Database::Postgres(settings) => {
                connect(settings).schema_state().await.map_err(DatabaseError::of_server)
            }
            Database::Sqlite(database) => blocking(database, move |it| it.schema_state()).await,
        }
    }

    /// Whether the database is read-only because it was promoted.
    pub(crate) fn is_frozen(&self) -> bool {
        self.embedded().is_some_and(|database| database.is_frozen().unwrap_or_default())
    }

    /// The port that copies the whole database.
    pub fn transfer(&self) -> Arc<dyn Transfer> {
        match &self.database {
            Database::Postgres(settings) => Arc::new(connect(settings).transfer()),
            Database::Sqlite(database) => Arc::new(database.transfer()),
        }
    }

    /// Opens the database of another program, to read it.
    ///
    /// # Errors
    /// [`DatabaseError`] if it cannot be read.
    pub(crate) async fn foreign(
        database: &DatabaseSettings,
    ) -> Result<Box<dyn ForeignSource>, DatabaseError> {
        let source = match database {
            DatabaseSettings::Postgres(settings) => {
                exit3_postgres::foreign_source(settings, &Handle::current()).await
            }
            DatabaseSettings::Sqlite(path) => exit3_sqlite::foreign_source(path).await,
        };
        source.map_err(DatabaseError::of)
    }

    /// The embedded database, if that is used.
    pub(crate) fn embedded(&self) -> Option<Arc<SqliteDatabase>> {
        match &self.database {
            Database::Postgres(_) => None,
            Database::Sqlite(database) => Some(Arc::clone(database)),
        }
    }

    /// Creates use cases for one of `workers` threads with runtimes of their own. All workers
    /// together share the connections that the settings allow.
    pub fn app(&self, workers: usize) -> App {
        self.shared.app_over(Ok(self.repositories(workers)))
    }

    /// The repositories of [`Self::app`].
    pub(crate) fn repositories(&self, workers: usize) -> Repositories {
        match &self.database {
            Database::Postgres(settings) => {
                let worker = self.connections(settings).of_worker(workers, Handle::current());
                let mut repositories = worker.repositories();
                self.keep(&mut repositories, |_| ModuleDatabase::Postgres(worker.handle()));
                repositories
            }
            Database::Sqlite(database) => {
                let mut repositories = database.repositories();
                self.keep(&mut repositories, |module| {
                    ModuleDatabase::Sqlite(database.store().of_module(module))
                });
                repositories
            }
        }
    }

    /// Creates use cases for a command that writes many rows at once, which may take longer than a
    /// request may.
    pub fn patient_app(&self) -> App {
        let mut patient = self.clone();
        if let Database::Postgres(settings) = &mut patient.database {
            settings.timeout = PATIENCE;
        }
        patient.connections = Arc::default();
        patient.app(1)
    }

    /// Forgets callers that were idle recently in the quotas of this process.
    pub fn forget_idle(&self) {
        self.shared.forget_idle();
    }

    /// The connections of this process. Those of no single worker live on a thread that outlives
    /// all workers.
    fn connections(&self, settings: &PgSettings) -> &PgDatabase {
        self.connections.get_or_init(|| exit3_postgres::connect(settings, carrier()))
    }

    /// Keeps checking whether lists may come from the replica. Never returns.
    pub async fn watch_replica(&self) {
        match &self.database {
            Database::Postgres(settings) => self.connections(settings).watch_replica().await,
            Database::Sqlite(_) => std::future::pending().await,
        }
    }

    /// A description for people, without secrets.
    pub fn describe(&self) -> String {
        match &self.database {
            Database::Postgres(settings) => settings.describe(),
            Database::Sqlite(database) => database.describe(),
        }
    }
}

/// Runs blocking work on the embedded database.
async fn blocking<T: Send + 'static>(
    database: &Arc<SqliteDatabase>,
    work: impl FnOnce(&SqliteDatabase) -> Result<T, OpenError> + Send + 'static,
) -> Result<T, DatabaseError> {
    let database = Arc::clone(database);
    let done = tokio::task::spawn_blocking(move || work(&database)).await;
    done.map_err(DatabaseError::of)?.map_err(DatabaseError::of_file)
}

/// Connects without a pool that is shared between operations.
fn connect(settings: &PgSettings) -> PgDatabase {
    exit3_postgres::connect(settings, Handle::current())
}

/// The thread that runs connections of no single worker. It lives as long as the process.
fn carrier() -> Handle {
    static CARRIER: OnceLock<Option<Runtime>> = OnceLock::new();
    let carrier = CARRIER.get_or_init(|| {
        let mut thread = Builder::new_multi_thread();
        thread.worker_threads(1).thread_name("database").enable_all().build().ok()
    });
    carrier.as_ref().map_or_else(Handle::current, |carrier| carrier.handle().clone())
}

fn open_file(path: &Path) -> Result<SqliteDatabase, DatabaseError> {
    if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        ensure_directory(directory).map_err(DatabaseError::of)?;
    }
    if ownership::is_foreign() && !path.exists() {
        // SQLite gives new files beside the database to the owner of the database.
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        made.and_then(|file| ownership::adopt(&file)).map_err(DatabaseError::of)?;
    }
    SqliteDatabase::open(path, &SqliteSettings::default()).map_err(DatabaseError::of_file)
}
