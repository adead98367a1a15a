//! The database, given as a URL or as Django's separate settings.

use std::path::PathBuf;
use std::time::Duration;

use exit3_postgres::PgSettings;
use secrecy::ExposeSecret;

use super::{Arguments, SettingsError, addresses};

/// The database.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "a process has one")]
pub enum DatabaseSettings {
    /// The embedded database in this file.
    Sqlite(PathBuf),
    /// PostgreSQL.
    Postgres(PgSettings),
}

impl DatabaseSettings {
    /// Whether the database is embedded in the service.
    pub fn is_embedded(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// A description for people, without secrets.
    pub fn describe(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("SQLite at {}", path.display()),
            Self::Postgres(settings) => settings.describe(),
        }
    }

    pub(super) fn check(arguments: &Arguments) -> Result<Self, SettingsError> {
        let database = Self::primary(arguments)?;
        let Some(url) = &arguments.database_replica_url else {
            return Ok(database);
        };
        let wrong = |problem: String| SettingsError::new("DATABASE_REPLICA_URL", problem);
        let Self::Postgres(settings) = database else {
            return Err(wrong("has no effect with the embedded database".to_owned()));
        };
        let replica = PgSettings::parse(&normal(url.expose_secret()));
        let replica = with_password(replica.map_err(|error| wrong(hint(&error)))?, arguments);
        Ok(Self::Postgres(settings.with_replica(replica, arguments.replica_max_lag)))
    }

    fn primary(arguments: &Arguments) -> Result<Self, SettingsError> {
        let settings = match &arguments.database_url {
            Some(url) => {
                return Ok(match Self::from_url(url.expose_secret(), arguments)? {
                    Self::Postgres(settings) => Self::Postgres(with_password(settings, arguments)),
                    embedded @ Self::Sqlite(_) => embedded,
                });
            }
            None => match engine(arguments)? {
                Engine::Sqlite => return Ok(Self::embedded(arguments)),
                Engine::Postgres => PgSettings::from_parts(
                    addresses::database_host(arguments.db_host.as_deref().unwrap_or("localhost"))?,
                    arguments.db_port.unwrap_or(5432),
                    arguments.db_user.as_deref().unwrap_or_default(),
                    arguments.db_password.as_ref().map_or("", |p| p.expose_secret()),
                    arguments.db_name.as_deref().ok_or_else(|| {
                        SettingsError::new("DB_NAME", "is missing: set it or DATABASE_URL")
                    })?,
                )
                .map_err(|error| SettingsError::new("DB_HOST", error.to_string()))?,
            },
        };
        Ok(Self::postgres(settings, arguments))
    }

    /// Parses the URL of a database.
    pub(crate) fn from_url(url: &str, arguments: &Arguments) -> Result<Self, SettingsError> {
        let scheme = url.split("://").next().unwrap_or_default();
        match scheme {
            "postgres" | "postgresql" | "psql" | "pgsql" => {
                let settings = PgSettings::parse(&normal(url))
                    .map_err(|error| SettingsError::new("DATABASE_URL", hint(&error)))?;
                Ok(Self::postgres(settings, arguments))
            }
            "sqlite" => {
                // sqlite:///relative and sqlite:////absolute, as in Django's URLs.
                match url.strip_prefix("sqlite:///") {
                    Some(path) if !path.is_empty() => Ok(Self::Sqlite(PathBuf::from(path))),
                    _ => Err(SettingsError::new("DATABASE_URL", "names no file: sqlite:///path")),
                }
            }
            // A URL may contain a password, so it is not printed.
            _ => Err(SettingsError::new(
                "DATABASE_URL",
                "begins with neither postgres:// nor sqlite://",
            )),
        }
    }

    fn embedded(arguments: &Arguments) -> Self {
        Self::Sqlite(arguments.data_dir.join("exit3.sqlite3"))
    }

    fn postgres(mut settings: PgSettings, arguments: &Arguments) -> Self {
        settings.pool_size = usize::from(arguments.db_pool_size);
        settings.timeout = Duration::from_millis(u64::from(arguments.db_timeout_ms));
        settings.wait = settings.timeout;
        Self::Postgres(settings)
    }
}

/// Adds the separate password to settings that have none.
fn with_password(settings: PgSettings, arguments: &Arguments) -> PgSettings {
    match &arguments.db_password {
        Some(password) => settings.with_password(password.expose_secret()),
        None => settings,
    }
}

/// What is wrong with a URL, and what may help.
fn hint(error: &exit3_postgres::SettingsError) -> String {
    match error {
        exit3_postgres::SettingsError::Form => {
            format!("{error}; or set it unencoded in DB_PASSWORD")
        }
        error => error.to_string(),
    }
}

/// The URL with PostgreSQL's own scheme.
fn normal(url: &str) -> String {
    match url.split_once("://") {
        Some(("postgresql" | "psql" | "pgsql", rest)) => format!("postgres://{rest}"),
        _ => url.to_owned(),
    }
}

enum Engine {
    Sqlite,
    Postgres,
}

/// Django's engine is a module path: `django.db.backends.postgresql`. The name of Django's SQLite
/// file is not used, because that database is not ours.
fn engine(arguments: &Arguments) -> Result<Engine, SettingsError> {
    match arguments.db_engine.as_deref() {
        Some(engine) if engine.contains("postg") => Ok(Engine::Postgres),
        Some(engine) if engine.contains("sqlite") => Ok(Engine::Sqlite),
        Some(engine) => Err(SettingsError::new(
            "DB_ENGINE",
            format!("is {engine}, but only PostgreSQL and SQLite are known"),
        )),
        None if arguments.db_host.is_some() || arguments.db_user.is_some() => Ok(Engine::Postgres),
        None => Ok(Engine::Sqlite),
    }
}
