//! The service put together: a database, the use cases over it, and the API.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use exit3_app::App;
use exit3_domain::email::DisposableDomains;
use exit3_postgres::{PgDatabase, PgSettings};
use exit3_sqlite::{SqliteDatabase, SqliteSettings};
use tokio::runtime::Handle;

use crate::clock::SystemClock;
use crate::secrets::ensure_directory;
use crate::settings::DatabaseSettings;

/// How long a command waits for one statement.
const PATIENCE: Duration = Duration::from_secs(120);

/// A database, and what makes use cases over it.
#[derive(Clone)]
pub struct Backend {
    database: Database,
    disposable: DisposableDomains,
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
    fn of(error: &dyn std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            // Some errors tell their cause themselves.
            let told = cause.to_string();
            if !text.contains(&told) {
                text = format!("{text}: {told}");
            }
            source = cause.source();
        }
        Self(text)
    }
}

impl Backend {
    /// Opens the database. PostgreSQL is not talked to yet: a service that
    /// starts before its database heals by itself.
    ///
    /// # Errors
    /// [`DatabaseError`] where the embedded database cannot be opened.
    pub fn open(
        settings: &DatabaseSettings,
        disposable: DisposableDomains,
    ) -> Result<Self, DatabaseError> {
        let database = match settings {
            DatabaseSettings::Postgres(settings) => Database::Postgres(settings.clone()),
            DatabaseSettings::Sqlite(path) => Database::Sqlite(Arc::new(open_file(path)?)),
        };
        Ok(Self { database, disposable })
    }

    /// Applies the migrations that the database lacks; returns how many.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn migrate(&self) -> Result<usize, DatabaseError> {
        match &self.database {
            Database::Postgres(settings) => {
                connect(settings, 1).migrate().await.map_err(|error| DatabaseError::of(&error))
            }
            Database::Sqlite(database) => {
                let database = Arc::clone(database);
                tokio::task::spawn_blocking(move || database.migrate())
                    .await
                    .map_err(|error| DatabaseError::of(&error))?
                    .map_err(|error| DatabaseError::of(&error))
            }
        }
    }

    /// Use cases for one of `workers` threads, each of which has a runtime of its
    /// own. Connections belong to the runtime that made them, so every worker
    /// has its own pool, a share of the whole.
    pub fn app(&self, workers: usize) -> App {
        match &self.database {
            Database::Postgres(settings) => {
                let database = connect(settings, workers);
                self.app_over(database.leads(), database.subscribers(), database.health())
            }
            Database::Sqlite(database) => {
                self.app_over(database.leads(), database.subscribers(), database.health())
            }
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

    fn app_over(
        &self,
        leads: impl exit3_ports::LeadRepository + 'static,
        subscribers: impl exit3_ports::SubscriberRepository + 'static,
        health: impl exit3_ports::DatabaseHealth + 'static,
    ) -> App {
        App {
            leads: Arc::new(leads),
            subscribers: Arc::new(subscribers),
            database: Arc::new(health),
            clock: Arc::new(SystemClock),
            disposable: self.disposable.clone(),
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

fn connect(settings: &PgSettings, workers: usize) -> PgDatabase {
    let mut share = settings.clone();
    share.pool_size = settings.pool_size.div_ceil(workers.max(1));
    exit3_postgres::connect(&share, Handle::current())
}

fn open_file(path: &Path) -> Result<SqliteDatabase, DatabaseError> {
    if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        ensure_directory(directory).map_err(|error| DatabaseError::of(&error))?;
    }
    SqliteDatabase::open(path, &SqliteSettings::default())
        .map_err(|error| DatabaseError::of(&error))
}
