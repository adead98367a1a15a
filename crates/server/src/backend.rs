//! The service put together: a database, the use cases over it, and the API.

use std::path::Path;
use std::sync::Arc;
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
use tokio::runtime::Handle;

use crate::clock::SystemClock;
use crate::secrets::ensure_directory;
use crate::settings::{DatabaseSettings, Settings};

/// How long a command waits for one statement.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long to wait between two steps of writing search documents anew, so that other
/// writes come through, and until it is looked whether there are more.
const FOLD_MORE: Duration = Duration::from_millis(20);
const FOLD_AGAIN: Duration = Duration::from_secs(60);

/// A database, and what makes use cases over it.
#[derive(Clone)]
pub struct Backend {
    database: Database,
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
#[error("{0}")]
pub struct DatabaseError(String);

impl DatabaseError {
    fn of(error: impl std::error::Error + 'static) -> Self {
        Self(with_causes(&error))
    }
}

impl Backend {
    /// Opens the database. PostgreSQL is not talked to yet: a service that
    /// starts before its database heals by itself.
    ///
    /// # Errors
    /// [`DatabaseError`] where the embedded database cannot be opened.
    pub fn open(settings: &Settings) -> Result<Self, DatabaseError> {
        Self::open_database(&settings.database, settings)
    }

    /// Opens another database with the same settings.
    pub(crate) fn open_database(
        database: &DatabaseSettings,
        settings: &Settings,
    ) -> Result<Self, DatabaseError> {
        let database = match database {
            DatabaseSettings::Postgres(settings) => Database::Postgres(settings.clone()),
            DatabaseSettings::Sqlite(path) => Database::Sqlite(Arc::new(open_file(path)?)),
        };
        Ok(Self {
            database,
            disposable: settings.disposable.clone(),
            keyring: Arc::default(),
            limits: settings.limits,
            quotas: Arc::default(),
            redis_url: settings.redis_url.clone(),
        })
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
                connect(settings, 1).migrate_to(target, rows).await.map_err(DatabaseError::of)
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
                connect(settings, 1).pending_data_changes().await.map_err(DatabaseError::of)
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
                connect(settings, 1).schema_state().await.map_err(DatabaseError::of)
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
            Database::Postgres(settings) => Arc::new(connect(settings, 1).transfer()),
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

    /// Use cases for one of `workers` threads, each of which has a runtime of its
    /// own. Connections belong to the runtime that made them, so every worker
    /// has its own pool, a share of the whole.
    pub fn app(&self, workers: usize) -> App {
        match &self.database {
            Database::Postgres(settings) => {
                let database = connect(settings, workers);
                self.app_over(Repositories {
                    leads: Arc::new(database.leads()),
                    subscribers: Arc::new(database.subscribers()),
                    api_keys: Arc::new(database.api_keys()),
                    backups: Arc::new(database.backups()),
                    health: Arc::new(database.health()),
                })
            }
            Database::Sqlite(database) => self.app_over(Repositories {
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
        patient.app(1)
    }

    fn app_over(&self, repositories: Repositories) -> App {
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

    /// Forgets, of what this process counts, whoever has used nothing of late.
    pub fn forget_idle(&self) {
        self.quotas.forget_idle();
    }

    /// Finds out, again and again, whether lists may come from the replica. Never ends.
    pub async fn watch_replica(&self) {
        match &self.database {
            Database::Postgres(settings) => connect(settings, usize::MAX).watch_replica().await,
            Database::Sqlite(_) => std::future::pending().await,
        }
    }

    /// Writes search documents anew that an earlier release wrote, a few at a time, now and
    /// again: nodes of that release may still be writing some. Never ends.
    pub async fn fold_accents(&self) {
        let postgres = match &self.database {
            Database::Postgres(settings) => Some(connect(settings, usize::MAX)),
            Database::Sqlite(_) => None,
        };
        let mut total = 0;
        loop {
            let folded = match (&self.database, &postgres) {
                (Database::Sqlite(database), _) => database.fold_accents().await,
                (_, Some(database)) => database.fold_accents().await,
                (_, None) => return,
            };
            let wait = match folded {
                Ok(0) | Err(_) => FOLD_AGAIN,
                Ok(_) => FOLD_MORE,
            };
            match folded {
                Ok(0) if total > 0 => {
                    tracing::info!(rows = total, "searches find all rows without accents now");
                    total = 0;
                }
                Ok(folded) => total += folded,
                // The database is away, can only be read, or lacks the migration.
                Err(error) => tracing::debug!(%error, "search documents are not written anew"),
            }
            tokio::time::sleep(wait).await;
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

/// One database's repositories.
struct Repositories {
    leads: Arc<dyn LeadRepository>,
    subscribers: Arc<dyn SubscriberRepository>,
    api_keys: Arc<dyn ApiKeyRepository>,
    backups: Arc<dyn BackupLog>,
    health: Arc<dyn DatabaseHealth>,
}

/// Does work on the embedded database that blocks.
async fn blocking<T: Send + 'static>(
    database: &Arc<SqliteDatabase>,
    work: impl FnOnce(&SqliteDatabase) -> Result<T, OpenError> + Send + 'static,
) -> Result<T, DatabaseError> {
    let database = Arc::clone(database);
    let done = tokio::task::spawn_blocking(move || work(&database)).await;
    done.map_err(DatabaseError::of)?.map_err(DatabaseError::of)
}

fn connect(settings: &PgSettings, workers: usize) -> PgDatabase {
    let mut share = settings.clone();
    share.pool_size = settings.pool_size.div_ceil(workers.max(1));
    exit3_postgres::connect(&share, Handle::current())
}

fn open_file(path: &Path) -> Result<SqliteDatabase, DatabaseError> {
    if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        ensure_directory(directory).map_err(DatabaseError::of)?;
    }
    SqliteDatabase::open(path, &SqliteSettings::default()).map_err(DatabaseError::of)
}
