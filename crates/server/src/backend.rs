//! The service put together: a database, the use cases over it, and the API.

mod accents;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use exit3_app::App;
use exit3_app::api_keys::Keyring;
use exit3_app::quotas::Limits;
use exit3_domain::email::DisposableDomains;
use exit3_ports::{
    ApiKeyRepository, BackupLog, DatabaseHealth, DjangoSource, LeadRepository, Moved, Quotas, Rows,
    SchemaState, SubscriberRepository, Target, Transfer, with_causes,
};
use exit3_postgres::{PgDatabase, PgSettings};
use exit3_quotas::{LocalQuotas, SharedQuotas};
use exit3_sqlite::{OpenError, SqliteDatabase, SqliteSettings};
use secrecy::SecretString;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::clock::SystemClock;
use crate::ownership;
use crate::secrets::ensure_directory;
use crate::settings::{DatabaseSettings, Settings};

/// How long a command waits for one statement.
const PATIENCE: Duration = Duration::from_secs(120);

/// A database, and what makes use cases over it.
#[derive(Clone)]
pub struct Backend {
    database: Database,
    /// The connections of this process, where the database is PostgreSQL.
    connections: Arc<OnceLock<PgDatabase>>,
    shared: Shared,
}

/// What use cases need beside a database. Clones count and remember together.
#[derive(Clone)]
pub(crate) struct Shared {
    disposable: DisposableDomains,
    keyring: Arc<Keyring>,
    limits: Limits,
    /// What this process counts.
    quotas: Arc<LocalQuotas>,
    /// What counts for all nodes.
    redis_url: Option<SecretString>,
}

#[derive(Clone)]
#[allow(clippy::large_enum_variant, reason = "a process has one")]
enum Database {
    Postgres(PgSettings),
    Sqlite(Arc<SqliteDatabase>),
}

/// Why a database could not be opened or brought up to date.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct DatabaseError {
    text: String,
    /// Whether trying again later makes sense.
    pub(crate) may_pass: bool,
}

impl DatabaseError {
    fn of(error: impl std::error::Error + 'static) -> Self {
        Self { text: with_causes(&error), may_pass: false }
    }

    /// A server's refusal may pass: somebody starts the server, mends a password, creates the
    /// database.
    fn of_server(error: impl std::error::Error + 'static) -> Self {
        Self { may_pass: true, ..Self::of(error) }
    }

    /// Something that may pass.
    pub(crate) fn passing(text: &str) -> Self {
        Self { text: text.to_owned(), may_pass: true }
    }

    /// Something that does not.
    pub(crate) fn defect(text: &str) -> Self {
        Self { text: text.to_owned(), may_pass: false }
    }

    fn of_file(error: OpenError) -> Self {
        Self { may_pass: error.may_pass(), ..Self::of(error) }
    }
}

impl Backend {
    /// Opens the database. PostgreSQL is not talked to yet: a service that
    /// starts before its database heals by itself.
    ///
    /// # Errors
    /// [`DatabaseError`] where the embedded database cannot be opened.
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

    /// Opens a database for use cases that share with others what is not of the database.
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

    /// Sees that the database, and a pooler in front of it, let the service keep its
    /// promises. One that is away may do so.
    ///
    /// # Errors
    /// [`DatabaseError`] where they do not.
    pub(crate) async fn check_fitness(&self) -> Result<(), DatabaseError> {
        match &self.database {
            Database::Postgres(settings) => {
                self.connections(settings).check_fitness().await.map_err(DatabaseError::of)
            }
            Database::Sqlite(_) => Ok(()),
        }
    }

    /// The settings of the database's server with which a power cut could ruin it.
    ///
    /// # Errors
    /// [`DatabaseError`] where it is away.
    pub(crate) async fn careless_settings(&self) -> Result<Vec<String>, DatabaseError> {
        match &self.database {
            Database::Postgres(settings) => {
                self.connections(settings).careless_settings().await.map_err(DatabaseError::of)
            }
            Database::Sqlite(_) => Ok(Vec::new()),
        }
    }

    /// Applies the migrations that the database lacks; returns how many.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn migrate(&self) -> Result<usize, DatabaseError> {
        Ok(self.migrate_to(Target::Newest, Rows::Keep).await?.up)
    }

    /// Brings the database to any schema, also back to an earlier one.
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

    /// The names of the migrations that [`Self::migrate`] would apply and that change
    /// rows which are there: a backup comes before them.
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

    /// How far the schema is.
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

    /// Whether the database can only be read since it was promoted.
    pub(crate) fn is_frozen(&self) -> bool {
        self.embedded().is_some_and(|database| database.is_frozen().unwrap_or_default())
    }

    /// What copies the database as a whole.
    pub fn transfer(&self) -> Arc<dyn Transfer> {
        match &self.database {
            Database::Postgres(settings) => Arc::new(connect(settings).transfer()),
            Database::Sqlite(database) => Arc::new(database.transfer()),
        }
    }

    /// The database of the Django service that is there.
    ///
    /// # Errors
    /// [`DatabaseError`] where it cannot be read.
    pub(crate) async fn django(
        database: &DatabaseSettings,
    ) -> Result<Box<dyn DjangoSource>, DatabaseError> {
        let source = match database {
            DatabaseSettings::Postgres(settings) => {
                exit3_postgres::django_source(settings, &Handle::current()).await
            }
            DatabaseSettings::Sqlite(path) => exit3_sqlite::django_source(path).await,
        };
        source.map_err(DatabaseError::of)
    }

    /// The embedded database, if it is one.
    pub(crate) fn embedded(&self) -> Option<Arc<SqliteDatabase>> {
        match &self.database {
            Database::Postgres(_) => None,
            Database::Sqlite(database) => Some(Arc::clone(database)),
        }
    }

    /// Use cases for one of `workers` threads, each with a runtime of its own. All workers
    /// together have the connections that the settings allow.
    pub fn app(&self, workers: usize) -> App {
        match &self.database {
            Database::Postgres(settings) => {
                let database = self.connections(settings).of_worker(workers, Handle::current());
                self.shared.app_over(Repositories {
                    leads: Arc::new(database.leads()),
                    subscribers: Arc::new(database.subscribers()),
                    api_keys: Arc::new(database.api_keys()),
                    backups: Arc::new(database.backups()),
                    health: Arc::new(database.health()),
                })
            }
            Database::Sqlite(database) => self.shared.app_over(Repositories {
                leads: Arc::new(database.leads()),
                subscribers: Arc::new(database.subscribers()),
                api_keys: Arc::new(database.api_keys()),
                backups: Arc::new(database.backups()),
                health: Arc::new(database.health()),
            }),
        }
    }

    /// Use cases for a command that writes a lot at once, which may take longer
    /// than any request should.
    pub fn patient_app(&self) -> App {
        let mut patient = self.clone();
        if let Database::Postgres(settings) = &mut patient.database {
            settings.timeout = PATIENCE;
        }
        patient.connections = Arc::default();
        patient.app(1)
    }

    /// Removes callers that were idle of late from the quotas that this process counts.
    pub fn forget_idle(&self) {
        self.shared.quotas.forget_idle();
    }

    /// The connections of this process. What is not of one worker lives on a thread that
    /// outlives all workers.
    fn connections(&self, settings: &PgSettings) -> &PgDatabase {
        self.connections.get_or_init(|| exit3_postgres::connect(settings, carrier()))
    }

    /// Finds out, again and again, whether lists may come from the replica. Never ends.
    pub async fn watch_replica(&self) {
        match &self.database {
            Database::Postgres(settings) => self.connections(settings).watch_replica().await,
            Database::Sqlite(_) => std::future::pending().await,
        }
    }

    /// The database, for people: no secret in it.
    pub fn describe(&self) -> String {
        match &self.database {
            Database::Postgres(settings) => settings.describe(),
            Database::Sqlite(database) => database.describe(),
        }
    }
}

impl Shared {
    /// What the settings say.
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            disposable: settings.disposable.clone(),
            keyring: Arc::default(),
            limits: settings.limits,
            quotas: Arc::default(),
            redis_url: settings.redis_url.clone(),
        }
    }

    /// Use cases over one database's repositories.
    pub(crate) fn app_over(&self, repositories: Repositories) -> App {
        App {
            leads: repositories.leads,
            subscribers: repositories.subscribers,
            api_keys: repositories.api_keys,
            backups: repositories.backups,
            database: repositories.health,
            keyring: Arc::clone(&self.keyring),
            quotas: self.quotas(),
            limits: self.limits,
            clock: Arc::new(SystemClock),
            disposable: self.disposable.clone(),
        }
    }

    fn quotas(&self) -> Arc<dyn Quotas> {
        let own = Arc::clone(&self.quotas);
        // The address has been checked with the settings.
        let shared = self.redis_url.as_ref();
        match shared.and_then(|url| SharedQuotas::new(url, Arc::clone(&own)).ok()) {
            Some(shared) => Arc::new(shared),
            None => own,
        }
    }
}

/// One database's repositories.
pub(crate) struct Repositories {
    pub(crate) leads: Arc<dyn LeadRepository>,
    pub(crate) subscribers: Arc<dyn SubscriberRepository>,
    pub(crate) api_keys: Arc<dyn ApiKeyRepository>,
    pub(crate) backups: Arc<dyn BackupLog>,
    pub(crate) health: Arc<dyn DatabaseHealth>,
}

/// Does work on the embedded database that blocks.
async fn blocking<T: Send + 'static>(
    database: &Arc<SqliteDatabase>,
    work: impl FnOnce(&SqliteDatabase) -> Result<T, OpenError> + Send + 'static,
) -> Result<T, DatabaseError> {
    let database = Arc::clone(database);
    let done = tokio::task::spawn_blocking(move || work(&database)).await;
    done.map_err(DatabaseError::of)?.map_err(DatabaseError::of_file)
}

/// For what needs no pool of connections.
fn connect(settings: &PgSettings) -> PgDatabase {
    exit3_postgres::connect(settings, Handle::current())
}

/// The thread that carries connections which no worker has for itself. It lives as long as
/// the process.
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
        // SQLite gives what it makes beside a file to the owner of that.
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        made.and_then(|file| ownership::adopt(&file)).map_err(DatabaseError::of)?;
    }
    SqliteDatabase::open(path, &SqliteSettings::default()).map_err(DatabaseError::of_file)
}
